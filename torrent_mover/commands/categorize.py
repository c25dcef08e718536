"""-c: sorts the torrents of the destination client into categories; by hand on the full screen, or by the rules alone."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections import Counter

from torrent_mover.bootstrap.plans import categorizer as categorizer_of
from torrent_mover.commands.configured import routes_of
from torrent_mover.commands.front import keymap_path, wants_screen
from torrent_mover.domain.categorizing import Change, Draft, SortState
from torrent_mover.domain.errors import ExitCode, UsageError, worst
from torrent_mover.domain.text import counted, pad, safe
from torrent_mover.ports.categorizer import Categorizer, Written

_NAME_CELLS = (16, 48)
_FACTS = 44  # cells of a line beside the names of torrent and categories


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Ask, or apply. Exit 1 where a torrent could not be put into its category."""
    by_rules = arguments.apply or arguments.dry_run
    if by_rules and arguments.no_rules:
        raise UsageError(
            "--apply does what the rules say, and --no-rules says to ignore them.",
            kept="Nothing was changed.",
            remedy="Leave one of the two out.",
        )
    if not by_rules and not wants_screen(arguments, os.environ):
        raise UsageError(
            "Sorting by hand needs a terminal of 60x15 or more.",
            kept="Nothing was changed.",
            remedy="To do what the rules say without asking: torrent-mover --categorize --apply",
        )
    if arguments.json:
        raise UsageError("--categorize has no --json.", kept="Nothing was changed.", remedy="Leave --json out.")
    routes, _ = routes_of(arguments, quiet=arguments.quiet)
    wanted = {
        (each.destination_client_name, arguments.category or each.moving.category_to_move): each for each in routes
    }
    if not by_rules and len(wanted) > 1:
        names = ", ".join(
            f"{each.route} ({client}, category {category})" for (client, category), each in wanted.items()
        )
        raise UsageError(
            f"The routes bring torrents to several places, and one is sorted at a time: {names}.",
            kept="Nothing was changed.",
            remedy=f"Name a route: torrent-mover --categorize --route {next(iter(wanted.values())).route}",
        )
    codes = []
    for settings in wanted.values():
        with categorizer_of(settings, arguments.category, no_rules=arguments.no_rules, suggest=not by_rules) as found:
            codes.append(_by_rules(found, arguments) if by_rules else _on_screen(found, arguments))
    return worst(codes)


def _on_screen(categorizer: Categorizer, arguments: argparse.Namespace) -> ExitCode:
    from torrent_mover.tui.wizard.app import run_wizard

    ended = run_wizard(
        categorizer, theme=arguments.theme, graph=arguments.graph, mouse=not arguments.no_mouse, keymap=keymap_path()
    )
    if ended.written is not None:
        sys.stdout.write(_as_table(ended.written.made, ended.written))
    return _code(ended.written, ended.code)


def _by_rules(categorizer: Categorizer, arguments: argparse.Namespace) -> ExitCode:
    draft = categorizer.look(_silent)
    changes = draft.changes()
    written = None if arguments.dry_run else categorizer.write(draft, _silent)
    shown = changes if written is None else written.made
    if not arguments.quiet:
        sys.stdout.write(f"{safe(categorizer.place)}, {_named(categorizer.category)}: {_counts(draft)}\n")
        sys.stdout.write(_as_table(shown, written))
    return _code(written, ExitCode.DONE)


def _silent(_asked: int, _to_ask: int) -> None:
    """Nobody watches."""


def _code(written: Written | None, otherwise: ExitCode) -> ExitCode:
    return ExitCode.SOME_FAILED if written is not None and written.refused else otherwise


def _named(category: str) -> str:
    return f"category {safe(category)}" if category else "no category"


def _counts(draft: Draft) -> str:
    """`12 torrents, 6 by a rule, 1 ignored, 5 without a rule`."""
    count = Counter(fate.standing for fate in draft.fates())
    parts = [counted(len(draft.candidates), "torrent")]
    if draft.candidates:
        parts.append(f"{count[SortState.BY_RULE]} by a rule")
        parts.append(f"{count[SortState.IGNORED]} ignored")
        parts.append(f"{count[SortState.OPEN]} without a rule")
    return ", ".join(parts)


def _as_table(changes: tuple[Change, ...], written: Written | None) -> str:
    """What was changed (or would be, where nothing was written), and what could not be."""
    before = max((len(_old(change)) for change in changes), default=0)
    after = max((len(safe(change.category)) for change in changes), default=0)
    least, most = _NAME_CELLS
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else least + most + before + after + _FACTS
    name = min(most, max(least, columns - before - after - _FACTS))
    lines = []
    for change in changes:
        reason = f"  rule {change.rule.domain}" if change.rule else ""
        lines.append(
            f"  {change.torrent.id.short}  {pad(safe(change.torrent.name), name)}"
            f"  {_old(change):<{before}} -> {safe(change.category):<{after}}{reason}".rstrip()
        )
    verb = "would be put" if written is None else "put"
    lines.append(f"{counted(len(changes), 'torrent')} {verb} into another category.")
    if written is not None:
        if written.rules:
            lines.append(f"{counted(written.rules, 'rule')} changed.")
        for change, error in written.refused:
            lines.append(f"  {change.torrent.id.short}  {safe(change.torrent.name)}: {safe(str(error))} [{error.code}]")
        if written.refused:
            lines.append(f"{counted(len(written.refused), 'torrent')} left as before.")
    return "\n".join(lines) + "\n"


def _old(change: Change) -> str:
    return safe(change.torrent.category) or "(none)"

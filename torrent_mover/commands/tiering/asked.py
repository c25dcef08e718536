"""What `tier` is asked for, but for what hooks queue: which tiers, and what is done with them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

from torrent_mover.bootstrap.state import journal_path
from torrent_mover.bootstrap.tiering.cards import QueueCard, remember
from torrent_mover.bootstrap.tiering.setups import TierSetup, tier_setups
from torrent_mover.bootstrap.tiering.state import lock_of, open_journal, running, watch_lock_of
from torrent_mover.commands.tiering.arguments import ACTIONS
from torrent_mover.commands.tiering.telling import known_of, one_of, tell
from torrent_mover.commands.tiering.told import Told
from torrent_mover.domain.errors import ConfigError, ExitCode, UsageError
from torrent_mover.domain.settings.problems import quoted
from torrent_mover.duties.tiering.locking import DUTY
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal

SCHEMA_VERSION: Final = 1


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Do what is asked. Raises MoverError."""
    if arguments.healthcheck:
        return _healthcheck(arguments)
    action = next((name for name in ACTIONS if getattr(arguments, name)), "")
    if arguments.watch_tier is not None and arguments.json:
        raise UsageError("--json works with all but --watch.", remedy="torrent-mover tier --status --json")
    setups = chosen(tier_setups(arguments.config)[0], arguments.tier)
    if action == "request":
        return tell(arguments, [_request(setup) for setup in setups])
    if action in ("pin", "unpin"):
        return tell(arguments, [_pin(setup, getattr(arguments, action), on=action == "pin") for setup in setups])
    from torrent_mover.commands.tiering import work

    return work.perform(action, setups, arguments, tell)


def cards(arguments: argparse.Namespace) -> Sequence[QueueCard]:
    """Where hooks queue for the tiers that are meant, read from the config and remembered for the next hook. Raises MoverError."""
    setups = tier_setups(arguments.config)[0]
    found = {
        setup.name: QueueCard(
            setup.name,
            setup.settings.client,
            str(journal_path(setup)),
            (str(lock_of(setup)), str(watch_lock_of(setup))),
        )
        for setup in setups
    }
    remember(arguments.config, list(found.values()))
    return [found[setup.name] for setup in chosen(setups, arguments.tier)]


def chosen(setups: Sequence[TierSetup], name: str | None) -> Sequence[TierSetup]:
    """The tiers that are meant. Raises UsageError."""
    names = [setup.name for setup in setups]
    if name is None:
        return setups
    if name not in names:
        from difflib import get_close_matches

        near = get_close_matches(name, names, 1) or names[:1]
        raise UsageError(
            f"There is no tier {quoted(name)}; there are: {', '.join(names)}.", remedy=f"Did you mean --tier {near[0]}?"
        )
    return [setup for setup in setups if setup.name == name]


def _with_journal(setup: TierSetup, act: Callable[[KeptTierJournal], Told]) -> Told:
    with ExitStack() as stack:
        journal = open_journal(setup, stack, writes=True)
        return act(KeptTierJournal(journal.documents(DUTY, setup.name)))


def _request(setup: TierSetup) -> Told:
    def act(journal: KeptTierJournal) -> Told:
        journal.request(time.time())
        works = running(setup)
        line = (
            "The worker was asked for a round."
            if works
            else ("A round is asked for; no worker runs: torrent-mover tier --watch")
        )
        return setup.name, [line], {"tier": setup.name, "running": bool(works), "rows": []}

    return _with_journal(setup, act)


def _pin(setup: TierSetup, text: str, *, on: bool) -> Told:
    def act(journal: KeptTierJournal) -> Told:
        torrent = one_of(text, lambda: known_of(journal))
        journal.pin(torrent, on=on)
        line = f"{torrent.short.upper()} {'stays on the SSD' if on else 'may leave the SSD again'}."
        return (
            setup.name,
            [line],
            {"tier": setup.name, "rows": [{"id": torrent.hex, "hash": torrent.hex, "pinned": on}]},
        )

    return _with_journal(setup, act)


def _healthcheck(arguments: argparse.Namespace) -> ExitCode:
    """Only looks, and asks no client: by the worker's last answers. Exit 1 for a bad config, too."""
    from torrent_mover.commands.tiering import health

    try:
        setups = chosen(tier_setups(arguments.config)[0], arguments.tier)
        told, healthy = health.look(setups, strict=arguments.strict)
    except (ConfigError, UsageError) as error:
        wrong = [error.what, *getattr(error, "problems", ())]
        lines = ["System Status: UNHEALTHY", *(f"  - {each}" for each in wrong)]
        data = {"tier": arguments.tier, "healthy": False, "unhealthy": wrong, "degraded": [], "rows": []}
        tell(arguments, [("", lines, data)], [("", lines, data)])
        return ExitCode.SOME_FAILED
    tell(arguments, told, () if healthy else told)
    return ExitCode.DONE if healthy else ExitCode.SOME_FAILED

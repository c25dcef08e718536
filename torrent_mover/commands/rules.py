"""-l, -a, -d: the tracker rules."""

from __future__ import annotations

import argparse
import sys

from torrent_mover import bootstrap
from torrent_mover.commands.configured import settings_of
from torrent_mover.domain.errors import ExitCode, UsageError


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Show, add or delete."""
    settings, path = settings_of(arguments)
    rules = bootstrap.rules_file(settings, path)
    if arguments.add_rule:
        domain, category = arguments.add_rule
        try:
            rules.add(domain, category)
        except ValueError as error:
            raise UsageError(
                f"The rule {domain!r} -> {category!r} is refused: {error}.", kept="No rule was changed."
            ) from error
        sys.stdout.write(f"{domain} -> {category}\n")
    elif arguments.delete_rule:
        try:
            rules.delete(arguments.delete_rule)
        except (KeyError, ValueError) as error:
            raise UsageError(
                f"There is no rule for {arguments.delete_rule!r}.",
                kept="No rule was changed.",
                remedy="See them with: torrent-mover --list-rules",
            ) from error
        sys.stdout.write(f"{arguments.delete_rule}: deleted\n")
    else:
        found = list(rules.read())
        width = max((len(rule.domain) for rule in found), default=0)
        for rule in found:
            sys.stdout.write(f"{rule.domain:<{width}}  {rule.category}\n")
        if not found:
            sys.stdout.write("There are no rules. Add one with: torrent-mover --add-rule DOMAIN CATEGORY\n")
    return ExitCode.DONE

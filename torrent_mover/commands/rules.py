"""-l, -a, -d: the tracker rules."""

from __future__ import annotations

import argparse
import sys

from torrent_mover.adapters.config.rules import RulesFile
from torrent_mover.commands.configured import own_places_of
from torrent_mover.domain.errors import ExitCode


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Show, add or delete."""
    rules = RulesFile(own_places_of(arguments).rules_file)
    if arguments.add_rule:
        domain, category = arguments.add_rule
        rule = rules.add(domain, category)
        sys.stdout.write(f"{rule.domain} -> {rule.category}\n")
    elif arguments.delete_rule:
        rule = rules.delete(arguments.delete_rule)
        sys.stdout.write(f"{rule.domain}: deleted\n")
    else:
        found = list(rules.read())
        width = max((len(rule.domain) for rule in found), default=0)
        for rule in found:
            overlap = f"  (overlap = {rule.overlap.value})" if rule.overlap else ""
            sys.stdout.write(f"{rule.domain:<{width}}  {rule.category}{overlap}\n")
        if not found:
            sys.stdout.write("There are no rules. Add one with: torrent-mover --add-rule DOMAIN CATEGORY\n")
    return ExitCode.DONE

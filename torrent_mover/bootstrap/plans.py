"""What would be moved, and what would be sorted: for runs, and for the commands that only ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.rules_json import RulesFile
from torrent_mover.bootstrap.ends import Ends, client
from torrent_mover.bootstrap.state import journal_as_it_is
from torrent_mover.domain.selection import Policy
from torrent_mover.domain.settings import HostKeyPolicy, Settings
from torrent_mover.engine.categorize import ClientCategorizer
from torrent_mover.engine.planner import Plan, Planner
from torrent_mover.ports.journal import Journal


def planner(settings: Settings, ends: Ends, journal: Journal | None, *, kin: bool = True) -> Planner:
    """What decides which torrents move. `kin`: look at the source's disk for those that share files."""
    moving = settings.moving
    policy = Policy(moving.category_to_move, moving.size_threshold, moving.min_seed_time, moving.order)
    rules = RulesFile(settings.rules_file).read()
    return Planner(ends.source.client, journal, policy, rules, ends.look if kin else None)


def plan(settings: Settings) -> Plan:
    """What a run would do. Reads; writes nothing anywhere: a host key that is new is not remembered, either."""
    strict = replace(settings, source_server=replace(settings.source_server, host_key_policy=HostKeyPolicy.STRICT))
    with ExitStack() as stack:
        return planner(settings, Ends(strict, SystemClock(), stack), journal_as_it_is(settings, stack)).plan()


@contextmanager
def categorizer(
    settings: Settings, category: str | None = None, *, no_rules: bool = False, suggest: bool = True
) -> Iterator[ClientCategorizer]:
    """What sorts the torrents of the destination client; those of `category_to_move` unless another is named."""
    section = settings.moving.destination_client_section
    torrents = client(section, settings.destination_client, settings.general.connect_timeout, SystemClock())
    chosen = settings.moving.category_to_move if category is None else category
    try:
        yield ClientCategorizer(torrents, RulesFile(settings.rules_file), chosen, no_rules=no_rules, suggest=suggest)
    finally:
        torrents.close()

"""What would be moved, and what would be sorted: for runs, and for the commands that only ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.rules import RulesFile
from torrent_mover.adapters.outlets.run_state import FILE_NAME, published
from torrent_mover.bootstrap.arrs import holds_of, managers_of
from torrent_mover.bootstrap.ends import Ends
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.bootstrap.state import active_run, jobs_of, journal_as_it_is, state_folder
from torrent_mover.domain.capacity import fitting, margin
from torrent_mover.domain.errors import MoverError, ServerTooOld
from torrent_mover.domain.move import MoveRecord, Outcome
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.domain.rules import TrackerRules
from torrent_mover.domain.settings.servers import HostKeyPolicy
from torrent_mover.domain.text import clause, counted, size
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.duties.moving.categorize import ClientCategorizer
from torrent_mover.duties.moving.foresight import Foresight, foresee
from torrent_mover.duties.moving.planner import Planner
from torrent_mover.duties.moving.selection import SelectionPolicy
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.arrs.holds import ArrHolds
from torrent_mover.engine.arrs.silences import DUTY, Silences
from torrent_mover.engine.delivery.places import Destination
from torrent_mover.engine.run.queue import COPIED_ALREADY, LEFT_BY_USER
from torrent_mover.engine.run.work import HeldBack, Plan
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.journal import JobJournal


def chosen_by(settings: Settings, *, again: bool = False, only: frozenset[InfoHash] | None = None) -> SelectionPolicy:
    """What the settings say about what is moved. `again`: move back what came from the destination, too.

    `only`: these torrents, which somebody has named, whatever the settings say.
    """
    moving = settings.moving
    if only is not None:
        return SelectionPolicy(moving.category_to_move, order=moving.order, again=True, only=only, route=settings.route)
    chosen = SelectionPolicy(moving.category_to_move, moving.size_threshold, moving.min_seed_time, moving.order, again)
    return replace(chosen, route=settings.route)


def planner(
    settings: Settings,
    ends: Ends,
    journal: JobJournal | None,
    *,
    cross_seeds: bool = True,
    again: bool = False,
    rules: Callable[[], TrackerRules] | None = None,
    only: frozenset[InfoHash] | None = None,
    holds: ArrHolds | None = None,
) -> Planner:
    """What decides which torrents move. `cross_seeds`: look at the source's disk for those that share files.

    `rules`: where they come from, if not from the file that the settings name.
    """
    read = rules or RulesFile(settings.rules_file).read

    def held(torrent: Torrent) -> str:
        hold = holds.of(torrent.id, torrent.category) if holds else None
        return hold.words(holds.clock.now()) if holds and hold else ""

    policy, name = chosen_by(settings, again=again, only=only), ends.destination.client.name
    return Planner(ends.source.client, journal, policy, read, ends.look if cross_seeds else None, name, held)


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan, and what is known of it before anything is done. `at`: when it was looked (Unix seconds).

    `failed`: how earlier moves of its torrents ended; `left_out`: those for which there is no room now, and `room` why.
    `foresight`: what the run would refuse once it reads the .torrents.
    """

    plan: Plan
    at: float
    failed: Mapping[InfoHash, MoveRecord] = field(default_factory=dict)
    left_out: frozenset[InfoHash] = frozenset()
    room: str = ""
    foresight: Foresight = field(default_factory=Foresight)


def preview(settings: Settings, *, again: bool = False) -> Preview:
    """What a run would do, or does, where one goes on that stays: what that one holds back, it holds back.

    Reads; writes nothing anywhere: a host key that is new is not remembered, either.
    """
    server = settings.destination_server
    strict = replace(
        settings,
        source_server=replace(settings.source_server, host_key_policy=HostKeyPolicy.STRICT),
        destination_server=server and replace(server, host_key_policy=HostKeyPolicy.STRICT),
    )
    clock = SystemClock()
    with ExitStack() as stack:
        ends, whole = Ends(strict, Servers([strict], stack), clock), journal_as_it_is(settings, stack)
        journal = jobs_of(whole, ends.source.client.name, settings.route) if whole else None
        goes_on = journal is not None and bool(active_run(settings))
        left = _left(published(state_folder(settings) / FILE_NAME) or {}, journal) if journal and goes_on else {}
        now = clock.now() if goes_on else None
        documents = whole.documents(DUTY, "holds") if whole else None
        managers = managers_of(settings.arrs, clock, stack)
        holds = holds_of(settings.arrs, managers, clock, Silences(documents, writes=False))
        plan = planner(settings, ends, journal, again=again, holds=holds).plan(now=now, left=left)
        records = journal.moves() if journal else ()
        left_out, room = _room(plan, ends.destination) if plan.moves else (frozenset(), "")
        failed = {record.id: record for record in records if record.error}
        foresight = foresee(ends.source, ends.destination, plan, clock.monotonic)
        return Preview(plan, clock.now(), failed, left_out, room, foresight)


def _room(plan: Plan, destination: Destination) -> tuple[frozenset[InfoHash], str]:
    """Which moves do not fit, and why, as far as the destination tells: a run asks again, and reserves."""
    try:
        space = destination.files.space()
    except MoverError as error:
        return frozenset(), "" if isinstance(error, ServerTooOld) else f"Free space was not checked: {error.what}"
    fits = fitting([move.torrent.size for move in plan.moves], space.free, space.total)
    left_out = frozenset(move.torrent.id for move, fit in zip(plan.moves, fits, strict=True) if not fit)
    kept_free = size(margin(space.total))
    why = f"{size(space.free)} are free in {destination.files.name}, and {kept_free} must stay free"
    return left_out, f"{counted(len(left_out), 'torrent')} would not fit now: {clause(why)}." if left_out else ""


def _left(said: Mapping[str, Any], journal: JobJournal) -> dict[InfoHash, HeldBack]:
    """What the run that goes on has done with: left by the user, as it says, or copied, as the history says."""
    run = said.get("run")
    copied = (entry.id for entry in journal.history() if entry.run == run and entry.outcome is Outcome.COPIED)
    skipped = (move for move in said.get("moves", ()) if move["standing"] == MoveStatus.SKIPPED.value)
    left = {InfoHash(move["infohash"]): HeldBack(move["why"]) for move in skipped if move["why"] in LEFT_BY_USER}
    return {torrent: HeldBack(COPIED_ALREADY) for torrent in copied} | left


@contextmanager
def categorizer(
    settings: Settings, category: str | None = None, *, no_rules: bool = False, suggest: bool = True
) -> Iterator[ClientCategorizer]:
    """What sorts the torrents of the destination client; those of `category_to_move` unless another is named."""
    section = settings.moving.destination_client_section
    chosen = settings.moving.category_to_move if category is None else category
    with ExitStack() as stack:
        torrents = _destination(settings, section, stack)
        yield ClientCategorizer(torrents, RulesFile(settings.rules_file), chosen, no_rules=no_rules, suggest=suggest)


def _destination(settings: Settings, section: str, stack: ExitStack) -> TorrentClient:
    """The destination client alone."""
    wanted, server = settings.destination_client, settings.destination_server
    return Servers([settings], stack).client(section, wanted, settings, SystemClock(), server)

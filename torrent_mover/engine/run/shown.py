"""The part of a run that others look at: its picture, its log, its history, and the lines that it says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torrent_mover.domain.move import MAIN_ROUTE
from torrent_mover.domain.quantities import PAUSE
from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.report.snapshot import (
    CheckView,
    HistoryView,
    HostHealth,
    LogLine,
    MoveDetail,
    MoveStatus,
    NotMoved,
    Phase,
    RouteView,
    Snapshot,
    Wire,
)
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.hub.publisher import RoutePublisher
from torrent_mover.engine.progress import pace
from torrent_mover.engine.progress.board import Flow
from torrent_mover.engine.run import past, picture
from torrent_mover.engine.run.control import Steering
from torrent_mover.engine.run.detail import Details
from torrent_mover.engine.run.pool import Engine
from torrent_mover.engine.run.rounds import Rounds, Watching
from torrent_mover.engine.run.vitals import Vitals


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What screens and log lines say of the run as such.

    `member`: others run beside it in the same group, which tells of the whole, keeps its record, and tidies up after all.
    `again_after`: seconds after which a member that a server refused or did not answer is tried again by itself.
    One that a check refused is tried again too, less often. None: none is.
    """

    run: str
    version: str
    mode: str
    source: str
    destination: str
    config: str
    test_run: bool
    route: str = MAIN_ROUTE
    category: str = ""
    member: bool = False
    again_after: float | None = None


class Shown(Steering):
    """What is shown of a run, and the counters that outlive it. The run itself sets what changes."""

    def __init__(
        self,
        facts: RunFacts,
        engine: Engine,
        publisher: RoutePublisher,
        vitals: Vitals,
        host: Callable[[], HostHealth],
        set_limit: Callable[[float | None], None],
        notices: Sequence[str],
        watching: Watching | None,
    ) -> None:
        super().__init__(engine, publisher.publish, set_limit)
        self._facts = facts
        self._publisher = publisher
        self._vitals = vitals
        self._host = host
        self._notices = tuple(notices)
        self._early: list[tuple[Level, str]] = []
        self._has_begun = False
        self._beginning = threading.Lock()
        self._clock = engine.world.clock
        self._started_at = self._clock.now()
        self._shown_since, self._shown_monotonic = self._started_at, self._clock.monotonic()
        self._gone = 0
        self._phase = Phase.STARTING
        self._check_views: tuple[CheckView, ...] = ()
        self._not_moved: tuple[NotMoved, ...] = ()
        self._exit_code: int | None = None
        self._ended_at: float | None = None
        self._reason = ""
        self._rounds = Rounds(engine, watching) if watching else None
        self._extended = ""
        self._extended_until = 0.0
        self._painter = picture.Painter(engine)
        self._details = Details()
        self._flowing_since: float | None = None

    def snapshot(self) -> Snapshot:
        """See ports.control.Control."""
        engine, facts = self._engine, self._facts
        now = self._clock.monotonic()
        rows = engine.roster.rows()
        moves = self._painter.moves(rows, now)
        used = frozenset().union(*engine.world.way.legs.flows)
        total = sum(move.size for move in moves)
        done = sum(move.fraction * move.size for move in moves)
        phase = self._shown_phase()
        active = any(move.standing is MoveStatus.ACTIVE for move in moves)
        flows = any(move.transfers for move in moves)
        promises = phase is Phase.RUNNING and (active or any(picture.is_free(move) for move in moves))
        return Snapshot(
            at=self._clock.now(),
            run=facts.run,
            version=facts.version,
            phase=phase,
            mode=facts.mode,
            source=facts.source,
            destination=facts.destination,
            test_run=facts.test_run,
            started_at=self._shown_since,
            checks=self._check_views,
            moves=moves,
            not_moved=self._not_moved,
            fraction=0.0 if phase is Phase.WATCHING else done / total if total else float(phase is Phase.ENDED),
            eta=engine.pace.run_left(rows, now, engine.sharing()) if promises else None,
            done_bytes=int(done),
            total_bytes=total,
            extended=self._extended if now < self._extended_until else "",
            incoming=self._wire(Flow.IN, used, flows=flows),
            outgoing=self._wire(Flow.OUT, used, flows=flows),
            servers=self._vitals.read(),
            host=self._host(),
            cache_used=self._vitals.cache[0],
            cache_limit=self._vitals.cache[1],
            next_scan_in=self._rounds.next_look_in if self._rounds else None,
            troubles=sum(move.trouble is not None for move in moves),
            exit_code=self._exit_code,
            eta_is_guess=pace.is_run_a_guess(rows, now - self._flows_since(now)),
            ended_at=self._ended_at,
            next_scan_at=self._rounds.next_look_at if self._rounds else None,
            last_round=self._rounds.last if self._rounds else None,
            gone=self._gone,
            routes=(self._route_view(phase),),
        )

    def _route_view(self, phase: Phase) -> RouteView:
        facts, trouble = self._facts, self._reason if self._phase is Phase.ENDED else ""
        if phase is Phase.REFUSED:
            refused = next((check for check in self._check_views if check.passed is False and check.fatal), None)
            trouble = refused.trouble.what if refused is not None and refused.trouble is not None else "refused"
        return RouteView(
            facts.route,
            facts.source,
            facts.destination,
            facts.mode,
            facts.category,
            phase,
            self._exit_code,
            trouble,
        )

    def _flows_since(self, now: float) -> float:
        """When bytes began to flow (monotonic): a time that is promised before then is a guess."""
        if self._flowing_since is None and any(self._engine.world.throttle.totals.values()):
            self._flowing_since = now
        return now if self._flowing_since is None else self._flowing_since

    def _wire(self, flow: Flow, used: frozenset[Flow], *, flows: bool) -> Wire:
        throttle = self._engine.world.throttle
        limit = PAUSE if throttle.paused else throttle.limit(flow)
        return picture.wire(self._engine.meters[flow], used=flow in used, flows=flows, limit=limit)

    def _shown_phase(self) -> Phase:
        if self._phase is not Phase.ENDED and self._engine.stopping:
            return Phase.STOPPING
        if self._phase is Phase.RUNNING and self._engine.roster.still:
            return Phase.PAUSED
        return self._phase

    def detail(self, torrent: InfoHash) -> MoveDetail | None:
        """See ports.control.Control."""
        row = self._engine.roster.get(torrent)
        return self._details.draw(row, self._clock.now(), self._clock.monotonic()) if row else None

    def log(self, after: int = 0) -> Sequence[LogLine]:
        """See ports.control.Control."""
        return self._publisher.lines(after)

    def history(self) -> HistoryView:
        """See ports.control.Control."""
        return past.look_back(self._engine.world.journal.whole, self._engine.roster.rows())

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See ports.control.Control."""
        return self._publisher.subscribe(listener)

    @property
    def route(self) -> str:
        """The name of its route."""
        return self._facts.route

    def describe(self) -> str:
        """Its route and its ends, as `films: box -> nas`."""
        return f"{self._facts.route}: {self._facts.source} -> {self._facts.destination}"

    def seen_alive(self, within: float) -> bool:
        """Whether a run that stays went round in the last so many seconds; any other one is asked by its snapshot."""
        if self._rounds is None or self._phase not in (Phase.RUNNING, Phase.WATCHING):
            return True
        return self._clock.monotonic() - self._rounds.beat < within

    def notice(self, level: Level, text: str) -> None:
        """Publish a line about the run; before it has begun nobody listens, and it waits until then."""
        with self._beginning:
            if not self._has_begun:
                self._early.append((level, text))
                return
        self._publisher.publish(Noticed(self._clock.now(), None, level, text))

    def _begin(self) -> None:
        with self._beginning:
            self._has_begun = True
            early = [*self._early, *((Level.WARN, text) for text in self._notices)]
        for level, text in early:
            self.notice(level, text)

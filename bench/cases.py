"""The cases: what is moved over which line, beside whom, and the mark it must reach."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from bench.arena import Arena, Payload, Timing
from bench.debrid import debrid
from bench.fleet import FLEET
from bench.handover import handover
from bench.health import looking
from bench.link import Line, Link
from bench.ours import Job, Outcome
from bench.peers import Peer
from bench.report import Bar, Row, at_least, at_most
from bench.serving import serving
from bench.tiers import COPIES, hook, judging

MIB: Final = 1 << 20
GIB: Final = 1 << 30
_MEGABIT: Final = 1e6 / 8

# Larger packets than on a real line, because the line is carried by one process: it is to be no bottleneck itself.
FAR: Final = Line(0.050, mtu=9000)
NARROW: Final = Line(0.050, rate=200 * _MEGABIT)
LOSSY: Final = Line(0.050, rate=200 * _MEGABIT, loss=0.001)


@dataclass(frozen=True, slots=True)
class Content:
    """What is moved: sizes in bytes. `quick` is how much smaller it is with --quick."""

    label: str
    files: int
    size: int
    piece_length: int
    quick: int = 8

    def make(self, arena: Arena, *, quick: bool) -> Payload:
        """Its files and torrent."""
        files, size = self.files, self.size
        if quick and files > 1:
            files //= self.quick
        elif quick:
            size //= self.quick
        return arena.payload(f"{self.label}{'-quick' if quick else ''}", files, size, self.piece_length)


LARGE: Final = Content("large", 1, 2 * GIB, 2 * MIB)
GIGABYTE: Final = Content("gigabyte", 1, GIB, MIB)
QUARTER: Final = Content("quarter", 1, 256 * MIB, 512 << 10)
SIXTEENTH: Final = Content("sixteenth", 1, 64 * MIB, 256 << 10, quick=4)
MANY: Final = Content("many", 5000, 64 << 10, 256 << 10)
TINY: Final = Content("tiny", 20_000, 4 << 10, 64 << 10)


@dataclass(frozen=True, slots=True)
class Race:
    """Ours and the peers in turns, `rounds` times; medians are compared.

    `bars`: for each peer; several names joined by "/" mean the best of them. `further` makes more rows of the same runs.
    """

    case: str
    content: Content
    bars: dict[str, Bar]
    line: Line | None = None
    mode: str = "sftp"
    rounds: int = 3
    settings: dict[str, int] = field(default_factory=dict)
    further: Callable[[Race, list[Outcome], dict[str, list[Timing]]], Iterator[Row]] | None = None

    def rows(self, arena: Arena, *, quick: bool) -> Iterator[Row]:
        """Measure."""
        if self.line is not None and (why := Link.missing()):
            for name, bar in self.bars.items():
                yield Row.unmeasured(self.case, name, bar, why)
            return
        payload = self.content.make(arena, quick=quick)
        names = [name for group in self.bars for name in group.split("/")]
        with ExitStack() as stack:
            link = stack.enter_context(Link(self.line)) if self.line else None
            arena.listen(link)
            peers = {name: Peer(name, arena, link) for name in names}
            ours, timings = self._run(arena, payload, peers, link)
        rate = payload.size / statistics.median(outcome.seconds for outcome in ours)
        for group, bar in self.bars.items():
            yield self._row(group, bar, rate, payload, peers, timings)
        if self.further is not None:
            yield from self.further(self, ours, timings)

    def _run(
        self, arena: Arena, payload: Payload, peers: dict[str, Peer], link: Link | None
    ) -> tuple[list[Outcome], dict[str, list[Timing]]]:
        ours: list[Outcome] = []
        timings: dict[str, list[Timing]] = {name: [] for name in peers}
        arena.warm(payload)
        for _ in range(self.rounds):
            ours.append(arena.ours(payload, self.mode, link, **self.settings))
            for name, peer in peers.items():
                if not peer.missing:
                    arena.clear()
                    timings[name].append(_checked(arena.command(peer.argv(payload), link), name))
            arena.clear()
        return ours, timings

    def _row(
        self,
        group: str,
        bar: Bar,
        rate: float,
        payload: Payload,
        peers: dict[str, Peer],
        timings: dict[str, list[Timing]],
    ) -> Row:
        there = {name: timings[name] for name in group.split("/") if timings[name]}
        if not there:
            return Row.unmeasured(self.case, group, bar, f"peer missing: {peers[group.partition('/')[0]].missing}")
        seconds = {name: statistics.median(run.seconds for run in runs) for name, runs in there.items()}
        best = min(seconds, key=lambda name: seconds[name])
        theirs = payload.size / seconds[best]
        note = f"{self.line}" if self.line else ""
        if self.settings:
            note += f"; settings {', '.join(f'{name} = {value}' for name, value in self.settings.items())}"
        if self.rounds < _ROUNDS:
            note += f"; median of {self.rounds}"
        return Row.judged(self.case, _rate(rate), f"{best} {_rate(theirs)}", rate / theirs, bar, note.lstrip("; "))


_OPENING: Final = 1.0  # seconds
_ROUNDS: Final = 3


def _checked(timing: Timing, name: str) -> Timing:
    if timing.code:
        raise RuntimeError(f"{name} failed with {timing.code}: {timing.complaint}")
    return timing


def _rate(rate: float) -> str:
    return f"{rate / MIB:.0f} MiB/s" if rate >= 10 * MIB else f"{rate / MIB:.1f} MiB/s"


def _cpu_row(_race: Race, ours: list[Outcome], timings: dict[str, list[Timing]]) -> Iterator[Row]:
    bar = at_most(1.5, 1.0)
    own = statistics.median(outcome.cpu_own for outcome in ours)
    everything = statistics.median(outcome.cpu_own + outcome.cpu_children for outcome in ours)
    theirs = statistics.median(timing.cpu for timing in timings["sftp"])
    peer = f"sftp + ssh {theirs:.1f} s"
    yield Row.judged("cpu", f"{own:.1f} s", peer, own / theirs, bar, "our own process, hashing included")
    yield Row.judged("cpu-all", f"{everything:.1f} s", peer, everything / theirs, bar, "with our ssh children")


def _memory_row(_race: Race, ours: list[Outcome], _timings: dict[str, list[Timing]]) -> Iterator[Row]:
    peak = max(outcome.peak_rss for outcome in ours) / MIB
    yield Row.judged(
        "memory-files", f"{peak:.0f} MiB", "", peak, at_most(150, 100, " MiB"), "one torrent of many files"
    )


EIGHT: Final = {"sessions": 9, "downloads": 8}

RACES: Final = (
    Race(
        "large",
        LARGE,
        {"sftp": at_least(0.79, 1.3), "sftp, then sha1sum": at_least(1.2, 1.5), "ssh cat": at_least(0.55, 0.8)},
        further=_cpu_row,
    ),
    Race("many", MANY, {"tar": at_least(0.9, 1.2)}),
    Race("tiny", TINY, {"rsync": at_least(0.6, 1.0)}, further=_memory_row),
    Race("far", GIGABYTE, {"sftp": at_least(2.5, 3.5), "rclone": at_least(0.9, 1.2)}, line=FAR),
    Race("far-8", GIGABYTE, {"sftp": at_least(2.5, 3.5), "rclone": at_least(0.9, 1.2)}, line=FAR, settings=EIGHT),
    Race("narrow", QUARTER, {"sftp/rsync": at_least(0.95, 1.0)}, line=NARROW),
    Race("lossy", SIXTEENTH, {"sftp": at_least(4, 7)}, line=LOSSY),
    Race("lossy-8", SIXTEENTH, {"sftp": at_least(4, 7)}, line=LOSSY, settings=EIGHT),
    Race("many-far", MANY, {"tar": at_least(0.8, 1.0)}, line=FAR),
    Race("relay", GIGABYTE, {"ssh cat | ssh cat": at_least(0.9, 1.1)}, mode="sftp_upload"),
    Race("rsync", LARGE, {"rsync": at_least(0.95, 1.0)}, mode="rsync"),
)


def resume(arena: Arena, *, quick: bool) -> Iterator[Row]:
    """A torrent cut at half: how much is sent twice."""
    payload = LARGE.make(arena, quick=quick)
    first = arena.ours(payload, stop_after=payload.size // 2)
    second = arena.ours(payload, resume=True)
    again = max(0, first.sent + second.sent - payload.size) / LARGE.piece_length
    note = f"{first.sent / MIB:.0f} MiB before the cut, {second.sent / MIB:.0f} MiB after it"
    lanes = 4
    yield Row.judged("resume", f"{again:.1f} pieces again", "", again, at_most(lanes, 0, " pieces"), note)


def limits(arena: Arena, *, quick: bool) -> Iterator[Row]:
    """A limit of 20 MB/s over ten seconds, in both sftp modes."""
    limit, seconds = 20e6, 10.0
    payload = GIGABYTE.make(arena, quick=False)
    del quick
    for mode in ("sftp", "sftp_upload"):
        outcome = arena.ours(payload, mode, limit=limit, stop_after=int(limit * (seconds + 1)))
        rate = outcome.rate_after(seconds)
        off = abs(rate / limit - 1) * 100
        case = f"limit-{mode}"
        yield Row.judged(
            case, f"{rate / 1e6:.2f} MB/s", "limit 20 MB/s", off, at_most(5, 1, " %"), "deviation in per cent"
        )


def memory(arena: Arena, *, quick: bool) -> Iterator[Row]:
    """Four torrents of 50 GiB at once, each broken off after a while: nothing may grow with their size."""
    size, most = 50 * GIB, (64 if quick else 512) * MIB
    payloads = [arena.sparse(f"sparse-{number}", size, 16 * MIB) for number in range(4)]
    folder = payloads[0].folder.parent / "sparse"
    folder.mkdir(exist_ok=True)
    for payload in payloads:
        payload.path.rename(folder / payload.name)
    arena.clear()
    job = Job(
        mode="sftp",
        login=arena.login(),
        source=str(folder),
        target=str(arena.target),
        state=arena.fresh_state(),
        torrents=[str(payload.torrent) for payload in payloads],
        stop_after=most,
    )
    outcome = arena.engine(job)
    peak = outcome.peak_rss / MIB
    note = (
        f"4 x 50 GiB sparse at once, broken off after {most // MIB} MiB each; our own process, without its ssh children"
    )
    yield Row.judged("memory-sizes", f"{peak:.0f} MiB", "", peak, at_most(150, 100, " MiB"), note)
    arena.clear()


def planning(arena: Arena, *, quick: bool) -> Iterator[Row]:
    """5,000 torrents of a fake client: from the start of the run until the first transfer starts."""
    count = 500 if quick else 5000
    seconds = statistics.median(arena.whole(None, "", count)[0] for _ in range(_ROUNDS))
    note = f"{count} torrents; no pre-flight checks, which take as long as the servers take to answer"
    yield Row.judged("planning", f"{seconds:.2f} s", "", seconds, at_most(3, 1, " s"), note)


def dashboard(arena: Arena, *, quick: bool) -> Iterator[Row]:
    """The same whole run with the dashboard (headless, 120 x 40, 4 pictures a second) and with plain lines.

    The moment in which the screen opens, once in hours of moving, is left out of both.
    """
    payload = LARGE.make(arena, quick=quick)
    arena.listen(None)
    arena.warm(payload)
    rates: dict[str, list[float]] = {"simple": [], "dashboard": []}
    for _ in range(_ROUNDS):
        for front, seen in rates.items():
            seen.append(arena.whole(payload, front)[1].rate_since(0 if quick else _OPENING))
    plain, screen = (statistics.median(rates[front]) for front in ("simple", "dashboard"))
    yield Row.judged("dashboard", _rate(screen), f"--simple {_rate(plain)}", screen / plain, at_least(0.97, 1.0))


Measure = Callable[..., Iterable[Row]]


def everything() -> dict[str, Measure]:
    """All cases by name, in the order of the table."""
    found: dict[str, Measure] = {race.case: race.rows for race in RACES}
    alone = {
        "resume": resume,
        "limits": limits,
        "memory": memory,
        "planning": planning,
        "dashboard": dashboard,
        "handover": handover,
        "health": looking,
        "serve": serving,
    }
    tiers = {"tier-hook": hook} | {copies.case: copies.rows for copies in COPIES} | {"tier-judge": judging}
    return found | alone | {crowd.case: crowd.rows for crowd in FLEET} | tiers | {"debrid": debrid}


ORDER: Final = (
    *(
        "large",
        "cpu",
        "cpu-all",
        "many",
        "tiny",
        "memory-files",
        "memory-sizes",
        "far",
        "far-8",
        "narrow",
        "lossy",
        "lossy-8",
        "many-far",
        "relay",
    ),
    *("fleet", "fleet-small", "single", "single-seeds", "single-files", "single-files-seeds"),
    *("rsync", "resume", "dashboard", "planning", "handover", "limit-sftp", "limit-sftp_upload"),
    *("tier-hook", "tier-copy", "tier-copy-read", "tier-small", "tier-judge", "tier-judge-again"),
    *("debrid-day", "debrid-list"),
    *("health-look", "health-look-again", "health-look-still", "health-memory", "health-peer"),
    *("serve-idle", "serve-memory", "serve-paint"),
)
"""Of the rows in the table."""

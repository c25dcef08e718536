"""The wizard over a categorizer that tests drive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from tests.fakes.snapshots import AT, GIB
from tests.tui.pilot import NARROW, resized, rows_of, settle
from tests.tui.scenes import HOSTILE
from torrent_mover.domain.categorizing import CategoryShelf, Draft, Peer, Placed, TrackerHost, Unsorted
from torrent_mover.domain.errors import MoverError, Unreachable
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.rules import Rule, TrackerRules
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent, TorrentState
from torrent_mover.ports.categorizer import Written
from torrent_mover.tui.shell.look import Look, look_for
from torrent_mover.tui.wizard.app import WizardApp

DAY = 86400
Act = Callable[[WizardApp, Pilot[int]], Awaitable[None]]


class FakeCategorizer:
    """Shows `draft` until something is written; then `later`, or the same without what was decided. `writes` remembers."""

    def __init__(self, draft: Draft, *, place: str = "nas:8080") -> None:
        self.draft = draft
        self.later: Draft | None = None
        self.writes: list[Draft] = []
        self.refuse: MoverError | None = None
        self.refuse_torrents = 0
        self.unreachable: MoverError | None = None
        self._place = place

    @property
    def place(self) -> str:
        return self._place

    @property
    def category(self) -> str:
        return self.draft.category

    def look(self, told: Callable[[int, int], object]) -> Draft:
        told(0, len(self.draft.candidates))
        if self.unreachable:
            raise self.unreachable
        return self.later if self.writes and self.later else self.draft

    def write(self, draft: Draft, told: Callable[[int, int], object]) -> Written:
        if self.refuse:
            raise self.refuse
        self.writes.append(draft)
        changes = draft.changes()
        for number in range(len(changes)):
            told(number, len(changes))
        cut = len(changes) - self.refuse_torrents
        error = Unreachable("nas:8080 does not answer.")
        return Written(changes[:cut], tuple((one, error) for one in changes[cut:]), len(draft.rule_changes()))


def a_candidate(number: int, name: str, *hosts: str, **more) -> Unsorted:
    """Hosts that begin with `-` do not work."""
    fields = {"category": "", "tags": (), "size": int(1.4 * GIB), "auto_managed": False} | more
    torrent = Torrent(
        InfoHash(f"{number:02x}" * 20), name, fields["category"], TorrentState.SEEDING, "stalledUP",
        ClientPath("/data/downloads"), fields["size"], fields["size"], 0, 1.0, int(AT) - 2 * DAY, 0, 0, 0.0, 0,
        tags=fields["tags"], auto_managed=fields["auto_managed"],
    )  # fmt: skip
    return Unsorted(torrent, tuple(TrackerHost(host.lstrip("-"), host[0] != "-") for host in hosts))


def usual() -> Draft:
    """31 torrents without a category, some with rules."""
    show = [
        a_candidate(
            number,
            f"[SubsPlease] Some Show - {number:02} (1080p) [A1B2C3D4].mkv",
            "nyaa.tracker.example",
            "-opentracker.example",
            tags=("hd",) if number == 7 else (),
            auto_managed=True,
        )
        for number in range(7, 12)
    ]
    films = [a_candidate(number, f"Film {number} (2010) 1080p", "films.example") for number in range(20, 26)]
    others = [a_candidate(number, f"Something Else {number}", f"t{number}.example") for number in range(30, 37)]
    bare = [a_candidate(40, "No Tracker At All")]
    quiet = [a_candidate(41, "Private Thing", "private.example")]
    shelves = tuple(
        CategoryShelf(*one)
        for one in [("anime", 41), ("anime-movies", 6), ("animation", 2), ("films", 120), ("tv", 300), ("empty", 0), ("", 20)]
    )  # fmt: skip
    peers = (Peer("anime", ("nyaa.tracker.example",)),) * 9 + (Peer("films", ("films.example",)),) * 4
    rules = TrackerRules((Rule("films.example", "films"), Rule("private.example", "Ignore")))
    return Draft("", (*show, *films, *others, *bare, *quiet), rules, shelves, peers)


def hostile() -> Draft:
    """Names that act on terminals, as torrents, tags and categories."""
    candidates = [
        a_candidate(number, name, "xn--80ak6aa92e.example", tags=(name,), category=HOSTILE[0])
        for number, name in enumerate(HOSTILE, 1)
    ]
    shelves = tuple(CategoryShelf(name, number) for number, name in enumerate(HOSTILE))
    rules = TrackerRules(tuple(Rule(f"r{number}.example", name) for number, name in enumerate(HOSTILE)))
    return Draft(HOSTILE[0], tuple(candidates), rules, shelves)


def many() -> Draft:
    """More than fits anywhere."""
    candidates = (a_candidate(1, "One of many", "a.very.long.tracker.name.that.goes.on.example", category="in"),)
    shelves = tuple(CategoryShelf(f"category {number:03}", number) for number in range(300))
    return Draft("in", candidates, TrackerRules(), shelves)


def crowd() -> Draft:
    """41 torrents of one tracker, one of which somebody has placed already."""
    candidates = tuple(
        a_candidate(number, f"Episode {number:02} of a Long Series", "crowd.example", category="in", size=number * GIB)
        for number in range(1, 42)
    )
    peers = (Peer("tv", ("crowd.example",)),) * 3 + (Peer("films", ("crowd.example",)),) * 2
    shelves = (CategoryShelf("films", 3), CategoryShelf("tv", 2), CategoryShelf("in", 41))
    return Draft("in", candidates, TrackerRules(), shelves, peers).decided(Placed(candidates[5], "films"))


DRAFTS: dict[str, Callable[[], Draft]] = {
    "usual": usual,
    "hostile": hostile,
    "many": many,
    "crowd": crowd,
    "empty": lambda: Draft("move-me", (), TrackerRules()),
}


def drive(
    categorizer: FakeCategorizer,
    act: Act,
    size: tuple[int, int] = NARROW,
    look: Look | None = None,
    *,
    wait: bool = True,
    keymap: Mapping[str, str] | None = None,
) -> WizardApp:
    """Run the wizard; `act` presses keys and looks. Without `wait` it begins before the client has answered."""
    chosen = look or look_for("braille", "iec", encoding="utf-8", term="xterm-256color")
    app = WizardApp(categorizer, chosen, "dark", AT, keymap or {})

    async def session() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            if wait:
                await ready(app, pilot)
            else:
                await settle(pilot)
            await act(app, pilot)

    asyncio.run(session())
    return app


async def ready(app: WizardApp, pilot: Pilot[int]) -> None:
    """Until the client has answered and everything is drawn."""
    await settle(pilot)
    while any(not worker.is_finished for worker in app.workers):
        with suppress(WorkerCancelled):  # it was left meanwhile
            await app.workers.wait_for_complete()
        await settle(pilot)


async def press(app: WizardApp, pilot: Pilot[int], *keys: str) -> None:
    """Press keys, one after the other, each with all that follows from it."""
    for key in keys:
        await pilot.press(key)
        await ready(app, pilot)


def pictures(
    categorizer: FakeCategorizer, sizes: Sequence[tuple[int, int]], *keys: str, look: Look | None = None
) -> list[str]:
    """The screen after these keys at each of these sizes, the first of which it starts with."""
    shown: list[str] = []

    async def act(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, *keys)
        for number, size in enumerate(sizes):
            if number:
                await resized(pilot, size)
            shown.append("\n".join(row.rstrip() for row in rows_of(app)) + "\n")

    drive(categorizer, act, sizes[0], look)
    return shown


def picture(categorizer: FakeCategorizer, size: tuple[int, int], *keys: str, look: Look | None = None) -> str:
    """The screen after these keys."""
    return pictures(categorizer, [size], *keys, look=look)[0]

"""What the stories about an account need from outside, in one place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from torrent_mover.domain.arrs.media import MediaFile
from torrent_mover.domain.arrs.path_pairs import ArrPair
from torrent_mover.domain.debrid.account import Standing
from torrent_mover.domain.debrid.errors import AccountExpired, DebridParked
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.paths import ArrPath, LocalPath
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.debrid_journal import DebridJournal
from torrent_mover.duties.debrid.records import AccountNote, DebridAttempt, Metric
from torrent_mover.duties.debrid.settings import DebridSettings
from torrent_mover.duties.debrid.verdicts import account_doubts
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.debrid import DebridAccount
from torrent_mover.ports.links import LinkLibrary
from torrent_mover.ports.media_library import MediaLibrary


class Say(Protocol):
    """Tells people what happens."""

    def __call__(self, torrent: InfoHash | None, text: str, level: Level = Level.INFO) -> None:
        """One line."""


class Act(Enum):
    """What a run may do only so many times."""

    REPAIR = "repair"
    DELETE = "delete"
    QUARANTINE = "quarantine"
    SEARCH = "search"


class RunBudget:
    """What one run may still do. Safe from any thread."""

    def __init__(self, most: Mapping[Act, int]) -> None:
        self._left = dict(most)
        self._lock = threading.Lock()

    def take(self, act: Act) -> bool:
        """Count one; False where none was left."""
        with self._lock:
            if self._left[act] < 1:
                return False
            self._left[act] -= 1
            return True

    def give_back(self, act: Act) -> None:
        """It was not done after all."""
        with self._lock:
            self._left[act] += 1

    def left(self, act: Act) -> int:
        """How many are left."""
        return self._left[act]


def budget_of(settings: DebridSettings) -> RunBudget:
    """What a run of this account may do."""
    return RunBudget(
        {
            Act.REPAIR: settings.max_repairs,
            Act.DELETE: settings.max_deletes,
            Act.QUARANTINE: settings.max_quarantined,
            Act.SEARCH: settings.max_searches,
        }
    )


@dataclass(frozen=True, slots=True)
class DebridArr:
    """An Arr whose library this is; `pairs`: folders that it sees under another path."""

    manager: MediaLibrary
    pairs: tuple[ArrPair, ...] = ()

    def files_at(self, links: Collection[LocalPath]) -> Mapping[LocalPath, MediaFile]:
        """What it knows of the files at these links."""
        seen = {as_arr_sees(link, self.pairs): link for link in links}
        return {seen[path]: file for path, file in self.manager.files_at(seen.keys()).items()}


def as_arr_sees(path: LocalPath, pairs: tuple[ArrPair, ...]) -> ArrPath:
    """A path of ours as an Arr calls it: by the longest folder that has another path there."""
    for pair in sorted(pairs, key=lambda each: -len(each.ours.parts)):
        seen = pair.to_arr(path)
        if seen is not None:
            return seen
    return ArrPath(str(path))


@dataclass(frozen=True, slots=True)
class DebridWorld:
    """One account and all around it. `acts`: things may be changed; `asks`: requests other than GET may be sent.

    `lease` holds a torrent of the account against everybody else. `notice` tells a person, by all ways that the settings name.
    `kept`: the .torrent of a torrent, where somebody has it.
    `measured` hears of each number that is written down; `repaired` is told the links of a torrent that was repaired.
    `stopped`: we were asked to end.
    """

    settings: DebridSettings
    account: DebridAccount
    journal: DebridJournal
    library: LinkLibrary
    clock: Clock
    say: Say
    notice: Callable[[str], None]
    lease: Callable[[InfoHash], AbstractContextManager[None]]
    budget: RunBudget
    quarantine: str
    arrs: Mapping[str, DebridArr] = field(default_factory=dict)
    fallback: DebridAccount | None = None
    measured: Callable[[Metric], None] = lambda _: None
    repaired: Callable[[InfoHash, tuple[str, ...]], None] = lambda _hash, _links: None
    kept: Callable[[InfoHash], bytes | None] = lambda _: None
    stopped: Callable[[], bool] = lambda: False
    acts: bool = False
    asks: bool = True

    @property
    def now(self) -> float:
        """Unix seconds."""
        return self.clock.now()

    def good_standing(self) -> Standing:
        """The account's standing now. Raises AccountExpired, DebridParked: then nothing that was seen counts."""
        standing = self.account.standing()
        doubts = account_doubts(standing, self.now)
        if not doubts:
            self.remember(
                good_at=self.now,
                premium_seconds=standing.premium_seconds,
                slots_used=standing.slots_used,
                slots=standing.slots,
            )
            return standing
        if standing.good:
            raise DebridParked(
                f"The traffic of {self.account.name} is used up.",
                kept="Nothing is asked about files until it is there again; nothing was removed.",
                remedy="It comes back by itself.",
                server=self.account.server,
                until=standing.parked_until or 0.0,
            )
        raise AccountExpired(
            f"The account {self.account.name} cannot be used: {clause(doubts)}.",
            kept="Nothing is judged or changed meanwhile.",
            remedy="Renew it, or check the token.",
            server=self.account.server,
        )

    def remember(self, **changed: object) -> AccountNote:
        """Change what is remembered of the account."""
        note = replace(self.journal.note(), **changed)  # type: ignore[arg-type]
        self.journal.save_note(note)
        return note

    def tell_once(self, key: str, text: str) -> None:
        """A notice that is sent once, until `forget_told`."""
        note = self.journal.note()
        if key not in note.told:
            self.remember(told=(*note.told, key))
            self.notice(text)

    def forget_told(self, key: str) -> None:
        """What the notice was about is over."""
        note = self.journal.note()
        if key in note.told:
            self.remember(told=tuple(each for each in note.told if each != key))

    def attempt(self, torrent: InfoHash, name: str, what: str, answer: str, took: float = 0.0) -> None:
        """Write down what was asked or done."""
        self.journal.add_attempt(DebridAttempt(self.now, torrent, name, what, answer, took))

    def metric(self, kind: str, name: str, value: float, **tags: str) -> None:
        """Write down a number."""
        metric = Metric(self.now, kind, name, value, tuple(sorted(tags.items())))
        self.journal.add_metric(metric)
        self.measured(metric)


def said(error: MoverError) -> str:
    """An error in few words, with its code."""
    return f"{error.what} [{error.code}]"


def timed(clock: Callable[[], float] = time.monotonic) -> Callable[[], float]:
    """A stopwatch: each call says how many seconds have passed."""
    began = clock()
    return lambda: clock() - began

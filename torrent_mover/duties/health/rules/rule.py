"""What a rule is: what it may look at, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.health.model import (
    Condition,
    FindingCode,
    HealthAction,
    Judged,
    MediaView,
    Picture,
    TorrentActivity,
)
from torrent_mover.duties.health.settings import HealthSettings


@dataclass(frozen=True, slots=True)
class Case:
    """One torrent as a rule gets it. `at` in Unix seconds.

    `moved_bytes`: it has downloaded since the last look; None: there was none. `was_complete`: a look has seen it complete, or the
    client says that it was. `complete_for`: seconds; None: unknown. `sibling_works`: another torrent of its tracker works.
    `paced`: our own bandwidth setting limits now.
    """

    picture: Picture
    settings: HealthSettings
    at: float
    condition: Condition
    moved_bytes: bool | None = None
    was_complete: bool = False
    complete_for: float | None = None
    sibling_works: bool | None = None
    paced: bool = False


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One rule. `after` in seconds; `patient`: a download's times grow with its progress; `wiped`: bytes begin its clock anew.

    `of_complete`: it may find something in a torrent that is complete; `of_arr`: only where there is an Arr. `stays`: whether what
    it does not find in a complete torrent now, it does not find later either, as long as the picture is the same: neither time nor
    other torrents change that.
    """

    code: FindingCode
    judge: Callable[[Case], Judged]
    after: Callable[[HealthSettings], float]
    action: Callable[[HealthSettings], HealthAction]
    patient: bool = False
    wiped: bool = False
    of_complete: bool = True
    of_arr: bool = False
    stays: Callable[[Case], bool] = lambda _: True


def found(words: str, *detail: str) -> Judged:
    """It is so."""
    return Judged(true=True, words=words, detail=detail)


@lru_cache(maxsize=1024)
def clear(words: str = "") -> Judged:
    """It is not so. One value for the tens of thousands of torrents of which it is said."""
    return Judged(true=False, words=words)


@lru_cache(maxsize=1024)
def unknown(words: str) -> Judged:
    """It cannot be told."""
    return Judged(true=None, words=words)


def downloading(case: Case) -> TorrentActivity | Judged:
    """What a torrent does that downloads now and was never complete; else why the rules of downloads say nothing of it."""
    activity, torrent = case.picture.activity, case.picture.torrent
    if activity is None or activity.queued is None or activity.metadata is None:
        return unknown("the client does not tell what it does")
    if torrent.state is not TorrentState.DOWNLOADING or torrent.amount_left == 0 or activity.metadata:
        return clear("it does not download")
    if case.was_complete:
        return clear("it was complete")
    return clear("it waits in the queue") if activity.queued else activity


def arr_name(case: Case) -> str:
    """The Arr of the torrent, as messages call it."""
    return case.picture.arr.name if case.picture.arr else ""


def grabbed_media(case: Case) -> tuple[MediaView, ...] | Judged:
    """All that a torrent was grabbed for; else why nothing is said of it."""
    arr = case.picture.arr
    if arr is None:
        return unknown("it has no Arr")
    if arr.events is None or arr.media is None:
        return unknown(f"{arr.name} was not asked, or does not say")
    return arr.media or clear(f"{arr.name} never grabbed it")

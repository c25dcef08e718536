"""The settings of one tier, a `[TIER name]` section: its keys, their defaults, and what does not go together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.settings.kinds import CLIENT_PATH, YES_NO, Key, choice, decimal, duration, section_name, whole
from torrent_mover.duties.tiering.amounts import (
    AMOUNT,
    AMOUNT_OR_OFF,
    FOLDERS,
    LINK_ROOTS,
    RATE_OR_OFF,
    TARGETS,
    WEIGHTS,
    DiskAmount,
    LinkRoot,
    ScoreWeights,
    TierTarget,
    names,
)

GIB: Final = 1 << 30
_HOUR: Final = 3600.0
_FREE_LOW: Final = DiskAmount(100 * GIB)
_KEEP_FREE: Final = DiskAmount(10 * GIB)
_WEIGHTS: Final = ScoreWeights()
_HIGHEST_RATIO: Final = 10_000.0


class TierMode(Enum):
    """Whether the tier evicts. Copies run in both modes."""

    ACT = "act"
    REPORT = "report"


class TierLayout(Enum):
    """How the folders of a target are made: by label, or as they are on the SSD."""

    LABEL = "label"
    MIRROR = "mirror"


class EvictionOrder(Enum):
    """Which torrents leave the SSD first."""

    OLDEST = "oldest"
    SCORE = "score"


class EvictionCheck(Enum):
    """Who reads the copy before the data on the SSD goes."""

    CLIENT = "client"
    OWN = "own"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class TierSettings:
    """Finished torrents are copied from an SSD to larger disks, and leave the SSD when it gets full."""

    client: Annotated[
        str, Key(section_name("CLIENT"), "The [CLIENT] whose torrents lie on the SSD.", example="rtorrent")
    ]
    ssd: Annotated[tuple[LocalPath, ...], Key(FOLDERS, "The fast folders, as we see them.", example="/downloads/ssd")]
    targets: Annotated[
        tuple[TierTarget, ...],
        Key(
            TARGETS,
            "Where copies go: label:/path for a label, *:/path for all others. Of several for one label, the one with"
            " the most free space.",
            example="*:/downloads/hdd",
        ),
    ]
    layout: Annotated[
        TierLayout,
        Key(
            choice(TierLayout),
            "Folders of a target: label: one for each label; mirror: as on the SSD. Torrents without a label are mirrored.",
        ),
    ] = TierLayout.LABEL
    mode: Annotated[
        TierMode, Key(choice(TierMode), "act: copy and evict; report: copy, and only tell what would be evicted.")
    ] = TierMode.ACT
    free_low: Annotated[
        DiskAmount, Key(AMOUNT, "Evict when less than this is free on the SSD: a size, or % of the disk.")
    ] = _FREE_LOW
    free_high: Annotated[
        DiskAmount | None,
        Key(AMOUNT, "Evict until this much is free.", blank="free_low and 5 % of the SSD, at least 10G more"),
    ] = None
    free_critical: Annotated[
        DiskAmount | None,
        Key(
            AMOUNT_OR_OFF,
            "With less than this free, keep_active and min_age no longer count. Pins always do.",
            blank="off",
        ),
    ] = None
    order: Annotated[EvictionOrder, Key(choice(EvictionOrder), "Which torrents leave first.")] = EvictionOrder.OLDEST
    score: Annotated[
        ScoreWeights,
        Key(WEIGHTS, "Weights for order = score; the highest score leaves first.", advanced=True),
    ] = _WEIGHTS
    min_age: Annotated[float, Key(duration(0), "Keep a torrent on the SSD this long after it finished.")] = _HOUR
    min_seed_time: Annotated[
        float, Key(duration(0), "Keep a torrent until it has seeded this long. With min_ratio, either is enough.")
    ] = 0.0
    min_ratio: Annotated[
        float,
        Key(decimal(0, _HIGHEST_RATIO), "Keep a torrent until this ratio. With min_seed_time, either is enough."),
    ] = 0.0
    keep_active: Annotated[
        int | None,
        Key(RATE_OR_OFF, "A torrent that uploads at this rate or more is hot and stays. off: none is."),
    ] = 1 << 20
    labels: Annotated[tuple[str, ...], Key(names("all"), "Only torrents with these labels.", blank="all")] = ()
    ignore_labels: Annotated[
        tuple[str, ...], Key(names("none"), "Torrents with these labels are left alone.", blank="none")
    ] = ()
    pin_labels: Annotated[
        tuple[str, ...], Key(names("none"), "Torrents with these labels are copied and never evicted.", blank="none")
    ] = ()
    pin_tags: Annotated[
        tuple[str, ...], Key(names("none"), "Torrents with these tags are copied and never evicted.", blank="none")
    ] = ()
    workers: Annotated[int, Key(whole(1, 64), "How many torrents are copied at the same time.")] = 3
    writers_per_target: Annotated[int, Key(whole(1, 64), "How many of them write to one target.")] = 1
    attempts: Annotated[int, Key(whole(1, 100), "How often a copy is tried, with 2, 4, 8 ... s between tries.")] = 3
    rate: Annotated[
        int | None, Key(RATE_OR_OFF, "Speed limit for all copies together, in bytes a second.", blank="off")
    ] = None
    verify: Annotated[bool, Key(YES_NO, "Read every copy back from its disk and compare all piece hashes.")] = True
    eviction_check: Annotated[
        EvictionCheck,
        Key(
            choice(EvictionCheck),
            "Before the data on the SSD goes: client: the client checks the copy; own: we read it; unchanged: nobody"
            " reads it when size, time and inode are as proven (rTorrent only).",
        ),
    ] = EvictionCheck.CLIENT
    keep_free: Annotated[DiskAmount, Key(AMOUNT, "Leave this much free on every target.")] = _KEEP_FREE
    max_evictions_per_run: Annotated[
        int,
        Key(
            whole(1, 100_000),
            "At most this many torrents leave in a round. More that share files leave together, as a round of their own.",
        ),
    ] = 100
    union: Annotated[
        ClientPath | None,
        Key(
            CLIENT_PATH,
            "The pool (mergerfs, Unraid) as the client sees it, where ssd and targets are its branches.",
            blank="none",
            advanced=True,
        ),
    ] = None
    link_roots: Annotated[
        tuple[LinkRoot, ...],
        Key(
            LINK_ROOTS,
            "Media folders whose hard links are made again on a target: /ssd/media=/hdd/media.",
            blank="none",
            advanced=True,
        ),
    ] = ()
    sweep_every: Annotated[float, Key(duration(1), "How often to look for finished torrents and free space.")] = 300.0
    heal: Annotated[bool, Key(YES_NO, "Start torrents again that a disk that was away has stopped.")] = True
    arr: Annotated[
        tuple[str, ...],
        Key(names("none"), "The [ARR] sections to tell of copies.", blank="those whose label is the torrent's"),
    ] = ()

    def looks_after(self, label: str) -> bool:
        """Whether torrents of this label are the tier's."""
        return (not self.labels or label in self.labels) and label not in self.ignore_labels

    def pins(self, label: str, tags: tuple[str, ...]) -> bool:
        """Whether a torrent of this label and these tags is kept on the SSD."""
        return label in self.pin_labels or not set(tags).isdisjoint(self.pin_tags)


@dataclass(frozen=True, slots=True)
class TierProblem:
    """One thing that is wrong with a tier's settings. `warning`: the tier runs all the same."""

    key: str
    what: str
    remedy: str
    warning: bool = False


def problems_of(settings: TierSettings) -> tuple[TierProblem, ...]:
    """What does not go together in the settings of one tier. Values that are wrong by themselves are refused when read."""
    return (*_of_folders(settings), *_of_marks(settings), *_of_choices(settings))


def _of_folders(settings: TierSettings) -> Iterator[TierProblem]:
    if not settings.ssd:
        yield TierProblem("ssd", "it names no folder.", "Write the folder of the SSD: ssd = /downloads/ssd")
    if not settings.targets:
        yield TierProblem("targets", "it names no folder.", "Write where copies go: targets = *:/downloads/hdd")
    for at, path in enumerate(settings.ssd):
        for other in settings.ssd[at + 1 :]:
            if _overlap(path, other):
                yield TierProblem("ssd", f"{path} and {other} overlap.", "Name the outer one alone.")
    for target in settings.targets:
        for path in settings.ssd:
            if _overlap(path, target.path):
                yield TierProblem(
                    "targets",
                    f"{target.path} and the SSD {path} overlap: there would be only one copy.",
                    "Name a folder on another disk.",
                )
    for pair in settings.link_roots:
        if not any(pair.ssd.is_within(path) for path in settings.ssd):
            yield TierProblem("link_roots", f"{pair.ssd} is not on the SSD.", f"The SSD is {_listed(settings.ssd)}.")
        if not any(pair.target.is_within(target.path) for target in settings.targets):
            places = tuple(target.path for target in settings.targets)
            yield TierProblem("link_roots", f"{pair.target} is on no target.", f"The targets are {_listed(places)}.")


def _of_marks(settings: TierSettings) -> Iterator[TierProblem]:
    low, high, critical = settings.free_low, settings.free_high, settings.free_critical
    if high is not None and _surely_below(high, low):
        yield TierProblem("free_high", f"{high} is less than free_low = {low}.", "Raise it, or leave it blank.")
    if critical is not None and _surely_below(low, critical):
        yield TierProblem("free_critical", f"{critical} is more than free_low = {low}.", "Lower it, or write off.")


def _of_choices(settings: TierSettings) -> Iterator[TierProblem]:
    if settings.eviction_check is EvictionCheck.UNCHANGED and not settings.verify:
        yield TierProblem(
            "eviction_check",
            "unchanged needs verify = yes: else nobody ever reads the copy.",
            "Set verify = yes, or eviction_check = client.",
        )
    for label in settings.labels:
        if label in settings.ignore_labels:
            yield TierProblem("ignore_labels", f"{label!r} is in labels too.", "Take it out of one of them.")
    if settings.union is not None and settings.layout is TierLayout.LABEL:
        yield TierProblem(
            "layout",
            "with union, the layout is always mirror.",
            "Write layout = mirror to hide this line.",
            warning=True,
        )
    if settings.score != _WEIGHTS and settings.order is EvictionOrder.OLDEST:
        yield TierProblem("score", "it is without effect.", "Set order = score, or remove it.", warning=True)


def _overlap(one: LocalPath, other: LocalPath) -> bool:
    return one.is_within(other) or other.is_within(one)


def _surely_below(one: DiskAmount, other: DiskAmount) -> bool:
    """Whether `one` is less than `other` on every disk: a size and a percentage cannot be compared."""
    if bool(one.percent) != bool(other.percent):
        return False
    return one.percent < other.percent or one.size < other.size


def _listed(paths: tuple[LocalPath, ...]) -> str:
    return ", ".join(map(str, paths))

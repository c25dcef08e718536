"""The settings of one loop of health, a `[HEALTH name]` section: its keys, their defaults, and what does not go together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from torrent_mover.domain.health_rules import SeedUntil
from torrent_mover.domain.settings.kinds import CATEGORY, YES_NO, Key, choice, decimal, duration, section_name, whole
from torrent_mover.duties.health.kinds import NAMES, PATIENCE, PATTERNS, SIZE, TEXTS
from torrent_mover.duties.health.search_settings import SearchFor, SearchSettings

_DAY: Final = 86400.0
_MIB: Final = 1 << 20

_BLOCKED: Final = (
    "Not an upgrade for existing",
    "Not a Custom Format upgrade",
    "Sample",
    "No files found are eligible for import",
    "Invalid season or episode",
    "Unable to parse file",
    "Found executable file",
    "Found potentially dangerous file",
    "Found archive file, might need to be extracted",
)
_UNREGISTERED: Final = (
    "unregistered",
    "not registered",
    "torrent not found",
    "unknown torrent",
    "torrent does not exist",
    "info hash not found",
    "infohash not found",
    "trump",
    "nuked",
    "complete season uploaded",
    "problem with pack",
    "retitled",
    "truncated",
    "specifically banned",
    "torrent has been deleted",
)
_DEAD: Final = ("host not found", "no such host", "name or service not known", "unknown host", "tracker is dead")


class HealthMode(Enum):
    """Whether the loop acts."""

    REPORT = "report"
    ACT = "act"


class PrivateAction(Enum):
    """What is done in place of a replacement with private torrents."""

    REPLACE_KEEP = "replace_keep"  # block and search; the torrent stays
    TAG = "tag"
    SAME = "same"


class TagMode(Enum):
    """Whether torrents are tagged with what was found."""

    ON = "on"
    OFF = "off"


class ProbeMode(Enum):
    """Whether media files are looked into."""

    OFF = "off"
    REPORT = "report"
    ACT = "act"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings(SearchSettings):
    """Looks at the torrents of a client, says what is wrong with which, and repairs or replaces them where mode is act."""

    client: Annotated[str, Key(section_name("CLIENT"), "The [CLIENT] whose torrents are looked at.", example="qbit")]
    arr: Annotated[
        str,
        Key(section_name("ARR"), "The [ARR] whose torrents they are.", blank="none: nothing is blocked or searched"),
    ] = ""
    categories: Annotated[
        tuple[str, ...], Key(NAMES, "Only torrents of these categories.", blank="the Arr's; all without an Arr")
    ] = ()
    mode: Annotated[HealthMode, Key(choice(HealthMode), "report: change nothing; act: do what the rules say.")] = (
        HealthMode.REPORT
    )
    every: Annotated[float, Key(duration(2), "How often to look.")] = 300.0
    grace: Annotated[
        float, Key(duration(0), "After a start, or after the client was away, nothing is done for this long.")
    ] = 600.0
    min_age: Annotated[float, Key(duration(0), "Leave torrents alone that are younger than this.")] = 1800.0
    protected_tags: Annotated[tuple[str, ...], Key(NAMES, "Torrents with one of these tags are left alone.")] = (
        "keep",
    )
    tags: Annotated[
        TagMode, Key(choice(TagMode), "Whether the action tag sets tm:CODE; off: it only stands in the journal.")
    ] = TagMode.ON
    failed_category: Annotated[
        str, Key(CATEGORY, "Torrents that a person puts into this category have failed.", blank="none")
    ] = "failed"
    recheck_category: Annotated[
        str, Key(CATEGORY, "Torrents that a person puts into this category are checked again.", blank="none")
    ] = "recheck"
    private_action: Annotated[
        PrivateAction,
        Key(
            choice(PrivateAction),
            "In place of replacing a private torrent: replace_keep: block and search, and it stays; tag; same: replace it too.",
        ),
    ] = PrivateAction.REPLACE_KEEP
    patience: Annotated[
        tuple[tuple[float, float], ...],
        Key(PATIENCE, "The further a download is, the longer the rules wait: percent:factor."),
    ] = ((0.0, 1.0), (50.0, 3.0), (90.0, 7.0))
    progress_counts: Annotated[
        int, Key(SIZE, "So many bytes begin the clocks of a download anew; at most 1 % of the torrent.")
    ] = 4 * _MIB
    max_eta: Annotated[float, Key(duration(1), "Longest time that a download may need.")] = 2 * _DAY
    min_rate: Annotated[int, Key(SIZE, "A download below this rate (a second) is slow.")] = 50 * 1024
    blocked_texts: Annotated[
        tuple[str, ...], Key(TEXTS, "Sentences (or parts) by which an Arr says that it will not import.", advanced=True)
    ] = _BLOCKED
    unregistered_texts: Annotated[
        tuple[str, ...], Key(TEXTS, "By which a tracker says that it does not know the torrent.", advanced=True)
    ] = _UNREGISTERED
    dead_texts: Annotated[
        tuple[str, ...], Key(TEXTS, "By which the client says that a tracker is gone.", advanced=True)
    ] = _DEAD
    exclude_folders: Annotated[
        tuple[str, ...], Key(PATTERNS, "Folders of a torrent that are not wanted.", blank="none")
    ] = ()
    exclude_files: Annotated[tuple[str, ...], Key(PATTERNS, "Names of files that are not wanted.", blank="none")] = ()
    allow_extensions: Annotated[
        tuple[str, ...], Key(NAMES, "Only files with these extensions are wanted.", blank="all")
    ] = ()
    case_sensitive: Annotated[bool, Key(YES_NO, "Whether case counts in these three.")] = False
    probe: Annotated[
        ProbeMode, Key(choice(ProbeMode), "Look into complete media files with ffprobe, and report or act.")
    ] = ProbeMode.OFF
    removals_per_look: Annotated[
        int, Key(whole(0, 10_000), "At most this many torrents are taken out, or their releases blocked, in a look.")
    ] = 3
    removals_per_day: Annotated[int, Key(whole(0, 100_000), "At most this many in a day.")] = 20
    removals_per_tracker: Annotated[int, Key(whole(0, 100_000), "At most this many of one tracker in a day.")] = 5
    removals_share: Annotated[
        float, Key(decimal(0, 100), "At most this percentage of the loop's torrents in a day, and one always.")
    ] = 10.0
    outage_share: Annotated[
        float,
        Key(
            decimal(0, 100),
            "If more than this percentage (and five) become due for one reason at once, nothing is done.",
        ),
    ] = 25.0
    seed_until: Annotated[SeedUntil, Key(choice(SeedUntil), "When a torrent has been seeded for long enough.")] = (
        SeedUntil.NEVER
    )
    seed_ratio: Annotated[float | None, Key(decimal(0, 10_000), "The ratio of seed_until.", blank="none")] = None
    seed_time: Annotated[float | None, Key(duration(0), "The time of seed_until.", blank="none")] = None
    seed_min: Annotated[float, Key(duration(0), "Take no complete torrent out before it has seeded this long.")] = 0.0
    hnr_until_unregistered: Annotated[
        bool, Key(YES_NO, "A torrent that its trackers no longer know has no hit-and-run any more.")
    ] = False
    min_free: Annotated[int, Key(SIZE, "Leave this much free on the disks of the downloads.")] = 0

    def factor(self, progress: float) -> float:
        """By how much the times of a download grow that is so far (0 to 1)."""
        passed = [factor for percent, factor in self.patience if progress * 100 >= percent]
        return passed[-1] if passed else 1.0


@dataclass(frozen=True, slots=True)
class HealthProblem:
    """One thing that is wrong with a loop's settings. `warning`: the loop runs all the same."""

    key: str
    what: str
    remedy: str
    warning: bool = False


def problems_of(settings: HealthSettings) -> Iterator[HealthProblem]:
    """What does not go together. Values that are wrong by themselves are refused when read."""
    until, ratio, time = settings.seed_until, settings.seed_ratio, settings.seed_time
    if until in (SeedUntil.RATIO, SeedUntil.BOTH) and ratio is None:
        yield HealthProblem("seed_ratio", f"seed_until = {until.value} needs it.", "Write it: seed_ratio = 2")
    if until in (SeedUntil.TIME, SeedUntil.BOTH) and time is None:
        yield HealthProblem("seed_time", f"seed_until = {until.value} needs it.", "Write it: seed_time = 14d")
    if until is SeedUntil.EITHER and ratio is None and time is None:
        yield HealthProblem("seed_until", "neither seed_ratio nor seed_time is set.", "Write one of them.")
    if settings.failed_category and settings.failed_category == settings.recheck_category:
        yield HealthProblem("recheck_category", "it is failed_category too.", "Give one of them another name.")
    for category in filter(None, (settings.failed_category, settings.recheck_category)):
        if category in settings.categories:
            yield HealthProblem("categories", f"{category!r} is one that people use to tell us.", "Take it out.")
    if settings.requests_type is not None and settings.requests_url is None:
        yield HealthProblem("requests_url", "requests_type needs it.", "Write it: requests_url = http://overseerr:5055")
    if not settings.arr and (settings.search is not SearchFor.OFF or settings.requests_type is not None):
        yield HealthProblem("arr", "searches need it.", "Write arr = the name of an [ARR], or leave out search.")
    if settings.outage_share == 0:
        yield HealthProblem("outage_share", "0 would stop the loop for good.", "Write a percentage, such as 25.")

"""What acting goes by: the bin, what becomes of torrents that stay, attributes, and how media files are looked into."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from torrent_mover.domain.settings.kinds import CATEGORY, WORDS, Key, choice, decimal, duration
from torrent_mover.duties.health.kinds import SIZE
from torrent_mover.duties.health.rule_settings import RuleSettings

_DAY: Final = 86400.0


class BinMode(Enum):
    """Where the data of torrents goes that are taken out."""

    AUTO = "auto"
    NONE = "none"


class Comparing(Enum):
    """Whether attributes are compared with the tracker rules, and set."""

    OFF = "off"
    REPORT = "report"
    ACT = "act"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActSettings(RuleSettings):
    """What acting goes by."""

    bin: Annotated[
        BinMode,
        Key(
            choice(BinMode),
            "Where the data of a replaced torrent goes: auto: into .torrent-mover/bin below its save path;"
            " none: it stays where it is.",
        ),
    ] = BinMode.AUTO
    bin_keep: Annotated[float, Key(duration(0), "How long the bin keeps data.")] = 14 * _DAY
    bin_max_gb: Annotated[
        float | None,
        Key(decimal(0, 1e9), "The bin holds no more GiB than this: the oldest goes first.", blank="no limit"),
    ] = None
    kept_category: Annotated[
        str,
        Key(CATEGORY, "Where torrents go that stay after their release was blocked.", blank="they stay where they are"),
    ] = ""
    probe_command: Annotated[
        tuple[str, ...], Key(WORDS, "The ffprobe command. It runs without a shell.", advanced=True)
    ] = ("ffprobe",)
    probe_timeout: Annotated[float, Key(duration(1), "How long it may take for one file.", advanced=True)] = 60.0
    upload_limit: Annotated[int, Key(SIZE, "Upload limit of each torrent, a second; 0: as it is.", advanced=True)] = 0
    download_limit: Annotated[
        int, Key(SIZE, "Download limit of each torrent, a second; 0: as it is.", advanced=True)
    ] = 0
    attributes: Annotated[
        Comparing, Key(choice(Comparing), "Compare limits, tags and trackers with the tracker rules.", advanced=True)
    ] = Comparing.OFF
    queue_order: Annotated[
        Comparing,
        Key(choice(Comparing), "Sort the client's queue by the priority of the tracker rules.", advanced=True),
    ] = Comparing.OFF

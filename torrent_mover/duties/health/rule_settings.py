"""What a finding needs and leads to: two settings a rule, how long it must hold and what is done then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from torrent_mover.domain.settings.kinds import Key, duration
from torrent_mover.duties.health.kinds import action
from torrent_mover.duties.health.model import HealthAction

_AFTER: Final = duration(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """When each rule is due, and its action."""

    manual_failed_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "keep", "replace", "retire"),
            "A torrent in failed_category: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPLACE
    manual_recheck_action: Annotated[
        HealthAction,
        Key(action("off", "report", "recheck"), "A torrent in recheck_category: what is done then.", advanced=True),
    ] = HealthAction.RECHECK
    lost_data_after: Annotated[
        float,
        Key(
            _AFTER,
            "Files are missing, or a torrent that was complete is no longer: how long before it is due.",
            advanced=True,
        ),
    ] = 0.0
    lost_data_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "locate"),
            "Files are missing, or a torrent that was complete is no longer: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.LOCATE
    errored_after: Annotated[
        float, Key(_AFTER, "The client reports an error: how long before it is due.", advanced=True)
    ] = 600.0
    errored_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "recheck"), "The client reports an error: what is done then.", advanced=True
        ),
    ] = HealthAction.RECHECK
    no_space_after: Annotated[
        float, Key(_AFTER, "The torrent does not fit on its disk: how long before it is due.", advanced=True)
    ] = 0.0
    no_space_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "pause"),
            "The torrent does not fit on its disk: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.PAUSE
    unwanted_files_after: Annotated[
        float,
        Key(
            _AFTER,
            "Files that exclude_folders, exclude_files or allow_extensions do not want: how long before it is due.",
            advanced=True,
        ),
    ] = 0.0
    unwanted_files_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "skip_files"),
            "Files that exclude_folders, exclude_files or allow_extensions do not want: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.SKIP_FILES
    bad_media_after: Annotated[
        float,
        Key(
            _AFTER,
            "A complete torrent in whose media files ffprobe finds no stream: how long before it is due.",
            advanced=True,
        ),
    ] = 0.0
    bad_media_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "keep", "replace"),
            "A complete torrent in whose media files ffprobe finds no stream: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPORT
    not_imported_after: Annotated[
        float, Key(_AFTER, "Complete, and the Arr has not imported it: how long before it is due.", advanced=True)
    ] = 300.0
    not_imported_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "hand_over"),
            "Complete, and the Arr has not imported it: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.HAND_OVER
    import_blocked_after: Annotated[
        float,
        Key(_AFTER, "The Arr refuses the import with one of blocked_texts: how long before it is due.", advanced=True),
    ] = 1800.0
    import_blocked_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "keep", "replace"),
            "The Arr refuses the import with one of blocked_texts: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPORT
    no_metadata_after: Annotated[
        float, Key(_AFTER, "A magnet link without metadata: how long before it is due.", advanced=True)
    ] = 7200.0
    no_metadata_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "keep", "replace", "retire"),
            "A magnet link without metadata: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPLACE
    stalled_after: Annotated[
        float, Key(_AFTER, "A download without a byte: how long before it is due.", advanced=True)
    ] = 86400.0
    stalled_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "keep", "replace", "retire"),
            "A download without a byte: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPLACE
    unavailable_after: Annotated[
        float, Key(_AFTER, "Nobody in the swarm has all of it: how long before it is due.", advanced=True)
    ] = 86400.0
    unavailable_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "keep", "replace", "retire"),
            "Nobody in the swarm has all of it: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPLACE
    slow_after: Annotated[
        float,
        Key(
            _AFTER,
            "A download slower than min_rate, or that needs longer than max_eta: how long before it is due.",
            advanced=True,
        ),
    ] = 21600.0
    slow_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "keep", "replace", "retire"),
            "A download slower than min_rate, or that needs longer than max_eta: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.OFF
    before_air_after: Annotated[
        float, Key(_AFTER, "The Arr says that it airs later: how long before it is due.", advanced=True)
    ] = 0.0
    before_air_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "keep", "replace"),
            "The Arr says that it airs later: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPORT
    orphaned_after: Annotated[
        float,
        Key(
            _AFTER,
            "Grabbed for media that the Arr no longer has or monitors: how long before it is due.",
            advanced=True,
        ),
    ] = 86400.0
    orphaned_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "retire"),
            "Grabbed for media that the Arr no longer has or monitors: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPORT
    superseded_after: Annotated[
        float,
        Key(
            _AFTER,
            "The library has something better (quality, PROPER, score): how long before it is due.",
            advanced=True,
        ),
    ] = 0.0
    superseded_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "retire"),
            "The library has something better (quality, PROPER, score): what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPORT
    unregistered_after: Annotated[
        float, Key(_AFTER, "Every tracker says one of unregistered_texts: how long before it is due.", advanced=True)
    ] = 86400.0
    unregistered_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "keep", "replace", "retire"),
            "Every tracker says one of unregistered_texts: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPORT
    dead_tracker_after: Annotated[
        float,
        Key(
            _AFTER, "A tracker says one of dead_texts, and another one works: how long before it is due.", advanced=True
        ),
    ] = 604800.0
    dead_tracker_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "remove"),
            "A tracker says one of dead_texts, and another one works: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPORT
    seed_goal_after: Annotated[
        float, Key(_AFTER, "Seeded as long as seed_until says: how long before it is due.", advanced=True)
    ] = 0.0
    seed_goal_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "retire"),
            "Seeded as long as seed_until says: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.OFF
    regrab_loop_after: Annotated[
        float, Key(_AFTER, "Grabbed again after we had it blocked: how long before it is due.", advanced=True)
    ] = 0.0
    regrab_loop_action: Annotated[
        HealthAction,
        Key(
            action("off", "report", "tag", "keep", "replace"),
            "Grabbed again after we had it blocked: what is done then.",
            advanced=True,
        ),
    ] = HealthAction.REPORT

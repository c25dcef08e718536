"""The settings of [General]: patience, limits, places for our own files, and whom to tell what happens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.quantities import UNLIMITED, Timetable
from torrent_mover.domain.releases import UpdateChannel
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.kinds import (
    ADDRESSES,
    HOST_PORT,
    LOCAL_FILE,
    MEGABITS,
    PORT,
    TIMETABLE,
    WEB_HOST,
    WORDS,
    HostAddress,
    Key,
    choice,
    choices,
    duration,
    whole,
)

_BYTES_PER_MEGABIT = 125_000
_LONG_WATCH = 3600  # seconds


class NotifyOn(Enum):
    """What somebody is told about."""

    FAILURE = "failure"
    BREAKER = "breaker"
    SPACE = "space"
    END = "end"
    FINDING = "finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralSettings:
    """Timeouts, limits, folders for the program's own files, and notifications."""

    watchdog_timeout: Annotated[
        float,
        Key(
            duration(1),
            "Stop a transfer that makes no progress for this long, and try again.",
            warn_above=_LONG_WATCH,
        ),
    ] = 1500.0
    rsync_timeout: Annotated[float, Key(duration(1), "Stop rsync after this long without data.")] = 600.0
    pool_wait_timeout: Annotated[float, Key(duration(1), "How long to wait for a free SSH connection.")] = 300.0
    connect_timeout: Annotated[
        float, Key(duration(1), "How long to wait for a server to answer, SSH and torrent clients.", advanced=True)
    ] = 10.0
    restart_limit: Annotated[
        int,
        Key(whole(1, 1000), "A loop that fails more often than this within restart_window is parked.", advanced=True),
    ] = 5
    restart_window: Annotated[float, Key(duration(1), "The time of restart_limit.", advanced=True)] = 300.0
    restart_delay: Annotated[
        float, Key(duration(0), "How long to wait before a loop that failed is started again.", advanced=True)
    ] = 5.0
    stuck_after: Annotated[
        float, Key(duration(1), "A loop without a sign of life for this long counts as stuck.", advanced=True)
    ] = 900.0
    internet_probe: Annotated[
        tuple[str, int] | None,
        Key(
            HOST_PORT,
            "A host and port that answer while there is a network, such as 1.1.1.1:443. While they do not, no clock of health"
            " goes on.",
            blank="none is asked",
            advanced=True,
        ),
    ] = None
    update_check: Annotated[
        UpdateChannel,
        Key(
            choice(UpdateChannel),
            "Look once a day, while something stays, whether there is a newer release, and tell of it: stable, or pre-releases too"
            " (pre). Nothing is installed.",
            advanced=True,
        ),
    ] = UpdateChannel.OFF
    update_url: Annotated[
        HostAddress | None,
        Key(
            WEB_HOST,
            "Address of the list of releases for update_check, as GitHub has it: a list of objects with tag_name and prerelease.",
            blank="none is asked",
            advanced=True,
        ),
    ] = None
    sftp_download_limit_mbps: Annotated[
        float, Key(MEGABITS, "Speed limit for downloads in Mbit/s (8.4 Mbit/s are 1 MiB/s). off: no limit.")
    ] = 0.0
    sftp_upload_limit_mbps: Annotated[
        float, Key(MEGABITS, "Speed limit for uploads in Mbit/s (8.4 Mbit/s are 1 MiB/s). off: no limit.")
    ] = 0.0
    sftp_chunk_size_kb: Annotated[
        int | None, Key(whole(4, 4096), "Size of one SFTP request in KiB.", blank="chosen to suit the server")
    ] = None
    recheck_stuck_timeout: Annotated[
        float, Key(duration(1), "A recheck without progress for this long counts as stuck.")
    ] = 60.0
    recheck_stopped_timeout: Annotated[
        float, Key(duration(1), "A recheck that is stopped for this long counts as failed.")
    ] = 15.0
    recheck_grace_period: Annotated[
        float, Key(duration(0), "A recheck may stay at 0 % for this long before it counts as stuck.")
    ] = 60.0
    state_dir: Annotated[
        LocalPath | None,
        Key(
            LOCAL_FILE,
            "Folder for the journal.",
            blank="torrent-mover in $XDG_STATE_HOME or ~/.local/state",
            advanced=True,
        ),
    ] = None
    log_dir: Annotated[
        LocalPath | None, Key(LOCAL_FILE, "Folder for the log files.", blank="logs in state_dir", advanced=True)
    ] = None
    breaker_failures: Annotated[
        int, Key(whole(1, 1000), "After this many failures in a row, a server is not tried for a while.", advanced=True)
    ] = 3
    breaker_cooldown: Annotated[float, Key(duration(1), "How long it is not tried.", advanced=True)] = 900.0
    bandwidth: Annotated[
        Timetable,
        Key(
            TIMETABLE,
            "Speed limit for all transfers together, by time of day: 08:00,5M 23:00,off (5M is 5 MiB/s). "
            "off: no limit; pause: nothing moves.",
            blank="no limit",
            advanced=True,
        ),
    ] = UNLIMITED
    notify_command: Annotated[
        tuple[str, ...],
        Key(
            WORDS,
            "Command for notifications. It gets the event as JSON on its standard input and runs without a shell.",
            blank="none",
            advanced=True,
        ),
    ] = ()
    notify_urls: Annotated[
        Secret | None,
        Key(
            ADDRESSES,
            "Addresses for apprise, separated by spaces (pip install 'torrent-mover[notify]').",
            blank="none",
            advanced=True,
        ),
    ] = None
    notify_on: Annotated[
        tuple[NotifyOn, ...],
        Key(
            choices(NotifyOn),
            "When to notify: failure: a torrent failed; breaker: a server is not tried for a while; space: a disk is full; "
            "end: a run ended and moved something or failed; finding: something health found is due, or was dealt with.",
            advanced=True,
        ),
    ] = (NotifyOn.FAILURE, NotifyOn.END)
    event_log: Annotated[
        LocalPath | None,
        Key(LOCAL_FILE, "File for all events, one JSON object per line.", blank="none", advanced=True),
    ] = None
    metrics_file: Annotated[
        LocalPath | None,
        Key(
            LOCAL_FILE,
            "File for Prometheus metrics (textfile collector; the name must end in .prom).",
            blank="none",
            advanced=True,
        ),
    ] = None
    metrics_port: Annotated[
        int | None,
        Key(PORT, "Port on 127.0.0.1 that serves /metrics during a run.", blank="none", advanced=True),
    ] = None

    @property
    def download_limit(self) -> int | None:
        """Bytes a second from the source, or None."""
        return int(self.sftp_download_limit_mbps * _BYTES_PER_MEGABIT) or None

    @property
    def upload_limit(self) -> int | None:
        """Bytes a second to the destination, or None."""
        return int(self.sftp_upload_limit_mbps * _BYTES_PER_MEGABIT) or None

    @property
    def sftp_request_size(self) -> int | None:
        """Bytes of one SFTP request, or None: chosen by the transport."""
        return None if self.sftp_chunk_size_kb is None else self.sftp_chunk_size_kb * 1024

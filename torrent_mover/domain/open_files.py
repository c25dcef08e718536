"""How many torrents, connections and files one process has open together, so that its limit of open files is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import PreflightRefused

LEAST: Final = 50
"""Open files without which no run is begun: our own, one torrent, two connections."""

ADVISED: Final = 1024

_OUR_OWN: Final = 30
"""Journal, logs, locks, the clients' connections, standard streams, and what libraries hold."""

_OF_A_TORRENT: Final = 16
_OF_A_CONNECTION: Final = 10  # its pipes, and what is open at its other end
_FILES_AT_MOST: Final = 32


class TooFewOpenFiles(PreflightRefused):
    """This process may have too few files open at a time to move anything."""

    code = "TM-E117"


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most so many torrents at a time, connections to each server, and files that one lane keeps open."""

    jobs: int
    sessions: int
    files: int


def allowance(limit: int, servers: int, sessions: int) -> Allowance:
    """What a process with that limit of open files takes on, with `servers` of `sessions` connections each, as configured."""
    spare = max(limit, LEAST) - _OUR_OWN
    allowed = min(max(spare // (_OF_A_CONNECTION * servers), 2), sessions)
    files = max(spare // 2 // max(allowed, 1) - 2, 1)
    return Allowance(max(spare // _OF_A_TORRENT, 1), allowed, min(files, _FILES_AT_MOST))


def require(limit: int) -> str:
    """That the limit is enough, in words. Raises TooFewOpenFiles."""
    if limit < LEAST:
        raise TooFewOpenFiles(
            f"This process may have {limit} files open at a time, and needs {LEAST} at least.",
            kept="Nothing was moved.",
            remedy=f"Allow more, then start again: ulimit -n {ADVISED} (systemd: LimitNOFILE={ADVISED};"
            f" Docker: --ulimit nofile={ADVISED})",
        )
    return f"up to {limit:,} at a time"

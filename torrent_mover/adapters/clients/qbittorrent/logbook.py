"""Reads the client's own log: whether its process is still the same, and what it complains about."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from typing import Any

from torrent_mover.adapters.clients.qbittorrent.session import WebSession

_WARNING = 4  # kinds: normal 1, info 2, warning 4, critical 8
_BEFORE_ALL = -1
_NOT_EMPTY = (
    "Directory not empty",
    os.strerror(errno.ENOTEMPTY),
)  # in English, and in the language that is spoken here
_REASON = re.compile(r'Reason: "(.*?)"?\.?$')
_URL = re.compile(r"[a-z]+://\S+")


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of log/main. `number` starts at 0 with each process, so number, time and text together name the process."""

    number: int
    time: int
    kind: int
    text: str


class LogBook:
    """The log of one client, read forward."""

    def __init__(self, session: WebSession) -> None:
        self._session = session
        self._last: LogEntry | None = None

    def mark(self) -> LogEntry | None:
        """The newest entry; None where the log is empty."""
        entries = self._from(self._last) if self._last else []
        if not entries or entries[0] != self._last:
            entries = self._after(_BEFORE_ALL)
        self._last = entries[-1] if entries else None
        return self._last

    def same_process(self, mark: LogEntry | None) -> bool:
        """Whether the process that wrote `mark` still answers. Also False once 20,000 newer entries have pushed it out."""
        if mark is None:
            return self.mark() is None
        return self._from(mark)[:1] == [mark]

    def complaint_about(self, name: str, mark: LogEntry | None) -> str:
        """The first warning after `mark` that names the torrent, without any URL (it may hold a passkey); else empty.

        That a folder is not empty, because a stranger's file lies in it, is none: 4.x says so once the files are deleted.
        """
        for entry in self._from(mark)[1:] if mark else self._after(_BEFORE_ALL):
            harmless = any(phrase in entry.text for phrase in _NOT_EMPTY)
            if entry.kind >= _WARNING and name in entry.text and not harmless:
                return _URL.sub("...", entry.text)
        return ""

    def reason_against(self, name: str, mark: LogEntry | None) -> str:
        """The cause in such a warning, as libtorrent words it: `file_open (/data/x) error: Permission denied`."""
        complaint = self.complaint_about(name, mark)
        found = _REASON.search(complaint)
        return (found[1] if found else complaint).removeprefix(f"{name} ")

    def _from(self, entry: LogEntry) -> list[LogEntry]:
        return self._after(entry.number - 1)

    def _after(self, number: int) -> list[LogEntry]:
        rows: Any = self._session.read(lambda api: api.log_main(last_known_id=number))
        try:
            return [LogEntry(row["id"], row["timestamp"], row["type"], row["message"]) for row in rows]
        except (KeyError, TypeError) as error:
            raise self._session.trouble.garbled("a log that torrent_mover does not understand") from error

"""Notifications: a command that reads the event as JSON, and apprise where it is installed. Never blocks or fails a run."""

from __future__ import annotations

import importlib
import json
import logging
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from torrent_mover.adapters.outlets.logs import Complain, unheard
from torrent_mover.adapters.process.inherited import for_children
from torrent_mover.adapters.process.tether import Tethered
from torrent_mover.adapters.proxies import add_exceptions
from torrent_mover.domain.errors import MissingProgram, MoverError
from torrent_mover.domain.report.event_data import event_data
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.notices import Notice, NoticeDesk
from torrent_mover.domain.text import clause

COMMAND_PATIENCE: Final = 30.0
"""Seconds that a command may take."""

CLOSING_PATIENCE: Final = 10.0
"""Seconds that the end of a run waits for what is still to be told."""

ONE_SHOT_PATIENCE: Final = COMMAND_PATIENCE + CLOSING_PATIENCE
"""The same of a command that looks once and ends, most likely for a timer: one slow command at least may end by itself."""

_TRY_IT: Final = "Fix it, then test it: torrent-mover doctor --notify"
_WAITING_AT_MOST: Final = 1000
_log = logging.getLogger(__name__)

Teller = Callable[[Notice, dict[str, object]], None]
"""Tells a notice and the data of its event; may take long, may raise."""


class Notifications:
    """A `ports.notifier.Notifier`: decides by `desk`, then every one of `tellers` tells, in a thread of its own.

    Each failure goes to the log; `complain` hears of the first one. `patience`: seconds that closing waits for what is still to
    be told; what is not told by then counts as not told.
    """

    def __init__(
        self,
        desk: NoticeDesk,
        tellers: Sequence[Teller],
        redact: Callable[[str], str],
        complain: Complain = unheard,
        patience: float = CLOSING_PATIENCE,
    ) -> None:
        self._patience = patience
        self._complain = complain
        self._complained = False
        self._desk = desk
        self._tellers = tuple(tellers)
        self._redact = redact
        self._lock = threading.Lock()
        self._waiting: queue.Queue[tuple[Notice, float, Notice, dict[str, object]] | None] = queue.Queue(
            _WAITING_AT_MOST
        )
        self._thread = threading.Thread(target=self._tell_all, name="notifications", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """See ports.notifier.Notifier."""
        with self._lock:
            notice = self._desk.notice(event)
        if notice is not None:
            told = Notice(notice.on, self._redact(notice.title), self._redact(notice.text))
            with suppress(queue.Full):  # somebody who reads nothing of a thousand will not miss this one
                self._waiting.put_nowait((notice, event.at, told, event_data(event)))

    def close(self) -> None:
        """See ports.notifier.Notifier."""
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(self._patience)
        if self._thread.is_alive():
            _log.warning("notifications that were not sent within %g s are given up", self._patience)

    def _tell_all(self) -> None:
        while (item := self._waiting.get()) is not None:
            notice, at, told, data = item
            for teller in self._tellers:
                try:
                    teller(told, data)
                    self._desk.sent(notice, at)
                except MoverError as error:
                    _log.warning("%s", error)
                    self._say_once(error)
                except Exception as error:  # noqa: BLE001  whatever tells others must never reach the run
                    _log.warning("a notification could not be sent", exc_info=True)
                    self._say_once(error)

    def _say_once(self, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            why = error.what.rstrip(".") if isinstance(error, MoverError) else getattr(error, "strerror", "")
            why = why or type(error).__name__
            self._complain(
                f"A notification could not be sent: {clause(why)}; the run goes on, the log file has the details."
            )


class Command:
    """Runs a command for each notice, without a shell: the event as one JSON object on its standard input.

    Beside the event's own fields it has `on`, `title` and `text`. Raises MoverError where it fails or hangs.
    """

    def __init__(self, words: Sequence[str], redact: Callable[[str], str], patience: float = COMMAND_PATIENCE) -> None:
        self._words = tuple(words)
        self._redact = redact
        self._patience = patience

    def __call__(self, notice: Notice, data: dict[str, object]) -> None:
        """Run it to its end; after its time it is killed, with what it has started."""
        body = {**data, "on": notice.on.value, "title": notice.title, "text": notice.text}
        text = self._redact(json.dumps(body)) + "\n"
        with Tethered(
            self._words, leaves=True, stdin=subprocess.PIPE, stderr=subprocess.STDOUT, env=for_children()
        ) as process:
            try:
                said, _ = process.communicate(text.encode("utf-8", "backslashreplace"), self._patience)
            except subprocess.TimeoutExpired:
                raise MoverError(
                    f"notify_command did not end within {self._patience:g} s and was stopped.", remedy=_TRY_IT
                ) from None
            finally:
                _end(process)
            if process.returncode:
                last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
                raise MoverError(
                    f"notify_command ended with exit code {process.returncode}: {self._redact(*last or ('',))}",
                    remedy=_TRY_IT,
                )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and what it started, where that still runs: its pid is its group's, and not given away before it is waited for."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def apprise(urls: str) -> Teller:
    """Tells by apprise (https://github.com/caronc/apprise), an optional extra. Raises MissingProgram where it is not there."""
    try:
        module = importlib.import_module("apprise")
    except ImportError as error:
        raise MissingProgram(
            "notify_urls needs apprise, and it is not installed.",
            kept="Nothing was started.",
            remedy="pip install 'torrent-mover[notify]', or leave notify_urls blank and use notify_command.",
        ) from error
    service = module.Apprise()
    refused = sum(not service.add(url) for url in urls.split())
    if refused:
        _log.warning("%d of the notify_urls are none that apprise knows", refused)

    # Its library asks the environment alone, at each request: so what must not go through a proxy is told there.
    add_exceptions((server.host for server in service if server.host), os.environ)

    def tell(notice: Notice, _data: dict[str, object]) -> None:
        started = time.monotonic()
        if not service.notify(title=f"torrent_mover: {notice.title}", body=notice.text):
            raise MoverError(
                f"apprise could not send a notification ({time.monotonic() - started:.1f} s).", remedy=_TRY_IT
            )

    return tell

"""Starts whoever is told of a run beside its front end: status, notifications, event log, metrics, systemd."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from torrent_mover.adapters.event_log import EventLog
from torrent_mover.adapters.metrics import MetricsFile, MetricsServer
from torrent_mover.adapters.notify import Command, Notifications, Teller, apprise
from torrent_mover.adapters.run_state import FILE_NAME, RunState
from torrent_mover.adapters.systemd import Systemd
from torrent_mover.domain.notices import Desk
from torrent_mover.domain.settings_general import GeneralSettings
from torrent_mover.ports.control import Control
from torrent_mover.ports.notifier import Notifier


@contextmanager
def telling(control: Control, settings: GeneralSettings, redact: Callable[[str], str]) -> Iterator[None]:
    """Tell what the settings ask for, while in this context. Raises MoverError where something cannot be begun."""
    with ExitStack() as stack:
        for make in _wanted(control, settings, redact):
            _attach(stack, control, make())
        yield


@contextmanager
def publishing(control: Control, state_dir: Path) -> Iterator[None]:
    """Let `torrent-mover status` see what the run is at, while in this context."""
    with ExitStack() as stack:
        _attach(stack, control, RunState(state_dir / FILE_NAME, control.snapshot))
        yield


@contextmanager
def under_systemd(
    control: Control, alive: Callable[[], bool], environ: Mapping[str, str] = os.environ
) -> Iterator[None]:
    """Tell systemd how it goes, where systemd started us; `alive` says whether the engine still moves."""
    with ExitStack() as stack:
        _attach(stack, control, Systemd(control.snapshot, alive, environ))
        yield


def _attach(stack: ExitStack, control: Control, notifier: Notifier) -> None:
    stack.callback(notifier.close)
    stack.callback(control.subscribe(notifier))


def _wanted(
    control: Control, settings: GeneralSettings, redact: Callable[[str], str]
) -> Iterator[Callable[[], Notifier]]:
    tellers: list[Teller] = []
    if settings.notify_command:
        tellers.append(Command(settings.notify_command, redact))
    if settings.notify_urls:
        tellers.append(apprise(settings.notify_urls.reveal()))
    if tellers:
        yield lambda: Notifications(Desk(settings.notify_on), tellers, redact)
    if settings.event_log:
        path = Path(str(settings.event_log))
        yield lambda: EventLog(path, redact)
    if settings.metrics_file:
        file = Path(str(settings.metrics_file))
        yield lambda: MetricsFile(file, control.snapshot)
    if settings.metrics_port:
        port = settings.metrics_port
        yield lambda: MetricsServer(port, control.snapshot)

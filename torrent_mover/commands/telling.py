"""Starts whoever is told of a run beside its front end: status, notifications, event log, metrics, systemd."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from torrent_mover.adapters.outlets.event_log import EventLog
from torrent_mover.adapters.outlets.logs import Complain
from torrent_mover.adapters.outlets.metrics import MetricsFile, MetricsServer
from torrent_mover.adapters.outlets.notify import CLOSING_PATIENCE, Command, Notifications, Teller, apprise
from torrent_mover.adapters.outlets.run_state import FILE_NAME, RunState
from torrent_mover.adapters.outlets.systemd import Systemd
from torrent_mover.adapters.outlets.told_notices import ToldNotices
from torrent_mover.domain.errors import ConfigError, MoverError, NotWritable
from torrent_mover.domain.report.event_data import event_data
from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.report.notices import FINDINGS, Notice, NoticeDesk
from torrent_mover.domain.settings.general import GeneralSettings, NotifyOn
from torrent_mover.ports.control import Control
from torrent_mover.ports.documents import Documents
from torrent_mover.ports.notifier import Notifier

_log = logging.getLogger(__name__)


@contextmanager
def telling(
    control: Control, settings: GeneralSettings, redact: Callable[[str], str], complain: Complain = _log.warning
) -> Iterator[None]:
    """Tell what the settings ask for, while in this context.

    What tells of a run never fails it: `complain` hears what cannot be begun, or goes wrong later, once each. Raises
    MissingProgram alone, for what the config asks for and is not installed.
    """
    with ExitStack() as stack:
        for make in _wanted(control, settings, redact, complain):
            try:
                notifier = make()
            except NotWritable as error:
                complain(f"{error.what} The run goes on without it. {error.remedy}")
                continue
            _attach(stack, control, notifier)
        yield


def notices_of(
    duty: str,
    subscribe: Callable[[Callable[[Event], object]], Callable[[], None]],
    settings: GeneralSettings,
    redact: Callable[[str], str],
    stack: ExitStack,
    levels: Collection[Level] = FINDINGS,
    *,
    told: Documents | None = None,
    patience: float = CLOSING_PATIENCE,
) -> None:
    """Tell by notify_command, notify_urls and event_log, until `stack` ends, what a duty that has no runs publishes.

    `levels`: of what is told to people; the event log has all. `told`: where it is written down what they were told, which no
    other process tells again. `patience`: seconds that the end waits for what is still to be told. Raises MissingProgram.
    """
    tellers = list(_tellers(settings, redact).values())
    notifiers: list[Notifier] = []
    if tellers:
        desk = NoticeDesk(settings.notify_on, duty, levels, None if told is None else ToldNotices(told))
        notifiers.append(Notifications(desk, tellers, redact, _log.warning, patience))
    if settings.event_log:
        try:
            notifiers.append(EventLog(Path(str(settings.event_log)), redact, _log.warning))
        except NotWritable as error:
            _log.warning("%s %s goes on without it. %s", error.what, duty, error.remedy)
    for notifier in notifiers:
        stack.callback(_close, notifier)
        stack.callback(subscribe(notifier))


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
    stack.callback(_close, notifier)
    stack.callback(control.subscribe(notifier))


def _close(notifier: Notifier) -> None:
    try:
        notifier.close()
    except Exception:  # noqa: BLE001  the run is over, and its exit code stands
        _log.exception("an output of the run could not be closed")


def _tellers(settings: GeneralSettings, redact: Callable[[str], str]) -> dict[str, Teller]:
    """By the setting that names them. Raises MissingProgram."""
    tellers: dict[str, Teller] = {}
    if settings.notify_command:
        tellers["notify_command"] = Command(settings.notify_command, redact)
    if settings.notify_urls:
        tellers["notify_urls"] = apprise(settings.notify_urls.reveal())
    return tellers


def try_out(settings: GeneralSettings, redact: Callable[[str], str], at: float) -> str:
    """Send one notice, as a run does, to everybody who would be told; says to whom.

    Raises MoverError where nobody is named, or the first of them could not be told.
    """
    tellers = _tellers(settings, redact)
    if not tellers:
        raise ConfigError(
            "No notification is set up: notify_command and notify_urls are blank.",
            kept="Runs work without them.",
            remedy="Set one of them in [General], then test it: torrent-mover doctor --notify",
        )
    event = Noticed(at, None, Level.INFO, "This is a test of the notifications; nothing has happened.")
    for name, tell in tellers.items():
        try:
            tell(Notice(NotifyOn.END, "a test", event.text), event_data(event))
        except OSError as error:
            raise MoverError(f"{name} could not be started: {error.strerror}: {error.filename}.") from error
    on = ", ".join(each.value for each in settings.notify_on)
    return f"sent by {' and '.join(tellers)}; runs send on: {on or 'nothing (notify_on is blank)'}"


def _wanted(
    control: Control, settings: GeneralSettings, redact: Callable[[str], str], complain: Complain
) -> Iterator[Callable[[], Notifier]]:
    tellers = list(_tellers(settings, redact).values())
    if tellers:
        yield lambda: Notifications(NoticeDesk(settings.notify_on), tellers, redact, complain)
    if settings.event_log:
        path = Path(str(settings.event_log))
        yield lambda: EventLog(path, redact, complain)
    if settings.metrics_file:
        file = Path(str(settings.metrics_file))
        yield lambda: MetricsFile(file, control.snapshot, complain=complain)
    if settings.metrics_port:
        port = settings.metrics_port
        yield lambda: MetricsServer(port, control.snapshot)

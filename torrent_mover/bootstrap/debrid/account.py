"""One debrid account with everything that works for it; built when it is entered, let go when it is left."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from torrent_mover.adapters.arr.manager import ArrManager
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.adapters.links.library import LocalLinkLibrary
from torrent_mover.adapters.links.torrents import TorrentFolder
from torrent_mover.adapters.lockfile import RunLock, holder
from torrent_mover.adapters.outlets.debrid_metrics import Family, MetricLines, RequestCounts, write_exposition
from torrent_mover.adapters.outlets.discord import discord
from torrent_mover.adapters.outlets.event_log import EventLog
from torrent_mover.adapters.outlets.logs import start_log
from torrent_mover.adapters.outlets.notify import CLOSING_PATIENCE, Command, Notifications, Teller, apprise
from torrent_mover.adapters.store.database import is_there
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.adapters.store.unwritten import UnwrittenDocuments
from torrent_mover.bootstrap.debrid.accounts import build_accounts
from torrent_mover.bootstrap.debrid.breaking import DebridBreaker
from torrent_mover.bootstrap.debrid.setups import DebridSetup
from torrent_mover.bootstrap.state import journal_path, lease_folder, state_folder
from torrent_mover.domain.debrid.answers import HeardAnswer
from torrent_mover.domain.errors import MoverError, NoLogin, NotWritable
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.report.notices import ERRORS, Notice, NoticeDesk
from torrent_mover.domain.settings.general import NotifyOn
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.debrid_journal import DebridJournal
from torrent_mover.duties.debrid.needs import DebridArr, DebridWorld, budget_of
from torrent_mover.duties.debrid.records import DUTY, Metric
from torrent_mover.duties.debrid.telling import families
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.ports.debrid import DebridAccount
from torrent_mover.ports.documents import Documents

METRICS: Final = "debrid-metrics.jsonl"


def lock_of(setup: DebridSetup) -> Path:
    """The lock of whoever works on an account. Makes nothing."""
    return state_folder(setup) / f"debrid-{setup.name}.lock"


def working_on(setup: DebridSetup) -> str:
    """Who works on it, as `process 4711, since 2026-11-20 03:00:01`; blank: nobody."""
    return holder([lock_of(setup)])


class OpenDebrid:
    """An account, as long as this is entered. `writes` False: nothing is made or changed anywhere, and only GET is sent.

    `stop` ends every wait. Raises MoverError on entering; then nothing is held.
    """

    def __init__(
        self,
        setup: DebridSetup,
        *,
        writes: bool,
        stop: threading.Event,
        debug: bool = False,
        patience: float = CLOSING_PATIENCE,
    ) -> None:
        """`patience`: seconds that the end waits for notices that are still to be sent."""
        self._patience = patience
        self._setup = setup
        self._writes = writes
        self._debug = debug or setup.debug
        self._stop = stop
        self._stack = ExitStack()
        self._counts = RequestCounts()
        self._lines = MetricLines(Path(str(setup.log_dir)) / METRICS)
        self.redactor: Final = redactor_of((*setup.accounts.values(), *setup.arrs.values(), setup.general))
        self.clock: Final = SystemClock(stop)
        self._sign_at = self.clock.monotonic()
        self.publisher: Publisher | None = None
        self.journal: DebridJournal
        self._journal: SqliteJournal | None = None  # where it may be written
        self._accounts: dict[str, DebridAccount] = {}
        self._library: Final = LocalLinkLibrary()  # one for all runs: a thread of its own waits for mounts

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._library.close)
            for each in self._setup.accounts.values():
                if each.token is not None:
                    with suppress(NoLogin):  # where it is this account's, it is told when that is opened
                        self.redactor.add(each.token.reveal())
            documents = self._documents(stack)
            self.journal = DebridJournal(documents(self._setup.name))
            wanted = {name: self._setup.accounts[name] for name in self._names()}
            self._accounts = dict(
                build_accounts(
                    wanted,
                    documents,
                    self.clock,
                    stack,
                    read_only=not self._writes,
                    heard=self._heard,
                    windows=lease_folder(self._setup, looks=not self._writes),
                    breaker=self._breaker,
                )
            )
            self._arrs = self._open_arrs(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _breaker(self, server: str) -> DebridBreaker | None:
        if self._journal is None:
            return None
        cooldown = self._setup.general.breaker_cooldown
        return DebridBreaker(self._journal, self.clock, cooldown, server, self._complain)

    def _names(self) -> list[str]:
        return [self._setup.name, *([self._setup.settings.fallback] if self._setup.settings.fallback else [])]

    def _documents(self, stack: ExitStack) -> _OpenDocuments:
        path = journal_path(self._setup)
        if not self._writes:
            if not is_there(path):
                return _OpenDocuments(None)
            journal = SqliteJournal.open_readonly(path)
            stack.callback(journal.close)
            return _OpenDocuments(journal, writes=False)
        folder = Path(str(self._setup.log_dir))
        with suppress(NotWritable):
            stack.callback(start_log(folder, self.redactor, debug=self._debug, complain=lambda _: None))
        journal = SqliteJournal(path, self.clock, self.redactor)
        stack.callback(journal.close)
        self._journal = journal
        self.publisher = Publisher(journal)
        self._tell(stack, self.publisher)
        return _OpenDocuments(journal)

    def _tell(self, stack: ExitStack, publisher: Publisher) -> None:
        general, tellers = self._setup.general, list[Teller]()
        if general.notify_command:
            tellers.append(Command(general.notify_command, self.redactor))
        if general.notify_urls:
            tellers.append(apprise(general.notify_urls.reveal()))
        if self._setup.settings.discord_webhook:
            tellers.append(discord(self._setup.settings.discord_webhook))
        if tellers:
            # What a person is told, and once, its rounds decide by themselves: see needs.DebridWorld.tell_once.
            desk = NoticeDesk(general.notify_on, DUTY, ERRORS)
            notifications = Notifications(desk, tellers, self.redactor, self._complain, self._patience)
            stack.callback(notifications.close)
            stack.callback(publisher.subscribe(notifications))
        if general.event_log:
            try:
                log = EventLog(Path(str(general.event_log)), self.redactor, self._complain)
            except NotWritable as error:
                self._complain(f"{error.what} The rounds go on without it. {error.remedy}")
                return
            stack.callback(log.close)
            stack.callback(publisher.subscribe(log))

    def _complain(self, text: str) -> None:
        self.say(None, text, Level.WARN)

    def _open_arrs(self, stack: ExitStack) -> dict[str, DebridArr]:
        arrs = {}
        for name, settings in self._setup.arrs.items():
            manager = ArrManager(name, settings, self.clock.wait, self.clock.monotonic)
            stack.callback(manager.close)
            arrs[name] = DebridArr(manager, settings.pairs)
        return arrs

    def _heard(self, answer: HeardAnswer) -> None:
        self._sign_at = self.clock.monotonic()
        self._counts.heard(answer)

    def _stopped(self) -> bool:
        """Asked by whatever works, again and again: so it is a sign of life."""
        self._sign_at = self.clock.monotonic()
        return self._stop.is_set()

    def seen_alive(self, within: float) -> bool:
        """Whether a round has got on in the last so many seconds: an answer came, or another link was looked at."""
        return self.clock.monotonic() - self._sign_at < within

    def world(self) -> DebridWorld:
        """What a run works with; a new budget each time."""
        settings = self._setup.settings
        account = self._accounts[self._setup.name]
        quarantine = settings.quarantine_dir or self._setup.state_dir / "quarantine"
        return DebridWorld(
            settings,
            account,
            self.journal,
            self._library,
            self.clock,
            self.say,
            lambda text: self.say(None, text, Level.ERROR),
            lambda torrent: self._lease(account, torrent),
            budget_of(settings),
            str(quarantine),
            self._arrs,
            self._accounts.get(settings.fallback),
            self._measured,
            self._repaired,
            TorrentFolder(Path(str(settings.torrents_dir))) if settings.torrents_dir else lambda _: None,
            self._stopped,
            acts=self._writes and settings.acts,
            asks=self._writes,
        )

    def say(self, torrent: InfoHash | None, text: str, level: Level = Level.INFO) -> None:
        """One line for everybody who listens."""
        if self.publisher is not None:
            told = self.redactor(text)
            self.publisher.publish(Noticed(self.clock.now(), torrent, level, told, route=self._setup.name))

    @contextmanager
    def _lease(self, account: DebridAccount, torrent: InfoHash) -> Iterator[None]:
        end = f"debrid {self._setup.name} {account.server}"
        leases = KernelLeases(lease_folder(self._setup), {end: account.name})
        with leases.hold([(end, torrent)], f"debrid {self._setup.name}"):
            yield

    def _measured(self, metric: Metric) -> None:
        if self._writes:
            self._lines.write(metric.at, metric.type, metric.name, metric.value, metric.tags)

    def _repaired(self, torrent: InfoHash, links: tuple[str, ...]) -> None:
        words = self._setup.settings.on_repaired
        if words:
            try:
                data: dict[str, object] = {"event": "repaired", "hash": torrent.hex, "paths": list(links)}
                Command(words, self.redactor)(Notice(NotifyOn.END, "repaired", torrent.hex), data)
            except (MoverError, OSError) as error:
                self.say(torrent, f"on_repaired failed: {error}", Level.WARN)

    def families(self) -> Iterator[Family]:
        """All numbers for Prometheus."""
        yield from self._counts.families()
        yield from families(self.journal, self._setup.name, self.clock.now())

    def write_metrics(self) -> None:
        """Write the file for a collector, where one is wanted."""
        path = self._setup.settings.metrics_file
        if path is not None and self._writes:
            try:
                write_exposition(Path(str(path)), self.families)
            except OSError as error:
                self._complain(f"{path} cannot be written: {error.strerror}")

    def alone(self) -> AbstractContextManager[object]:
        """Holds the account's lock, where anything is written. Raises AlreadyRunning."""
        return RunLock(lock_of(self._setup)) if self._writes else ExitStack()


class _OpenDocuments:
    """The records of each account: those of the journal, or what is read of them and never written."""

    def __init__(self, journal: SqliteJournal | None, *, writes: bool = True) -> None:
        self._journal = journal
        self._writes = writes and journal is not None

    def __call__(self, name: str) -> Documents:
        kept = self._journal.documents(DUTY, name) if self._journal is not None else None
        return kept if kept is not None and self._writes else UnwrittenDocuments(kept)


def as_json(data: object) -> str:
    """For programs."""
    return json.dumps(data, indent=2) + "\n"

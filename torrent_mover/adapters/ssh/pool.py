"""The connections to one server: never more than allowed, shared fairly among the torrents of a run, used again and again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from torrent_mover.adapters.ssh.sftp_session import SftpSession
from torrent_mover.adapters.ssh.ssh_messages import raise_if_key_is_missing
from torrent_mover.adapters.ssh.transport import Transport
from torrent_mover.adapters.ssh.way import SshWay
from torrent_mover.domain.errors import BadAnswer, ConnectionLost, LoginRefused, MoverError, Retry, Unreachable
from torrent_mover.domain.text import clauses

_Opened = TypeVar("_Opened")

_IDLE_FOR: Final = 60.0
"""Seconds after which a connection that nobody uses is hung up."""

_KEPT_TO: Final = 30.0
"""Seconds for which a server is asked for no more connections than it was seen to allow."""


@dataclass(slots=True, eq=False)
class _Held:
    """Who holds a connection, since when (monotonic seconds), and whether as a lane."""

    holder: str
    lane: bool
    since: float


@dataclass(slots=True, eq=False)
class _Waiter:
    """Somebody who wants a connection; `lane` as in `borrow`. `place` once it is granted."""

    holder: str
    lane: bool
    place: _Held | None = None


@dataclass(slots=True)
class _State:
    """What the lock guards. `opening` counts connections being made: they take a place already."""

    idle: list[tuple[SftpSession, float]] = field(default_factory=list)
    held: dict[SftpSession, _Held] = field(default_factory=dict)
    opening: list[_Held] = field(default_factory=list)
    waiters: list[_Waiter] = field(default_factory=list)
    refused: MoverError | None = None
    ever_connected: bool = False
    closed: bool = False
    allowed: int | None = None  # connections that the server allows at a time, as far as it showed
    refused_at: float = 0.0
    broken: int = 0
    round_trip: float | None = None


class SessionPool:
    """Lends SFTP sessions. Safe from any thread.

    `limit` is the most connections at a time (max_concurrent_ssh_sessions); one of them is kept from the lanes for short
    calls, unless there is only one. `wait_timeout` in seconds is how long anybody waits for a turn (pool_wait_timeout).
    `request_size` in bytes is the most of one read or write request (sftp_chunk_size_kb), None for what suits the server.
    A login that was refused is not tried again: the same error is raised at once. Not so while connections are held: then the
    server allows no more at a time, and whoever has none waits for a turn among those. A further lane is refused at once.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        limit: int = 8,
        wait_timeout: float = 300.0,
        request_size: int | None = None,
        idle_for: float = _IDLE_FOR,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = transport.target.host
        self.transport = transport
        self._limit = max(1, limit)
        self._wait_timeout = wait_timeout
        self._request_size = request_size
        self._idle_for = idle_for
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._first_login = threading.Lock()
        self._state = _State()

    @property
    def limit(self) -> int:
        """The most connections at a time."""
        return self._limit

    @property
    def round_trip(self) -> float:
        """Seconds from a question to its answer, the least seen so far; 0 before the first connection."""
        return self._state.round_trip or 0.0

    @property
    def broken(self) -> int:
        """How many connections were lost so far, each made again when it is needed. Those that we cut ourselves do not count."""
        return self._state.broken

    @property
    def lanes(self) -> int:
        """The most lanes at a time."""
        return max(1, self._most() - 1)

    def holders(self) -> dict[str, int]:
        """How many connections each torrent holds now."""
        with self._changed:
            return dict(Counter(held.holder for held in (*self._state.held.values(), *self._state.opening)))

    def borrow(self, holder: str, *, lane: bool) -> SftpSession:
        """A session of one's own until `give_back`. `lane`: for long reading or writing, not for a short call.

        Raises Unreachable when no turn came in time, naming who holds what, and whatever logging in raises.
        """
        deadline = self._monotonic() + self._wait_timeout
        while True:
            place = self._take_place(holder, deadline, lane=lane)
            try:
                while (idle := self._take_idle()) is not None:
                    if idle.is_open():
                        return self._occupy(idle, place)
                    idle.close()
                return self._occupy(self._connect(), place)
            except BaseException as error:
                with self._changed:
                    self._state.opening.remove(place)
                    one_too_many = isinstance(error, MoverError) and self._is_one_too_many(error)
                    self._grant()
                    if not one_too_many or (lane and self._holds(holder)):
                        raise

    def give_back(self, session: SftpSession, *, reuse: bool = True) -> None:
        """The session is free again; one that broke, or that still owes replies, is hung up. Never raises."""
        late: list[SftpSession] = []
        with self._changed:
            self._state.held.pop(session, None)
            self._state.broken += not session.is_open() and not session.was_cut and not self._state.closed
            if reuse and session.is_open() and not self._state.closed:
                self._state.idle.append((session, self._monotonic()))
            else:
                late.append(session)
            late += self._take_stale()
            self._grant()
        for old in late:
            old.close()

    @contextmanager
    def control(self, holder: str) -> Iterator[SftpSession]:
        """A session for a short call."""
        session = self.borrow(holder, lane=False)
        try:
            yield session
        except BadAnswer as error:
            error.server = error.server or self.name  # a reply is read without knowing from whom it came
            raise
        finally:
            self.give_back(session)

    def open_way(self) -> SshWay:
        """Log in for streams to ports that the server sees, by the rules of all logins; it does not count as lent, nor is it kept.

        Raises what logging in raises.
        """
        with self._changed:
            self._raise_if_over()
        return self._first_alone(self.transport.open_way)

    def abort(self) -> None:
        """From any thread: break every call that is under way; all raise ConnectionLost."""
        with self._changed:
            sessions = list(self._state.held)
        for session in sessions:
            session.abort()

    def close(self) -> None:
        """Hang up everything; waiters and holders get ConnectionLost. Never raises."""
        with self._changed:
            self._state.closed = True
            idle = [session for session, _ in self._state.idle]
            self._state.idle.clear()
            self._changed.notify_all()
        self.abort()
        for session in idle:
            session.close()

    def _take_place(self, holder: str, deadline: float, *, lane: bool) -> _Held:
        waiter = _Waiter(holder, lane)
        with self._changed:
            self._state.waiters.append(waiter)
            self._grant()
            try:
                while waiter.place is None:
                    self._raise_if_over()
                    left = deadline - self._monotonic()
                    if left <= 0:
                        raise self._nobody_came(holder)
                    self._changed.wait(min(left, _KEPT_TO))
                    self._grant()
            finally:
                if waiter in self._state.waiters:
                    self._state.waiters.remove(waiter)
            self._raise_if_over(waiter.place)
            return waiter.place

    def _grant(self) -> None:
        """Give free places to those who wait: first to the torrent that holds least, then by order of coming."""
        state = self._state
        while state.waiters and self._in_use() < self._most():
            lanes_free = self._in_use(lanes_only=True) < self.lanes
            able = [waiter for waiter in state.waiters if lanes_free or not waiter.lane]
            if not able:
                return
            holding = Counter(held.holder for held in (*state.held.values(), *state.opening))
            chosen = min(able, key=lambda waiter: (waiter.lane, holding[waiter.holder]))
            chosen.place = _Held(chosen.holder, chosen.lane, self._monotonic())
            state.waiters.remove(chosen)
            state.opening.append(chosen.place)
            self._changed.notify_all()

    def _most(self) -> int:
        """The most connections at a time, by what the server has shown of late."""
        allowed = self._state.allowed
        if allowed is None or self._monotonic() > self._state.refused_at + _KEPT_TO:
            return self._limit
        return min(self._limit, allowed)

    def _is_one_too_many(self, error: MoverError) -> bool:
        """Whether it refuses a connection while it serves others well. Some servers do so by hanging up."""
        alive = self._alive()
        if not alive or self._state.closed or not isinstance(error, Unreachable | LoginRefused | BadAnswer):
            return False
        self._state.allowed, self._state.refused_at = alive, self._monotonic()
        return True

    def _alive(self) -> int:
        return sum(session.is_open() for session in (*self._state.held, *(idle for idle, _ in self._state.idle)))

    def _holds(self, holder: str) -> bool:
        return any(held.holder == holder for held in self._state.held.values())

    def _in_use(self, *, lanes_only: bool = False) -> int:
        places = (*self._state.held.values(), *self._state.opening)
        return sum(1 for held in places if held.lane or not lanes_only)

    def _raise_if_over(self, place: _Held | None = None) -> None:
        error = self._state.refused
        if error is None and self._state.closed:
            error = ConnectionLost(
                f"The connections to {self.name} were closed.",
                server=self.name,
            )
        if error is not None:
            if place is not None:
                self._state.opening.remove(place)
                self._grant()
            raise error

    def _take_idle(self) -> SftpSession | None:
        with self._changed:
            return self._state.idle.pop()[0] if self._state.idle else None

    def _take_stale(self) -> list[SftpSession]:
        now = self._monotonic()
        stale = [session for session, since in self._state.idle if now - since > self._idle_for]
        self._state.idle = [entry for entry in self._state.idle if entry[0] not in stale]
        return stale

    def _connect(self) -> SftpSession:
        session = self._first_alone(lambda: SftpSession(self.transport.open_sftp(), self.name, self._request_size))
        with self._changed:
            self._state.round_trip = min(session.round_trip, self._state.round_trip or session.round_trip)
        return session

    def _first_alone(self, log_in: Callable[[], _Opened]) -> _Opened:
        # As long as no login has succeeded, one at a time: eight wrong passwords at once would earn a ban.
        if self._state.ever_connected:
            return self._logged_in(log_in)
        with self._first_login:
            with self._changed:
                self._raise_if_over()
            return self._logged_in(log_in)

    def _logged_in(self, log_in: Callable[[], _Opened]) -> _Opened:
        # Before what a pool remembers as refused: once the key is there, the next try works.
        raise_if_key_is_missing(self.transport.target)
        try:
            opened = log_in()
        except MoverError as error:
            with self._changed:
                # While the same login works on another connection, what is refused is one connection more, not the login.
                one_too_many = isinstance(error, LoginRefused) and self._alive()
                if error.retry is Retry.NEVER and not one_too_many:
                    self._state.refused = error
                    self._changed.notify_all()
            raise
        with self._changed:
            self._state.ever_connected = True
        return opened

    def _occupy(self, session: SftpSession, place: _Held) -> SftpSession:
        with self._changed:
            if self._state.closed:
                session.close()
            self._state.opening.remove(place)
            place.since = self._monotonic()
            self._state.held[session] = place
            if self._state.allowed is not None:
                self._state.allowed = max(self._state.allowed, len(self._state.held))
        return session

    def _nobody_came(self, holder: str) -> Unreachable:
        now = self._monotonic()
        places = (*self._state.held.values(), *self._state.opening)
        who = clauses(
            *(
                f"{held.holder or 'a check'} ({'lane' if held.lane else 'call'}, {now - held.since:.0f} s)"
                for held in places
            )
        )
        return Unreachable(
            f"No SSH connection to {self.name} became free for {holder or 'a check'} within {self._wait_timeout:.0f} s. "
            f"All {self._most()} are taken by: {who or 'others'}.",
            kept="Nothing was changed.",
            remedy="Raise max_concurrent_ssh_sessions or pool_wait_timeout, or lower max_concurrent_downloads.",
            server=self.name,
        )

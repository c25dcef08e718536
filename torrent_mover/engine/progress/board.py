"""The ledger: bytes of every move, counted once, read by whoever looks. The sinks of the strategies write here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.move import Stage
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash

TRANSFER_SHARE: Final = 0.95
"""Of a move's bar: the transfer; then verification; adding and finishing take the rest."""
VERIFY_SHARE: Final = 0.04


class Flow(Enum):
    """A direction on the network, as seen from this machine."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Legs:
    """What crosses the network in a mode: for each leg, the directions its bytes take.

    sftp: one leg in. sftp_upload: one leg, in and out at once. rsync_upload: a leg in, then a leg out.
    """

    flows: tuple[frozenset[Flow], ...]


class Ledger:
    """Bytes of one move. Monotone in what it shows: retries and repairs never take the bar back. Safe from any thread."""

    def __init__(self, size: int, legs: int) -> None:
        self.size = size
        self.sent = 0  # over the wire, all attempts and legs: what rates are made of
        self.reused = 0
        self._lock = threading.Lock()
        self._legs = [0] * legs
        self._verified = 0.0
        self._finished = 0.0
        self._shown = 0.0

    def begin_attempt(self, present: int) -> None:
        """An attempt starts with `present` bytes already good at the destination."""
        with self._lock:
            self.reused = max(self.reused, present) if not self.sent else self.reused
            self._legs = [min(present, self.size)] * len(self._legs)
            self._update()

    def advance(self, count: int, leg: int) -> None:
        """Bytes that crossed the wire."""
        with self._lock:
            self.sent += count
            self._legs[leg] = min(self._legs[leg] + count, self.size)
            self._update()

    def reuse(self, count: int, leg: int) -> None:
        """Bytes found to be there already, in the middle of a transfer."""
        with self._lock:
            self.reused += count
            self._legs[leg] = min(self._legs[leg] + count, self.size)
            self._update()

    @property
    def brought(self) -> int:
        """Bytes of payload that came, however many legs they travelled."""
        return self.sent // len(self._legs)

    def leg(self, leg: int) -> int:
        """Bytes of this leg that are done."""
        return self._legs[leg]

    def transferred(self) -> None:
        """The transfer is over: every leg is whole."""
        with self._lock:
            self._legs = [self.size] * len(self._legs)
            self._update()

    def verified(self, fraction: float) -> None:
        """How much of the verification is done, 0 to 1."""
        with self._lock:
            self._verified = max(self._verified, fraction)
            self._update()

    def finished(self, fraction: float) -> None:
        """How much of adding, starting and releasing is done, 0 to 1."""
        with self._lock:
            self._finished = max(self._finished, fraction)
            self._update()

    @property
    def verified_fraction(self) -> float:
        """How much of the verification is done, 0 to 1."""
        return self._verified

    @property
    def fraction(self) -> float:
        """Weighted progress, 0 to 1; 1 only once the move is released."""
        return self._shown

    def _update(self) -> None:
        moved = sum(self._legs) / (self.size * len(self._legs)) if self.size else 1.0
        rest = 1 - TRANSFER_SHARE - VERIFY_SHARE
        now = TRANSFER_SHARE * moved + VERIFY_SHARE * self._verified + rest * self._finished
        self._shown = max(self._shown, min(now, 1.0))


class Track:
    """What is known of one move while this run lives: ledger, stage, signs of life, and how to break it off."""

    def __init__(self, torrent: InfoHash, size: int, legs: Legs, monotonic: Callable[[], float]) -> None:
        self.id = torrent
        self.ledger = Ledger(size, len(legs.flows))
        self.legs = legs
        self.stage = Stage.PLANNED
        self.doing = ""
        self.repair = ""
        self.repaired = 0
        self.stages: list[tuple[Stage, float]] = []  # with Unix seconds
        self.moments: list[
            tuple[Stage, float]
        ] = []  # the same with monotonic ones: a clock that is set changes no length
        self.check_began: float | None = None  # monotonic seconds at which the client was first seen to read
        self.pieces_total = 0
        self.files: tuple[ClientFile, ...] = ()  # as the source client lists them when the move begins
        self.manifest: Manifest | None = None  # these three are read for the screen only
        self.landed: Bitfield | None = None  # the move's own field of verified pieces
        self.present: Bitfield | None = None  # pieces that were there when this attempt began
        self.files_done: dict[int, int] = {}
        self.last_sign = monotonic()
        self.last_byte = monotonic()
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._worked = 0.0  # seconds of attempts that have ended
        self._began: float | None = None
        self._verdict: MoverError | None = None
        self._aborts: list[Callable[[], None]] = []

    def enter(self, stage: Stage, at: float) -> None:
        """A stage begins, `at` in Unix seconds."""
        self.stage = stage
        self.stages.append((stage, at))
        self.moments.append((stage, self._monotonic()))
        self.sign(stage.value)

    def sign(self, doing: str = "") -> None:
        """A sign of life."""
        self.last_sign = self._monotonic()
        if doing:
            self.doing = doing

    def byte(self) -> None:
        """A sign of life that carried bytes."""
        self.last_byte = self.last_sign = self._monotonic()

    def break_off(self, verdict: MoverError, *, gently: bool = False) -> None:
        """End the transfer with this error: at the next chunk, and unless `gently`, by breaking what blocks."""
        with self._lock:
            self._verdict = self._verdict or verdict
            acts = [] if gently else list(self._aborts)
        for act in acts:
            act()

    def on_abort(self, act: Callable[[], None]) -> Callable[[], None]:
        """Have `act` called when the move is broken off; returns how to take it back."""
        with self._lock:
            self._aborts.append(act)
            late = self._verdict is not None
        if late:
            act()

        def take_back() -> None:
            with self._lock:
                if act in self._aborts:
                    self._aborts.remove(act)

        return take_back

    @property
    def verdict(self) -> MoverError | None:
        """Why the move was broken off, if it was."""
        return self._verdict

    def check(self) -> None:
        """Raise the verdict, if there is one."""
        if self._verdict is not None:
            raise self._verdict

    def renew(self) -> None:
        """An attempt begins: forget what broke the last one off."""
        with self._lock:
            self._verdict = None
        self.last_sign = self.last_byte = self._began = self._monotonic()

    def rest(self) -> None:
        """The attempt has ended."""
        self._worked, self._began = self.worked, None

    @property
    def worked(self) -> float:
        """Seconds that were spent on it so far: of all attempts of this run, without what lay between them."""
        return self._worked + (self._monotonic() - self._began if self._began is not None else 0.0)

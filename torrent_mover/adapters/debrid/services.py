"""The services that are known, and accounts at them: one limiter for each token, however many accounts use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from torrent_mover.adapters.debrid import alldebrid, premiumize, realdebrid, torbox
from torrent_mover.adapters.debrid.alldebrid import AllDebridAccount
from torrent_mover.adapters.debrid.gate import DebridLane, Gate, ServerBreaker
from torrent_mover.adapters.debrid.premiumize import PremiumizeAccount
from torrent_mover.adapters.debrid.realdebrid import RealDebridAccount
from torrent_mover.adapters.debrid.session import DebridPlace
from torrent_mover.adapters.debrid.torbox import TorBoxAccount
from torrent_mover.adapters.debrid.windows import SharedWindow, window_path
from torrent_mover.domain.debrid.account import DebridKind, Rates
from torrent_mover.domain.debrid.answers import HeardAnswer
from torrent_mover.domain.debrid.limiter import BURST
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.debrid import DebridAccount
from torrent_mover.ports.documents import Documents

_Account: TypeAlias = type[RealDebridAccount] | type[TorBoxAccount] | type[AllDebridAccount] | type[PremiumizeAccount]

SERVICES: Final[Mapping[DebridKind, tuple[_Account, str]]] = {
    DebridKind.REALDEBRID: (RealDebridAccount, realdebrid.BASE),
    DebridKind.TORBOX: (TorBoxAccount, torbox.BASE),
    DebridKind.ALLDEBRID: (AllDebridAccount, alldebrid.BASE),
    DebridKind.PREMIUMIZE: (PremiumizeAccount, premiumize.BASE),
}
"""Service -> its adapter, and its own address."""


class DebridServices:
    """Opens accounts. `told` hears of each request. Accounts with the same service and token share one limiter.

    `windows`: a folder of this user in which processes count their requests together; None: each counts its own. `counts` False:
    nothing is written there. `breaker` makes that of a server, by its name.
    """

    def __init__(
        self,
        clock: Clock,
        told: Callable[[HeardAnswer], None] = lambda _: None,
        *,
        windows: Path | None = None,
        counts: bool = True,
        breaker: Callable[[str], ServerBreaker | None] = lambda _: None,
    ) -> None:
        self._windows = windows
        self._counts = counts
        self._breaker = breaker
        self._clock = clock
        self._told = told
        self._gates: dict[tuple[DebridKind, str], Gate] = {}

    def open(self, kind: DebridKind, place: DebridPlace, ceiling: float, records: Documents | None) -> DebridAccount:
        """An account; it asks nobody yet. A blank `place.base` is the service's own address.

        `ceiling`: requests a second, never above what the service takes; where several share a limiter, that of the first.
        `records`: where the limiter is kept. Raises NoLogin where there is no token now, ConfigError where it
        would travel in the open.
        """
        account, base = SERVICES[kind]
        rates = account.CAN.rates
        key = (kind, place.token.reveal())
        gate = self._gates.get(key)
        if gate is None:
            most = min(ceiling, (rates.a_minute - BURST) / 60)
            server = urlsplit(place.base or base).netloc
            shared = self._shared(key, most, rates)
            gate = self._gates[key] = Gate(
                account.SERVICE, most, rates, self._clock, records, windows=shared, breaker=self._breaker(server)
            )
        return account(place if place.base else replace(place, base=base), gate, self._clock, self._told)

    def _shared(
        self, key: tuple[DebridKind, str], most: float, rates: Rates
    ) -> Mapping[DebridLane | None, SharedWindow]:
        """What all processes of this user count together for a token: all requests, and those that have limits of their own."""
        if self._windows is None:
            return {}
        limits: dict[DebridLane | None, tuple[float, float]] = {None: (BURST + 60 * most, 60.0)}
        if rates.lists_a_minute is not None:
            limits[DebridLane.LIST] = (BURST + rates.lists_a_minute, 60.0)
        if rates.adds_an_hour is not None:
            limits[DebridLane.ADD] = (rates.adds_an_hour, 3600.0)
        return {
            lane: SharedWindow(
                window_path(self._windows, key[0].value, key[1], lane.name if lane is not None else ""),
                int(count),
                seconds,
                self._clock,
                counts=self._counts,
            )
            for lane, (count, seconds) in limits.items()
        }

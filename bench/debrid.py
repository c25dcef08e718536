"""Debrid accounts: a day of asking beside another client, and a library of 12,000 torrents listed, both on a clock of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bench.report import Row, at_most
from tests.doubles.debrid_house import debrid_house
from tests.doubles.realdebrid import RealDebridDouble
from torrent_mover.adapters.debrid.realdebrid import RealDebridAccount
from torrent_mover.domain.debrid.account import ListCursor
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.limiter import AccountPace, ask, ceiling_of, heard

MOST: Final = 250
"""Requests that Real-Debrid takes in a minute."""

_OTHER_EVERY: Final = 1.5  # seconds between two requests of the other client: 40 a minute
_MINUTE: Final = 60.0
_LIBRARY: Final = 12_000


@dataclass(frozen=True, slots=True)
class Day:
    """`fullest`: requests of both clients in the fullest minute; `refused` by the service; `ours`: all that we sent."""

    fullest: int
    refused: int
    ours: int


def beside_another_client(hours: float) -> Day:
    """Ask as often as the limiter allows, for so many hours, while another client with the same token sends 40 a minute."""
    pace, now, other = AccountPace.starting(ceiling_of(200, 0.3), 0.0), 0.0, 0.0
    window: deque[float] = deque()
    fullest = refused = ours = 0
    while now < hours * 3600:
        pace, wait = ask(pace, now)
        while other <= now + wait:
            window.append(other)
            other += _OTHER_EVERY
        now += wait
        if wait:
            continue
        window.append(now)
        while window[0] <= now - _MINUTE:
            window.popleft()
        ours += 1
        fullest = max(fullest, len(window))
        refused += len(window) > MOST
        pace = heard(pace, now, AnswerClass.PAUSE if len(window) > MOST else AnswerClass.GOOD)
    return Day(fullest, refused, ours)


def debrid(_: Any, *, quick: bool) -> Iterator[Row]:  # noqa: ANN401  the arena, which is not needed
    """Measure."""
    hours = 1 if quick else 24
    day = beside_another_client(hours)
    yield Row.judged(
        "debrid-day",
        f"{day.fullest} in the fullest minute, {day.refused} refused",
        f"the service's limit of {MOST}",
        day.fullest,
        at_most(MOST, MOST),
        f"{hours} simulated hours beside another client at 40 a minute; ours sent {day.ours:,}",
    )
    with debrid_house(RealDebridDouble, RealDebridAccount, selects=True) as house:
        for number in range(_LIBRARY):
            house.world.hold(f"{number:040x}")
        began, cursor, seen = house.clock.monotonic(), ListCursor(), set()
        while cursor is not None:
            page = house.account.page(cursor)
            seen |= {row.id for row in page.rows}
            cursor = page.next
        took, asked = house.clock.monotonic() - began, len(house.double.asked)
    yield Row.judged(
        "debrid-list",
        f"{len(seen):,} torrents in {asked} requests",
        "pages of 1,000",
        asked,
        at_most(15, 13),
        f"{took:.0f} s of the limiter's time",
    )

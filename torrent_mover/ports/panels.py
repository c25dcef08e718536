"""What a process shows of a duty, and takes orders by: the port that a front end speaks, and what fills it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torrent_mover.domain.report.overview import DutyCard


def _nobody_minds() -> None:
    """Nothing is done for those who look."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One duty, to those who look on from elsewhere. `control` fills `port`, a protocol such as ports.control.Control.

    Its `snapshot` gives the picture, `subscribe` events; every other method is a question or an order. `looked`: called when
    somebody looks, so that a duty may look closer for as long as that is so.
    """

    name: str
    port: type[Any]
    control: Any
    looked: Callable[[], object] = _nobody_minds
    card: Callable[[Any], DutyCard] | None = None
    """What an overview says of its picture; None: it is not in one."""

"""What a process shows of its duties to other processes; and the dashboards of those duties."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, cast

from torrent_mover.adapters.control.server import ControlSocket
from torrent_mover.commands import moves_front
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.report.overview import DutyCard
from torrent_mover.ports.panels import Panel

_log = logging.getLogger(__name__)

_FRONT: Final = "dashboard"
"""The module in a duty's folder of commands/ that is a DutyFront."""


class DutyFront(Protocol):
    """What a duty's module says about its dashboard."""

    NAME: str
    """Of its panel."""
    PORT: type[Any]
    """The protocol that its dashboard speaks."""

    card: Callable[[Any], DutyCard]
    """What an overview says of its picture."""

    def show(self, control: Any, options: Any, gone: Callable[[], bool]) -> int | None:  # noqa: ANN401  each duty has its own
        """The dashboard until somebody leaves; what it returns."""


def fronts(arguments: argparse.Namespace) -> Sequence[DutyFront]:
    """Those of all duties, the mover first."""
    found = [cast("DutyFront", moves_front)]
    for folder in getattr(arguments, "duties", ()):
        name = f"torrent_mover.commands.{folder}.{_FRONT}"
        if importlib.util.find_spec(name) is not None:
            found.append(cast("DutyFront", importlib.import_module(name)))
    return found


@contextmanager
def on_socket(folder: Path, *panels: Panel, complain: Callable[[str], object] = _log.warning) -> Iterator[None]:
    """Let others look at these, and order them about, while in this context. What works goes on where that cannot be."""
    with ExitStack() as stack:
        try:
            stack.enter_context(ControlSocket(folder, panels))
        except NotWritable as error:
            complain(f"{error.what} Nobody can attach to this process. {error.remedy}")
        yield

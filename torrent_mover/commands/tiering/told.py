"""What the command says of a tier: lines for people, data for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torrent_mover.domain.errors import ExitCode, MoverError, worst

Told = tuple[str, list[str], dict[str, Any]]
"""Of one tier: its name, lines for people, data for programs."""


def exit_of(errors: Sequence[MoverError]) -> ExitCode:
    """The worst of what went wrong."""
    return worst(error.exit_code for error in errors)

"""What an action on an account comes to: lines for people, data for programs, an exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torrent_mover.domain.errors import ExitCode


@dataclass(frozen=True, slots=True)
class Said:
    """Lines, data, exit code."""

    lines: Sequence[str]
    data: Mapping[str, Any] = field(default_factory=dict)
    code: ExitCode = ExitCode.DONE

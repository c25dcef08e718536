"""Whether two settings say the same, where their secrets are fetched only when they are needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from torrent_mover.domain.secret import Secret


def fingerprint(value: object) -> object:
    """Equal for settings that say the same; of secrets that are fetched, only where from counts."""
    if isinstance(value, Secret):
        return value if value.is_literal else "fetched"
    if isinstance(value, Mapping):
        return tuple((key, fingerprint(each)) for key, each in value.items())
    if isinstance(value, tuple):
        return tuple(fingerprint(each) for each in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = ((field.name, fingerprint(getattr(value, field.name))) for field in dataclasses.fields(value))
        return type(value).__name__, tuple(parts)
    return value

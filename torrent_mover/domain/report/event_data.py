"""Events as plain data, for programs: the lines of the event log and what a notify_command reads."""

from __future__ import annotations

import dataclasses
import re
from enum import Enum
from typing import Final

from torrent_mover.domain.redact import hide_known_shapes
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.domain.torrent.torrent import InfoHash

SCHEMA_VERSION: Final = 1
_WORD_BEGINS: Final = re.compile(r"(?<!^)(?=[A-Z])")


def kind_of(event: Event) -> str:
    """What happened, in small letters: `move_done`, `run_ended`."""
    return _WORD_BEGINS.sub("_", type(event).__name__).lower()


def event_data(event: Event) -> dict[str, object]:
    """The event's own fields, and before them its kind, its level and the line that a log shows. No secrets.

    Times are Unix seconds, durations seconds, sizes bytes, torrents 40 hexadecimal digits.
    """
    line = narrate(event)
    head: dict[str, object] = {"schema": SCHEMA_VERSION, "event": kind_of(event), "level": line.level.value}
    fields = {field.name: _plain(getattr(event, field.name)) for field in dataclasses.fields(event)}
    return {
        **head,
        "text": line.text,
        **{name: value for name, value in fields.items() if name not in ("level", "text")},
    }


def _plain(value: object) -> object:
    if isinstance(value, InfoHash):
        return value.hex
    if isinstance(value, Enum):
        return value.value
    return hide_known_shapes(value) if isinstance(value, str) else value

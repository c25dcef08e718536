"""Knows the secrets of the settings, so that none of them is ever printed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from torrent_mover.domain.redact import Redactor
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.schema import keys_of


def redactor_of(settings: object) -> Redactor:
    """Hides every secret that stands in the config; what files and commands hold is fetched only when it is needed.

    `settings` is any dataclass of settings, or one that holds such dataclasses, also in tuples and mappings.
    """
    redactor = Redactor()
    for text in _secrets_in(settings):
        redactor.add(text)
    return redactor


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _secrets_in(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from _secrets_in(each)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        keys = keys_of(type(value))
        for field in dataclasses.fields(value):
            held = getattr(value, field.name)
            if not isinstance(held, Secret):
                yield from _secrets_in(held)
            elif held.is_literal and field.name in keys:
                yield from keys[field.name].kind.parts(held.reveal())

"""How rTorrent says names that its XML libraries cannot hold, so that such a name is recognised and never taken for another.

0.9.8 says `?` for each such byte of a name, and then for every byte above ASCII in it; 0.16 says `%E9`. Both do so for
bytes that are no UTF-8 and for characters above the first plane; 0.9.8 sends control characters as they are.
"""

from __future__ import annotations

import re
from typing import Final

_PERHAPS_SPELT: Final = re.compile("[?\x00-\x1f\x7f\udc80-\udcff\ufffd]|%[0-9A-F]{2}")
_LAST_ASCII: Final = 0x7E
_FIRST_PRINTED: Final = 0x20


def is_exact(said: str) -> bool:
    """Whether the text can only be what it says. Else it may be one of several names."""
    return _PERHAPS_SPELT.search(said) is None


def may_mean(said: str, raw: bytes) -> bool:
    """Whether rTorrent may say `said` for a name of these bytes."""
    return said in (text(raw), text(raw).replace("\r\n", "\n").replace("\r", "\n"), _marked(raw), _escaped(raw))


def text(raw: bytes) -> str:
    """Bytes as the domain has them: UTF-8, everything else as surrogate escapes."""
    return raw.decode("utf-8", "surrogateescape")


def folder_of_that_name(said: str, name: str) -> str | None:
    """The path that 0.16 says, where its last part is `name` (exact) and all before is plain; None where that is not so."""
    before, slash, last = said.rpartition("/")
    if (
        not slash
        or last != _escaped(name.encode("utf-8", "surrogateescape"))
        or not (before.isascii() and is_exact(before))
    ):
        return None
    return f"{before}/{name}"


def _marked(raw: bytes) -> str:
    return "".join(chr(byte) if _plain(byte) else "?" for byte in raw)


def _escaped(raw: bytes) -> str:
    return "".join(chr(byte) if _plain(byte) else f"%{byte:02X}" for byte in raw)


def _plain(byte: int) -> bool:
    return _FIRST_PRINTED <= byte <= _LAST_ASCII

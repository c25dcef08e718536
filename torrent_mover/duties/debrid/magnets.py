"""Which infohashes may be handed to a debrid service: those that can be real, and are not blocked."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from torrent_mover.domain.torrent.torrent import InfoHash

_HEX: Final = re.compile(r"[0-9A-Fa-f]{40}")
_BASE32: Final = re.compile(r"[A-Za-z2-7]{32}")
_V1: Final = "urn:btih:"
_V2: Final = "urn:btmh:"


def read_hash(text: str, blocked: Collection[str] = ()) -> InfoHash:
    """The infohash in 40 hex digits, 32 characters of base32 (BEP 9), or a magnet. Raises ValueError with a sentence.

    One that repeats a single character is nobody's; `blocked` are hashes that a person never wants to see added.
    """
    word = text.strip()
    if word.lower().startswith("magnet:"):
        word = _of_magnet(word)
    if _HEX.fullmatch(word):
        found = InfoHash(word)
    elif _BASE32.fullmatch(word):
        found = InfoHash(base64.b32decode(word.upper()).hex())
    else:
        raise ValueError("an infohash has 40 hex digits, or 32 characters of base32")
    if len(set(found.hex)) == 1:
        raise ValueError("an infohash that repeats one character is no real one")
    if found.hex in {each.strip().lower() for each in blocked}:
        raise ValueError("this infohash is in blocked_hashes")
    return found


def _of_magnet(text: str) -> str:
    topics = [value for name, value in parse_qsl(urlsplit(text).query) if name == "xt" or name.startswith("xt.")]
    named = [topic[len(_V1) :] for topic in topics if topic.lower().startswith(_V1)]
    if len(set(named)) == 1:
        return named[0]
    if any(topic.lower().startswith(_V2) for topic in topics) and not named:
        raise ValueError("this magnet names a v2 torrent (btmh) only, and debrid services know SHA-1")
    raise ValueError("this magnet does not name exactly one torrent")

"""Labels as the programs around rTorrent write them: ruTorrent, Flood, or nobody in particular."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from torrent_mover.domain.settings.clients import LabelStyle

_KEPT_BY_JAVASCRIPT = "!'()*"
"""Beside letters, digits and `-_.~`: what encodeURIComponent leaves as it is (ECMA-262, 19.2.6.4)."""


@dataclass(frozen=True, slots=True)
class TorrentLabel:
    """What a label field says. Flood keeps several tags in it: the first one is the category, the others are `tags`."""

    category: str = ""
    tags: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str, style: LabelStyle) -> TorrentLabel:
        """From the field's text."""
        if style is LabelStyle.RAW:
            return cls(text)
        if style is LabelStyle.RUTORRENT:
            return cls(_decoded(text))
        parts = [_decoded(part).strip() for part in text.split(",")]
        named = tuple(dict.fromkeys(part for part in parts if part))
        return cls(named[0] if named else "", named[1:])

    def write(self, style: LabelStyle) -> str:
        """The field's text. Tags are left out where the style has none."""
        if style is LabelStyle.RAW:
            return self.category
        if style is LabelStyle.RUTORRENT:
            return _encoded(self.category)
        return ",".join(_encoded(part) for part in dict.fromkeys((self.category, *self.tags)) if part)


def names(labels: Sequence[TorrentLabel]) -> tuple[str, ...]:
    """The categories that these labels name, sorted."""
    return tuple(sorted({label.category for label in labels if label.category}))


def _encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe=_KEPT_BY_JAVASCRIPT)


def _decoded(text: str) -> str:
    return unquote(text, errors="surrogateescape")

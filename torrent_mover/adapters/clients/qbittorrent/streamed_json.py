"""Reads one large JSON object piece by piece: only what is being read of it is in memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

_NEXT: Final = re.compile(r'[ \t\r\n]*,[ \t\r\n]*"([^"\\\x00-\x1f]*)"[ \t\r\n]*:')
"""What stands between two entries of an object, with the key of the next one, where it needs no decoding."""
_SPACE: Final = " \t\r\n"
_AFTER_NUMBER: Final = (",", "}", "]", *_SPACE)


def entries(chunks: Iterable[bytes], inside: str) -> Iterator[tuple[str, str | None, Any]]:
    """The entries of an object as (key, None, value); of the object under the key `inside`, each by itself: (inside, key, value).

    `chunks` are its bytes (UTF-8). Raises ValueError for what is no JSON object, or is cut off.
    """
    text = _Text(chunks)
    for key in text.keys_of_object():
        if key == inside and text.peek() == "{":
            for inner in text.keys_of_object():
                yield key, inner, text.value()
        else:
            yield key, None, text.value()


class _Text:
    """What has come and was not read yet."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._scan = json.JSONDecoder().raw_decode
        self._text, self._at = "", 0
        self._over = False

    def keys_of_object(self) -> Iterator[str]:
        """Its keys, each followed by its value, which the caller reads before the next."""
        self._take("{")
        if self.peek() == "}":
            self._take("}")
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise ValueError("a key that is no text")  # noqa: TRY004 - of what was read, as all others
            self._take(":")
            yield key
            while (plain := _NEXT.match(self._text, self._at)) is not None:
                self._at = plain.end()
                yield plain[1]
            if self.peek() == "}":
                self._take("}")
                return
            self._take(",")

    def peek(self) -> str:
        """The next character that counts."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                raise ValueError("it is cut off")

    def value(self) -> Any:  # noqa: ANN401 - JSON
        """The next value, whole."""
        self.peek()
        while True:
            try:
                found, end = self._scan(self._text, self._at)
            except ValueError:
                if not self._more():
                    raise
                continue
            cut = isinstance(found, int | float) and self._text[end : end + 1] not in _AFTER_NUMBER
            if (cut or end == len(self._text)) and self._more():
                continue  # a number may go on in what comes next
            self._at = end
            return found

    def _take(self, wanted: str) -> None:
        if self.peek() != wanted:
            raise ValueError(f"{self.peek()!r} in place of {wanted!r}")
        self._at += 1

    def _more(self) -> bool:
        """Get what comes next, and forget what was read."""
        if self._over:
            return False
        chunk = next(self._chunks, None)
        self._over = chunk is None
        self._text = self._text[self._at :] + self._decode(chunk or b"", final=self._over)
        self._at = 0
        return True

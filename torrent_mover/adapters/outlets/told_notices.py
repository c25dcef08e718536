"""Remembers in the journal which troubles people were told of, so that a command of a timer does not tell them each time."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Final

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.notices import AGAIN_AFTER
from torrent_mover.ports.documents import Documents

SECTION: Final = "notices"
"""Of the journal's documents, beside those of the duties."""

_TABLE: Final = "told"


class ToldNotices:
    """See domain.report.notices.ToldBefore. Of a text only its hash is kept. Where the journal cannot be used, all is news."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def told_at(self, text: str) -> float | None:
        """See ToldBefore."""
        with suppress(MoverError):
            known = self._documents.get(_TABLE, _key(text))
            return None if known is None else float(known["at"])
        return None

    def tell(self, text: str, at: float) -> None:
        """See ToldBefore. What is news again by now is dropped."""
        with suppress(MoverError):
            old = [key for key, each in self._documents.items(_TABLE) if not 0 <= at - float(each["at"]) < AGAIN_AFTER]
            if old:
                self._documents.delete_many(_TABLE, old)
            self._documents.put(_TABLE, _key(text), {"at": at})


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()

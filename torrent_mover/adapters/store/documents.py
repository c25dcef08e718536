"""Records of duties in the journal's file, as JSON: a `ports.documents.Documents`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from torrent_mover.adapters.store.database import text_of
from torrent_mover.adapters.store.journal_file import JournalFile
from torrent_mover.ports.documents import Document

_SENTENCES: Final = frozenset({"bad", "reason", "said", "text", "trouble", "why"})
"""Fields that say something in words, perhaps those of a server."""

_PUT: Final = (
    "INSERT INTO documents (duty, section, tab, key, content) VALUES (?,?,?,?,?) "
    "ON CONFLICT (duty, section, tab, key) DO UPDATE SET content = excluded.content"
)

_OWN: Final = "WHERE duty = ? AND section = ? AND tab = ?"

_DROP_ALL_BUT_LAST: Final = (
    f"DELETE FROM documents {_OWN} AND number <= "
    f"(SELECT number FROM documents {_OWN} ORDER BY number DESC LIMIT 1 OFFSET ?)"
)


class SqliteDocuments:
    """See ports.documents.Documents. Made by SqliteJournal.documents; `section` names one of a duty's sections."""

    def __init__(self, file: JournalFile, duty: str, section: str) -> None:
        self._file = file
        self._own = (duty, section)
        self._known: dict[str, dict[str, Document]] = {}

    def all(self, table: str) -> Sequence[Document]:
        """See the port."""
        rows = self._file.read(f"SELECT content FROM documents {_OWN} ORDER BY number", (*self._own, table))
        known = self._known.get(table, {})
        texts = [text_of(row[0]) for row in rows]
        found = [known[text] if text in known else json.loads(text) for text in texts]
        self._known[table] = dict(zip(texts, found, strict=True))
        return found

    def items(self, table: str) -> Sequence[tuple[str, Document]]:
        """See the port."""
        rows = self._file.read(f"SELECT key, content FROM documents {_OWN} ORDER BY number", (*self._own, table))
        return [(str(row[0]), json.loads(text_of(row[1]))) for row in rows]

    def get(self, table: str, key: str) -> Document | None:
        """See the port."""
        rows = self._file.read(f"SELECT content FROM documents {_OWN} AND key = ?", (*self._own, table, key))
        return json.loads(text_of(rows[0][0])) if rows else None

    def put(self, table: str, key: str, content: Document) -> None:
        """See the port."""
        self.put_many(table, {key: content})

    def put_many(self, table: str, contents: Mapping[str, Document]) -> None:
        """See the port."""
        if contents:
            own = (*self._own, table)
            self._file.save(*((_PUT, (*own, key, self._text(content))) for key, content in contents.items()))

    def put_new(self, table: str, key: str, content: Document) -> bool:
        """See the port."""
        return bool(
            self._file.save(
                (
                    "INSERT INTO documents (duty, section, tab, key, content) VALUES (?,?,?,?,?) "
                    "ON CONFLICT (duty, section, tab, key) DO NOTHING",
                    (*self._own, table, key, self._text(content)),
                )
            )
        )

    def replace(self, table: str, key: str, content: Document) -> bool:
        """See the port."""
        statement = f"UPDATE documents SET content = ? {_OWN} AND key = ?"
        return bool(self._file.save((statement, (self._text(content), *self._own, table, key))))

    def delete(self, table: str, key: str) -> None:
        """See the port."""
        self.delete_many(table, (key,))

    def delete_many(self, table: str, keys: Collection[str]) -> None:
        """See the port."""
        if keys:
            statement = f"DELETE FROM documents {_OWN} AND key = ?"
            self._file.save(*((statement, (*self._own, table, key)) for key in keys))

    def append(self, table: str, content: Document, keep: int) -> None:
        """See the port."""
        self._file.save(
            (
                "INSERT INTO documents (duty, section, tab, key, content) VALUES (?,?,?,"
                "(SELECT coalesce(max(number), 0) + 1 FROM documents),?)",
                (*self._own, table, self._text(content)),
            ),
            (_DROP_ALL_BUT_LAST, (*self._own, table, *self._own, table, keep)),
        )

    def keep_last(self, table: str, keep: int) -> int:
        """See the port."""
        return self._file.save((_DROP_ALL_BUT_LAST, (*self._own, table, *self._own, table, keep)))

    def _text(self, content: Document) -> str:
        """Plain ASCII: surrogates and control characters are escaped. Secrets are taken out of sentences, never of names."""
        told = {name: self._file.redact(each) if name in _SENTENCES else each for name, each in content.items()}
        return json.dumps(told, separators=(",", ":"))

"""Records that are never written: what a dry run would change is kept in memory, over what stands in the journal."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from torrent_mover.ports.documents import Document, Documents


class UnwrittenDocuments:
    """See ports.documents.Documents. `under`: what is read, and never changed; None: there is nothing yet. For one thread."""

    def __init__(self, under: Documents | None) -> None:
        self._under = under
        self._tables: dict[str, dict[str, Document]] = {}
        self._appended = 0

    def _table(self, table: str) -> dict[str, Document]:
        if table not in self._tables:
            self._tables[table] = dict(self._under.items(table)) if self._under is not None else {}
        return self._tables[table]

    def all(self, table: str) -> Sequence[Document]:
        """See the port."""
        return tuple(self._table(table).values())

    def items(self, table: str) -> Sequence[tuple[str, Document]]:
        """See the port."""
        return tuple(self._table(table).items())

    def get(self, table: str, key: str) -> Document | None:
        """See the port."""
        return self._table(table).get(key)

    def put(self, table: str, key: str, content: Document) -> None:
        """See the port."""
        self._table(table)[key] = json.loads(json.dumps(content))

    def put_many(self, table: str, contents: Mapping[str, Document]) -> None:
        """See the port."""
        for key, content in contents.items():
            self.put(table, key, content)

    def put_new(self, table: str, key: str, content: Document) -> bool:
        """See the port."""
        new = key not in self._table(table)
        if new:
            self.put(table, key, content)
        return new

    def replace(self, table: str, key: str, content: Document) -> bool:
        """See the port."""
        there = key in self._table(table)
        if there:
            self.put(table, key, content)
        return there

    def delete(self, table: str, key: str) -> None:
        """See the port."""
        self._table(table).pop(key, None)

    def delete_many(self, table: str, keys: Collection[str]) -> None:
        """See the port."""
        for key in keys:
            self.delete(table, key)

    def append(self, table: str, content: Document, keep: int) -> None:
        """See the port."""
        self._appended += 1
        self.put(table, f"unwritten {self._appended}", content)
        self.keep_last(table, keep)

    def keep_last(self, table: str, keep: int) -> int:
        """See the port."""
        gone = list(self._table(table))[: max(len(self._table(table)) - keep, 0)]
        self.delete_many(table, gone)
        return len(gone)

"""The role of the journal for a duty that keeps records of its own: plain values under a table and a key."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

Document: TypeAlias = Mapping[str, Any]
"""A record as JSON can say it: texts, numbers, true and false, None, lists, and mappings from texts."""


class Documents(Protocol):
    """The records of one duty and one of its sections. Every write is on stable storage when it returns, unless it says so.

    Safe from any thread; several processes may read and write at once. Raises ProvisioningError's children.
    """

    def all(self, table: str) -> Sequence[Document]:
        """All records of a table, in the order in which they were first written. One that is as before is the same object."""

    def items(self, table: str) -> Sequence[tuple[str, Document]]:
        """The same, each with its key."""

    def get(self, table: str, key: str) -> Document | None:
        """One record."""

    def put(self, table: str, key: str, content: Document) -> None:
        """Write it, in place of what is there."""

    def put_many(self, table: str, contents: Mapping[str, Document]) -> None:
        """Write all of them under their keys, or none: as `put`, at the price of one."""

    def put_new(self, table: str, key: str, content: Document) -> bool:
        """Write it unless there is one; whether it was written."""

    def replace(self, table: str, key: str, content: Document) -> bool:
        """Write it where there is one; whether there was."""

    def delete(self, table: str, key: str) -> None:
        """Drop it; a missing one is fine."""

    def delete_many(self, table: str, keys: Collection[str]) -> None:
        """Drop all of them, at the price of one; missing ones are fine."""

    def append(self, table: str, content: Document, keep: int) -> None:
        """Add a record under a new key; of the table, the last `keep` stay."""

    def keep_last(self, table: str, keep: int) -> int:
        """Of the table, drop all but the last `keep`; how many went."""

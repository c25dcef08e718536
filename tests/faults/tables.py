"""Tables and sizes as docs/reliability.md shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def size(count: int) -> str:
    """In the unit that suits it."""
    return "0" if not count else f"{count / (1 << 20):.1f} MiB" if count >= 1 << 20 else f"{count / (1 << 10):.0f} KiB"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """A Markdown table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(row) + " |" for row in rows)

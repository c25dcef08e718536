"""Which Arrs a torrent belongs to: those that have its category, or its label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torrent_mover.domain.arrs.media import ArrClient


def categories_of(clients: Sequence[ArrClient], client: str = "") -> frozenset[str]:
    """The categories that an Arr gives to what it downloads: by all its torrent clients, or by the one of that name."""
    meant = [each for each in clients if not client or each.name.casefold() == client.casefold()]
    return frozenset(each.category for each in meant if each.enabled and each.category)


def belongs(category: str, categories: Iterable[str]) -> bool:
    """Whether a torrent with that category or label is theirs. Case does not count; a torrent without one is nobody's."""
    return bool(category) and category.casefold() in {each.casefold() for each in categories}

"""Two loops never look after the same torrents: what the sections of a config say about that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from torrent_mover.domain.settings.problems import Problem, printable
from torrent_mover.domain.settings.schema import SectionValues, of_each
from torrent_mover.duties.health.settings import problems_of


def problems_of_loops(loops: Mapping[str, SectionValues]) -> Iterator[Problem]:
    """What is wrong with each, and between two of them."""
    yield from of_each(problems_of)(loops)
    yield from _overlaps(loops)


def _overlaps(loops: Mapping[str, SectionValues]) -> Iterator[Problem]:
    """Each loop that shares torrents with one above it. What an Arr calls its own is known only when it is asked."""
    for first, second in combinations(loops.values(), 2):
        shared = _shared(first, second)
        if shared is not None:
            key = "categories" if "categories" in second.places else "client"
            other = printable(f"[{first.name}]")
            yield second.problem(
                key,
                f"{other} at {first.at(key)} looks after {shared} of the same client too.",
                "Give each loop categories of its own.",
            )


def _shared(first: SectionValues, second: SectionValues) -> str | None:
    """The torrents that both would have; None: none, or it is not known yet."""
    if any({"client", "categories", "arr"} & each.wrong for each in (first, second)) or not first.get("client"):
        return None
    if first.get("client").casefold() != (second.get("client") or "").casefold():
        return None
    mine, theirs = _categories(first), _categories(second)
    if mine & theirs:
        return f"the category {sorted(mine & theirs)[0]!r}"
    if not mine and not theirs and first.get("arr") == second.get("arr"):
        return "the same torrents"
    every = next((each for each in (first, second) if not _categories(each) and not each.get("arr")), None)
    if every is None:
        return None
    return "all torrents" if every is first else "some torrents"


def _categories(loop: SectionValues) -> frozenset[str]:
    return frozenset(category.casefold() for category in loop.get("categories") or ())

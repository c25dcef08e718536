"""Plans the renames that lead from one layout to another, one file at a time, without ever naming two files alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Step = tuple[str, str]
"""(path now, path then), both relative to the save path."""


def wanted_paths(original: Sequence[str], renames: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """The path that each file shall have. Raises ValueError naming a rename of a file that there is not."""
    changes = dict(renames)
    unknown = sorted(set(changes) - set(range(len(original))))
    if unknown:
        raise ValueError(f"the torrent has no file {unknown[0]}")
    return tuple(changes.get(index, path) for index, path in enumerate(original))


def rename_steps(present: Sequence[str], wanted: Sequence[str], mark: str) -> list[Step]:
    """The steps from the `present` paths to the `wanted` ones, file by file.

    A path that another file still has waits for that one to leave; where files only swap names, one steps aside to its
    wanted path with `mark` appended. Of several files with one path a step takes the first, as clients do. Raises ValueError
    where two files want the same path or the numbers differ.
    """
    if len(set(wanted)) != len(wanted):
        raise ValueError("two files would get the same path")
    if len(present) != len(wanted):
        raise ValueError(f"{len(present)} files shall have {len(wanted)} paths")
    places = dict(enumerate(present))
    steps: list[Step] = []

    def step_aside(index: int) -> None:
        aside = f"{wanted[index]}.{mark}"
        steps.append((places[index], aside))
        places[index] = aside

    last_of = {path: index for index, path in enumerate(present)}
    for index, path in enumerate(present):
        if index < last_of[path]:
            step_aside(index)
    pending = {index: path for index, path in enumerate(wanted) if places[index] != path}
    while pending:
        free = _free_to_go(places, pending)
        if free is None:
            step_aside(min(pending))
            continue
        steps.append((places[free], pending[free]))
        places[free] = pending.pop(free)
    return steps


def _free_to_go(places: Mapping[int, str], pending: Mapping[int, str]) -> int | None:
    taken = set(places.values())
    return next((index for index, path in pending.items() if path not in taken), None)

"""Plans the renames that lead from one layout to another, one file at a time, without ever naming two files alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Step = tuple[str, str]
"""(path now, path then), both relative to the save path."""


def wanted_paths(original: Sequence[str], renames: Sequence[Step]) -> tuple[str, ...]:
    """The path that each file shall have. Raises ValueError naming a rename whose file is not in the metainfo."""
    changes = dict(renames)
    unknown = sorted(set(changes) - set(original))
    if unknown:
        raise ValueError(f"the torrent has no file {unknown[0]!r}")
    return tuple(changes.get(path, path) for path in original)


def rename_steps(present: Sequence[str], wanted: Sequence[str], mark: str) -> list[Step]:
    """The steps from the `present` paths to the `wanted` ones, file by file.

    A path that another file still has waits for that one to leave; where files only swap names, one steps aside to its
    wanted path with `mark` appended. Raises ValueError where two files want the same path or the numbers differ.
    """
    if len(set(wanted)) != len(wanted):
        raise ValueError("two files would get the same path")
    places = dict(enumerate(present))
    pending = {index: path for index, (now, path) in enumerate(zip(present, wanted, strict=True)) if now != path}
    steps: list[Step] = []
    while pending:
        index = _free_to_go(places, pending)
        if index is None:
            index = min(pending)
            aside = f"{pending[index]}.{mark}"
            steps.append((places[index], aside))
            places[index] = aside
            continue
        steps.append((places[index], pending[index]))
        places[index] = pending.pop(index)
    return steps


def _free_to_go(places: Mapping[int, str], pending: Mapping[int, str]) -> int | None:
    taken = set(places.values())
    return next((index for index, path in pending.items() if path not in taken), None)

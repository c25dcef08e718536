"""Where a folder may be that one party calls otherwise than another: guesses to be tried, best first, and the pair to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from torrent_mover.domain.paths import ClientPath, HostPath


def client_views(ours: Sequence[str], known: Iterable[ClientPath], besides: ClientPath) -> tuple[ClientPath, ...]:
    """What a client may call our folder (`ours`: its parts), from folders that it surely has.

    A container shows /mnt/data as /data: then one of its folders, or one above it, ends where ours goes on.
    """
    folders = tuple(dict.fromkeys(above for folder in known for above in _upwards(folder)))
    same_name = [folder for folder in folders if ours and folder.parts[-1] == ours[-1]]
    tails = [ours[start:] for start in range(len(ours) - 1, -1, -1)]
    below = [ClientPath(f"{folder}/{'/'.join(tail)}") for tail in tails for folder in folders]
    rooted = [ClientPath("/" + "/".join(tail)) for tail in reversed(tails)]
    return tuple(view for view in dict.fromkeys((*same_name, *rooted, *below, *folders)) if view != besides)


def host_views(theirs: ClientPath, bases: Iterable[HostPath], besides: HostPath) -> tuple[HostPath, ...]:
    """Where a login may see the client's folder: all of it, or its end, below one of these folders; longest ends first."""
    parts = theirs.parts
    tails = [parts[start:] for start in range(len(parts) + 1)]
    views = (HostPath(f"{base}/{'/'.join(tail)}") for tail in tails for base in bases)
    return tuple(view for view in dict.fromkeys(views) if view != besides)


def pair(theirs: ClientPath, ours: HostPath) -> str:
    """The line of path_map that says both are one: without what they have in common at their ends, except for one name."""
    left, right = list(theirs.parts), list(ours.parts)
    while len(left) > 1 and len(right) > 1 and left[-1] == right[-1] and left[-2] == right[-2]:
        left.pop()
        right.pop()
    return f"/{'/'.join(left)} = /{'/'.join(right)}"


def _upwards(folder: ClientPath) -> Iterator[ClientPath]:
    """The folder and those above it, without the root."""
    while folder.parts:
        yield folder
        folder = folder.parent

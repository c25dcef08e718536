"""The role of the disk that holds a library of symbolic links, and of the mounts that they lead into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from torrent_mover.domain.debrid.links import LibraryLink, MountLook, TargetLook
from torrent_mover.domain.paths import LocalPath


class LinkLibrary(Protocol):
    """Links are read without touching what they lead to. Whatever touches a mount is given up after a while.

    A call that was given up stays behind in a thread of its own, which does not keep the process from ending.
    """

    def walk(self, root: LocalPath, stopped: Callable[[], bool]) -> Iterator[LibraryLink]:
        """All symbolic links below a folder, followed by none. Raises NotWritable where a folder cannot be read."""

    def read(self, link: LocalPath) -> str | None:
        """What a link says; None where there is no link of that name."""

    def target(self, link: LocalPath) -> TargetLook:
        """Whether what the link leads to is there."""

    def mount(self, path: LocalPath, groups: Sequence[str], sentinel: str, sample: Sequence[str]) -> MountLook:
        """How a mount is. Its base listing is that of the first of `groups` that it has; `sentinel` blank: it has none."""

    def place(self, link: LocalPath, target: str) -> None:
        """Make a link, and the folders above it; on stable storage when it returns.

        Raises NotWritable, also where anything has that name already.
        """

    def unlink(self, link: LocalPath, target: str) -> bool:
        """Remove a link that still says `target`; False where it is not there, or is something else. Raises NotWritable."""

    def turn(self, link: LocalPath, old: str, new: str) -> bool:
        """Make a link say `new` in one step, where it still says `old`; else False. Raises NotWritable."""

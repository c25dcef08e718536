"""Which torrents of the source reach files of others by symbolic links, and would lose them if those were removed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent
from torrent_mover.engine.delivery.layout import place_of

Dependents = dict[InfoHash, frozenset[InfoHash]]
"""For each torrent, the others that have something to lose when its files are removed."""

Links = Mapping[str, str]
"""Symbolic links by the client's path, and where each of them really leads."""


def symlinked(
    torrents: Sequence[Torrent],
    links: Links,
    real: Callable[[ClientPath], str],
    files: Callable[[InfoHash], Sequence[ClientFile]],
) -> Dependents:
    """Find out. `real` says where a save path really lies; `files` is asked of torrents near a link or its target alone.

    Removing a file that is a link removes the link; removing one in a folder that is a link removes the file itself.
    """
    found = _Found(links, real, files)
    near = set(_near(torrents, links))
    for torrent in torrents:
        if torrent.id in near:
            found.add(torrent)
    aims = {part for place in found.aims for part in _with_parents(place)}
    for torrent in torrents:
        if torrent.id not in near and found.content(torrent) in aims:
            found.add(torrent)
    return found.symlinked()


def _near(torrents: Sequence[Torrent], links: Links) -> Iterator[InfoHash]:
    """The torrents that have a link in them, or are one."""
    touched = {part for path in links for part in _with_parents(path)}
    for torrent in torrents:
        if torrent.content_path is None or str(torrent.content_path) in touched:
            yield torrent.id


class _Found:
    """Who has which real file, and who would destroy it by removing its own."""

    def __init__(
        self, links: Links, real: Callable[[ClientPath], str], files: Callable[[InfoHash], Sequence[ClientFile]]
    ) -> None:
        self._links = links
        self._real = real
        self._files = files
        self._roots: dict[ClientPath, str] = {}
        self._users: defaultdict[str, set[InfoHash]] = defaultdict(set)
        self._destroyers: defaultdict[str, set[InfoHash]] = defaultdict(set)
        self.aims: set[str] = set()
        """The real places to which links lead."""

    def add(self, torrent: Torrent) -> None:
        """Look where its files really lie."""
        for file in self._files(torrent.id):
            if not file.size:
                continue
            place, way = self._place(torrent.save_path, file.path)
            self._users[place].add(torrent.id)
            if way != "file":
                self._destroyers[place].add(torrent.id)
            if way:
                self.aims.add(place)

    def content(self, torrent: Torrent) -> str:
        """Where its folder or file lies, without resolving links in it."""
        path = torrent.content_path
        if path is None or not path.is_within(torrent.save_path):
            return str(path)
        root = self._root(torrent.save_path).rstrip("/")
        return f"{root}/{path.relative_to(torrent.save_path)}".rstrip("/")

    def symlinked(self) -> Dependents:
        """For each torrent that would destroy something, the others that have it too."""
        symlinked: Dependents = {}
        for place, destroyers in self._destroyers.items():
            for one in destroyers:
                others = self._users[place] - {one}
                if others:
                    symlinked[one] = symlinked.get(one, frozenset()) | others
        return symlinked

    def _place(self, save_path: ClientPath, path: str) -> tuple[str, str]:
        """(real place, how it is reached: as the `file` that is a link, through a `folder` that is one, or plainly)."""
        lies_at, root = place_of(save_path, path), str(save_path).rstrip("/")
        for above in _with_parents(lies_at):
            if above in self._links and above.startswith(f"{root}/"):
                return f"{self._links[above]}{lies_at[len(above) :]}", "file" if above == lies_at else "folder"
        if lies_at.startswith(f"{root}/"):
            return f"{self._root(save_path).rstrip('/')}{lies_at[len(root) :]}", ""
        return lies_at, ""

    def _root(self, save_path: ClientPath) -> str:
        if save_path not in self._roots:
            self._roots[save_path] = self._real(save_path)
        return self._roots[save_path]


def _with_parents(place: str) -> Iterator[str]:
    while place:
        yield place
        place = place.rpartition("/")[0]

"""Whether a torrent can be copied as it is now: complete, whole, on the SSD, and the same to .torrent, client and disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import TorrentGone
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent
from torrent_mover.duties.tiering.errors import NotACandidate, NotCompleteYet
from torrent_mover.duties.tiering.looking import Originals, originals_of
from torrent_mover.duties.tiering.needs import TieredClient, TierWorld
from torrent_mover.duties.tiering.picture import FileStamp, NameFound, TorrentKey

TWO_ANSWERS_APART: Final = 3.0
"""Seconds between the two answers of a client that must both say that a torrent is complete."""


@dataclass(frozen=True, slots=True)
class CopyCandidate:
    """A torrent that can be copied. `paths` are relative to its save path, in the manifest's order, as its client has them.

    `stamps`: how the files on the SSD are.
    """

    key: TorrentKey
    end: TieredClient
    torrent: Torrent
    manifest: Manifest
    paths: tuple[RelativePath, ...]
    below_ssd: RelativePath
    originals: Originals
    stamps: tuple[FileStamp, ...]


def stamps_of(paths: Sequence[RelativePath], found: Sequence[NameFound | None]) -> tuple[FileStamp, ...]:
    """Stamps of files that are all there. Raises NotACandidate where one is missing."""
    stamps = []
    for path, name in zip(paths, found, strict=True):
        if name is None:
            raise NotACandidate(
                f"{path} is not there as a regular file.",
                kept="Nothing was deleted.",
                remedy="Have the client check the torrent.",
            )
        stamps.append(name.stamp(str(path)))
    return tuple(stamps)


def candidate(world: TierWorld, key: TorrentKey, *, twice: bool = True) -> CopyCandidate:
    """Look at a torrent; `twice`: its client must say so again after some seconds.

    Raises TorrentGone where its client does not list it, NotACandidate, UnsafeTorrent.
    """
    client_name, torrent_id = key
    end = world.client(client_name)
    torrent = _complete(end, torrent_id)
    if twice:
        world.clock.wait(TWO_ANSWERS_APART)
        torrent = _complete(end, torrent_id)
    files = end.client.files(torrent_id)
    manifest = Manifest.parse(end.client.metainfo(torrent_id))
    _agree(torrent, manifest, files)
    originals = originals_of(world, end, torrent, files)
    for file, name in zip(files, originals.found, strict=True):
        if name is None or name.size != file.size:
            raise _refused(torrent, f"{file.path} on the SSD is not a file of {file.size} bytes")
        if not any(name.real.is_within(root) for root in world.settings.ssd):
            raise _refused(torrent, f"{file.path} is reached by a symbolic link that leads out of the SSD")
    paths = originals.names
    stamps = stamps_of(paths, originals.found)
    return CopyCandidate(key, end, torrent, manifest, paths, originals.folder, originals, stamps)


def _complete(end: TieredClient, torrent_id: InfoHash) -> Torrent:
    torrent = end.client.get(torrent_id)
    if torrent is None:
        raise TorrentGone(
            f"{end.client.name} does not list the torrent {torrent_id}.",
            kept="Nothing was copied.",
            remedy="Check the hash, and which client has it.",
        )
    if not torrent.complete:
        raise NotCompleteYet(
            f"{torrent.name} is not copied yet: it is not complete ({torrent.client_state}).",
            kept="Nothing was written; it stays on the SSD.",
            remedy="It is looked at again by itself.",
        )
    return torrent


def _agree(torrent: Torrent, manifest: Manifest, files: Sequence[ClientFile]) -> None:
    """The .torrent is this torrent's, and its client has the same files, all of them selected."""
    if torrent.id.hex not in (manifest.hashes.v1, str(manifest.hashes.client_id)):
        raise _refused(torrent, "its .torrent is another torrent's")
    if not all(file.wanted for file in files):
        raise _refused(torrent, "not all of its files are selected")
    if any(file.link for file in manifest.files):
        raise _refused(torrent, "it has symbolic links")
    if [file.size for file in files] != [file.size for file in manifest.files]:
        raise _refused(torrent, "its client lists other files than its .torrent")


def _refused(torrent: Torrent, why: str) -> NotACandidate:
    return NotACandidate(
        f"{torrent.name} is not copied: {clause(why)}.",
        kept="Nothing was written; it stays on the SSD.",
        remedy="It is looked at again by itself.",
    )

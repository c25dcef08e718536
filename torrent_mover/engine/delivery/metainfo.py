"""The .torrent of a torrent at the source: from its client, or from a folder where it lies under its infohash."""

from __future__ import annotations

from contextlib import closing

from torrent_mover.domain.errors import NoMetainfo
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.bencode import MAX_BYTES
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.places import Source
from torrent_mover.ports.filesystem import ByteSpan, FileKind, ReadableFiles
from torrent_mover.ports.roles import Exports


def metainfo_of(source: Source, torrent: InfoHash) -> bytes:
    """The .torrent; whoever reads it must see that it is that torrent's. Raises NoMetainfo, and what asking and reading raise."""
    exports = source.client.role(Exports)
    if exports is not None:
        return exports.metainfo(torrent)
    if source.torrent_folder is None:
        raise NoMetainfo(
            f"{source.client.name} cannot hand out the .torrent of {torrent.short}, which is needed to verify the data.",
            kept="Nothing was done.",
            remedy="Put it into a folder there as INFOHASH.torrent, and set in the source client's section: torrent_folder ="
            " that folder, as the client sees it.",
        )
    with closing(source.open(source.torrent_folder)) as files:
        found = _read(files, torrent)
    if found is None:
        raise NoMetainfo(
            f"There is no {torrent.hex}.torrent in {source.torrent_folder} of {source.name}.",
            kept="Nothing was done.",
            remedy="Copy the .torrent there under that name, or correct torrent_folder.",
        )
    return found


def _read(files: ReadableFiles, torrent: InfoHash) -> bytes | None:
    """Under either spelling of the infohash; None where no such file lies there."""
    names = [RelativePath((f"{name}.torrent",)) for name in (torrent.hex, torrent.hex.upper())]
    looks = zip(names, files.stats(names), strict=True)
    whole = (ByteSpan(path, 0, look.size) for path, look in looks if look and look.kind is FileKind.FILE)
    span = next((span for span in whole if 0 < span.length <= MAX_BYTES), None)
    if span is None:
        return None
    raw = bytearray()
    with closing(files.reader()) as reader:
        reader.read([span], lambda _span, _offset, data: raw.extend(data))
    return bytes(raw)

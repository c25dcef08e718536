"""Adds a torrent so that it lies stopped where it was asked for, is labelled, and stays so after a kill; all of it is read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Protocol

from torrent_mover.adapters.clients.rtorrent.answers import client_state
from torrent_mover.adapters.clients.rtorrent.erasing import OpenFiles
from torrent_mover.adapters.clients.rtorrent.layout import LaidOut
from torrent_mover.adapters.clients.rtorrent.saving import Saves, SavingClient, await_first
from torrent_mover.adapters.clients.rtorrent.spelling import may_mean
from torrent_mover.adapters.clients.rtorrent.xml_rpc import RpcFault, Value
from torrent_mover.domain.errors import BadAnswer, CannotHold, Collision, ServerError
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.bencode import decode_document, encode
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.client import AddSpec
from torrent_mover.ports.filesystem import FileKind

_LISTED_WITHIN: Final = 30.0  # seconds from the answer to the row; rTorrent loads after it has answered
_LARGE: Final = 256 << 10
"""Bytes of a .torrent that is near rTorrent's limit of a request, once it is base64."""

_STATE_KEYS: Final = (b"libtorrent_resume", b"rtorrent")
"""What another rTorrent has written into a .torrent: it would be believed, and could start the torrent elsewhere."""


class LoadingClient(SavingClient, Protocol):
    """What adding needs of the client around it."""

    def stop(self, torrent: InfoHash) -> None:
        """Stop it."""

    def laid_out(self, torrent: InfoHash) -> Sequence[LaidOut]:
        """Its files, padding included."""

    def label(self, torrent: InfoHash, category: str, tags: Sequence[str]) -> None:
        """Write its label."""

    def save(self, torrent: InfoHash) -> None:
        """Have it written into the session folder as it is now, and read that back."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the torrent is, and the directory that it shall have, byte for byte. `by_parent`: rTorrent itself appends the name."""

    torrent: InfoHash
    name: str
    directory: bytes
    by_parent: bool
    parent: bytes


def add_stopped(client: LoadingClient, metainfo: bytes, spec: AddSpec, files: OpenFiles | None) -> InfoHash:
    """See the port. `files` open what lies below a save path, to make padding there.

    Raises CannotHold for what rTorrent cannot hold, UnsafeTorrent for metainfo that is none.
    """
    wanted = _wanted(client, metainfo, spec)
    there = client.row(wanted.torrent)
    if there is None:
        client.saved.require()
        saves = Saves(client, wanted.torrent)
        _load(client, metainfo, wanted)
        # Else it might be written after the one that has the label.
        await_first(client, saves)
        there = _row(client, wanted)
        _refuse_running(client, wanted, there)
        _refuse_elsewhere(client, wanted, there)
        client.label(wanted.torrent, spec.category, spec.tags)
    else:
        _refuse_busy(client, wanted, there)
        _refuse_elsewhere(client, wanted, there)
    if client.session.keeps_padding() and files is not None:
        _make_padding(client, wanted, spec, files)
    client.save(wanted.torrent)
    return wanted.torrent


def _make_padding(client: LoadingClient, wanted: _Wanted, spec: AddSpec, files: OpenFiles) -> None:
    """Files of zeros where none are yet; what another one has in their place, the check finds. Raises Collision."""
    padding = [
        (RelativePath.parse(each.file.path), each.file.size) for each in client.laid_out(wanted.torrent) if each.padding
    ]
    if not padding:
        return
    with closing(files(spec.save_path)) as there:
        found = there.stats([path for path, _ in padding])
        for (path, size), look in zip(padding, found, strict=True):
            if look is None:
                there.create(path, size)
            elif look.kind is not FileKind.FILE or look.size != size:
                raise Collision(
                    f"{wanted.name} has padding that rTorrent at {client.session.name} keeps as a file, and something else has"
                    f" its name: {spec.save_path / str(path)}.",
                    kept="It was left as it is.",
                    remedy="Move that away, then run again.",
                )


def _wanted(client: LoadingClient, metainfo: bytes, spec: AddSpec) -> _Wanted:
    manifest = Manifest.parse(metainfo)
    if manifest.hashes.v1 is None:
        raise CannotHold(
            f"{manifest.name} is a v2 torrent, and rTorrent at {client.session.name} knows v1 alone.",
            kept="Nothing was added.",
            remedy="Leave it where it is, or choose a client that knows BitTorrent v2.",
        )
    info = decode_document(metainfo).root[b"info"]
    assert isinstance(info, dict)  # noqa: S101  the manifest was read from it
    several = b"files" in info
    parent = bytes(spec.save_path)
    folder = _folder(client, manifest, spec)
    torrent = InfoHash(manifest.hashes.v1)
    if not several:
        return _Wanted(torrent, manifest.name, parent, by_parent=True, parent=parent)
    if folder is not None:
        directory = bytes(spec.save_path / folder)
        return _Wanted(torrent, manifest.name, directory, by_parent=False, parent=parent)
    name = info.get(b"name")
    directory = b"/".join((parent.rstrip(b"/"), name if isinstance(name, bytes) else b""))
    return _Wanted(torrent, manifest.name, directory, by_parent=True, parent=parent)


def _folder(client: LoadingClient, manifest: Manifest, spec: AddSpec) -> str | None:
    """The torrent's own folder where all files shall lie in another one; None: as in the metainfo. Raises CannotHold."""
    own = [(str(file.path), path) for file in manifest.files for index, path in spec.renames if index == file.index]
    changed = [(old, new) for old, new in own if old != new]
    if not changed:
        return None
    folders = {new.partition("/")[0] for _, new in changed}
    whole = len(changed) == len(manifest.files) and all(
        "/" in old and old.partition("/")[2] == new.partition("/")[2] for old, new in changed
    )
    if whole and len(folders) == 1:
        return folders.pop()
    old, new = changed[0]
    raise CannotHold(
        f"{manifest.name} has files with other names than in its .torrent ({new!r} for {old!r}), and rTorrent at"
        f" {client.session.name} can rename none.",
        kept="Nothing was added.",
        remedy="Give the files their names of the .torrent in the source client, then run again.",
    )


def _load(client: LoadingClient, metainfo: bytes, wanted: _Wanted) -> None:
    """Load it with its directory in the same request: a kill in between would leave it at rTorrent's default one."""
    session = client.session
    document = _without_state(metainfo)
    if len(document) > _LARGE:
        session.raise_size_limit()
    command = b"d.directory.set=" if wanted.by_parent else b"d.directory_base.set="
    place: Value = command + _quoted(wanted.parent if wanted.by_parent else wanted.directory)
    failure: ServerError | None = None
    try:
        session.order("load.raw", "", document, place)
    except RpcFault as fault:
        raise session.trouble.fault(fault, f"load {wanted.torrent.short}") from fault
    except ServerError as error:
        failure = error
    if client.until(lambda: client.row(wanted.torrent) is not None, _LISTED_WITHIN if failure is None else 4.0):
        return
    if failure is not None:
        raise failure
    raise CannotHold(
        f"rTorrent at {session.name} took the .torrent of {wanted.name} and does not list it: it does not say why.",
        kept="Nothing was added.",
        remedy=_why_not_listed(metainfo),
    )


def _why_not_listed(metainfo: bytes) -> str:
    root = decode_document(metainfo).root
    if b"announce" not in root and b"announce-list" not in root:
        return "It has no tracker, which rTorrent 0.9.8 takes only with DHT: dht.mode.set = auto in rtorrent.rc, or use 0.16."
    return "Look at rTorrent's log: it may lack permission for its session folder."


def _without_state(metainfo: bytes) -> bytes:
    document = decode_document(metainfo)
    if document.info_span is None or not any(key in document.root for key in _STATE_KEYS):
        return metainfo
    parts = {key: encode(value) for key, value in document.root.items() if key not in _STATE_KEYS}
    parts[b"info"] = metainfo[slice(*document.info_span)]
    return b"d" + b"".join(encode(key) + parts[key] for key in sorted(parts)) + b"e"


def _quoted(path: bytes) -> bytes:
    """A path as one word of a command: rTorrent's parser knows double quotes, with a backslash before those inside."""
    return b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _row(client: LoadingClient, wanted: _Wanted) -> Mapping[str, Any]:
    there = client.row(wanted.torrent)
    if there is None:
        raise client.session.trouble.gone(wanted.torrent)
    return there


def _refuse_running(client: LoadingClient, wanted: _Wanted, there: Mapping[str, Any]) -> None:
    if not (there["d.is_active"] or there["d.state"]):
        return
    client.stop(wanted.torrent)
    raise BadAnswer(
        f"rTorrent at {client.session.name} started {wanted.name} although it was added stopped; it has been stopped again.",
        kept="What it may have begun to download lies at the save path.",
        remedy="Remove what starts torrents from its rtorrent.rc (event.download.inserted_new, a watch folder), then run again.",
        server=client.session.name,
    )


def _refuse_busy(client: LoadingClient, wanted: _Wanted, there: Mapping[str, Any]) -> None:
    if there["d.is_meta"]:
        raise Collision(
            f"rTorrent at {client.session.name} has {wanted.name} as a magnet link, without its metadata.",
            kept="It was left as it is.",
            remedy="Remove the magnet link there, then run again.",
        )
    if there["d.is_active"] or there["d.state"] or (there["d.hashing"] and not there["d.hashing_failed"]):
        raise Collision(
            f"rTorrent at {client.session.name} has {wanted.name} already, and is busy with it ({client_state(there)}).",
            kept="It was left as it is.",
            remedy="If it is checking, run again later. If it is a complete copy that seeds, there is nothing to move: take the"
            " torrent out of the category in the source client.",
        )


def _refuse_elsewhere(client: LoadingClient, wanted: _Wanted, there: Mapping[str, Any]) -> None:
    said = str(there["d.directory"])
    if may_mean(said, wanted.directory):
        return
    raise Collision(
        f"rTorrent at {client.session.name} has {wanted.name} at {clause(said)}, not at"
        f" {wanted.directory.decode('utf-8', 'surrogateescape')}.",
        kept="It was left as it is.",
        remedy="Remove it there without its files, or set its directory by hand.",
    )

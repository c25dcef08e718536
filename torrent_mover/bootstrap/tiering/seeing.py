"""Whether a tier's client sees a folder of ours: a small file is put there, and the client looks for it."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Final

from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.domain.errors import ClientMayNotRead, MoverError, PathNotSeen
from torrent_mover.domain.paths import ClientPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.engine.preflight.examination import Doubt
from torrent_mover.engine.preflight.path_views import client_views
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.ports.roles import Locates

_MOST: Final = 16
"""Other folders that the client is asked about."""
_READ_BY_ALL: Final = 0o004


def seen_by(client: TorrentClient, section: str, folder: LocalPath, wanted: ClientPath) -> str:
    """See preflight.Check. `wanted`: how the client is to call the folder; `section`: where its path_map stands.

    Raises PathNotSeen with the line to write, ClientMayNotRead, NotWritable; Doubt where it cannot be asked.
    """
    looking = client.role(Locates)
    if looking is None:
        raise Doubt(
            f"{client.name} cannot be asked whether it sees {folder} as {wanted}.",
            kept="If it does not, no copy passes its check there, and nothing is deleted.",
            remedy="Let one small torrent leave first: torrent-mover tier --evict HASH",
        )
    files = LocalFileSystem(folder)
    canary = Canary.hatch(secrets.token_bytes(16))
    place = RelativePath((canary.name,))
    try:
        mode = _put(files, canary, place)
        if looking.locate(canary, [wanted], by_reading=not mode & _READ_BY_ALL) is not None:
            return f"{client.name} sees it as {wanted}"
        ours = tuple(part for part in str(folder).split("/") if part)
        found = looking.locate(canary, client_views(ours, looking.folders(), wanted)[:_MOST])
    except ClientMayNotRead as error:
        raise ClientMayNotRead(
            f"{client.name} sees {folder}, and may not read what we make there: {error.what}",
            kept="Nothing was changed; the test file was removed.",
            remedy="Run both as the same user, or give the client's user the right to read there.",
        ) from error
    finally:
        with suppress(MoverError):
            files.unlink(place)
        files.close()
    line = None if found is None else (section, "path_map", f"{found} = {folder}")
    raise PathNotSeen(
        f"{client.name} does not see {folder} as {wanted}{'' if found is None else f': it sees it as {found}'}.",
        kept="Nothing was changed; the test file was removed.",
        remedy=f"Set in [{section}]: path_map = {found or 'how the client calls it'} = {folder}",
        setting=line,
    )


def _put(files: FileSystem, canary: Canary, place: RelativePath) -> int:
    files.create(place, len(canary.content))
    writer = files.writer()
    try:
        writer.write(place, 0, memoryview(canary.content))
        writer.flush()
    finally:
        writer.close()
    found = files.stat(place)
    return found.mode if found else 0

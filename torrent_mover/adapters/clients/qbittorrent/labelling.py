"""Sets what only the user of a torrent sees or asks for: tags, its name, rates, the order of pieces, its place in the queue."""

from __future__ import annotations

from collections.abc import Sequence

from qbittorrentapi import exceptions as api_errors

from torrent_mover.adapters.clients.qbittorrent.session import Api
from torrent_mover.adapters.clients.qbittorrent.sharing import SharingClient
from torrent_mover.domain.errors import TorrentError
from torrent_mover.domain.torrent.torrent import InfoHash


def set_tags(client: SharingClient, torrent: InfoHash, tags: Sequence[str]) -> None:
    """See the port. qBittorrent adds and removes tags, one after the other here."""
    wanted = set(tags)

    def change(api: Api) -> None:
        has = set(client.present(torrent).tags)
        if wanted - has:
            api.torrents_add_tags(tags=sorted(wanted - has), torrent_hashes=torrent.hex)
        if has - wanted:
            api.torrents_remove_tags(tags=sorted(has - wanted), torrent_hashes=torrent.hex)

    if set(client.present(torrent).tags) != wanted:
        done = f"set the tags of {torrent.short}"
        client.settle(change, lambda: set(client.present(torrent).tags) == wanted, done, torrent)


def set_name(client: SharingClient, torrent: InfoHash, name: str) -> None:
    """See the port."""
    client.settle(
        lambda api: api.torrents_rename(torrent_hash=torrent.hex, new_torrent_name=name),
        lambda: client.present(torrent).name == name,
        f"set the name of {torrent.short}",
        torrent,
    )


def set_transfer_limits(client: SharingClient, torrent: InfoHash, *, upload: int, download: int) -> None:
    """See the port."""

    def send(api: Api) -> None:
        api.torrents_set_upload_limit(limit=upload, torrent_hashes=torrent.hex)
        api.torrents_set_download_limit(limit=download, torrent_hashes=torrent.hex)

    def done() -> bool:
        now = client.present(torrent)
        return (now.upload_limit, now.download_limit) == (upload, download)

    client.settle(send, done, f"set the limits of the rates of {torrent.short}", torrent)


def set_piece_order(client: SharingClient, torrent: InfoHash, *, sequential: bool, first_last_first: bool) -> None:
    """See the port. The Web API only toggles, so that each is looked at before it is sent."""

    def toggle(api: Api) -> None:
        now = client.present(torrent)
        if now.sequential != sequential:
            api.torrents_toggle_sequential_download(torrent_hashes=torrent.hex)
        if now.first_last_piece_first != first_last_first:
            api.torrents_toggle_first_last_piece_priority(torrent_hashes=torrent.hex)

    def done() -> bool:
        now = client.present(torrent)
        return (now.sequential, now.first_last_piece_first) == (sequential, first_last_first)

    client.settle(toggle, done, f"set the order of pieces of {torrent.short}", torrent)


def move_in_queue(client: SharingClient, name: str, torrent: InfoHash, *, first: bool) -> None:
    """See the port. A torrent without a place in the queue stays without one; `name` is the client's."""

    def send(api: Api) -> None:
        order = api.torrents_top_priority if first else api.torrents_bottom_priority
        order(torrent_hashes=torrent.hex)

    try:
        client.settle(send, lambda: True, f"move {torrent.short} in the queue", torrent)
    except api_errors.Conflict409Error as error:
        raise TorrentError(
            f"{name} keeps no queue: torrent {torrent.short} has no place in one.",
            kept="Nothing was changed.",
            remedy="Switch torrent queueing on there (Options > BitTorrent), if you want it.",
        ) from error

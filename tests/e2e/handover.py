"""What the tests of the hand-over share: worlds of several client versions, a swarm, torrents of which files are not selected."""

from __future__ import annotations

from torrent_mover.demo.content import Sample, write_content, write_file
from torrent_mover.demo.process import wait_until
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES, QBittorrentServer
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.demo.world import CATEGORY

PAIRS = ["4.5-5.1", "4.5-4.5", "5.1-5.1"]
"""Versions of the source and the destination client."""

_PATIENCE = 60  # seconds

STOPPED = {"pausedUP", "stoppedUP", "pausedDL", "stoppedDL"}


class Swarm:
    """A client that seeds to the others, so that they really download."""

    def __init__(self, server: QBittorrentServer) -> None:
        self.server = server
        self._port = server.api.json("app/preferences")["listen_port"]

    def offer(self, name: str, sizes: dict[str, int] | int, **options) -> Sample:
        """Content (a folder, or a file of that size) and its torrent, seeding."""
        path = self.server.data / name
        content = write_file(path, sizes) if isinstance(sizes, int) else write_content(path, sizes)
        made = Sample(make_torrent(content, **options), content, CATEGORY, "v1")
        self.server.add(made.metainfo)
        self.server.wait_for(made.info_hash)
        return made

    def download(
        self, client: QBittorrentServer, made: Sample, *, without: tuple[str, ...] = (), **fields: str
    ) -> None:
        """Let a client download it, but for the files of these names, and seed it."""
        client.add(made.metainfo, category=made.category, stopped=True, **fields)
        assert wait_until(lambda: client.state(made.info_hash) in STOPPED, 30)
        unwanted = [str(one["index"]) for one in files_of(client, made) if one["name"].rpartition("/")[2] in without]
        if unwanted:
            client.api.post("torrents/filePrio", hash=made.info_hash, id="|".join(unwanted), priority="0")
        client.start_torrents(made.info_hash)
        # A client that is told of a peer before it has begun to download may leave it alone for a minute.
        for _ in range(_PATIENCE):
            self.introduce(client, made)
            if wait_until(lambda: client.state(made.info_hash) in SEEDING_STATES, 1.0):
                return
        client.wait_for(made.info_hash)

    def introduce(self, client: QBittorrentServer, made: Sample) -> None:
        """Tell a client of this one as a peer."""
        client.api.post("torrents/addPeers", hashes=made.info_hash, peers=f"127.0.0.1:{self._port}")


def files_of(client: QBittorrentServer, made: Sample) -> list[dict]:
    """Its files, as a client lists them."""
    return client.api.json("torrents/files", hash=made.info_hash)


def pieces_of(client: QBittorrentServer, made: Sample) -> list[int]:
    """The state of each piece: 2 is there."""
    return client.api.json("torrents/pieceStates", hash=made.info_hash)


def layout_of(client: QBittorrentServer, made: Sample) -> list[tuple[str, int, float]]:
    """Path, priority and progress of each file."""
    return [(one["name"], one["priority"], one["progress"]) for one in files_of(client, made)]

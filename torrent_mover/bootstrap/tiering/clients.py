"""A torrent client of the config as a tier uses it: a `needs.TierClient` over a client and the roles that it has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent
from torrent_mover.duties.tiering.needs import Liveliness
from torrent_mover.ports.client import RecheckTicket, TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.roles import Exports, ListsFiles, Pulses, Relocates, Remark, Remarks


class TierEndClient:
    """See needs.TierClient. Raises ConfigError for a client that cannot change a torrent's folder without moving its data."""

    def __init__(self, name: str, client: TorrentClient, clock: Clock, *, reads_relocated: bool) -> None:
        relocates, exports = client.role(Relocates), client.role(Exports)
        if relocates is None or exports is None:
            raise ConfigError(
                f"[CLIENT {name}] cannot be tiered: it cannot be told that a torrent's files lie elsewhere now.",
                kept="Nothing was started.",
                remedy="Use rTorrent or qBittorrent for a tier.",
            )
        self.reads_relocated = reads_relocated
        self._client = client
        self._clock = clock
        self._relocates = relocates
        self._exports = exports
        self._pulses = client.role(Pulses)
        self._lists_files = client.role(ListsFiles)
        self._remarks = client.role(Remarks)

    @property
    def name(self) -> str:
        """See needs.TierClient."""
        return self._client.name

    def torrents(self) -> Sequence[Torrent]:
        """See needs.TierClient."""
        return self._client.torrents()

    def get(self, torrent: InfoHash) -> Torrent | None:
        """See needs.TierClient."""
        return self._client.get(torrent)

    def files(self, torrent: InfoHash) -> Sequence[ClientFile]:
        """See needs.TierClient."""
        return self._client.files(torrent)

    def files_of(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Sequence[ClientFile]]:
        """See needs.TierClient."""
        return {} if self._lists_files is None else self._lists_files.files_of(torrents)

    def metainfo(self, torrent: InfoHash) -> bytes:
        """See needs.TierClient."""
        return self._exports.metainfo(torrent)

    def liveliness(self) -> Mapping[InfoHash, Liveliness]:
        """See needs.TierClient. A client that does not tell has no torrent that is hot."""
        if self._pulses is None:
            return {}
        now = self._clock.now()
        return {
            torrent: Liveliness(
                pulse.upload_rate, max(now - pulse.last_activity, 0.0) if pulse.last_activity is not None else 0.0
            )
            for torrent, pulse in self._pulses.pulses().items()
        }

    def recheck(self, torrent: InfoHash) -> RecheckTicket:
        """See needs.TierClient."""
        return self._client.recheck(torrent)

    def start(self, torrent: InfoHash) -> None:
        """See needs.TierClient."""
        self._client.start(torrent)

    def stop(self, torrent: InfoHash) -> None:
        """See needs.TierClient."""
        self._client.stop(torrent)

    def relocate(self, torrent: InfoHash, save_path: ClientPath) -> None:
        """See needs.TierClient."""
        self._relocates.relocate(torrent, save_path)

    def persist(self, torrent: InfoHash) -> ClientPath | None:
        """See needs.TierClient."""
        return self._relocates.persist(torrent)

    def moving_hooks(self) -> Sequence[Remark]:
        """See needs.TierClient."""
        return () if self._remarks is None else [each for each in self._remarks.remarks() if each.moves]

    def opened(self, torrent: InfoHash) -> Sequence[ClientPath]:
        """See needs.TierClient."""
        return self._relocates.opened(torrent)

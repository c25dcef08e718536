"""Builds the executor of a loop: what reaches its files, its records, its Arr."""

from __future__ import annotations

from torrent_mover.adapters.process.ffprobe import has_stream
from torrent_mover.bootstrap.health.files import ClientFiles
from torrent_mover.domain.paths import LocalPath
from torrent_mover.duties.health.acting.bin import Bin, ReachesFiles
from torrent_mover.duties.health.acting.executor import HealthExecutor
from torrent_mover.duties.health.acting.probing import CachedProbe
from torrent_mover.duties.health.acting.repairs import BeforeRecords
from torrent_mover.duties.health.acting.taken_out import TakenOutRecords
from torrent_mover.duties.health.acting.world import ActingWorld, HandsOver
from torrent_mover.duties.health.needs import HealthWorld, Say
from torrent_mover.duties.health.settings import HealthSettings, ProbeMode
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.documents import Documents


def build_probe(
    settings: HealthSettings, client: TorrentClient, files: ClientFiles, records: Documents, say: Say, clock: Clock
) -> CachedProbe | None:
    """What looks into media files; None: it is off."""
    if settings.probe is ProbeMode.OFF:
        return None

    def look(path: LocalPath) -> bool | None:
        return has_stream(settings.probe_command, path, settings.probe_timeout)

    return CachedProbe(client, files, files, look, records, say, clock)


def build_acts(
    world: HealthWorld, files: ReachesFiles, records: Documents, hand_over: HandsOver | None = None
) -> HealthExecutor:
    """The one executor of a loop. `records`: the loop's documents in the journal."""
    acting = ActingWorld(world, files, Bin(files), TakenOutRecords(records), world.manager, hand_over)
    return HealthExecutor(acting, BeforeRecords(records))

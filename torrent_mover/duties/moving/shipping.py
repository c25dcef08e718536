"""Makes the shipment of a move: what its delivery needs to know, from the plan and from what all moves share."""

from __future__ import annotations

from functools import partial

from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.settings.choices import LinkExisting
from torrent_mover.engine.delivery.cargo import Cargo
from torrent_mover.engine.delivery.layout import user_of
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.engine.delivery.shipment import OtherTorrents, Shipment
from torrent_mover.engine.delivery.source_state import reread_source
from torrent_mover.engine.delivery.world import World


def shipment_of(world: World, planned: PlannedMove, cargo: Cargo) -> Shipment:
    """Of one move that has begun."""
    way, torrent = world.way.of(planned), planned.torrent
    return Shipment(
        torrent.id,
        cargo,
        world.source.name,
        world.destination.name,
        partial(way.strategy, torrent.save_path),
        way.hashed_on_the_way,
        tuple(RelativePath.parse(file.path) for file in planned.files if file.wanted),
        owner=lambda path: user_of(world.destination, path, torrent.id),
        still_as_planned=lambda: reread_source(world.source, planned, world.clock),
        others=_others(world, planned),
    )


def _others(world: World, planned: PlannedMove) -> OtherTorrents | None:
    """Torrents of which files are not selected take nothing from others: they lie in more than files."""
    wish, torrent = world.policy.link_existing, planned.torrent
    if wish is LinkExisting.OFF or planned.partial:
        return None
    return OtherTorrents(
        lambda sizes: world.reuse_candidates.offers(sizes, torrent.id, torrent.total_size, planned.cross_seeds),
        links=wish is LinkExisting.AUTO,
    )

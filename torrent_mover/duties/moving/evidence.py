"""Collects what the gate asks for, at both clients and both disks, the source last."""

from __future__ import annotations

from collections.abc import Callable

from torrent_mover.domain.torrent.certificate import Evidence, ReadBack, Reading
from torrent_mover.duties.moving.siblings import siblings
from torrent_mover.engine.delivery.delivery import Delivery
from torrent_mover.engine.delivery.places import Destination, PlannedMove, Source
from torrent_mover.engine.delivery.source_state import read
from torrent_mover.ports.clock import Clock


def gather(
    source: Source,
    destination: Destination,
    planned: PlannedMove,
    delivery: Delivery,
    first: Reading,
    read_back: ReadBack,
    clock: Clock,
    *,
    ignored: Callable[[], bool],
) -> Evidence:
    """Look at everything that the gate asks for. `first` was read when it began to seed at the destination.

    `ignored`: whether a rule says by now that the torrent is not to be moved.
    """
    files_at = clock.monotonic()
    files = delivery.found()
    last = read(destination.client, planned.torrent.id, clock)
    shared = siblings(source, planned)
    ignored_now = ignored()
    changed_by_others = delivery.changed_at_source()
    in_common = delivery.common_folder()
    return Evidence(
        planned=planned.torrent,
        planned_files=planned.files,
        save_path=destination.save_path,
        pieces=delivery.cargo.manifest.wanted.count(),
        own_pieces=delivery.at_rest.pieces.count(),
        read_back=read_back,
        files=files,
        files_at=files_at,
        destination_first=first,
        destination_last=last,
        source=read(source.client, planned.torrent.id, clock),
        siblings=shared,
        ignored_by_rule=ignored_now,
        limited_there=last.torrent is None or destination.limited(last.torrent),
        source_changed=changed_by_others,
        common_folder=in_common,
    )

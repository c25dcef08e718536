"""Whether somebody else moves the data of the tier's torrents: what a client's own configuration does."""

from __future__ import annotations

from torrent_mover.duties.tiering.errors import OtherMover
from torrent_mover.duties.tiering.needs import TierWorld


def refuse_other_movers(world: TierWorld) -> None:
    """Raises OtherMover where a client of the tier has a hook that moves data, and ServerError's children."""
    client = world.clients[world.settings.client].client
    for remark in client.moving_hooks():
        raise OtherMover(
            f"{client.name} {remark.what}: two programs must not move the same files.",
            kept="Nothing is copied or evicted; what is on the SSD stays there.",
            remedy=f"Remove it ({remark.option}) and start the client again.",
        )

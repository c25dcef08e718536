"""What the two clients of a move lack for it: why it is refused, what is left out when it is added, and what is told of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from torrent_mover.domain.errors import CannotHold
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.portion import has_unselected
from torrent_mover.domain.torrent.torrent import USUAL_PRIORITY, InfoHash
from torrent_mover.engine.delivery.places import PlannedMove
from torrent_mover.ports import roles
from torrent_mover.ports.client import AddSpec, TorrentClient

_KEPT: Final = "Nothing was done: it goes on seeding at the source."
_IN_PART: Final = (roles.Priorities, roles.PartFiles)


def refuse(
    source: TorrentClient,
    destination: TorrentClient,
    planned: PlannedMove,
    manifest: Manifest,
    layout: Sequence[RelativePath],
) -> None:
    """Raises CannotHold where the destination's client cannot be given the torrent as the source has it. Asks nobody."""
    _refuse_other_infohash(source, destination, planned, manifest)
    renamed = next((path for file, path in zip(manifest.files, layout, strict=True) if file.path != path), None)
    if renamed is None and manifest.odd_names:
        renamed = layout[0]
    if renamed is not None and destination.role(roles.Renames) is None:
        raise CannotHold(
            f"{destination.name} cannot rename files: {planned.torrent.name} has other names at the source than in its"
            f" .torrent, as {str(renamed)!r}.",
            kept=_KEPT,
            remedy="Give its files their old names back in the source client, then run again.",
        )
    if not (planned.partial or has_unselected(planned.files)):
        return
    for client, wanted in ((source, (roles.HasPieces, roles.PartFiles)), (destination, _IN_PART)):
        if any(client.role(role) is None for role in wanted):
            raise CannotHold(
                f"Files of {planned.torrent.name} are not selected, and {client.name} keeps such torrents in a way that we"
                " cannot carry over.",
                kept=_KEPT,
                remedy="Select all its files in the source client and let it complete them, or move it by hand.",
            )


def called(client: TorrentClient, manifest: Manifest) -> InfoHash | None:
    """By which infohash a client knows the torrent; None: it cannot hold it."""
    naming = client.role(roles.NamesTorrents)
    return naming.id_of(manifest.hashes) if naming else manifest.hashes.client_id


def _refuse_other_infohash(
    source: TorrentClient, destination: TorrentClient, planned: PlannedMove, manifest: Manifest
) -> None:
    """A move follows a torrent by one infohash, from its first look to the certificate."""
    there = called(destination, manifest)
    if there is None:
        raise CannotHold(
            f"{planned.torrent.name} is a v2 torrent, and {destination.name} knows v1 alone.",
            kept=_KEPT,
            remedy="Leave it where it is, or choose a destination client that knows BitTorrent v2.",
        )
    if there != planned.torrent.id:
        raise CannotHold(
            f"{planned.torrent.name} is a hybrid torrent (v1 and v2): {source.name} knows it as {planned.torrent.id.short},"
            f" {destination.name} would know it as {there.short}.",
            kept=_KEPT,
            remedy="Move it by hand, or between two clients that name such torrents alike.",
        )


def takes(client: TorrentClient, spec: AddSpec) -> AddSpec:
    """The order to add a torrent, without what the client cannot be given. What it must be given, `refuse` has seen to."""
    for role, unset in (
        (roles.Categories, {"category": ""}),
        (roles.Tags, {"tags": ()}),
        (roles.DisplayNames, {"name": ""}),
        (roles.TransferLimits, {"upload_limit": 0, "download_limit": 0}),
        (roles.SkipsCheck, {"skip_checking": False}),
        (roles.OrdersPieces, {"sequential": False, "first_last_piece_first": False}),
        (roles.Priorities, {"priorities": ()}),
    ):
        if client.role(role) is None:
            spec = replace(spec, **unset)
    return spec


def not_taken(client: TorrentClient, planned: PlannedMove, name: str, web_seeds: Sequence[str] = ()) -> tuple[str, ...]:
    """What a torrent has that this client cannot be given, each in words that follow "not carried:".

    `name`: the torrent's in its .torrent; `web_seeds`: those that it has at the source.
    """
    torrent = planned.torrent
    order = " and ".join(
        word
        for word, has in (
            ("sequential download", torrent.sequential),
            ("first and last pieces first", torrent.first_last_piece_first),
        )
        if has
    )
    priorities = any(file.priority is not USUAL_PRIORITY for file in planned.files)
    has: tuple[tuple[type, object, Callable[[], str]], ...] = (
        (roles.Categories, planned.target_category, lambda: f"its category ({planned.target_category})"),
        (roles.Tags, torrent.tags, lambda: f"its tags ({', '.join(torrent.tags)})"),
        (roles.DisplayNames, torrent.name != name, lambda: "its name"),
        (roles.TransferLimits, torrent.upload_limit or torrent.download_limit, lambda: "the limits of its rates"),
        (roles.OrdersPieces, order, lambda: order),
        (roles.Priorities, priorities, lambda: "the priorities of its files"),
        (roles.LimitsSharing, torrent.limits.own, lambda: "its share limits"),
        (roles.SuperSeeds, torrent.super_seeding, lambda: "super seeding"),
        (roles.ForceStarts, torrent.force_start, lambda: "its forced start"),
        (roles.AutoManages, torrent.auto_managed, lambda: "automatic management"),
        (roles.WebSeeds, web_seeds, lambda: "its web seeds"),
    )
    return tuple(words() for role, there, words in has if there and client.role(role) is None)

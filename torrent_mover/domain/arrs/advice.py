"""What in an Arr's own settings endangers torrents, or keeps it from seeing them: a sentence each, with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torrent_mover.domain.arrs.belonging import belongs
from torrent_mover.domain.arrs.media import ArrClient, DownloadPolicy, RemoteMapping

_CLIENTS = "Settings > Download Clients"


def advice_of(
    name: str,
    clients: Sequence[ArrClient],
    mappings: Sequence[RemoteMapping],
    policy: DownloadPolicy,
    category: str,
) -> Iterator[str]:
    """For an Arr called `name`. `category`: the one of its section in the config; blank: its own counts."""
    enabled = [client for client in clients if client.enabled]
    if not any(client.category and (not category or belongs(client.category, (category,))) for client in enabled):
        wanted = f"the category {category}" if category else "a category"
        yield (
            f"{name} has no torrent client with {wanted}, so its queue never shows these torrents. "
            f"Add the client in {_CLIENTS}, or write hand_over = scan in [ARR {name}]."
        )
    if not policy.handles_completed:
        yield (
            f"{name} does not look after finished downloads, so they leave its queue before they are imported. "
            f"Switch Completed Download Handling on in {_CLIENTS}."
        )
    for client in enabled:
        yield from _removals(name, client)
    hosts = {client.host.casefold() for client in clients}
    for mapping in mappings:
        if mapping.host.casefold() not in hosts:
            yield (
                f"{name} has a remote path mapping for {mapping.host}, and no client with that host. "
                f"Write the host in {_CLIENTS} > Remote Path Mappings as in the client."
            )


def not_polled(name: str, clients: Sequence[ArrClient], port: int | None) -> Iterator[str]:
    """For an Arr that may look by itself. `port`: of the client that torrents are moved to; None: not known."""
    ports = {client.port for client in clients if client.enabled}
    if port is not None and ports and port not in ports:
        yield (
            f"{name} has no torrent client on port {port}, where torrents are moved to, so they leave its queue after a move. "
            f"Add that client in {_CLIENTS}, or write hand_over = scan in [ARR {name}]."
        )


def _removals(name: str, client: ArrClient) -> Iterator[str]:
    for removes, kind, when in (
        (client.removes_completed, "Remove Completed", "imported"),
        (client.removes_failed, "Remove Failed", "failed"),
    ):
        if removes:
            yield (
                f"{name} removes {when} torrents from {client.name} with their data, once they are stopped at a share limit there. "
                f"Switch {kind} off in {_CLIENTS} > {client.name}, or have no share limits that stop torrents."
            )

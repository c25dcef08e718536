"""Knows the secrets of the settings, so that none of them is ever told."""

from __future__ import annotations

from collections.abc import Iterator

from torrent_mover.domain.redact import Redactor
from torrent_mover.domain.settings import Settings


def redactor_of(settings: Settings) -> Redactor:
    """Hides every secret that stands in the config; what files and commands hold is fetched only when it is needed."""
    redactor = Redactor()
    for secret in _literal_secrets(settings):
        redactor.add(secret)
    return redactor


def _literal_secrets(settings: Settings) -> Iterator[str]:
    clients = (settings.source_client, settings.destination_client)
    servers = (settings.source_server, settings.destination_server)
    known = [section.password for section in (*clients, *servers) if section is not None]
    for secret in (*known, *(client.api_key for client in clients)):
        if secret is not None and secret.is_literal:
            yield secret.reveal()
    if settings.general.notify_urls is not None:
        yield from settings.general.notify_urls.reveal().split()

"""Knows the secrets of the settings, so that none of them is ever told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from torrent_mover.domain.redact import Redactor
from torrent_mover.domain.settings.settings import Settings

_BETWEEN_PARTS: Final = re.compile(r"[/:@?&=]+")
_LONG_ENOUGH: Final = 12
"""Characters: a shorter part is a word that may stand in any line. What has a dot is a host."""


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
    for login in (client.basic_auth for client in clients):
        if login is not None:
            yield login.reveal()
            yield login.reveal().partition(":")[2]
    for proxy in (client.proxy for client in clients):
        if proxy is not None and "@" in proxy.reveal():
            both = proxy.reveal().partition("://")[2].rpartition("@")[0]
            yield both
            yield unquote(both.partition(":")[2])
    if settings.general.notify_urls is not None:
        for url in settings.general.notify_urls.reveal().split():
            yield url
            # What sends them takes them apart: tokens and passwords turn up alone.
            yield from (part for part in _BETWEEN_PARTS.split(url)[1:] if len(part) >= _LONG_ENOUGH and "." not in part)

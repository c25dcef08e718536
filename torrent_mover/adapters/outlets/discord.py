"""Notices for a Discord webhook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from torrent_mover.adapters.http import HttpPlace, HttpService, HttpTrouble, RequestPace
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.report.notices import Notice
from torrent_mover.domain.secret import Secret

_LONGEST: Final = 2000
"""Characters of a message (discord.com/developers, Create Message)."""

_GOOD: Final = range(200, 300)


def discord(webhook: Secret) -> Callable[[Notice, dict[str, object]], None]:
    """Tells by that webhook. Its address is a secret: only its host is ever named."""
    parts = urlsplit(webhook.reveal())
    service = HttpService(HttpPlace(f"{parts.scheme}://{parts.netloc}", section="DEBRID"), RequestPace(1, 1))

    def tell(notice: Notice, _data: dict[str, object]) -> None:
        text = f"**torrent_mover: {notice.title}**\n{notice.text}"[:_LONGEST]
        try:
            answer = service.ask("POST", parts.path, body={"content": text})
        except HttpTrouble as trouble:
            raise MoverError(f"{service.place.name} {trouble.what}.", remedy="Check discord_webhook.") from trouble
        if answer.status not in _GOOD:
            raise MoverError(f"{service.place.name} answers {answer.status}.", remedy="Check discord_webhook.")

    return tell

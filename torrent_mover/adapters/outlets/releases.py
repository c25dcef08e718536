"""Asks for the list of releases: one GET, as GitHub's API answers it."""

from __future__ import annotations

import json
from typing import Final

from torrent_mover.adapters.http import HttpPlace, HttpService, HttpTrouble, RequestPace
from torrent_mover.domain.errors import BadAnswer, Unreachable
from torrent_mover.domain.releases import Release

_TIMEOUT: Final = 30.0
_GOOD: Final = 200
_KEPT: Final = "Everything goes on with the version that runs."


class ReleaseList:
    """One list, by its address."""

    def __init__(self, url: str) -> None:
        self._http = HttpService(HttpPlace(url.rstrip("/"), timeout=_TIMEOUT), RequestPace(1, 1))

    def read(self) -> list[Release]:
        """All of it. Raises Unreachable, BadAnswer."""
        name = self._http.place.name
        try:
            answer = self._http.ask("GET", "")
        except HttpTrouble as trouble:
            raise Unreachable(
                f"{name} {trouble.what}.", kept=_KEPT, remedy="Check update_url in [General]."
            ) from trouble
        try:
            listed = json.loads(answer.body) if answer.status == _GOOD else None
        except ValueError:
            listed = None
        if not isinstance(listed, list):
            raise BadAnswer(
                f"{name} answers {answer.status}, and no list of releases.",
                kept=_KEPT,
                remedy="Check update_url in [General].",
            )
        return [
            Release(str(each.get("tag_name", "")), each.get("prerelease") is True)
            for each in listed
            if isinstance(each, dict) and each.get("draft") is not True
        ]

    def close(self) -> None:
        """End the connection. Never raises."""
        self._http.close()

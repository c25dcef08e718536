"""Asks such a program, and makes errors of ours of what is no true answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from torrent_mover.adapters.http import HttpAnswer, HttpService, HttpTrouble
from torrent_mover.domain.arrs.errors import RequestsGarbled, RequestsKeyRefused, RequestsUnreachable
from torrent_mover.domain.text import clause

_KEPT: Final = "What was asked for by people is not searched for now; all else is."
_REFUSED: Final = (401, 403)
_AWAY: Final = (502, 503, 504)
_GOOD: Final = 200


class PortalService:
    """One program. `section` and `key` name what must be right in the config."""

    def __init__(self, http: HttpService, product: str, section: str, key_place: str) -> None:
        self._http = http
        self.name: Final = http.place.name
        self._product = product
        self._section = section
        self._key_place = key_place

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401  what JSON can say
        """The answer to a GET. Raises ServerError's children."""
        try:
            answer = self._http.ask("GET", path, query)
        except HttpTrouble as trouble:
            raise RequestsUnreachable(
                f"{self._product} ({self.name}) {trouble.what}.",
                kept=_KEPT,
                remedy=trouble.remedy or f"Check requests_url in [{self._section}].",
                server=self.name,
            ) from trouble
        self._check(answer)
        try:
            return json.loads(answer.body)
        except ValueError as error:
            raise self.garbled("its answer is no JSON") from error

    def _check(self, answer: HttpAnswer) -> None:
        if answer.status in _REFUSED:
            raise RequestsKeyRefused(
                f"{self._product} ({self.name}) refuses the key.",
                kept=_KEPT,
                remedy=f"Correct {self._key_place} of [{self._section}]: the key is in Settings > General of {self._product}.",
                server=self.name,
            )
        if answer.status in _AWAY:
            raise RequestsUnreachable(
                f"{self._product} ({self.name}) is not there yet ({answer.status}).",
                kept=_KEPT,
                remedy="It is asked again.",
                server=self.name,
            )
        if answer.is_page or answer.location:
            raise self.garbled("a login page or a proxy answers")
        if answer.status != _GOOD:
            raise self.garbled(f"it answers {answer.status}")

    def garbled(self, why: str) -> RequestsGarbled:
        """Something else answers than what the config says."""
        return RequestsGarbled(
            f"{self._product} ({self.name}): {clause(why)}.",
            kept=_KEPT,
            remedy=f"Check requests_type and requests_url in [{self._section}].",
            server=self.name,
        )

    def close(self) -> None:
        """See ports.requests.RequestsPortal."""
        self._http.close()

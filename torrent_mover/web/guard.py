"""Who may ask: the Host that a browser names, the token, and how often somebody may be wrong about it. Pure."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

WRONG_A_MINUTE: Final = 5
_MINUTE: Final = 60.0
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:/?#@\\\s]+)(:[0-9]*)?")
"""A name or an address, and a port: RFC 9110 section 7.2, without what would begin another part of a URL."""

_REMEMBERED: Final = 1000
"""Addresses whose wrong tokens are counted; of more, the oldest are forgotten."""


def host_is_known(header: str, hosts: tuple[str, ...]) -> bool:
    """Whether a Host header names this machine: an address, localhost, or one of `hosts`.

    A page elsewhere whose name was made to lead here (DNS rebinding) sends its own name.
    """
    found = _HOST.fullmatch(header.strip().casefold())
    if found is None:
        return False
    name = found[1].strip("[]")
    try:
        ip_address(name)
    except ValueError:
        return name == "localhost" or name in {host.casefold() for host in hosts}
    return True


def is_same_site(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that our own page asks, or a person. What is no browser says nothing, and may ask.

    Browsers send Sec-Fetch-Site to https and to this machine only; to other names Origin tells, with all that changes something.
    """
    told, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if told is not None:
        return told in ("same-origin", "none")
    return origin is None or origin.partition("://")[2].casefold() == headers.get("host", "").strip().casefold()


def token_in(headers: Mapping[str, str]) -> str:
    """The token of a request: Authorization: Bearer, or X-API-Token."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.casefold() == "bearer" else headers.get("x-api-token", "").strip()


def is_right(given: str, token: str) -> bool:
    """Compared in a time that tells nothing about where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())


@dataclass(slots=True)
class WrongTokens:
    """How often each address was wrong in the last minute. `now` in monotonic seconds."""

    moments: dict[str, list[float]] = field(default_factory=dict)

    def is_too_many(self, address: str, now: float) -> bool:
        """Whether that address is not listened to."""
        return len(self._lately(address, now)) >= WRONG_A_MINUTE

    def wrong(self, address: str, now: float) -> None:
        """It was wrong."""
        lately = [*self._lately(address, now), now]
        self.moments.pop(address, None)
        while len(self.moments) >= _REMEMBERED:
            self.moments.pop(next(iter(self.moments)))
        self.moments[address] = lately

    def _lately(self, address: str, now: float) -> list[float]:
        return [moment for moment in self.moments.get(address, ()) if now - moment < _MINUTE]

"""Which proxy an HTTP client goes through: the one of its setting, or, to a public address alone, one of the environment.

The one rule for every HTTP client of ours, whatever its library.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

OFF: Final = "off"
"""The setting for: by no proxy, whatever the environment says."""

_NEVER_PUBLIC: Final = ("localhost", "local", "internal", "home.arpa", "lan", "home")
"""Ends of names that mean this machine or the local network (RFC 6761, 6762, 8375; .internal by ICANN; what routers give out)."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy. `url` may hold a login; `named_by` says where a person finds it, such as `http_proxy in the environment`."""

    url: str = field(repr=False)
    named_by: str

    @property
    def place(self) -> str:
        """Its host:port; never its login."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def by_socks(self) -> bool:
        """Whether it speaks SOCKS (RFC 1928)."""
        return urlsplit(self.url).scheme.startswith("socks")


def proxy_for(url: str, setting: str, named_by: str) -> Proxy | None:
    """The proxy on the way to `url`; None for the direct way. `setting`: a proxy's URL, OFF, or blank.

    With a blank one, addresses of this machine and of private networks are reached directly: a password meant for them is
    nobody else's. For a public one, the environment decides (http_proxy, https_proxy, all_proxy, no_proxy, in either case).
    A name is looked up only where the environment has a proxy for it.
    """
    if setting:
        return None if setting == OFF else Proxy(setting, named_by)
    parts = urlsplit(url)
    known = getproxies_environment()
    kind = parts.scheme if parts.scheme in known else "all"
    host = parts.hostname or ""
    if kind not in known or _excepted(host, parts.port, known.get("no", "")) or is_near(host):
        return None
    found = known[kind]
    return Proxy(found if "://" in found else f"http://{found}", f"{kind}_proxy in the environment")


def is_near(host: str) -> bool:
    """Whether a name or address means this machine or a private network, by all that can be found out.

    So do names without a dot, names that no public zone has, and names that resolve to such addresses only.
    """
    name = host.strip("[]").rstrip(".").lower()
    if (address := _address(name)) is not None:
        return _is_private(address)
    if "." not in name or name.endswith(tuple(f".{end}" for end in _NEVER_PUBLIC)):
        return True
    found = _addresses(name)
    return bool(found) and all(map(_is_private, found))


def add_exceptions(hosts: Iterable[str], environment: MutableMapping[str, str]) -> None:
    """Let no_proxy of `environment` name those hosts that are near: for a library that asks nobody but the environment."""
    said = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    known = [name for name in said.split(",") if name.strip()]
    near = [host for host in dict.fromkeys(hosts) if host not in known and is_near(host)]
    if near and said.strip() != "*":
        environment["no_proxy"] = ",".join([*known, *near])


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(text: str) -> _Address | None:
    with suppress(ValueError):
        return ipaddress.ip_address(text)
    return None


def _addresses(name: str) -> list[_Address]:
    """What it resolves to; nothing where it does not."""
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [address for *_, place in answers if (address := _address(str(place[0]))) is not None]


def _is_private(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_private(address.ipv4_mapped)
        if address.is_site_local:
            return True
    return not address.is_global or _is_ours(address)


def _is_ours(address: _Address) -> bool:
    """Whether one of our own interfaces has it: only then can a socket be bound to it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004  the version of the protocol
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def _excepted(host: str, port: int | None, entries: str) -> bool:
    """Whether no_proxy names it: by name, by the end of its name, or (as curl and requests have it) by its network."""
    address = _address(host)
    for entry in (part.strip().lower().lstrip(".") for part in entries.split(",")):
        if entry == "*" or (entry and f".{host}".endswith((f".{entry}", f".{entry.removesuffix(f':{port}')}"))):
            return True
        with suppress(ValueError):
            if "/" in entry and address is not None and address in ipaddress.ip_network(entry, strict=False):
                return True
    return False

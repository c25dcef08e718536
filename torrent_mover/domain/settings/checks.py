"""What any section must have, and what its values must not say against each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from torrent_mover.domain.settings.clients import ClientSettings, ClientType
from torrent_mover.domain.settings.kinds import SCGI, SCGI_SOCKET, SSH_SOCKET, HostAddress
from torrent_mover.domain.settings.problems import Problem
from torrent_mover.domain.settings.schema import DESTINATION_SERVER, SectionValues
from torrent_mover.domain.text import clauses

_HTTPS: Final = "https"
_PASSWORDS: Final = ("password", "password_file", "password_command")

FETCHED_SECRETS: Final = ("password", "api_key", "token", "requests_key")
"""Keys that may stand in a config themselves, as `..._file`, or as `..._command`."""


def completeness(values: SectionValues) -> Iterator[Problem]:
    """A problem for each required key that is not there, or one for the whole section."""
    section = values.section
    own = [key for key in section.keys if key not in section.borrowed]
    missing = [key for key in own if section.is_required(key) and not values.has(key)]
    if issubclass(section.shape, ClientSettings):
        missing += _missing_login(values)
    lines = [f"{values.written(key)} = {section.keys[key].example}" for key in section.keys if key in missing]
    if not values.exists and missing:
        what = "the section is missing."
        if section is DESTINATION_SERVER:
            what = "the section is missing, but transfer_mode, tunnel = yes or an ssh:// address needs it."
        yield values.problem("", what, f"Add [{values.name}] with these lines: {clauses(*lines)}")
        return
    for key, line in zip((key for key in section.keys if key in missing), lines, strict=True):
        what = "it is blank, but it is required." if key in values.places else "it is missing."
        yield values.problem(key, what, f"Add under [{values.name}]: {line}")


def is_tunnelled(values: SectionValues) -> bool:
    """Whether an SSH connection leads to a client: it says so, or its address is a socket of the SSH server."""
    address = values.get("host")
    return bool(values.get("tunnel")) or (isinstance(address, HostAddress) and address.scheme == SSH_SOCKET)


def tunnel_line(values: SectionValues) -> str:
    """The words of a section by which it is tunnelled."""
    return "tunnel = yes" if values.get("tunnel") else f"{values.written('host')} = {SSH_SOCKET}://..."


def _missing_login(values: SectionValues) -> list[str]:
    missing = []
    address = values.get("host")
    if isinstance(address, HostAddress) and not address.name:
        return []  # a socket
    has_port = isinstance(address, HostAddress) and (address.port or address.scheme == _HTTPS)
    if not (has_port or values.has("port") or "host" in values.wrong):
        missing.append("port")
    if values.get("type") is ClientType.RTORRENT:
        return missing  # it knows no login; a web server in front of it may
    password = any(values.has(key) for key in _PASSWORDS)
    if not values.has("api_key") and (password or not _without_login(values)):
        missing += [] if values.has("username") else ["username"]
        missing += [] if password else ["password"]
    return missing


def _without_login(values: SectionValues) -> bool:
    """Whether a line without a user name says that none is needed; a line that is not there may have been forgotten."""
    return "username" in values.places and not values.has("username")


def agreement(values: SectionValues) -> Iterator[Problem]:
    """A problem for each pair of values of one section that cannot both be meant."""
    yield from _one_password(values)
    yield from _one_port(values)
    yield from _one_authorization(values)
    yield from _of_this_type(values)


def _one_password(values: SectionValues) -> Iterator[Problem]:
    for secret in FETCHED_SECRETS:
        given = [key for key in (secret, f"{secret}_file", f"{secret}_command") if key in values.values]
        for key in given[1:]:
            yield values.problem(key, f"{given[0]} is set too, but only one can be used.", "Remove one of the two.")


def _one_port(values: SectionValues) -> Iterator[Problem]:
    address, port = values.values.get("host"), values.values.get("port")
    if isinstance(address, HostAddress) and port and address.port and address.port != port:
        host = values.written("host")
        what = f"{port}, but the address in {host} says {address.port}."
        yield values.problem("port", what, f"Take the port out of {host}, or remove this line.")


def _one_authorization(values: SectionValues) -> Iterator[Problem]:
    """Both would stand in one header of each request."""
    login = values.values.get("basic_auth")
    if login is None:
        return
    if "api_key" in values.values and issubclass(values.section.shape, ClientSettings):
        what = "api_key is set too, but a request can carry only one of the two."
        yield values.problem("basic_auth", what, "Use username and password in place of api_key.")
    user, colon, password = login.reveal().partition(":")
    if not (user and colon and password):
        what = "the value cannot be used: it is not user:password."
        yield values.problem("basic_auth", what, "Write for example: basic_auth = jane:her password")


def _of_this_type(values: SectionValues) -> Iterator[Problem]:
    """Keys and addresses that count for another type of client."""
    mine = values.get("type")
    if not isinstance(mine, ClientType):
        return
    for key in values.values:
        other = values.section.keys[key].only
        if other and other != mine.value:
            what = f"it counts for type = {other} alone, and this client has type = {mine.value}."
            yield values.problem(key, what, f"Remove the line, or write type = {other}.")
    address = values.values.get("host")
    if (
        isinstance(address, HostAddress)
        and address.scheme in (SCGI, SCGI_SOCKET, SSH_SOCKET)
        and mine is ClientType.QBITTORRENT
    ):
        what = "this is an SCGI address, which rTorrent has, and this client has type = qbittorrent."
        yield values.problem("host", what, "Write type = rtorrent, or the address of the Web UI.")

"""The kinds of value a setting may have: how each is read from text, written back, and described to a person."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from urllib.parse import unquote

from torrent_mover.domain.paths import ArrPath, ClientPath, HostPath, LocalPath
from torrent_mover.domain.quantities import Timetable, UnlockMode, format_duration, format_number, parse_duration
from torrent_mover.domain.rules import category_refusal
from torrent_mover.domain.secret import Secret

_TRUE = ("yes", "true", "on", "1")
_FALSE = ("no", "false", "off", "0")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,6})?")
_HOST_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_IPV6 = re.compile(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_HIGHEST_PORT = 65535
SCGI: Final = "scgi"
SCGI_SOCKET: Final = "scgi+unix"
SSH_SOCKET: Final = "ssh"
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_BETWEEN_PARTS: Final = re.compile(r"[/:@?&=]+")
_LONG_ENOUGH: Final = 12
"""Characters: a shorter part of an address is a word that may stand in any line. A part with a dot is a host."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the values of a config file refer to: three absolute folders, for relative and `~` paths and our own files.

    The schema itself does no I/O, so it is given what it needs: `refusal_of` says why a file cannot be read (None: it can);
    `password_of` makes the secret that a password_file or a password_command stands for, without fetching it yet;
    `rule_categories` names the categories that a file of tracker rules gives.
    """

    config_dir: str
    home: str
    state_home: str
    refusal_of: Callable[[LocalPath], str | None] = lambda _: None
    password_of: Callable[[LocalPath | None, tuple[str, ...]], Secret | None] = lambda _file, _command: None
    rule_categories: Callable[[LocalPath], frozenset[str]] = lambda _: frozenset()

    def resolve(self, text: str) -> LocalPath:
        """An absolute path from an absolute, `~/` or relative one. Raises ValueError for anything else."""
        if text == "~" or text.startswith("~/"):
            return LocalPath(_fold(f"{self.home}/{text[2:]}"))
        if text.startswith("~"):
            raise ValueError("only ~/ works, not the home of another user")
        return LocalPath(_fold(text if text.startswith("/") else f"{self.config_dir}/{text}"))


def _fold(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value.

    `read` gets the text (stripped, not empty; where `many_lines`, with its line breaks) and the surroundings, and
    raises ValueError with a sentence for the user; `write` is its inverse; `from_list` turns an array of a TOML file
    into the text of an INI file. `expected` follows "it takes"; `hint` is what the template adds to the
    documentation, where the default alone does not show what else is possible. `parts`: of a secret, the texts that
    nobody may see. `reads_blank`: a key with nothing behind it is a value too, and `read` gets an
    empty text. `names`: the value is the name of a section of that word, such as CLIENT, or several in a tuple.
    """

    expected: str
    read: Callable[[str, Surroundings], Any]
    write: Callable[[Any], str] = str
    from_list: Callable[[Sequence[str]], str] | None = None
    secret: bool = False
    many_lines: bool = False
    hint: str = ""
    parts: Callable[[str], Iterable[str]] = lambda text: (text,)
    names: str = ""
    reads_blank: bool = False


def _yes_or_no(text: str, _: Surroundings) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError


def whole(low: int, high: int) -> Kind:
    """A whole number from `low` to `high`, both included."""

    def read(text: str, _: Surroundings) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return Kind(f"a whole number from {low} to {high}", read)


_MOST_MEGABITS = 10**6  # only there to catch nonsense


def decimal(low: float, high: float) -> Kind:
    """A number from `low` to `high`, both included; `high` is only there to catch nonsense."""

    def read(text: str, _: Surroundings) -> float:
        if not _DECIMAL.fullmatch(text) or not low <= float(text) <= high:
            raise ValueError
        return float(text)

    return Kind(f"a number, {format_number(low)} or more", read, format_number)


def _megabits(text: str, _: Surroundings) -> float:
    """0 for no limit. A written 0 has always meant that here, and configs of before have it; new ones are given the word."""
    if text.lower() == "off":
        return 0.0
    if text.lower() == "pause":
        raise ValueError("pause works only for bandwidth; write a number of Mbit/s, or off for no limit")
    if not _DECIMAL.fullmatch(text) or float(text) > _MOST_MEGABITS:
        raise ValueError("write a number of Mbit/s, or off for no limit")
    return float(text)


def duration(low: float) -> Kind:
    """Seconds, at least `low`."""

    def read(text: str, _: Surroundings) -> float:
        seconds = parse_duration(text)
        if seconds < low:
            raise ValueError(f"it must be at least {format_duration(low)}")
        return seconds

    return Kind("seconds, or a time such as 30s, 5m, 1h30m, 2d", read, format_duration)


def choice(members: type[Enum]) -> Kind:
    """One of the values of an enum, in any case."""
    names = [str(member.value) for member in members]

    def read(text: str, _: Surroundings) -> Enum:
        if text.lower() not in names:
            raise ValueError
        return members(text.lower())

    listed = ", ".join(names)
    return Kind(f"one of {listed}", read, lambda member: str(member.value), hint=f"One of {listed}.")


def choices(members: type[Enum]) -> Kind:
    """Several values of an enum, in any case and any order, with commas or blanks between them; none for an empty choice."""
    names = [str(member.value) for member in members]

    def read(text: str, _: Surroundings) -> tuple[Enum, ...]:
        words = text.lower().replace(",", " ").split()
        if words == ["none"]:
            return ()
        if not set(words) <= set(names):
            raise ValueError
        return tuple(member for member in members if member.value in words)

    def write(value: Sequence[Enum]) -> str:
        return ", ".join(str(member.value) for member in value) or "none"

    listed = ", ".join(names)
    return Kind(f"some of {listed}, or none", read, write, ", ".join, hint=f"Some of {listed}, or none.")


def _one_line(text: str, _: Surroundings) -> str:
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("it must be one line without control characters")
    return text


def _secret(text: str, surroundings: Surroundings) -> Secret:
    return Secret(_one_line(text, surroundings))


def _login_parts(text: str) -> Iterator[str]:
    yield text
    yield text.partition(":")[2]


def _proxy_parts(text: str) -> Iterator[str]:
    """The login, where there is one: the address alone is no secret."""
    if "@" in text:
        both = text.partition("://")[2].rpartition("@")[0]
        yield both
        yield unquote(both.partition(":")[2])


def _address_parts(text: str) -> Iterator[str]:
    for url in text.split():
        yield url
        # What sends them takes them apart: tokens and passwords turn up alone.
        yield from (part for part in _BETWEEN_PARTS.split(url)[1:] if len(part) >= _LONG_ENOUGH and "." not in part)


def _category(text: str, surroundings: Surroundings) -> str:
    refusal = category_refusal(_one_line(text, surroundings))
    if refusal:
        raise ValueError(refusal)
    return text


def _words(text: str, surroundings: Surroundings) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(_one_line(text, surroundings)))
    except ValueError as error:
        raise ValueError(f"a quote is not closed ({error})") from error


def _absolute(text: str, surroundings: Surroundings) -> LocalPath:
    _one_line(text, surroundings)
    if not text.startswith("/"):
        raise ValueError("it must be an absolute path, which begins with /")
    if ".." in text.split("/"):
        raise ValueError("it must not contain ..")
    return LocalPath(text)


def _client_path(text: str, surroundings: Surroundings) -> ClientPath:
    return ClientPath(str(_absolute(text, surroundings)))


def _local_file(text: str, surroundings: Surroundings) -> LocalPath:
    return surroundings.resolve(_one_line(text, surroundings))


def _readable_file(text: str, surroundings: Surroundings) -> LocalPath:
    path = _local_file(text, surroundings)
    refusal = surroundings.refusal_of(path)
    if refusal:
        raise ValueError(refusal)
    return path


@dataclass(frozen=True, slots=True)
class HostAddress:
    """A host as people write it: a bare name, or a URL. `name` has no brackets, `path` no slash at its end.

    A socket has no name, and `path` is its own: on this machine its scheme is scgi+unix, on the SSH server ssh.
    """

    name: str
    scheme: str | None = None
    port: int | None = None
    path: str = ""

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        port = f":{self.port}" if self.port is not None else ""
        return f"{self.scheme}://{name}{port}{self.path}" if self.scheme else f"{name}{port}{self.path}"


def _web_host(text: str, surroundings: Surroundings) -> HostAddress:
    _one_line(text, surroundings)
    scheme, rest = None, text
    if url := _URL.fullmatch(text):
        scheme, rest = url[1].lower(), url[2]
        if scheme not in ("http", "https"):
            raise ValueError("only http:// and https:// lead to a client's Web API")
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        raise ValueError("user name and password have their own keys; remove them from the URL")
    if any(character in rest for character in " ?#"):
        raise ValueError("a URL here has no spaces, ? or #")
    name, port = _authority(authority)
    return HostAddress(name, scheme, port, (slash + path).rstrip("/"))


def _client_host(text: str, surroundings: Surroundings) -> HostAddress:
    """The address of any client: that of a Web API, or of an SCGI port or socket, here or on the SSH server."""
    _one_line(text, surroundings)
    scheme, mark, rest = text.partition("://")
    if text.startswith("/") or scheme.lower() == SCGI_SOCKET:
        return HostAddress("", SCGI_SOCKET, None, str(_absolute(rest if mark else text, surroundings)))
    if scheme.lower() == SSH_SOCKET and mark:
        if not rest.startswith("/"):
            raise ValueError("a socket on the SSH server has three slashes, and no host: ssh:///path/of/rpc.socket")
        return HostAddress("", SSH_SOCKET, None, rest)
    if scheme.lower() != SCGI or not mark:
        return _web_host(text, surroundings)
    if "/" in rest.rstrip("/"):
        raise ValueError("an SCGI address has no path: scgi://127.0.0.1:5000")
    name, port = _authority(rest.rstrip("/"))
    if port is None:
        raise ValueError("an SCGI address has a port: scgi://127.0.0.1:5000")
    return HostAddress(name, SCGI, port)


def _proxy(text: str, surroundings: Surroundings) -> Secret:
    """The URL of a proxy, perhaps with a login in it; or `off`."""
    _one_line(text, surroundings)
    if text.lower() == "off":
        return Secret("off")
    scheme, mark, rest = text.rpartition("://")
    if not mark or scheme.lower() not in _PROXY_SCHEMES:
        raise ValueError(f"it begins with one of {', '.join(f'{known}://' for known in _PROXY_SCHEMES)}")
    login, at, place = rest.rstrip("/").rpartition("@")
    _, port = _authority(place)
    if port is None or "/" in place:
        raise ValueError("after the name it needs a port, and nothing more")
    return Secret(f"{scheme.lower()}://{login}{at}{place}")


def _authority(text: str) -> tuple[str, int | None]:
    if text.startswith("["):
        name, bracket, rest = text[1:].partition("]")
        if not bracket or not _IPV6.fullmatch(name) or (rest and not rest.startswith(":")):
            raise ValueError("write an IPv6 address in brackets: [::1] or [::1]:8080")
        return name, _port(rest[1:]) if rest else None
    if text.count(":") > 1:
        if not _IPV6.fullmatch(text):
            raise ValueError("it is not a host name or an address")
        return text, None
    name, colon, port = text.partition(":")
    return _host_name(name), _port(port) if colon else None


def _port(text: str) -> int:
    if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= _HIGHEST_PORT:
        raise ValueError(f"its port is not a number from 1 to {_HIGHEST_PORT}")
    return int(text)


def _host_name(text: str) -> str:
    if text.startswith("-") or ".." in text:
        raise ValueError("it is not a host name or an address")
    if _HOST_NAME.fullmatch(text):
        return text
    try:  # an internationalised name: what DNS and ssh need is its ASCII form
        ascii_name = text.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_name = ""
    if not _HOST_NAME.fullmatch(ascii_name):
        raise ValueError("it is not a host name or an address")
    return ascii_name


def _ssh_host(text: str, surroundings: Surroundings) -> str:
    _one_line(text, surroundings)
    if _URL.fullmatch(text):
        raise ValueError("it is a URL; write only the name")
    if "@" in text:
        raise ValueError("the user name has its own key; remove it from the host")
    name, port = _authority(text)
    if port is not None:
        raise ValueError("the port has its own key; remove it from the host")
    return name


def _host_port(text: str, surroundings: Surroundings) -> tuple[str, int]:
    _one_line(text, surroundings)
    name, port = _authority(text)
    if port is None:
        raise ValueError("the port is missing")
    return name, port


def path_pairs(
    right: type[HostPath] | type[LocalPath],
    left: type[ClientPath] | type[ArrPath] = ClientPath,
    form: str = "/as/the/client/sees = /as/ssh/sees",
) -> Kind:
    """Pairs of another program's view (`left`) of a folder, and the view (`right`) of whoever reads and writes its files.

    `form` is a pair as it is written.
    """

    def read(text: str, surroundings: Surroundings) -> tuple[tuple[ClientPath | ArrPath, HostPath | LocalPath], ...]:
        lines = text.split("\n") if "\n" in text else text.split(",")
        pairs: dict[ClientPath | ArrPath, HostPath | LocalPath] = {}
        for line in filter(None, (line.strip() for line in lines)):
            theirs, equals, ours = (part.strip() for part in line.partition("="))
            if not equals:
                raise ValueError(f"{line!r} has no = in the middle; write {form}")
            seen = left(str(_absolute(theirs, surroundings)))
            if seen in pairs:
                raise ValueError(f"{seen} is on the left side twice")
            pairs[seen] = right(str(_absolute(ours, surroundings)))
        return tuple(pairs.items())

    return Kind(
        f"pairs {form}, one a line",
        read,
        _write_pairs,
        from_list=lambda items: "\n" + "\n".join(items),
        many_lines=True,
    )


def _write_pairs(pairs: Sequence[tuple[ClientPath | ArrPath, LocalPath | HostPath]]) -> str:
    return "".join(f"\n{theirs} = {ours}" for theirs, ours in pairs)


def section_name(word: str) -> Kind:
    """The name of a section of that word: `box2` for [CLIENT box2]. One that is not there is an error."""
    return Kind(f"the name of a [{word}] section", _one_line, names=word)


YES_NO = Kind("yes or no (true, on, 1; false, off, 0)", _yes_or_no, lambda value: "true" if value else "false")
TEXT = Kind("one line of text", _one_line)
SECRET = Kind("one line of text", _secret, Secret.reveal, secret=True)
OPTIONAL_SECRET = Kind("one line of text", _secret, Secret.reveal, secret=True, reads_blank=True)
LOGIN = Kind("one line of text", _secret, Secret.reveal, secret=True, parts=_login_parts)
ADDRESSES = Kind("one line of text", _secret, Secret.reveal, secret=True, parts=_address_parts)
CATEGORY = Kind("the name of a category", _category)
WORDS = Kind("words as a shell reads them", _words, shlex.join, from_list=shlex.join)
ABSOLUTE_PATH = Kind("an absolute path", _absolute)
CLIENT_PATH = Kind("an absolute path as the torrent client sees it", _client_path)
LOCAL_FILE = Kind("a path: absolute, from ~/, or from the folder of this file", _local_file)
READABLE_FILE = Kind("the path of a file: absolute, from ~/, or from the folder of this file", _readable_file)
LOGIN_FILE = Kind(READABLE_FILE.expected, _local_file)
"""As READABLE_FILE, of the login at one server: where it cannot be read, only what logs in with it does not work."""

PROXY = Kind(
    "http(s)://, socks5:// or socks5h://[user:password@]name:port, or off",
    _proxy,
    Secret.reveal,
    secret=True,
    parts=_proxy_parts,
)
WEB_HOST = Kind("http(s)://name[/path], or a bare host name", _web_host)
CLIENT_HOST = Kind(
    "http(s)://name[/path], a bare host name; of rTorrent also scgi://name:port, a socket's path, or ssh:///path of a socket on"
    " the SSH server",
    _client_host,
)
SSH_HOST = Kind("a host name or an address", _ssh_host)
TIMETABLE = Kind(
    "a limit (5M, off, pause) or a timetable (08:00,5M 23:00,off)",
    lambda text, _: Timetable.parse(text),
    from_list=" ".join,
)
MEGABITS = Kind("Mbit/s above 0, or off", _megabits, lambda rate: format_number(rate) if rate else "off")
UNLOCK_MODE = Kind("u+rwx, or an octal mode such as 0775", lambda text, _: UnlockMode.parse(text))
PORT = whole(1, _HIGHEST_PORT)
HOST_PORT = Kind("a host name or an address, and a port: 1.1.1.1:443", _host_port, lambda pair: f"{pair[0]}:{pair[1]}")


@dataclass(frozen=True, slots=True)
class Key:
    """What the schema knows of one setting beside its type and its default.

    `doc`: one line for template and reference; `example`: what the template shows for a required key, a value that
    nobody can leave there by mistake; `blank`: what an empty value means; `warn_above`: legal, yet hardly meant;
    `advanced`: the template shows it commented out; `names`: what a file calls it, the usual name first, where that is not
    the name of the field; `only`: the type of client for which it counts, empty for all.
    """

    kind: Kind
    doc: str
    example: str = ""
    blank: str = ""
    warn_above: float | None = None
    advanced: bool = False
    names: tuple[str, ...] = ()
    only: str = ""

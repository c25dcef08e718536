"""The settings of [WEB]: where the API and the page of `serve` answer, and whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Final

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.kinds import OPTIONAL_SECRET, PORT, READABLE_FILE, TEXT, WORDS, YES_NO, Key
from torrent_mover.domain.settings.schema import many, of_each

WEB: Final = "WEB"
"""The word of the section."""

_LEAST: Final = 16
"""Characters of a token; shorter ones are guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The API and the page of torrent-mover serve."""

    host: Annotated[
        str,
        Key(TEXT, "Address to listen on. Other machines reach it only where this is not 127.0.0.1.", advanced=True),
    ] = "127.0.0.1"
    port: Annotated[int, Key(PORT, "Port to listen on.")] = 8676
    token: Annotated[
        Secret | None,
        Key(
            OPTIONAL_SECRET,
            "What a caller must know. Written with nothing behind it: nobody is asked, and only this machine can call.",
            blank="made once, in the file web-token of state_dir",
            advanced=True,
        ),
    ] = None
    token_file: Annotated[
        LocalPath | None,
        Key(READABLE_FILE, "File with the token in its first line.", blank="none", advanced=True),
    ] = None
    url_base: Annotated[
        str,
        Key(TEXT, "Path below which a reverse proxy shows it, such as /mover.", blank="none", advanced=True),
    ] = ""
    read_only: Annotated[bool, Key(YES_NO, "Show everything, and take no orders.", advanced=True)] = False
    hosts: Annotated[
        tuple[str, ...],
        Key(
            WORDS,
            "Names by which browsers call it, beside addresses and localhost; a reverse proxy's name too.",
            blank="none",
            advanced=True,
        ),
    ] = ()

    @property
    def is_open(self) -> bool:
        """Whether nobody is asked for a token."""
        return self.token is not None and self.token.is_literal and not self.token.reveal() and self.token_file is None

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def base(self) -> str:
        """`url_base` with a slash in front and none at its end; blank: none."""
        folded = "/".join(part for part in self.url_base.split("/") if part)
        return f"/{folded}" if folded else ""


@dataclass(frozen=True, slots=True)
class WebProblem:
    """See domain.settings.schema.Finding."""

    key: str
    what: str
    remedy: str
    warning: bool = False


def problems_of(settings: WebSettings) -> Iterator[WebProblem]:
    """What is wrong with values that are right one by one."""
    if settings.is_open and not settings.is_local:
        yield WebProblem(
            "token",
            f"it is blank, and host = {settings.host} lets other machines in: anybody could give orders.",
            "Remove the line (a token is made then), or write host = 127.0.0.1.",
        )
    literal = settings.token.reveal() if settings.token is not None and settings.token.is_literal else ""
    if literal and len(literal) < _LEAST:
        yield WebProblem("token", f"it has fewer than {_LEAST} characters.", "Remove the line: a token is made then.")


WEB_SECTION: Final = many(WEB, WebSettings, of_each(problems_of), nameless=True)

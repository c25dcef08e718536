"""The API and the page of `serve`: opened with the settings of [WEB], opened again where those have changed."""

from __future__ import annotations

import argparse
import os
import secrets
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from torrent_mover.adapters.config.desk import FileDesk
from torrent_mover.bootstrap.configs import check
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.commands.page_packages import require_packages
from torrent_mover.commands.serve_duties import Duties
from torrent_mover.commands.serve_tests import server_tests
from torrent_mover.domain.errors import ConfigError, NotWritable
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.domain.settings.fingerprint import fingerprint
from torrent_mover.domain.settings.web import WebSettings
from torrent_mover.domain.text import clause
from torrent_mover.web import serving

if TYPE_CHECKING:
    from torrent_mover.web.server import WebServer

TOKEN_FILE: Final = "web-token"  # noqa: S105  the name of a file


class Web:
    """The server while this context lasts; `open` begins it, or begins it anew with other settings. --no-web: none."""

    def __init__(self, duties: Duties, arguments: argparse.Namespace, path: Path | None) -> None:
        self._duties = duties
        self._arguments = arguments
        self._path = path
        self._says: object = None
        self._server: WebServer | None = None
        self._config: Configuration[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def open(self, config: Configuration[Any] | None) -> None:
        """Answer as [WEB] says. Raises ConfigError, NotWritable, MissingProgram."""
        self._config = config
        if self._arguments.no_web:
            return
        found = config.named(WebSettings) if config is not None else {}
        settings = next(iter(found.values()), WebSettings())
        says = fingerprint(settings)
        if self._server is not None and says == self._says:
            return
        token = token_of(settings, state_folder(self._duties))
        self._close()
        self._duties.read_only = settings.read_only
        self._server = self._serving(settings, token)
        self._says = says
        shown = f"http://{settings.host}:{self._server.port}{settings.base}/"
        who = (
            f"; the token is the one line of {state_folder(self._duties) / TOKEN_FILE}"
            if token and settings.token is None
            else ""
        )
        self._duties.notice(Level.INFO, f"the page is at {shown}{who}")

    def _serving(self, settings: WebSettings, token: str) -> WebServer:
        require_packages(otherwise="; or start with --no-web")
        from torrent_mover.web.application import Site
        from torrent_mover.web.server import WebServer

        duties = self._duties
        desk = None if self._path is None else FileDesk(self._path, _is_secret, check, SCHEMA.named_keys)
        own = serving.endpoints(duties, desk, server_tests(lambda: self._config), duties.overview)

        def redact(text: str) -> str:
            return duties.redact(text)

        site = Site(
            duties,
            duties.panels,
            lambda: [*own, *duties.endpoints()],
            duties.metrics,
            token,
            settings.base,
            settings.read_only,
            settings.hosts,
            redact,
        )
        return WebServer(site, settings.host, settings.port)


def token_of(settings: WebSettings, folder: Path) -> str:
    """The token that callers must know; blank: nobody is asked. Made once where the config has none. Raises NotWritable.

    Raises ConfigError where nobody would be asked, and other machines could call.
    """
    if settings.is_open:
        if not settings.is_local:
            raise ConfigError(
                f"[WEB] has no token, and host = {settings.host} lets other machines in.",
                kept="Nothing was started.",
                remedy="Remove the line token = (a token is made then), or write host = 127.0.0.1.",
            )
        return ""
    if settings.token is not None:
        return settings.token.reveal()
    return _made(folder / TOKEN_FILE)


def _made(path: Path) -> str:
    try:
        with suppress(FileNotFoundError):
            token = path.read_text("utf-8").strip()
            if token:
                return token
        token = secrets.token_urlsafe(32)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{token}\n")
    except (OSError, UnicodeDecodeError) as error:
        raise NotWritable(
            f"The token {path} cannot be made or read: {clause(getattr(error, 'strerror', None) or error)}.",
            kept="Nothing was started.",
            remedy="Give the folder to the user that runs torrent-mover, or write token_file in [WEB].",
        ) from error
    return token


def _is_secret(section: str, key: str) -> bool:
    """Whether the value of that key is one. A key that no section has may be one that is misspelt."""
    word = section.split(maxsplit=1)[0].casefold() if section.split() else ""
    for each in SCHEMA.every:
        spelt = each.spellings.get(key.casefold())
        if each.name.casefold() in (word, section.casefold()) and spelt is not None:
            return each.keys[spelt].kind.secret
    return any(part in key.casefold() for part in ("password", "token", "key", "secret"))

"""What doctor asks about the page of serve, where the config has a [WEB] section."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Final

from torrent_mover.adapters.config.reading import find
from torrent_mover.adapters.lockfile import holder
from torrent_mover.bootstrap.configs import examine_all
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.commands.other_duties import OtherDuty
from torrent_mover.commands.page_packages import require_packages
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.settings.web import WebSettings
from torrent_mover.engine.preflight.examination import Check, Doubt

LOCK: Final = "serve.lock"
"""In the state folder: held by the process that serves."""


def page_of(config: str | None) -> Sequence[OtherDuty]:
    """The page, or nothing where no [WEB] section asks for it."""
    try:
        found, _ = examine_all(find(config))
    except ConfigError:
        return ()
    if found is None:
        return ()
    return tuple(
        OtherDuty(
            "page of serve",
            f"http://{settings.host}:{settings.port}{settings.base}/",
            "torrent-mover serve",
            "torrent-mover serve --healthcheck",
            partial(_checks, settings, holder([state_folder(found) / LOCK])),
            lambda: (),
        )
        for settings in found.named(WebSettings).values()
    )


@contextmanager
def _checks(settings: WebSettings, serving: str) -> Iterator[Sequence[Check]]:
    """What it needs is installed, and its address is free, or ours."""
    yield [
        Check(
            "packages of the page",
            partial(require_packages, kept="All else works: torrent-mover serve --no-web"),
            fatal=False,
        ),
        Check("address of the page", partial(_address, settings, serving), fatal=False),
    ]


def _address(settings: WebSettings, serving: str) -> str:
    if serving:
        return f"serve is running: {serving}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
        with closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Doubt(
            f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.",
            kept="All else works: torrent-mover serve --no-web",
            remedy="Write another port or host in [WEB]; ss -ltnp shows who has it.",
        ) from error
    return f"{settings.host}:{settings.port} is free"

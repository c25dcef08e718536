"""demo --serve: a throw-away world for every duty at once, `serve` on all of it, and its page."""

from __future__ import annotations

import argparse
import configparser
import importlib
import importlib.util
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final, TypeAlias, cast

from torrent_mover.commands.page_packages import require_packages
from torrent_mover.commands.serve_arguments import add_arguments
from torrent_mover.demo.ports import LOOPBACK, free_port
from torrent_mover.demo.world import DemoWorld, remove_world
from torrent_mover.domain.errors import ExitCode, MissingProgram

Sections: TypeAlias = Mapping[str, Mapping[str, str]]
ServedWorld: TypeAlias = Callable[..., AbstractContextManager[Sections]]
"""`served(root, keep=...)` of a duty's demo: its servers run inside, and its part of a config is given."""

_SCALE: Final = 10
_SLOW: Final = {"sftp_download_limit_mbps": "8"}
"""Some 75 MB at 1 MB a second: more than a minute of something to see."""

_EVERY: Final = "15s"
_DEMO: Final = "demo"
"""The module in a duty's folder of commands/ that may have a `served`."""


def serve_worlds(arguments: argparse.Namespace, asked: list[ExitCode]) -> ExitCode:
    """Build the worlds, serve them until a signal comes, clean up. A duty whose programs are not installed is left out."""
    require_packages()
    with ExitStack() as stack:
        root = Path(tempfile.mkdtemp(prefix="torrent-mover-"))
        root.chmod(0o755)
        if not arguments.keep:
            stack.callback(remove_world, root)
        sections: dict[str, dict[str, str]] = {}
        for name, served in worlds(arguments.duties):
            if asked:
                return asked[0]
            _say(f"Starting servers for {name} ...")
            try:
                given = stack.enter_context(served(root / name, keep=arguments.keep))
            except MissingProgram as error:
                _say(f"Left out: {name}. {error.what} {error.remedy}")
                continue
            merge(sections, given)
        if asked:
            return asked[0]
        config, port, token = write(root, sections)
        _tell(config, port, token)
        return _serve(config, arguments)


def worlds(duties: Sequence[str]) -> Iterator[tuple[str, ServedWorld]]:
    """The moves, then each duty whose demo can be served."""
    yield "moves", _moves
    for folder in duties:
        name = f"torrent_mover.commands.{folder}.{_DEMO}"
        if importlib.util.find_spec(name) is None:
            continue
        served = getattr(importlib.import_module(name), "served", None)
        if served is not None:
            yield folder, cast("ServedWorld", served)


@contextmanager
def _moves(root: Path, *, keep: bool) -> Iterator[Sections]:
    with DemoWorld(root, keep=keep) as world:
        world.seed_samples(scale=_SCALE)
        config = dict(world.config(General=_SLOW))
        del config["DESTINATION_SERVER"]  # of the modes that upload; each start would say that it is not used
        yield config


def merge(sections: dict[str, dict[str, str]], given: Sections) -> None:
    """The worlds share one state folder; what else is general is the mover's."""
    for heading, keys in given.items():
        own = {key: value for key, value in keys.items() if key not in ("state_dir", "log_dir")}
        sections.setdefault(heading, {}).update(own)


def write(root: Path, sections: dict[str, dict[str, str]]) -> tuple[Path, int, str]:
    """The config, the port of the page, its token."""
    port, token = free_port(), secrets.token_urlsafe(12)
    sections.setdefault("General", {}).update({"state_dir": str(root / "state"), "log_dir": str(root / "log")})
    sections["WEB"] = {"host": LOOPBACK, "port": str(port), "token": token}
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_dict(sections)
    path = root / "config.ini"
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8") as stream:
        parser.write(stream)
    return path, port, token


def _tell(config: Path, port: int, token: str) -> None:
    _say(f"\nThe page:         http://{LOOPBACK}:{port}/")
    _say(f"It asks for this: {token}")
    _say(f"In a terminal:    torrent-mover --config {config} attach")
    _say(
        "What is wrong with downloads is only reported: write mode = act into [HEALTH demo], on the page under Settings,"
    )
    _say("and see. Ctrl-C here ends all of it and removes it. Below are warnings and errors only.\n")


def _serve(config: Path, arguments: argparse.Namespace) -> ExitCode:
    from torrent_mover.commands import serve

    parser = argparse.ArgumentParser()
    add_arguments(parser, lambda text: float(text.removesuffix("s")))
    given = parser.parse_args(["--every", _EVERY, "--quiet"])
    return serve.execute(argparse.Namespace(**{**vars(arguments), **vars(given), "config": str(config)}))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

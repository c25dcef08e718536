"""Looks of health over four loops of many torrents in a real qBittorrent, and what other programs need for the same torrents."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.arena import Arena
from bench.crowd import CrowdedClient, crowded
from bench.report import Row, at_least, at_most
from torrent_mover.domain.errors import MissingProgram

_LOOPS: Final = ("tv", "films", "music", "books")
_EACH: Final = 5000
_STUCK: Final = 100
_LOOKS: Final = 7
_EVERY: Final = 300
_PATIENCE: Final = 900.0
_ROOT: Final = Path(__file__).resolve().parent.parent
_MANAGER: Final = "qbit-manage==4.14.0"


def looking(arena: Arena, *, quick: bool) -> Iterator[Row]:
    """The first look of all loops, later ones, memory; then the whole program, and the others."""
    each = _EACH // (10 if quick else 1)
    first, again, memory = at_most(5, 1, " s"), at_most(0.5, 0.1, " s"), at_most(150, 75, " MiB")
    root = arena.root / "health"
    try:
        with crowded(root, _LOOPS, each, _STUCK) as client:
            config = _config(root, client)
            note = f"{len(_LOOPS)} loops of a real qBittorrent 5.1 with {client.torrents} torrents, {_STUCK} of each loop stuck"
            said = _looks(arena, config, _EVERY)
            if said["judged"] != client.torrents or said["found"] < _STUCK * len(_LOOPS):
                raise RuntimeError(f"not all was judged: {said}")
            begun, *later = said["seconds"]
            words = f"{note}; the first look of all loops; {said['cpu'][0]:.2f} s of CPU, the rest is the client's"
            yield Row.judged("health-look", f"{begun:.2f} s", "", begun, first, words)
            took = statistics.median(later)
            words = (
                f"{note}; later looks, five minutes apart by the loops' clock: the client's changes, and trackers of"
            )
            words += (
                f" what is stuck and of fifty others of each loop; {statistics.median(said['cpu'][1:]):.2f} s of CPU"
            )
            yield Row.judged("health-look-again", f"{took:.2f} s", "", took, again, words)
            still = _looks(arena, config, 0)
            took = statistics.median(still["seconds"][1:])
            words = (
                f"{note}; looks right after another: nothing has changed, and trackers of fifty torrents of each loop"
            )
            words += f" are asked for the first time; {statistics.median(still['cpu'][1:]):.2f} s of CPU"
            yield Row.judged("health-look-still", f"{took:.2f} s", "", took, again, words)
            yield Row.judged(
                "health-memory", f"{said['mib']:.0f} MiB", "", said["mib"], memory, f"{note}; all loops, peak"
            )
            yield from _others(arena, root, config, client, note)
    except MissingProgram as error:
        yield Row.unmeasured("health-look", "", first, error.what)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _looks(arena: Arena, config: Path, every: int) -> dict[str, list[float]]:
    arena.fresh_state()
    return arena.child("bench.looks", {"config": str(config), "looks": _LOOKS, "every": every})


def _config(root: Path, client: CrowdedClient) -> Path:
    server = client.server
    lines = [
        "[CLIENT qbit]",
        f"host = http://{server.host}",
        f"port = {server.port}",
        f"username = {server.username}",
        f"password = {server.password}",
        "[General]",
        f"state_dir = {root.parent / 'state'}",
        f"log_dir = {root.parent / 'state'}",
    ]
    for category in client.categories:
        lines += [f"[HEALTH {category}]", "client = qbit", f"categories = {category}"]
    path = root / "config.ini"
    path.write_text("\n".join([*lines, ""]))
    path.chmod(0o600)
    return path


def _others(arena: Arena, root: Path, config: Path, client: CrowdedClient, note: str) -> Iterator[Row]:
    """The whole program from its start to its end, once for all torrents, against theirs."""
    bar = at_least(5, 10)
    arena.fresh_state()
    ours = _timed([sys.executable, "-m", "torrent_mover", "--config", str(config), "health"], _ROOT, root)
    try:
        theirs = _timed(_manager(root, client), root, root)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        yield Row.unmeasured("health-peer", _MANAGER, bar, f"{note}; {error}"[:300])
    else:
        words = f"{note}; whole programs, once, changing nothing; {_MANAGER} looks for unregistered torrents and tracker errors"
        yield Row.judged("health-peer", f"{ours:.1f} s", f"{_MANAGER} {theirs:.1f} s", theirs / ours, bar, words)
    yield Row.unmeasured(
        "health-peer",
        "qBitrr2",
        bar,
        "5.12.12 starts only once a package that it does not name (ujson) is there too, and has no pass over a client that could"
        " be timed: it goes over the torrents of an Arr that answers it, in a loop without end, and changes what it finds",
    )


def _manager(root: Path, client: CrowdedClient) -> list[str]:
    """qbit_manage in a virtual environment of its own, and its config."""
    home = root / "qbit_manage"
    _run([sys.executable, "-m", "venv", str(home)])
    _run([str(home / "bin" / "pip"), "install", "-q", _MANAGER])
    server = client.server
    switches = ("recheck", "cat_update", "tag_update", "rem_orphaned", "tag_nohardlinks", "share_limits")
    text = [
        "commands:",
        "  dry_run: True",
        "  rem_unregistered: True",
        "  tag_tracker_error: True",
        "  skip_qb_version_check: True",
        "  skip_cleanup: True",
        *(f"  {switch}: False" for switch in switches),
        "qbt:",
        f'  host: "{server.host}:{server.port}"',
        f"  user: {server.username}",
        f'  pass: "{server.password}"',
        "directory:",
        f"  root_dir: {server.data}",
        "cat:",
        *(f"  {category}: {server.data}" for category in client.categories),
        "tracker:",
        "  other:",
        "    tag: other",
    ]
    config = home / "config.yml"
    config.write_text("\n".join([*text, ""]))
    return [str(home / "bin" / "qbit-manage"), "--run", "--config-dir", str(home), "--web-server=False"]


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    if done.returncode:
        raise RuntimeError(f"{argv[-1]}: {done.stderr[-300:]}")


def _timed(argv: list[str], folder: Path, home: Path) -> float:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"}
    began = time.monotonic()
    done = subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE
    )
    if done.returncode:
        raise RuntimeError(f"{argv[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-300:]}")
    return time.monotonic() - began

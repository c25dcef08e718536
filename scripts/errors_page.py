"""docs/errors.md, made from the tree of errors. Written by generate.py."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import torrent_mover
from torrent_mover.domain.errors import ExitCode, MoverError, Retry
from torrent_mover.domain.retry import Backoff

AGAIN = {Retry.NEVER: "no: somebody must act", Retry.LATER: "later", Retry.NOW: "at once"}
EXITS = {
    ExitCode.DONE: "Done, or nothing to do.",
    ExitCode.SOME_FAILED: "Some torrents failed; `torrent-mover status` says which and why. The others were moved.",
    ExitCode.USAGE: "The command line or the config does not make sense. Nothing was begun.",
    ExitCode.UNREACHABLE: "A server cannot be reached, or refuses the login. Trying again later may help.",
    ExitCode.PREFLIGHT_REFUSED: "A check before the run says no, or the destination is not prepared. Somebody must act.",
    ExitCode.ALREADY_RUNNING: "Another run is active, or another program has locked the journal. Nothing was begun: try again."
    " With `-q`, another run is not worth a line to what a timer begins again"
    " (a run, `tier`, `health`, `debrid run`); every other command says it.",
    ExitCode.INTERRUPTED: "Ended by SIGINT (Ctrl-C), or by somebody who left the dashboard. The next run goes on from there.",
    ExitCode.TERMINATED: "Ended by SIGTERM or SIGHUP. The next run goes on from there.",
}


def errors() -> list[type[MoverError]]:
    """All errors with a code of their own, by code. Front ends raise none."""
    for module in pkgutil.walk_packages(torrent_mover.__path__, "torrent_mover."):
        if module.name.split(".")[1] in ("domain", "ports", "transfer", "engine", "duties", "adapters"):
            importlib.import_module(module.name)
    return sorted((each for each in _below(MoverError) if "code" in vars(each)), key=lambda each: each.code)


def _below(error: type[MoverError]) -> Iterator[type[MoverError]]:
    yield error
    for child in error.__subclasses__():
        yield from _below(child)


def errors_page() -> str:
    """The page."""
    lines = [
        "# Errors and exit codes",
        "",
        "An error says what happened, what was kept, and the one command or line that helps. Its code is the same wherever it",
        "shows up: on the screen, in the log, in `torrent-mover status`, in a notification.",
        "",
        "This page is made from the code by `make template`.",
        "",
        "## Exit codes",
        "",
        "| Code | Meaning |",
        "|---|---|",
        *(f"| {int(code)} | {meaning} |" for code, meaning in EXITS.items()),
        "",
        "## Error codes",
        "",
        "| Code | Name | Meaning | Tried again | Exit code |",
        "|---|---|---|---|---|",
    ]
    for error in errors():
        meaning = " ".join((error.__doc__ or "").split("\n\n")[0].split())
        if error is MoverError:
            meaning = "Something unexpected. The log file has the details; please report them."
        lines.append(f"| {error.code} | {error.__name__} | {meaning} | {AGAIN[error.retry]} | {int(error.exit_code)} |")
    lines += [
        "",
        "The exit code is that of a run that ends because of the error. One that concerns a single torrent lets the run go on,",
        f"which then ends with {int(ExitCode.SOME_FAILED)}. *Later* means after a pause that grows with each failure; after",
        f"{Backoff().attempts} in a row without a byte the torrent is left for the next run.",
        "",
    ]
    return "\n".join(lines)

"""The API of the process itself: its loops, its log, its config, and whether servers answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torrent_mover.domain.errors import UsageError
from torrent_mover.domain.report.overview import Overview
from torrent_mover.domain.report.serving import LoopReport, ServeReport
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.ports.config_desk import ConfigDesk, ConfigProblem
from torrent_mover.ports.serve_control import ServeControl
from torrent_mover.web.endpoints import Ask, Done, Endpoint, order

Test = Callable[[str], str]
"""Asks a server by its name in the config; what it is. Raises MoverError."""


@dataclass(frozen=True, slots=True)
class ConfigText:
    """A config file's text; secrets are masked, and a mask that comes back means the secret of before."""

    text: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a text."""

    ok: bool
    problems: tuple[ConfigProblem, ...]


@dataclass(frozen=True, slots=True)
class Tested:
    """What a server has answered."""

    name: str
    product: str


def endpoints(
    control: ServeControl, desk: ConfigDesk | None, tests: Mapping[str, Test], overview: Callable[[], Overview]
) -> Sequence[Endpoint]:
    """Over that control. `desk`: where there is a config file."""

    def on_loop(name: str, summary: str) -> Endpoint:
        return Endpoint(
            "POST",
            f"/loops/{{name}}/{name}",
            summary,
            order(lambda ask: getattr(control, name)(ask.path["name"])),
            Done,
        )

    def test(ask: Ask) -> Tested:
        kind, name = ask.path["kind"], ask.path["name"]
        if kind not in tests:
            raise UsageError(f"What can be tested: {', '.join(tests)}.")
        return Tested(name, tests[kind](name))

    def logs(ask: Ask) -> Sequence[LogLine]:
        return filtered(control.log(ask.query["after"]), ask.query["level"])

    here = (
        Endpoint("GET", "/status", "Loops, servers and disks.", lambda _ask: control.snapshot(), ServeReport),
        Endpoint("GET", "/overview", "Whether all is well, and what needs you.", lambda _ask: overview(), Overview),
        Endpoint("GET", "/loops", "The loops.", lambda _ask: control.snapshot().loops, Sequence[LoopReport]),
        on_loop("restart", "Forget its failures, and have it look now."),
        on_loop("pause", "Let it end its look, and begin no other one."),
        on_loop("resume", "Let it look again."),
        on_loop("look", "Have it look now."),
        Endpoint(
            "GET", "/logs", "Lines of the log.", logs, Sequence[LogLine], query={"after": (int, 0), "level": (str, "DEBUG")}
        ),
        Endpoint("POST", "/test/{kind}/{name}", "Ask a server who it is.", test, Tested, looks=True),
    )  # fmt: skip
    return here if desk is None else (*here, *_of_config(control, desk))


def _of_config(control: ServeControl, desk: ConfigDesk) -> Sequence[Endpoint]:
    def check(ask: Ask) -> Checked:
        problems = desk.check(ask.body.text)
        return Checked(not any(problem.severity == "error" for problem in problems), tuple(problems))

    def put(ask: Ask) -> Checked:
        problems = desk.put(ask.body.text)
        control.reload()
        return Checked(True, tuple(problems))  # noqa: FBT003  a dataclass's field

    return (
        Endpoint("GET", "/config", "The config file.", lambda _ask: ConfigText(desk.text(), desk.path), ConfigText),
        Endpoint("PUT", "/config", "Write the config file; refused where it has an error.", put, Checked, ConfigText),
        Endpoint("POST", "/config/check", "What is wrong with it.", check, Checked, ConfigText, looks=True),
    )  # fmt: skip


_LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")


def filtered(lines: Sequence[LogLine], level: str) -> Sequence[LogLine]:
    """Those at least as loud as that level. Raises UsageError for one that there is not."""
    if level.upper() not in _LEVELS:
        raise UsageError(f"The levels are {', '.join(_LEVELS)}.")
    wanted = _LEVELS[_LEVELS.index(level.upper()) :]
    return tuple(line for line in lines if line.level.value in wanted)

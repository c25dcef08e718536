"""A tier from environment variables alone, under the names of the rTorrent SSD cache managers that it replaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Final, get_args, get_type_hints

from torrent_mover.domain.settings.arr import wrong_in_environment
from torrent_mover.domain.settings.document import SeedKey
from torrent_mover.domain.settings.kinds import Key, Surroundings
from torrent_mover.domain.text import clause
from torrent_mover.duties.tiering.amounts import join_entries
from torrent_mover.duties.tiering.settings import TierProblem, TierSettings, problems_of

NAME: Final = "default"
"""What the tier, and the client, made from the environment are called."""

SSD: Final = "DOWNLOAD_PATH_SSD"
"""The variable whose presence makes a tier."""

_HDD: Final = "/downloads/hdd"
_SCGI_URL: Final = "/dev/shm/rtorrent.sock"  # noqa: S108  the former programs' default
_VARIABLES: Final = {
    "workers": "MAX_CONCURRENT_PROCESSES",
    "free_low": "DISK_SPACE_THRESHOLD_GB",
    "attempts": "COPY_RETRY_ATTEMPTS",
    "verify": "VERIFICATION_ENABLED",
    "mode": "TIER_MODE",
}
_OVERRIDE: Final = "TORRENT_MOVER__TIER_DEFAULT__"
"""Before a key in capitals: that key of the tier, as a config file would say it."""
_NOWHERE: Final = Surroundings(config_dir="/", home="/", state_home="/")


class LogLevel(Enum):
    """The least that the log file keeps, as the former programs called it."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class SeedEnvironment:
    """What the variables say. `tier` None: one of them is wrong, and `problems` says which (`key` is the variable).

    `scgi_url` leads to the rTorrent that is the tier's client. Blank paths: not given.
    """

    tier: TierSettings | None
    scgi_url: str
    log_level: LogLevel
    log_file: str
    state_dir: str
    problems: tuple[TierProblem, ...]


def from_environment(environ: Mapping[str, str]) -> SeedEnvironment | None:
    """The tier called `default` that these variables describe; None without DOWNLOAD_PATH_SSD.

    A variable that is empty counts as not given, as in the programs that it comes from.
    """
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    if SSD not in given:
        return None
    problems: list[TierProblem] = []
    values: dict[str, Any] = {"client": NAME}
    texts = {"ssd": (SSD, join_entries([given[SSD]]))}
    texts["targets"] = ("FINAL_DEST_BASE_HDD", join_entries([f"*:{given.get('FINAL_DEST_BASE_HDD', _HDD)}"]))
    for key, variable in _VARIABLES.items():
        if variable in given:
            texts[key] = (variable, given[variable] + ("G" if key == "free_low" else ""))
    kinds = _kinds()
    for key in kinds:
        if key != "client" and _OVERRIDE + key.upper() in given:
            texts[key] = (_OVERRIDE + key.upper(), given[_OVERRIDE + key.upper()])
    for key, (variable, text) in texts.items():
        try:
            values[key] = kinds[key].kind.read(text, _NOWHERE)
        except ValueError as error:
            problems.append(_wrong(variable, given.get(variable, text), kinds[key], str(error)))
    tier = None if problems else TierSettings(**values)
    if tier is not None:
        problems += [_of_variable(problem) for problem in problems_of(tier)]
    wrong = wrong_in_environment(environ)
    if wrong is not None:
        problems.append(TierProblem(wrong.key, wrong.what, wrong.remedy))
    if any(not problem.warning for problem in problems):
        tier = None
    return SeedEnvironment(
        tier,
        scgi_url=given.get("SCGI_URL", _SCGI_URL),
        log_level=_log_level(given, problems),
        log_file=given.get("LOG_FILE", ""),
        state_dir=given.get("LOCK_DIR", ""),
        problems=tuple(problems),
    )


def seeds_of(environ: Mapping[str, str]) -> Iterator[SeedKey]:
    """The same as lines of a config: [CLIENT default], [TIER default], and where the journal and the log lie."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    if SSD not in given:
        return
    client, tier, general = f"CLIENT {NAME}", f"TIER {NAME}", "General"
    yield SeedKey(client, "type", "rtorrent", SSD)
    yield SeedKey(client, "url", given.get("SCGI_URL", _SCGI_URL), "SCGI_URL")
    yield SeedKey(tier, "client", NAME, SSD)
    yield SeedKey(tier, "ssd", join_entries([given[SSD]]), SSD)
    target = f"*:{given.get('FINAL_DEST_BASE_HDD', _HDD)}"
    yield SeedKey(tier, "targets", join_entries([target]), "FINAL_DEST_BASE_HDD")
    for key, variable in _VARIABLES.items():
        if variable in given:
            yield SeedKey(tier, key, given[variable] + ("G" if key == "free_low" else ""), variable)
    for key in _kinds():
        if key != "client" and _OVERRIDE + key.upper() in given:
            yield SeedKey(tier, key, given[_OVERRIDE + key.upper()], _OVERRIDE + key.upper())
    if "LOCK_DIR" in given:
        yield SeedKey(general, "state_dir", given["LOCK_DIR"], "LOCK_DIR")
    if "LOG_FILE" in given:
        yield SeedKey(general, "log_dir", given["LOG_FILE"].rpartition("/")[0] or "/", "LOG_FILE")


def _log_level(given: Mapping[str, str], problems: list[TierProblem]) -> LogLevel:
    """A level that is none is told, and is no reason not to run."""
    text = given.get("LOG_LEVEL", "INFO").upper()
    try:
        return LogLevel({"WARN": "WARNING", "CRITICAL": "ERROR"}.get(text, text))
    except ValueError:
        what = f"{text!r} is no level; INFO is used."
        problems.append(TierProblem("$LOG_LEVEL", what, "Write DEBUG, INFO, WARNING or ERROR.", warning=True))
        return LogLevel.INFO


def _kinds() -> Mapping[str, Key]:
    hints = get_type_hints(TierSettings, include_extras=True)
    return {
        field.name: next(extra for extra in get_args(hints[field.name]) if isinstance(extra, Key))
        for field in fields(TierSettings)
    }


def _wrong(variable: str, text: str, key: Key, reason: str) -> TierProblem:
    return TierProblem(
        f"${variable}", f"{text!r} does not work: {clause(reason or 'it takes ' + key.kind.expected)}.", key.doc
    )


def _of_variable(problem: TierProblem) -> TierProblem:
    variables = _VARIABLES | {"ssd": SSD, "targets": "FINAL_DEST_BASE_HDD"}
    name = variables.get(problem.key, "")
    return TierProblem(f"${name}" if name else problem.key, problem.what, problem.remedy, problem.warning)

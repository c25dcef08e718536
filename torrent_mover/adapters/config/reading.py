"""Finds and reads the config file, `.ini` or `.toml`, with what the environment overrides, and says all that is wrong with it."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import R_OK, access, fstat
from os import environ as process_environ
from pathlib import Path

from torrent_mover.adapters.config.ini_syntax import read_ini
from torrent_mover.adapters.config.passwords import with_passwords
from torrent_mover.adapters.config.toml_syntax import read_toml
from torrent_mover.adapters.process.this_user import expanded, home_folder
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.kinds import Surroundings
from torrent_mover.domain.settings.problems import ConfigPlace, Problem, Severity, order_of
from torrent_mover.domain.settings.reading import OwnPlaces, read_own_places, read_settings
from torrent_mover.domain.settings.schema import GENERAL, SECTIONS, ConfigDocument, ConfigEntry
from torrent_mover.domain.settings.settings import Settings

_VARIABLE = "TORRENT_MOVER_CONFIG"
_PREFIX = "TORRENT_MOVER__"
_ALIASES = {"TM_SSH_CONNECT_TIMEOUT": (GENERAL.name, "connect_timeout")}
_LARGEST = 1024 * 1024  # bytes; whatever is larger is no config
_SECRET_KEYS = frozenset(name for section in SECTIONS for name, key in section.keys.items() if key.kind.secret)


def discover(explicit: str | None, environ: Mapping[str, str] = process_environ) -> list[tuple[Path, str]]:
    """Where the config may be, in order, each with the reason. A place that was named is the only one."""
    if explicit is not None:
        return [(expanded(explicit), "--config")]
    if environ.get(_VARIABLE):
        return [(expanded(environ[_VARIABLE]), f"${_VARIABLE}")]
    config_home = environ.get("XDG_CONFIG_HOME", "")
    at_home = Path(config_home) if config_home.startswith("/") else home_folder(environ) / ".config"
    return [
        (Path("config.ini"), "the current folder"),
        (at_home / "torrent-mover" / "config.ini", "the user's folder"),
        (Path("/etc/torrent-mover/config.ini"), "the system's folder"),
    ]


def find(explicit: str | None, environ: Mapping[str, str] = process_environ) -> Path:
    """The first place of `discover` where something is. Raises ConfigError that names all the places."""
    places = discover(explicit, environ)
    for path, _ in places:
        if _is_there(path):
            return path
    looked = ", ".join(f"{path} ({reason})" for path, reason in places)
    suggested = places[0][0] if len(places) == 1 else places[1][0]
    where = f"--config {shlex.quote(explicit)} " if explicit else ""
    raise ConfigError(
        f"There is no config file. Looked for: {looked}.",
        remedy=f"To be asked for what it needs: torrent-mover {where}init. By hand: copy config.ini.template to {suggested},"
        f" fill it in, and run torrent-mover {where}--check-config.",
    )


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:  # something is there and keeps us out: reading it says what
        return True
    return True


def load(path: Path | str, environ: Mapping[str, str] = process_environ) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings, and warnings and notices. Raises ConfigError with every problem where one of them is an error."""
    settings, problems = examine(path, environ)
    if settings is None:
        raise _refused(path, problems)
    return settings, problems


def check(path: Path | str, environ: Mapping[str, str] = process_environ) -> tuple[Problem, ...]:
    """Everything that `load` would find, by line; connects nowhere, runs nothing, never raises."""
    return examine(path, environ)[1]


def examine(
    path: Path | str, environ: Mapping[str, str] = process_environ
) -> tuple[Settings | None, tuple[Problem, ...]]:
    """The settings, None where there is an error, and all problems."""
    document, faults = _document(path, environ)
    if document is None:
        return None, faults
    settings, problems = read_settings(document, surroundings(Path(path), environ))
    every = sorted((*faults, *problems), key=order_of)
    if settings is None or any(problem.severity is Severity.ERROR for problem in every):
        return None, tuple(every)
    return with_passwords(settings), tuple(every)


def load_own_places(path: Path | str, environ: Mapping[str, str] = process_environ) -> OwnPlaces:
    """Where the journal and the rules lie, whatever servers and logins the config lacks. Raises ConfigError."""
    document, faults = _document(path, environ)
    places, problems = read_own_places(document, surroundings(Path(path), environ)) if document else (None, faults)
    if places is None:
        raise _refused(path, problems)
    return places


def _document(path: Path | str, environ: Mapping[str, str]) -> tuple[ConfigDocument | None, tuple[Problem, ...]]:
    """What the file and the environment say, None where that is no config at all, and what is wrong with its form."""
    file = Path(path)
    try:
        text, mode = _text_of(file)
    except ConfigError as error:
        return None, (Problem(str(path), None, "", "", error.what, error.remedy),)
    headings, entries, faults = (read_toml if file.suffix.lower() == ".toml" else read_ini)(text, str(path))
    if faults and not headings:
        return None, tuple(faults)  # every section would be told as missing
    faults += _open_to_others(file, mode, entries)
    overrides = _Overrides(dict(headings))
    overrides.take(environ)
    document = ConfigDocument(str(path), tuple(overrides.headings.items()), (*entries, *overrides.entries))
    return document, (*faults, *overrides.faults)


def _refused(path: Path | str, problems: Sequence[Problem]) -> ConfigError:
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    count = "one error" if len(errors) == 1 else f"{len(errors)} errors"
    return ConfigError(
        f"The config {path} has {count}.",
        problems=tuple(str(problem) for problem in problems),
        kept="Nothing was started.",
        remedy=f"Fix the lines above, then check again: torrent-mover --check-config --config {shlex.quote(str(path))}",
    )


def _text_of(file: Path) -> tuple[str, int]:
    """Text and mode. Raises ConfigError."""
    try:
        with file.open("rb") as stream:
            mode = fstat(stream.fileno()).st_mode
            raw = stream.read(_LARGEST + 1)
    except FileNotFoundError as error:
        remedy = f"Copy config.ini.template there, and fill it in: cp config.ini.template {shlex.quote(str(file))}"
        raise ConfigError("there is no such file.", remedy=remedy) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        remedy = f"Look at it with: ls -l {shlex.quote(str(file))}"
        raise ConfigError(f"it cannot be read: {reason}.", remedy=remedy) from error
    if len(raw) > _LARGEST:
        raise ConfigError("it is larger than 1 MiB, so it is no config file.", remedy="Check the path.")
    try:
        return raw.decode("utf-8-sig"), mode
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        remedy = f"Convert it, for example: iconv -f latin1 -t utf-8 {shlex.quote(str(file))}"
        raise ConfigError(f"line {line} is not UTF-8 text.", remedy=remedy) from error


def _open_to_others(file: Path, mode: int, entries: Sequence[ConfigEntry]) -> list[Problem]:
    holds_secret = any(entry.key.lower() in _SECRET_KEYS and entry.value for entry in entries)
    readable_by = [who for who, bit in (("its group", stat.S_IRGRP), ("everybody", stat.S_IROTH)) if mode & bit]
    if not (holds_secret and readable_by and stat.S_ISREG(mode)):
        return []
    what = f"it holds a password, and {' and '.join(readable_by)} may read it."
    return [Problem(str(file), None, "", "", what, f"Type: chmod 600 {shlex.quote(str(file))}", Severity.WARNING)]


def plain_environment() -> dict[str, str]:
    """Ours without settings: what a file says must be right without them."""
    return {
        name: value
        for name, value in process_environ.items()
        if not name.upper().startswith(_PREFIX) and name not in _ALIASES
    }


def surroundings(file: Path, environ: Mapping[str, str]) -> Surroundings:
    """What the values of a file mean on this machine: its folder, the user's home, which files there are."""
    home = str(home_folder(environ))
    state_home = environ.get("XDG_STATE_HOME", "")
    return Surroundings(
        config_dir=str(file.absolute().parent.resolve()),
        home=home,
        state_home=state_home if state_home.startswith("/") else f"{home}/.local/state",
        refusal_of=_refusal_of,
    )


def _refusal_of(path: LocalPath) -> str | None:
    file = Path(str(path))
    try:
        if stat.S_ISDIR(file.stat().st_mode):
            return f"{path} is a folder"
    except FileNotFoundError:
        return f"there is no file {path}"
    except (OSError, ValueError) as error:
        return f"{path} cannot be reached ({getattr(error, 'strerror', None) or error})"
    return None if access(file, R_OK) else f"{path} may not be read by this user"


@dataclass(slots=True)
class _Overrides:
    """What the environment adds to the headings of a file: entries, headings of its own, and names that fit nowhere."""

    headings: dict[str, ConfigPlace]
    entries: list[ConfigEntry] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)

    def take(self, environ: Mapping[str, str]) -> None:
        for alias, (section, key) in _ALIASES.items():
            if environ.get(alias):
                self._add(section, key, environ[alias], f"${alias}")
        for variable in sorted(environ):
            if variable.upper().startswith(_PREFIX):
                self._take_one(variable, environ[variable])

    def _take_one(self, variable: str, text: str) -> None:
        rest = variable[len(_PREFIX) :]
        names = [*self.headings, *(section.name for section in SECTIONS)]
        fitting = [name for name in names if _shell_name(rest).startswith(f"{_shell_name(name)}__")]
        if not fitting:
            known = ", ".join(section.name for section in SECTIONS)
            what = "this environment variable names no section and key."
            remedy = f"It is {_PREFIX}SECTION__KEY; the sections are {known}."
            self.faults.append(Problem(f"${variable}", None, "", "", what, remedy))
            return
        section = max(fitting, key=len)
        self._add(section, rest[len(section) + 2 :].lower(), text, f"${variable}")

    def _add(self, section: str, key: str, text: str, variable: str) -> None:
        name = next((known for known in self.headings if known.casefold() == section.casefold()), section)
        self.headings.setdefault(name, ConfigPlace(variable))
        self.entries.append(ConfigEntry(name, key, text, ConfigPlace(variable), overrides=True))


def _shell_name(name: str) -> str:
    """A name as an environment variable can carry it."""
    return "".join(character if character.isalnum() else "_" for character in name.upper())

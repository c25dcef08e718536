"""Finds and reads the config file, `.ini` or `.toml`, with what the environment overrides, and says all that is wrong with it."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from os import R_OK, access, fstat
from os import environ as process_environ
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from torrent_mover.adapters.config.ini_syntax import read_ini
from torrent_mover.adapters.config.passwords import password_of
from torrent_mover.adapters.config.places import discover
from torrent_mover.adapters.config.rules import RulesFile
from torrent_mover.adapters.config.toml_syntax import read_toml
from torrent_mover.adapters.process.this_user import home_folder
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings import arr, qbitrr
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.domain.settings.document import ConfigDocument, ConfigEntry, SeedKey
from torrent_mover.domain.settings.kinds import Key, Surroundings
from torrent_mover.domain.settings.problems import ConfigPlace, Problem, Severity, order_of
from torrent_mover.domain.settings.reading import OwnPlaces, Schema, read_configuration, read_own_places
from torrent_mover.domain.settings.schema import GENERAL, Section
from torrent_mover.domain.text import clause

Route = TypeVar("Route")

_PREFIX: Final = "TORRENT_MOVER__"
_ALIASES: Final = {"TM_SSH_CONNECT_TIMEOUT": (GENERAL.name, "connect_timeout")}
_LARGEST: Final = 1024 * 1024  # bytes; whatever is larger is no config
ENVIRONMENT: Final = Path("the environment")
"""Stands for a config file where there is none and the environment alone says enough."""


def find(explicit: str | None, environ: Mapping[str, str] = process_environ) -> Path:
    """The first place of `discover` where something is. Raises ConfigError that names all the places."""
    places = discover(explicit, environ)
    for path, _ in places:
        if may_be_there(path):
            return path
    if len(places) > 1 and qbitrr.is_set_up(environ):
        return ENVIRONMENT
    looked = ", ".join(f"{path} ({reason})" for path, reason in places)
    suggested = places[0][0] if len(places) == 1 else places[1][0]
    where = f"--config {shlex.quote(explicit)} " if explicit else ""
    raise ConfigError(
        f"There is no config file. Looked for: {looked}.",
        remedy=f"To be asked for what it needs: torrent-mover {where}init (for moving; or init tier, init health, init debrid)."
        f" By hand: copy config.ini.template to {suggested}, fill it in, and run torrent-mover {where}--check-config.",
    )


def may_be_there(path: Path) -> bool:
    """Whether a config is there, or something keeps us from seeing that there is none."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:  # something is there and keeps us out: reading it says what
        return True
    return True


@dataclass(frozen=True, slots=True)
class ConfigReader(Generic[Route]):
    """Reads config files that have the sections of one schema. Connects nowhere and runs nothing."""

    schema: Schema[Route]

    def load_all(
        self, path: Path | str, environ: Mapping[str, str] = process_environ
    ) -> tuple[Configuration[Route], tuple[Problem, ...]]:
        """All that the config says, and warnings and notices. Raises ConfigError with every problem where one is an error."""
        configuration, problems = self.examine_all(path, environ)
        if configuration is None:
            raise _refused(path, problems)
        return configuration, problems

    def load(self, path: Path | str, environ: Mapping[str, str] = process_environ) -> tuple[Route, tuple[Problem, ...]]:
        """The first route, and warnings and notices. Raises ConfigError as `load_all`, and where there is no route."""
        route, problems = self.examine(path, environ)
        if route is None:
            raise _refused(path, problems)
        return route, problems

    def check(self, path: Path | str, environ: Mapping[str, str] = process_environ) -> tuple[Problem, ...]:
        """Everything that `load_all` would find, by line; never raises."""
        return self.examine_all(path, environ)[1]

    def examine(
        self, path: Path | str, environ: Mapping[str, str] = process_environ
    ) -> tuple[Route | None, tuple[Problem, ...]]:
        """The first route, None where there is an error or no route, and all problems."""
        configuration, problems = self.examine_all(path, environ)
        if configuration is None:
            return None, problems
        if not configuration.routes:
            remedy = "Add a [ROUTE name] section, or set enabled = yes in one: config.ini.template has an example."
            return None, (
                *problems,
                Problem(str(path), None, "", "", "it has no route, so nothing can be moved.", remedy),
            )
        return configuration.routes[0], problems

    def examine_all(
        self, path: Path | str, environ: Mapping[str, str] = process_environ
    ) -> tuple[Configuration[Route] | None, tuple[Problem, ...]]:
        """All that the config says, None where there is an error, and all problems."""
        document, faults = self._document(path, environ)
        if document is None:
            return None, faults
        configuration, problems = read_configuration(document, surroundings(Path(path), environ), self.schema)
        every = sorted((*faults, *problems), key=order_of)
        if any(problem.severity is Severity.ERROR for problem in every):
            return None, tuple(every)
        return configuration, tuple(every)

    def lines_of_old_names(self, path: Path | str, environ: Mapping[str, str] = process_environ) -> tuple[str, ...]:
        """What the former programs' variables say, as lines of a config: `[HEALTH tv] every = 5s ($QBITRR_...)`. Never a secret."""
        file = Path(path)
        headings: dict[str, ConfigPlace] = {}
        if file != ENVIRONMENT:
            text, _ = _text_of(file)
            found = (
                read_toml(text, str(path), {})[0] if file.suffix.lower() == ".toml" else read_ini(text, str(path))[0]
            )
            headings = dict(found)
        overrides = _Overrides(self.schema, headings)
        overrides.take(environ, has_file=file != ENVIRONMENT)
        secret = {
            name for each in self.schema.every for name, key in each.spellings.items() if each.keys[key].kind.secret
        }
        return tuple(
            f"[{seed.section}] {seed.key} = {'(as it is)' if seed.key in secret else seed.text} (${seed.variable})"
            for seed in overrides.seeds
        )

    def seeds_of(self, environ: Mapping[str, str]) -> tuple[SeedKey, ...]:
        """What variables of the former programs say, as keys of sections, where there is no file."""
        overrides = _Overrides(self.schema, {})
        overrides.take(environ, has_file=False)
        return tuple(overrides.seeds)

    def load_own_places(self, path: Path | str, environ: Mapping[str, str] = process_environ) -> OwnPlaces:
        """Where the journal and the rules lie, whatever servers and logins the config lacks. Raises ConfigError."""
        document, faults = self._document(path, environ)
        if document is None:
            raise _refused(path, faults)
        places, problems = read_own_places(document, surroundings(Path(path), environ), self.schema)
        if places is None:
            raise _refused(path, problems)
        return places

    def load_environment(
        self, environ: Mapping[str, str] = process_environ
    ) -> tuple[Configuration[Route], tuple[Problem, ...]]:
        """What the environment says alone, without any file. Raises ConfigError."""
        overrides = _Overrides(self.schema, {})
        overrides.take(environ, has_file=False)
        name = "the environment"
        document = ConfigDocument(name, tuple(overrides.headings.items()), tuple(overrides.entries))
        around = surroundings(Path.cwd() / "environment", environ)
        configuration, problems = read_configuration(document, around, self.schema)
        every = (*overrides.faults, *problems)
        if configuration is None or any(problem.severity is Severity.ERROR for problem in every):
            raise ConfigError(
                "The environment has errors.",
                problems=tuple(str(problem) for problem in every),
                kept="Nothing was started.",
                remedy="Fix these variables.",
            )
        return configuration, every

    def _document(
        self, path: Path | str, environ: Mapping[str, str]
    ) -> tuple[ConfigDocument | None, tuple[Problem, ...]]:
        """What the file and the environment say, None where that is no config at all, and what is wrong with its form."""
        file = Path(path)
        try:
            text, mode = ("", 0) if file == ENVIRONMENT else _text_of(file)
        except ConfigError as error:
            return None, (Problem(str(path), None, "", "", error.what, error.remedy),)
        if file.suffix.lower() == ".toml":
            headings, entries, faults = read_toml(text, str(path), self.schema.named_keys)
        else:
            headings, entries, faults = read_ini(text, str(path))
        if faults and not headings and file != ENVIRONMENT:
            return None, tuple(faults)  # every section would be told as missing
        secret = {
            name for each in self.schema.every for name, key in each.spellings.items() if each.keys[key].kind.secret
        }
        faults += _open_to_others(file, mode, entries, secret)
        overrides = _Overrides(self.schema, dict(headings))
        overrides.take(environ, has_file=file != ENVIRONMENT)
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


def text_of(path: Path) -> str | None:
    """The text of a config as it stands there; None where nothing is. Raises ConfigError, as `load_all` does."""
    if not may_be_there(path):
        return None
    try:
        return _text_of(path)[0]
    except ConfigError as error:
        raise _refused(path, (Problem(str(path), None, "", "", error.what, error.remedy),)) from error


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
        raise ConfigError(f"it cannot be read: {clause(reason)}.", remedy=remedy) from error
    if len(raw) > _LARGEST:
        raise ConfigError("it is larger than 1 MiB, so it is no config file.", remedy="Check the path.")
    try:
        return raw.decode("utf-8-sig"), mode
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        remedy = f"Convert it, for example: iconv -f latin1 -t utf-8 {shlex.quote(str(file))}"
        raise ConfigError(f"line {line} is not UTF-8 text.", remedy=remedy) from error


def _open_to_others(file: Path, mode: int, entries: Sequence[ConfigEntry], secret: Collection[str]) -> list[Problem]:
    holds_secret = any(entry.key.lower() in secret and entry.value for entry in entries)
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
        if not name.upper().startswith(_PREFIX)
        and name not in (*_ALIASES, *arr.SEED_VARIABLES)
        and not name.startswith(qbitrr.PREFIX)
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
        password_of=password_of,
        rule_categories=_rule_categories,
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


def _rule_categories(path: LocalPath) -> frozenset[str]:
    """The categories that tracker rules give; none where the file cannot be read, which the run itself tells."""
    try:
        return frozenset(rule.category for rule in RulesFile(path).read() if not rule.ignores)
    except ConfigError:
        return frozenset()


@dataclass(slots=True)
class _Overrides:
    """What the environment adds to the headings of a file: entries, headings of its own, and names that fit nowhere."""

    schema: Schema[Any]
    headings: dict[str, ConfigPlace]
    entries: list[ConfigEntry] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)
    seeds: list[SeedKey] = field(default_factory=list)

    def take(self, environ: Mapping[str, str], *, has_file: bool) -> None:
        for alias, (section, key) in _ALIASES.items():
            if environ.get(alias):
                self._add(section, key, environ[alias], f"${alias}")
        in_file = {name.casefold() for name in self.headings}
        for named in self.schema.named:
            words = {name.split(" ")[0] for name in in_file}
            for seed in named.seeds(environ):
                known = seed.section.casefold() in in_file
                if seed.is_alone and not known and named.name.casefold() in words:
                    continue  # the file has accounts of its own
                if not (seed.is_default and known):
                    self._seed(seed)
        if any(named.name == arr.ARR for named in self.schema.named):
            wrong = arr.wrong_in_environment(environ)
            if wrong is not None:
                self.faults.append(Problem(wrong.key, None, "", "", wrong.what, wrong.remedy))
        loops = next((section for section in self.schema.named if section.name == qbitrr.LOOPS), None)
        if loops is not None:
            self._take_qbitrr(environ, loops, has_file=has_file)
        for variable in sorted(environ):
            if variable.upper().startswith(_PREFIX):
                self._take_one(variable, environ[variable])

    def _take_qbitrr(self, environ: Mapping[str, str], loops: Section, *, has_file: bool) -> None:
        in_file = {name.casefold() for name in self.headings}
        actions = [key for key, spec in loops.keys.items() if key.endswith("_action") and _takes_off(spec)]
        there = qbitrr.LoopsThere(self._names(qbitrr.LOOPS), self._names(arr.ARR), has_file, actions)
        for seed in qbitrr.from_environment(environ, there):
            if not (seed.is_default and seed.section.casefold() in in_file):
                self._seed(seed)
        for variable in qbitrr.without_effect(environ):
            what = "it has no effect: nothing here is set by it."
            remedy = "It may stay."
            self.faults.append(Problem(f"${variable}", None, "", "", what, remedy, Severity.NOTICE))

    def _names(self, word: str) -> list[str]:
        """Of the sections of a word."""
        return [
            name.partition(" ")[2] for name in self.headings if name.partition(" ")[0].casefold() == word.casefold()
        ]

    def _seed(self, seed: SeedKey) -> None:
        self.seeds.append(seed)
        self._add(seed.section, seed.key, seed.text, f"${seed.variable}")

    def _take_one(self, variable: str, text: str) -> None:
        rest = variable[len(_PREFIX) :]
        names = [*self.headings, *(section.name for section in self.schema.plain)]
        fitting = [name for name in names if _shell_name(rest).startswith(f"{_shell_name(name)}__")]
        if fitting:
            section = max(fitting, key=len)
            self._add(section, rest[len(section) + 2 :].lower(), text, f"${variable}")
            return
        for named in self.schema.named:  # one that the file does not have
            word, _, key = rest.partition("__")
            if key and _shell_name(f"{word}_").startswith(f"{_shell_name(named.name)}_"):
                name = word[len(named.name) + 1 :].lower()
                self._add(f"{named.name} {name}".strip(), key.lower(), text, f"${variable}")
                return
        known = ", ".join(section.heading for section in self.schema.every)
        what = "this environment variable names no section and key."
        remedy = f"It is {_PREFIX}SECTION__KEY, or {_PREFIX}SECTION_NAME__KEY; the sections are {known}."
        self.faults.append(Problem(f"${variable}", None, "", "", what, remedy))

    def _add(self, section: str, key: str, text: str, variable: str) -> None:
        name = next((known for known in self.headings if known.casefold() == section.casefold()), section)
        self.headings.setdefault(name, ConfigPlace(variable))
        self.entries.append(ConfigEntry(name, key, text, ConfigPlace(variable), overrides=True))


def _takes_off(key: Key) -> bool:
    try:
        key.kind.read("off", Surroundings(config_dir="/", home="/", state_home="/"))
    except ValueError:
        return False
    return True


def _shell_name(name: str) -> str:
    """A name as an environment variable can carry it."""
    return "".join(character if character.isalnum() else "_" for character in name.upper())

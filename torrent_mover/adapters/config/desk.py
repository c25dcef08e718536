"""A config file as a page shows and writes it: secrets masked, comments kept, nothing written that has an error."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from torrent_mover.adapters.config.masking import Masking
from torrent_mover.adapters.local.whole_file import OWNER_ONLY, place_of, write_whole
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.settings.problems import Problem
from torrent_mover.domain.text import clause
from torrent_mover.ports.config_desk import ConfigProblem


class FileDesk:
    """See ports.config_desk.ConfigDesk. `secret` and `named`: see Masking; `examine` reads a file."""

    def __init__(
        self,
        path: Path,
        secret: Callable[[str, str], bool],
        examine: Callable[[Path], Sequence[Problem]],
        named: Mapping[str, Collection[str]],
    ) -> None:
        self._path = path
        self._masking = Masking(str(path), path.suffix.lower() == ".toml", secret, named)
        self._examine = examine

    @property
    def path(self) -> str:
        """See the port."""
        return str(self._path)

    def text(self) -> str:
        """See the port. Raises ConfigError."""
        return self._masking.masked(self._read())

    def check(self, text: str) -> Sequence[ConfigProblem]:
        """See the port."""
        return [_told(problem) for problem in self._problems(self._masking.unmasked(text, self._read()))]

    def put(self, text: str) -> Sequence[ConfigProblem]:
        """See the port."""
        new = self._masking.unmasked(text, self._read())
        problems = [_told(problem) for problem in self._problems(new)]
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            raise ConfigError(
                f"The config has {len(errors)} error{'s' if len(errors) > 1 else ''}.",
                kept="The file was not changed.",
                remedy=f"{errors[0].section} {errors[0].key}: {errors[0].what} {errors[0].remedy}".strip(),
            )
        try:
            real, mode = place_of(self._path, OWNER_ONLY)
            backup = real.with_name(f"{real.name}.{time.strftime('%Y%m%d-%H%M%S')}")
            write_whole(backup, self._read(), mode)
            write_whole(real, new, mode)
        except OSError as error:
            raise ConfigError(
                f"{self._path} cannot be written: {error.strerror}.",
                kept="The file was not changed.",
                remedy="Write it yourself, or give it to the user that runs torrent-mover.",
            ) from error
        return problems

    def _read(self) -> str:
        try:
            return self._path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{self._path} cannot be read: {clause(getattr(error, 'strerror', None) or 'not UTF-8')}."
            ) from error

    def _problems(self, text: str) -> Sequence[Problem]:
        """Of a text, read as if it were the file: beside it, because relative paths start there."""
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".check-", suffix=self._path.suffix)
        draft = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            return self._examine(draft)
        finally:
            draft.unlink(missing_ok=True)


def _told(problem: Problem) -> ConfigProblem:
    return ConfigProblem(
        problem.line, problem.section, problem.key, problem.what, problem.remedy, problem.severity.value
    )

"""init --from-env, --from-rdtm: writes sections of ours from the variables of the programs that this one replaces."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from torrent_mover.adapters.process.this_user import expanded
from torrent_mover.bootstrap.configs import CONFIGS
from torrent_mover.commands.init_draft import ConfigDraft
from torrent_mover.domain.errors import ConfigError, ExitCode, UsageError
from torrent_mover.domain.settings.document import SeedKey
from torrent_mover.domain.text import safe
from torrent_mover.duties.debrid.environment import TOKEN
from torrent_mover.duties.tiering.environment import SSD, seeds_of

HERE: Final = "-"
"""In place of a file: the variables that are set in this process."""

_LINE: Final = re.compile(r"(?:-\s*)?(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)", re.DOTALL)
_LARGEST: Final = 256 * 1024  # bytes
_REPORTING: Final = ("DEBRID", "HEALTH")
_LOOKS: Final = {"TIER": "tier --dry-run", "HEALTH": "health --dry-run", "DEBRID": "debrid run --once --dry-run"}
_QUIET: Final = {
    "LOG_LEVEL": "--debug writes debug messages to the log file.",
    "DRY_RUN": "mode = act in [DEBRID] acts.",
}


def write(arguments: argparse.Namespace, draft: ConfigDraft) -> ExitCode:
    """Write what the variables say, in report mode where the duty judges by signs. Raises ConfigError, UsageError."""
    source = arguments.from_rdtm or arguments.from_env
    environ = dict(os.environ) if source == HERE else read_env(expanded(source))
    needed = (TOKEN,) if arguments.from_rdtm else (TOKEN, SSD, "QBITRR_QBIT_HOST", "SONARR_API_KEY", "RADARR_API_KEY")
    if not any(environ.get(name) for name in needed):
        raise UsageError(
            f"{source} sets none of {', '.join(needed)}, so there is nothing to write.",
            kept="Nothing was written.",
            remedy="Name the file with the variables of the former program: init --from-env /path/to/.env",
        )
    seeds = [*CONFIGS.seeds_of(environ), *seeds_of(environ)]
    sections = _sections(seeds)
    taken = [heading for heading in sections if heading.casefold() in draft.headings()]
    if taken:
        raise UsageError(
            f"{draft.path} has [{taken[0]}] already.",
            kept="Nothing was written.",
            remedy="Choose another file with --config PATH, or replace this one with --overwrite (the old one is kept).",
        )
    draft.configuration(sections)
    sys.stdout.write(f"{draft.write(sections, '--config PATH')}\n")
    sys.stdout.writelines(f"  {safe(note)}\n" for note in _notes(environ, seeds, only_file=source != HERE))
    config = shlex.quote(str(draft.path))
    sys.stdout.write(f"Next:    torrent-mover --config {config} doctor\n")
    for word in dict.fromkeys(heading.partition(" ")[0] for heading in sections):
        if word in _LOOKS:
            sys.stdout.write(f"Then:    torrent-mover --config {config} {_LOOKS[word]}\n")
    return ExitCode.DONE


def _sections(seeds: Iterable[SeedKey]) -> Mapping[str, Mapping[str, str]]:
    """[General] first; `mode = report` in each section whose duty would otherwise act on signs at once."""
    sections: dict[str, dict[str, str]] = {"General": {}}
    for seed in seeds:
        sections.setdefault(seed.section, {})[seed.key] = seed.text
    for heading, keys in sections.items():
        if heading.partition(" ")[0] in _REPORTING:
            keys["mode"] = "report"
    return {heading: keys for heading, keys in sections.items() if keys}


def _notes(environ: Mapping[str, str], seeds: Iterable[SeedKey], *, only_file: bool) -> Iterable[str]:
    used = {seed.variable for seed in seeds}
    if any(seed.section.startswith(_REPORTING) for seed in seeds):
        yield "It reports only. When you like what it says, write mode = act."
    if not only_file:
        return  # what else is set here has other purposes
    for name, what in _QUIET.items():
        if name in environ and name not in used - {"DRY_RUN"}:
            yield f"{name} was left out: {what}"
    left = sorted(name for name in environ if name not in used and name not in _QUIET)
    if left:
        yield f"Left out, nothing here is set by it: {', '.join(left)}"


def read_env(path: Path) -> Mapping[str, str]:
    """The variables of a file: NAME=value lines of a .env, of a shell, or of `environment:` in a compose file.

    Nothing is expanded or run. Raises UsageError, ConfigError.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(_LARGEST).decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", kept="Nothing was written.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is no UTF-8 text.", kept="Nothing was written.", remedy="Name a file with lines NAME=value."
        ) from error
    found = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match:
            found[match[1]] = _plain(match[2].strip())
    return found


def _plain(text: str) -> str:
    """A value without its quotes, and without the comment behind it."""
    if text[:1] in ("'", '"') and (end := text.find(text[0], 1)) > 0:
        return text[1:end]
    return re.split(r"\s+#", text, maxsplit=1)[0].strip()

"""init --from-qbitrr: writes a config of ours from a config.toml of qBitrr, in report mode, with its tracker rules beside it."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from torrent_mover.adapters.config.reading import plain_environment
from torrent_mover.adapters.config.writing import write_text
from torrent_mover.adapters.local.whole_file import write_whole
from torrent_mover.bootstrap.configs import check, load_all
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.commands.init_draft import rendered
from torrent_mover.domain.errors import ConfigError, ExitCode, UsageError
from torrent_mover.domain.settings.problems import Severity
from torrent_mover.domain.settings.qbitrr_config import QbitrrConversion, converted
from torrent_mover.domain.text import clause, safe

_RULES: Final = "tracker_rules.json"
_HEAD: Final = "# Made of a config.toml of qBitrr. Every loop is in report mode: to act, write mode = act.\n"


def write(source: Path, target: Path, *, replaces: bool) -> ExitCode:
    """Write it, checked as a whole before. What is there is kept beside it; see `write_text`. Raises ConfigError, UsageError."""
    made = converted(_read(source))
    _leave_out_unknown(made)
    text = _HEAD + rendered(made.sections)
    _check(text, made)
    write_text(target, text, partial(load_all, environ=plain_environment()), None, replaces=replaces)
    rules = target.with_name(_RULES)
    try:
        if made.rules and rules.exists():
            made.notes.append(
                f"{rules} is there already and was left as it is; its rules of trackers were not written."
            )
        elif made.rules:
            write_whole(rules, json.dumps(made.rules, indent=2) + "\n", 0o644)
    except OSError as error:
        raise ConfigError(
            f"{rules} cannot be written: {error.strerror}.",
            kept=f"The config is written: {target}. It lacks the rules of trackers, which stand in that file.",
            remedy=f"Look at the file: ls -l {shlex.quote(str(rules))}; then again, with --overwrite",
        ) from error
    sys.stdout.write(f"Written: {target}\n")
    sys.stdout.writelines(f"  {safe(note)}\n" for note in made.notes)
    sys.stdout.write(
        f"It reports only. Look at what it would do: torrent-mover --config {shlex.quote(str(target))} health\n"
    )
    return ExitCode.DONE


def _read(source: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(source.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}.", kept="Nothing was written.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{source} is no TOML file: {clause(error)}.",
            kept="Nothing was written.",
            remedy="Name the config.toml of qBitrr: init --from-qbitrr /config/config.toml",
        ) from error


def _leave_out_unknown(made: QbitrrConversion) -> None:
    """Keys that there are not, in this version."""
    known = {section.name.casefold(): section.spellings for section in SCHEMA.every}
    for heading, keys in made.sections.items():
        spellings = known[heading.partition(" ")[0].casefold()]
        for key in [key for key in keys if key not in spellings]:
            made.notes.append(f"[{heading}] {key} = {keys.pop(key)} was left out: there is no such key.")


def _check(text: str, made: QbitrrConversion) -> None:
    """What cannot be used refuses all of it, with each value that is wrong."""
    with tempfile.TemporaryDirectory(prefix="torrent-mover-") as folder:
        draft = Path(folder) / "config.ini"
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        wrong = [each for each in check(draft, plain_environment()) if each.severity is Severity.ERROR]
    if wrong:
        raise ConfigError(
            "That config.toml cannot be taken over as it is.",
            problems=tuple(f"[{each.section}] {each.key}: {each.what}" for each in wrong),
            kept=f"Nothing was written; {len(made.sections)} sections were made.",
            remedy="Correct these values in the config.toml, and try again.",
        )

"""keymap.toml: other keys for the same actions, by the id of the binding; and the page that lists them."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path

from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.text import clause, clauses
from torrent_mover.tui.debrid import keys as debrid
from torrent_mover.tui.health import keys as health
from torrent_mover.tui.overview import keys as overview
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.keys import key_name
from torrent_mover.tui.tiering import keys as tiering
from torrent_mover.tui.wizard import keys as wizard

_GROUPS = bindings.GROUPS + overview.GROUPS + tiering.GROUPS + health.GROUPS + debrid.GROUPS + wizard.GROUPS


def known_ids() -> frozenset[str]:
    """Every id that may stand in keymap.toml: those of all screens, as one file serves them all."""
    return frozenset(binding.id for _, group in _GROUPS for binding in group if binding.id)


def load_keymap(path: Path) -> dict[str, str]:
    """Binding id -> keys, as Textual's `set_keymap` takes it. Raises ConfigError with every problem of the file at once.

    Two shapes: `"run.pause" = "ctrl+s"`, or a table `[run]` with `pause = "ctrl+s"`.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"The keymap {path} cannot be read: {error.strerror}.", remedy="Fix the path, or remove the keymap."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The keymap {path} is no TOML: {clause(error)}.", remedy='Lines read: "run.pause" = "ctrl+s"'
        ) from error
    keymap: dict[str, str] = {}
    problems: list[str] = []
    _collect(document, "", keymap, problems)
    if problems:
        raise ConfigError(
            f"The keymap {path} has {len(problems)} wrong line(s): {clause(clauses(*problems))}.",
            problems=tuple(problems),
            kept="The keys are as they were.",
            remedy="The names are listed in docs/keys.md.",
        )
    return keymap


def keys_page() -> str:
    """docs/keys.md: every key with the name that keymap.toml takes."""
    lines = [
        "# Keys",
        "",
        "Made from the screens' own lists by `make template`. `?` shows the keys that hold where you are;",
        "`ctrl+p` finds every action of the dashboard by its words. Sorting is what `--categorize` opens. To change a key, give",
        "its name another one in `~/.config/torrent-mover/keymap.toml`:",
        "",
        "```toml",
        '"run.pause" = "ctrl+s"',
        '"torrent.retry" = "T,ctrl+r"',
        "```",
    ]
    for heading, group in _GROUPS:
        lines += ["", f"## {heading}", "", "| Key | Name | What it does |", "|---|---|---|"]
        for binding in (each for each in group if each.id):
            keys = " ".join(f"`{key_name(key, ascii_only=True)}`" for key in binding.key.split(","))
            lines.append(f"| {keys} | `{binding.id}` | {binding.tooltip} |")
    return "\n".join(lines) + "\n"


def _collect(table: dict[str, object], prefix: str, keymap: dict[str, str], problems: list[str]) -> None:
    known = known_ids()
    for name, value in table.items():
        full = f"{prefix}{name}"
        if isinstance(value, dict):
            _collect(value, f"{full}.", keymap, problems)
        elif full not in known:
            near = difflib.get_close_matches(full, known, 1)
            problems.append(f"no action is called {full!r}" + (f", did you mean {near[0]!r}?" if near else ""))
        elif not isinstance(value, str) or not value.strip():
            problems.append(f'{full} needs a key in quotes, such as "ctrl+s"')
        else:
            keymap[full] = value

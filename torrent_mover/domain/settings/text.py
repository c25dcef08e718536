"""Texts made from the schema: the template of config.ini, a config.ini for given settings, and the reference page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.kinds import Key
from torrent_mover.domain.settings.reading import Schema
from torrent_mover.domain.settings.schema import DESTINATION_SERVER, Section

_WIDTH = 110

_TEMPLATE_HEAD = """\
# Settings of torrent_mover. Copy this file to config.ini, replace example.com, your-... and /path/to/...
# with your own values, then check it with: torrent-mover --check-config
#
# Every line shows the default. A line that begins with # is a comment; a comment needs its own line.
# Every character of a value counts: write no quotes around it. %, # and ; are ordinary characters.
# A time is in seconds, or as 30s, 5m, 1h30m, 2d. A path may be absolute, begin with ~/, or be relative to this folder.
# Any value may come from the environment instead, as TORRENT_MOVER__SECTION__KEY.
# This file holds passwords: chmod 600 config.ini
"""

_TEMPLATE_NAMED = (
    "Sections with a name of your choice, as many as you like. The sections above are the route main; [ROUTE name] is another "
    "route, between clients that have a [CLIENT name], or between SOURCE_CLIENT and DESTINATION_CLIENT. A file with routes "
    "needs none of the sections above: docs/routes.md has examples."
)

_CONFIG_HEAD = """\
# Settings of torrent_mover. docs/config.md explains every key; torrent-mover --check-config checks this file.
"""

_REFERENCE_HEAD = """\
# Every setting

<!-- Made from the schema by make template: edit the schema, not this page. -->

torrent_mover looks for the config in this order: `--config PATH`, `$TORRENT_MOVER_CONFIG`, `./config.ini`,
`$XDG_CONFIG_HOME/torrent-mover/config.ini`, `/etc/torrent-mover/config.ini`. A name that ends in `.toml` is read as TOML, with
the same sections and keys. Start from `config.ini.template`. `torrent-mover --check-config` shows all problems of a
file at once and connects to nothing.

- `%`, `#` and `;` are ordinary characters in a value. A comment needs a line of its own.
- Yes or no: `true`, `yes`, `on`, `1` or `false`, `no`, `off`, `0`. A time: seconds, or `30s`, `5m`, `1h30m`, `2d`.
- A path may be absolute, begin with `~/`, or be relative to the folder of the file. Destinations are always absolute.
- Any value may come from the environment as `TORRENT_MOVER__SECTION__KEY`
  (`TORRENT_MOVER__SOURCE_CLIENT__PASSWORD`); it replaces the value in the file. `TM_SSH_CONNECT_TIMEOUT` is an
  older name for `TORRENT_MOVER__GENERAL__CONNECT_TIMEOUT`.
- The keys of `[General]` count in `[SETTINGS]` too; if a key is in both, the one in `[SETTINGS]` counts.
- `source_client_section`, `destination_client_section` and `source_server_section` give three sections other names.
- A section such as `[ROUTE name]` has a name of your choice, and there may be many: see [routes.md](routes.md). In TOML it is
  `[ROUTE.films]` or `["ROUTE films"]`; from the environment, `TORRENT_MOVER__ROUTE_FILMS__CATEGORY`.
"""


def template(schema: Schema[Any]) -> str:
    """config.ini.template: every key with its default; what must be filled in is unmistakable."""
    parts, shown = [_TEMPLATE_HEAD], dict[tuple[str, str], Section]()
    for section in schema.plain:
        parts.append(_template_section(section, shown))
        shown |= {(name, key.doc): section for name, key in section.keys.items()}
    if schema.named:
        parts.append(_wrapped(_TEMPLATE_NAMED))
    for section in schema.named:
        parts.append(_template_section(section, shown))
        shown |= {(name, key.doc): section for name, key in section.keys.items()}
    return "\n".join(parts)


def _template_section(section: Section, shown: Mapping[tuple[str, str], Section]) -> str:
    """One section; the keys that an earlier one (`shown`) explains already come without their comment, or by name only."""
    commented = section is DESTINATION_SERVER or section.many  # not needed in the default mode
    lines = [_heading(section, section.heading, commented=commented)]
    by_name: dict[str, list[str]] = {}
    for name, key in section.keys.items():
        earlier = shown.get((name, key.doc))
        if earlier and (key.advanced or section.many) and not _needed(section, name):
            by_name.setdefault(earlier.heading, []).append(section.spelling(name))
            continue
        comment = "" if earlier else "\n" + _comment(key)
        lines.append(
            comment + _line(section.spelling(name), _template_value(section, name), commented=commented or key.advanced)
        )
    for home, names in by_name.items():
        lines.append("\n" + _wrapped(f"Also here, as in [{home}]: {', '.join(names)}."))
    return "".join(lines)


def _needed(section: Section, key: str) -> bool:
    """Whether a named section hardly works without that key."""
    return bool(section.keys[key].example)


def config_text(settings: Any, plain: Sequence[Section]) -> str:  # noqa: ANN401 - what the mover makes of a route
    """A config.ini of the `plain` sections that reads back as `settings`.

    It holds the passwords that are held there: write it with mode 0600.
    """
    parts = [_CONFIG_HEAD]
    for section in plain:
        values = getattr(settings, section.field)
        if values is not None:
            name = getattr(settings.moving, section.named_by) if section.named_by else section.name
            lines = [_heading(section, name, commented=False)]
            lines += [_line(key, text, commented=False) for key, text in _written(section, values)]
            parts.append("".join(lines))
    return "\n".join(parts)


def _written(section: Section, values: object) -> Iterator[tuple[str, str]]:
    for name, key in section.keys.items():
        value = getattr(values, name)
        if isinstance(value, Secret) and not value.is_literal:
            continue  # its password_file or password_command is written
        if not key.advanced or value != section.default(name):
            yield name, _text(key, value)


def reference_markdown(schema: Schema[Any]) -> str:
    """docs/config.md: one table a section."""
    return "\n".join((_REFERENCE_HEAD, *(_reference_section(section) for section in schema.every)))


def _reference_section(section: Section) -> str:
    lines = [
        f"## [{section.heading}]",
        "",
        section.doc,
        "",
        "| Key | Value | Default | Meaning |",
        "|---|---|---|---|",
    ]
    elsewhere: dict[str, list[str]] = {}
    for name, key in section.keys.items():
        if name in section.borrowed:
            elsewhere.setdefault(section.borrowed[name].heading, []).append(f"`{section.spelling(name)}`")
            continue
        cells = (key.kind.expected, _default_in_words(section, name), key.doc)
        names = " or ".join(f"`{each}`" for each in key.names or (name,))
        lines.append(f"| {names} | {' | '.join(_cell(cell) for cell in cells)} |")
    lines += [
        line
        for home, names in elsewhere.items()
        for line in (
            "",
            f"Keys of [{home}] that may stand here too; one that is missing is taken from there: {', '.join(names)}.",
        )
    ]
    return "\n".join(lines) + "\n"


def _heading(section: Section, name: str, *, commented: bool) -> str:
    return f"{_wrapped(section.doc)}{'#' if commented else ''}[{name}]\n"


def _comment(key: Key) -> str:
    blank = f"Blank: {key.blank}." if key.blank and key.blank != "none" else ""
    return _wrapped(" ".join(part for part in (key.doc, key.kind.hint, blank) if part))


def _wrapped(text: str) -> str:
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False))


def _line(name: str, text: str, *, commented: bool) -> str:
    mark = "#" if commented else ""
    indented = text.replace("\n", f"\n{mark}    ")
    return f"{mark}{name} = {indented}".rstrip() + "\n"


def _text(key: Key, value: object) -> str:
    return "" if value is None else key.kind.write(value)


def _template_value(section: Section, name: str) -> str:
    key = section.keys[name]
    return key.example or section.default_text(name)


def _default_in_words(section: Section, name: str) -> str:
    key = section.keys[name]
    if section.is_required(name):
        return "*needed*"
    text = section.default_text(name)
    if text:
        return f"`{text}`"
    return f"blank: {key.blank}" if key.blank else "*needed*"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

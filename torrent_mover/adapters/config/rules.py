"""Reads and edits tracker_rules.json. A file that it does not understand is never written over.

The file is one JSON object, domain -> category (or "Ignore"), or domain -> {"category": ..., "overlap": "none",
"again": true, "health": {...}}. An edit changes the characters of that rule alone: order, indentation and spelling of
the others stay as the user has them.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torrent_mover.adapters.local.whole_file import write_whole
from torrent_mover.domain.errors import ConfigError, UsageError
from torrent_mover.domain.health_rules import parse_health_rule
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.rules import Overlap, Rule, TrackerRules, canonical_domain, category_refusal
from torrent_mover.domain.settings.problems import quoted
from torrent_mover.domain.text import clause

_MODE = 0o644
_LARGEST = 4 * 1024 * 1024  # bytes; whatever is larger is no list of rules
_SPACE = re.compile(r"[ \t\r\n]*")
_OVERLAPS = {each.value: each for each in Overlap}
_ORIGINAL_KEPT = "The file was left as it is."


@dataclass(frozen=True, slots=True)
class _Member:
    """One `"domain": "category"`, or an object (`said`), with the offsets of its key and of its value (quotes included)."""

    rule: Rule
    said: Mapping[str, Any]
    key: tuple[int, int]
    value: tuple[int, int]


class RulesFile:
    """The tracker rules at one path. A missing file has no rules; the first `add` makes it."""

    def __init__(self, path: LocalPath | Path) -> None:
        self._path = Path(str(path))

    def read(self) -> TrackerRules:
        """All rules. Raises ConfigError that names line and column where the file is damaged or cannot be read."""
        return _rules(self._members(self._text()))

    def add(self, domain: str, category: str) -> Rule:
        """Set the rule for a domain (or a tracker URL). Raises UsageError for a bad domain or category, ConfigError as `read`."""
        refusal = category_refusal(category)
        if refusal:
            raise UsageError(f"The category {quoted(category)} cannot be used: {refusal}.", kept=_ORIGINAL_KEPT)
        rule = Rule(_domain(domain), category)
        text = self._text()
        members = self._members(text)
        old = next((member for member in members if member.rule.domain == rule.domain), None)
        rule = replace(old.rule, category=category) if old else rule
        if old is None or old.rule != rule:
            self._write(_with(text, members, old, rule), expecting=_rules(members).with_rule(rule.domain, category))
        return rule

    def delete(self, domain: str) -> Rule:
        """Take the rule of a domain away and return it. Raises UsageError where there is none, ConfigError as `read`."""
        name = _domain(domain)
        text = self._text()
        members = self._members(text)
        index = next((index for index, member in enumerate(members) if member.rule.domain == name), None)
        if index is None:
            known = ", ".join(member.rule.domain for member in members) or "none"
            raise UsageError(f"There is no rule for {quoted(name)}.", remedy=f"The rules there are: {known}.")
        self._write(_without(text, members, index), expecting=_rules(members).without(name))
        return members[index].rule

    def _text(self) -> str:
        try:
            with self._path.open("rb") as file:
                raw = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return "{}\n"
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"The rules file {self._path} cannot be read: {clause(getattr(error, 'strerror', None) or error)}.",
                remedy=f"Look at it with: ls -l {shlex.quote(str(self._path))}",
            ) from error
        if len(raw) > _LARGEST:
            raise ConfigError(f"The rules file {self._path} is larger than 4 MiB.", remedy="Check rules_file.")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            before = raw[: error.start].decode("utf-8", "replace")
            raise self._damaged(before, len(before), "this is not UTF-8 text") from error

    def _members(self, text: str) -> list[_Member]:
        start = 1 if text.startswith("\ufeff") else 0
        try:
            whole = json.loads(text[start:])
        except json.JSONDecodeError as error:
            raise self._damaged(text, start + error.pos, f"this is not JSON ({error.msg})") from error
        except (ValueError, RecursionError) as error:  # a number without end, brackets without end
            raise self._damaged(text, start, "this is no list of rules") from error
        begin = _after_space(text, start)
        if not isinstance(whole, dict):
            raise self._damaged(text, begin, 'the rules stand in braces: {"domain": "category"}')
        return self._scan(text, begin)

    def _scan(self, text: str, begin: int) -> list[_Member]:
        """The members of the object that begins at `begin`; the text is known to be valid JSON."""
        decoder = json.JSONDecoder()
        members: list[_Member] = []
        position = _after_space(text, begin + 1)
        while text[position] != "}":
            key, key_end = decoder.raw_decode(text, position)
            value_at = _after_space(text, _after_space(text, key_end) + 1)
            value, value_end = decoder.raw_decode(text, value_at)
            rule = self._rule(text, position, key, value_at, value)
            first = next((member for member in members if member.rule.domain == rule.domain), None)
            if first:
                line = text.count("\n", 0, first.key[0]) + 1
                raise self._damaged(text, position, f"{quoted(rule.domain)} has a rule already, in line {line}")
            members.append(
                _Member(rule, value if isinstance(value, dict) else {}, (position, key_end), (value_at, value_end))
            )
            position = _after_space(text, value_end)
            if text[position] == ",":
                position = _after_space(text, position + 1)
        return members

    def _rule(self, text: str, key_at: int, key: str, value_at: int, value: object) -> Rule:
        said = value if isinstance(value, dict) else {"category": value}
        category, overlap, again = said.get("category"), said.get("overlap"), said.get("again", False)
        if not isinstance(category, str):
            raise self._damaged(text, value_at, f"the category of {quoted(key)} is no text in quotes")
        known = said.keys() <= {"category", "overlap", "again", "health"}
        if not known or overlap not in (None, *_OVERLAPS) or not isinstance(again, bool):
            wanted = 'beside "category" there may be "overlap": "none" or "brief", "again": true, and "health"'
            raise self._damaged(text, value_at, f"the rule for {quoted(key)} is not understood: {wanted}")
        try:
            domain = canonical_domain(key)
        except ValueError as error:
            raise self._damaged(text, key_at, f"{quoted(key)} is no domain: {error}") from error
        refusal = category_refusal(category)
        if refusal:
            raise self._damaged(text, value_at, f"{quoted(category)} cannot be a category: {refusal}")
        try:
            health = parse_health_rule(said["health"]) if "health" in said else None
        except ValueError as error:
            raise self._damaged(text, value_at, f"the rule for {quoted(key)}: {error}") from error
        return Rule(domain, category, _OVERLAPS.get(str(overlap)), again, health)

    def _damaged(self, text: str, position: int, what: str) -> ConfigError:
        line = text.count("\n", 0, position) + 1
        column = position - (text.rfind("\n", 0, position) + 1) + 1
        return ConfigError(
            f"The rules file {self._path} is damaged in line {line}, column {column}: {what}.",
            kept=_ORIGINAL_KEPT,
            remedy='Fix that line, or move the file away to start again. It looks like: {"tracker.org": "tv"}',
        )

    def _write(self, text: str, *, expecting: TrackerRules) -> None:
        if _rules(self._members(text)) != expecting:
            raise AssertionError("an edit of the rules changed more than one rule")
        target = self._path.resolve()  # a link stays a link
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, text, _MODE)
        except OSError as error:
            raise ConfigError(
                f"The rules file {self._path} cannot be written: {error.strerror}.",
                kept=_ORIGINAL_KEPT,
                remedy=f"Look at its folder with: ls -ld {shlex.quote(str(target.parent))}",
            ) from error


class LiveRules:
    """The rules as the file has them when somebody asks. Raises ConfigError where it is damaged at the beginning.

    Where it is damaged later, the last good rules hold, and `say` is told once for each fault.
    """

    def __init__(self, path: LocalPath | Path, say: Callable[[str], object]) -> None:
        self._say = say
        self._fault = ""
        self._file = RulesFile(path)
        self._rules = self._file.read()

    def __call__(self) -> TrackerRules:
        """The rules now."""
        try:
            self._rules, fault = self._file.read(), ""
        except ConfigError as error:
            fault = str(error)
        if fault and fault != self._fault:
            self._say(f"the tracker rules were changed and have errors; the old ones are kept: {fault}")
        self._fault = fault
        return self._rules

    def read_from(self, path: LocalPath | Path) -> None:
        """Another file holds the rules from now on."""
        self._file = RulesFile(path)


def _rules(members: Iterable[_Member]) -> TrackerRules:
    return TrackerRules(tuple(member.rule for member in members))


def _domain(text: str) -> str:
    try:
        return canonical_domain(text)
    except ValueError as error:
        raise UsageError(
            f"{quoted(text)} cannot be used: {clause(error)}.",
            kept=_ORIGINAL_KEPT,
            remedy="Give the domain of the tracker, such as tracker.org; its subdomains are covered.",
        ) from error


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _with(text: str, members: list[_Member], old: _Member | None, rule: Rule) -> str:
    """The text with that rule: in place of `old`, else as the last one, laid out like the one before it."""
    plain: dict[str, object] = {**(old.said if old else {}), "category": rule.category}
    value = json.dumps(plain if len(plain) > 1 else rule.category, ensure_ascii=False)
    if old:
        return text[: old.value[0]] + value + text[old.value[1] :]
    key = json.dumps(rule.domain, ensure_ascii=False)
    if not members:
        brace = text.index("{")
        return f"{text[: brace + 1]}\n  {key}: {value}\n{text[text.rindex('}') :]}"
    last = members[-1]
    gap = text[_space_before(text, last.key[0]) : last.key[0]]
    colon = text[last.key[1] : last.value[0]]
    return f"{text[: last.value[1]]},{gap}{key}{colon}{value}{text[last.value[1] :]}"


def _space_before(text: str, position: int) -> int:
    return len(text[:position].rstrip(" \t\r\n"))


def _without(text: str, members: list[_Member], index: int) -> str:
    """The text without that member and the comma that belongs to it."""
    member = members[index]
    if len(members) == 1:
        return f"{text[: text.index('{') + 1]}{text[text.rindex('}') :]}"
    if index == 0:
        return text[: member.key[0]] + text[members[1].key[0] :]
    return text[: members[index - 1].value[1]] + text[member.value[1] :]

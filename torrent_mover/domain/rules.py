"""Tracker rules: which category a torrent gets for the domain of its tracker, and which trackers are left alone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from torrent_mover.domain.health_rules import HealthRule

IGNORE = "Ignore"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LONGEST_NAME = 253  # characters, the limit of DNS
_DOMAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


def category_refusal(category: str) -> str | None:
    """Why a client would refuse that category, or write outside its folder for it; None: it is fine."""
    if not category.strip():
        return "a category has a name"
    if any(character < " " or character in "\\\x7f" or "\ud800" <= character <= "\udfff" for character in category):
        return "a category has no backslash and no control character, and is valid Unicode"
    if any(part.strip() in ("", ".", "..") for part in category.split("/")):
        return "a category has no empty, . or .. part between its slashes"
    return None


def canonical_domain(text: str) -> str:
    """The one spelling of a domain: lower case, ASCII (IDNA), without scheme, user, port, path, `*.` or last dot.

    An IP address stays itself, IPv6 without brackets. Raises ValueError with the reason for anything else.
    """
    host = _host_of(text.strip()).removeprefix("*.").rstrip(".").lower()
    if address := _address(host):
        return address
    if len(host) > _LONGEST_NAME:
        raise ValueError("it is longer than a domain can be")
    try:
        ascii_host = host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise ValueError("it is not a domain") from error
    if not _DOMAIN.fullmatch(ascii_host):
        raise ValueError("it is not a domain")
    return ascii_host


def _host_of(url: str) -> str:
    scheme = _SCHEME.match(url)
    authority = re.split(r"[/?#\\]", url[scheme.end() :] if scheme else url, maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]


def _address(host: str) -> str | None:
    try:
        return ipaddress.ip_address(host).compressed
    except ValueError:
        return None


class Overlap(Enum):
    """Whether both clients may seed a torrent for a moment."""

    BRIEF = "brief"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rule:
    """Torrents of `domain` and its subdomains belong to `category`; `overlap` where the tracker wants another than usual.

    `again`: they are moved back to the client that an earlier run has brought them from. `health`: what else the tracker asks for.
    """

    domain: str
    category: str
    overlap: Overlap | None = None
    again: bool = False
    health: HealthRule | None = None

    @property
    def ignores(self) -> bool:
        """Whether torrents of this tracker are neither analysed nor moved nor touched."""
        return self.category.casefold() == IGNORE.casefold()


@dataclass(frozen=True, slots=True)
class TrackerRules:
    """All rules, in the order of the file. Domains are canonical, each at most once."""

    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        domains = [rule.domain for rule in self.rules]
        if len(set(domains)) != len(domains):
            raise ValueError("a domain has two rules")

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def of_tracker(self, url: str) -> Rule | None:
        """The rule for one tracker URL: the longest domain that covers its host; None for `** [DHT] **` and the like."""
        try:
            host = canonical_domain(url)
        except ValueError:
            return None
        by_domain = {rule.domain: rule for rule in self.rules}
        if _address(host):
            return by_domain.get(host)
        labels = host.split(".")
        candidates = (".".join(labels[first:]) for first in range(len(labels)))
        return next((by_domain[name] for name in candidates if name in by_domain), None)

    def of_torrent(self, tracker_urls: Iterable[str]) -> Rule | None:
        """The rule for a torrent: one ignored tracker ignores it, whatever the others say; else the first with a rule."""
        found = self.all_of(tracker_urls)
        return next((rule for rule in found if rule.ignores), found[0] if found else None)

    def all_of(self, tracker_urls: Iterable[str]) -> list[Rule]:
        """The rules of all trackers of a torrent, each once."""
        return list(dict.fromkeys(rule for url in tracker_urls if (rule := self.of_tracker(url))))

    def with_rule(self, domain: str, category: str) -> TrackerRules:
        """These rules and one more; a rule for the same domain gets the category. Raises ValueError."""
        refusal = category_refusal(category)
        if refusal:
            raise ValueError(refusal)
        rule = Rule(canonical_domain(domain), category)
        if any(old.domain == rule.domain for old in self.rules):
            kept = (replace(old, category=category) if old.domain == rule.domain else old for old in self.rules)
            return TrackerRules(tuple(kept))
        return TrackerRules((*self.rules, rule))

    def without(self, domain: str) -> TrackerRules:
        """These rules without the one for `domain`. Raises ValueError or KeyError (canonical domain, no such rule)."""
        name = canonical_domain(domain)
        kept = tuple(rule for rule in self.rules if rule.domain != name)
        if len(kept) == len(self.rules):
            raise KeyError(name)
        return TrackerRules(kept)

"""Takes secrets out of text that goes to logs, journal and terminal: passkeys in URLs, passwords, cookies."""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import quote, quote_plus

HIDDEN: Final = "•••"

SHORTEST: Final = 3
"""Characters; a shorter registered secret would only blacken half of the log, and tell by that what it is."""

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^\s/?#\"'<>]*)(?P<rest>[^\s\"'<>]*)", re.IGNORECASE)
_TELLING = re.compile(
    r"announce|scrape"
    r"|[?&](?:[a-z_]*key|key|[a-z_]*token|torrent_pass|pass(?:word|wd)?|sid|auth|secret|pid|uk|rss)="
    r"|/(?=[\w-]*\d)[\w-]{16,}",  # a path part that is long and has digits: most passkeys
    re.IGNORECASE,
)
_MAGNET = re.compile(r"(magnet:\?(?:xt=urn:bt[im]h:\w+)?)[^\s\"'<>]*", re.IGNORECASE)
_HEADER = re.compile(r"\b(authorization|cookie|set-cookie|x-api-key)(['\"]?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"\b(\w*(?:passkey|password|passphrase|authkey|torrent_pass|api_?key|token|sid))(['\"]?\s*[=:]\s*)"
    r"(?:'[^']*'|\"[^\"]*\"|[^\s&;,'\"]+)",
    re.IGNORECASE,
)


def hide_known_shapes(text: str) -> str:
    """The text without what looks like a secret: keys in tracker URLs and magnet links, logins in URLs, cookies, tokens.

    Scheme and host of a URL stay, so that one sees which tracker is meant.
    """
    if "://" in text:
        text = _URL.sub(_hide_in_url, text)
    if "magnet:" in text:
        text = _MAGNET.sub(rf"\1{HIDDEN}", text)
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    return _ASSIGNED.sub(rf"\1\2{HIDDEN}", text)


def _hide_in_url(match: re.Match[str]) -> str:
    user, at, host = match["authority"].rpartition("@")
    authority = f"{HIDDEN}@{host}" if at and user else host
    rest = match["rest"]
    return f"{match['scheme']}://{authority}{'/' + HIDDEN if _TELLING.search(rest) else rest}"


class Redactor:
    """Hides known shapes, and every text that was registered, in the spellings in which it may turn up."""

    def __init__(self) -> None:
        self._pattern: re.Pattern[str] | None = None
        self._spellings: set[str] = set()

    def add(self, secret: str) -> None:
        """Never let this text through again. Texts of fewer than SHORTEST characters are not looked for."""
        if len(secret) < SHORTEST:
            return
        spellings = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
        self._spellings |= spellings
        longest_first = sorted(self._spellings, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def __call__(self, text: str) -> str:
        """The text without any secret."""
        if self._pattern is not None:
            text = self._pattern.sub(HIDDEN, text)
        return hide_known_shapes(text)

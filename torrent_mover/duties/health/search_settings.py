"""What searching goes by: which media, how often, requests of other people, fallback profiles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.kinds import (
    LOGIN_FILE,
    SECRET,
    WEB_HOST,
    WORDS,
    YES_NO,
    HostAddress,
    Key,
    choice,
    duration,
    whole,
)
from torrent_mover.duties.health.act_settings import ActSettings
from torrent_mover.duties.health.kinds import PROFILE_PAIRS

_DAY: Final = 86400.0


class SearchFor(Enum):
    """What is searched for beside replacements and requests."""

    OFF = "off"
    MISSING = "missing"
    CUTOFF = "cutoff"
    BOTH = "both"


class SearchOrder(Enum):
    """What is searched for first."""

    OLDEST = "oldest"
    NEWEST = "newest"
    YEAR = "year"


class RequestsKind(Enum):
    """Which program takes requests."""

    OVERSEERR = "overseerr"
    SEERR = "seerr"
    OMBI = "ombi"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings(ActSettings):
    """Searches and requests."""

    search: Annotated[
        SearchFor,
        Key(
            choice(SearchFor),
            "What the Arr is asked to search for beside replacements: what is missing, what is below its cutoff.",
        ),
    ] = SearchFor.OFF
    searches_per_hour: Annotated[int, Key(whole(0, 1000), "At most this many searches an hour.")] = 6
    searches_active: Annotated[int, Key(whole(1, 100), "At most this many searches at the same time.")] = 3
    search_again_after: Annotated[float, Key(duration(0), "Search for the same thing again after this long.")] = (
        7 * _DAY
    )
    search_order: Annotated[
        SearchOrder,
        Key(
            choice(SearchOrder),
            "What is searched for first: oldest: what was searched for longest ago; newest: what aired last; year: by year.",
        ),
    ] = SearchOrder.OLDEST
    specials: Annotated[bool, Key(YES_NO, "Search for specials (season 0) too.")] = False
    unmonitored: Annotated[bool, Key(YES_NO, "Search for unmonitored media too.")] = False
    requests_type: Annotated[
        RequestsKind | None,
        Key(choice(RequestsKind), "The program in which people ask for media.", blank="none", advanced=True),
    ] = None
    requests_url: Annotated[
        HostAddress | None,
        Key(
            WEB_HOST,
            "Address of that program, with its port.",
            blank="none",
            advanced=True,
        ),
    ] = None
    requests_key: Annotated[Secret | None, Key(SECRET, "API key of that program.", blank="none", advanced=True)] = None
    requests_key_file: Annotated[
        LocalPath | None, Key(LOGIN_FILE, "File with that key in its first line.", blank="none", advanced=True)
    ] = None
    requests_key_command: Annotated[
        tuple[str, ...],
        Key(WORDS, "Command that prints that key. It runs without a shell.", blank="none", advanced=True),
    ] = ()
    requests_approved: Annotated[bool, Key(YES_NO, "Only requests that were approved.", advanced=True)] = True
    requests_4k: Annotated[bool, Key(YES_NO, "The requests for 4K, and no others.", advanced=True)] = False
    fallback_profiles: Annotated[
        tuple[tuple[str, str], ...],
        Key(
            PROFILE_PAIRS,
            "Quality profiles to try where a search found nothing: profile = fallback, one pair a line.",
            blank="none",
            advanced=True,
        ),
    ] = ()
    fallback_for: Annotated[
        float, Key(duration(60), "How long the fallback profile stays; then the old one is put back.", advanced=True)
    ] = _DAY
    rss_every: Annotated[
        float, Key(duration(0), "Have the Arr read the RSS feeds of its indexers this often; 0: never.", advanced=True)
    ] = 0.0
    refresh_every: Annotated[
        float, Key(duration(0), "Have the Arr look at its torrent clients this often; 0: never.", advanced=True)
    ] = 0.0

    @property
    def requests_key_place(self) -> str:
        """Where the key of that program comes from, in words."""
        if self.requests_key_file is not None:
            return f"the file {self.requests_key_file}"
        if self.requests_key_command:
            return f"what requests_key_command ({self.requests_key_command[0]}) prints"
        return "requests_key"

"""The environment of qBitrr as lines of our config: a container that is set up by QBITRR_* goes on without a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from torrent_mover.domain.settings.document import SeedKey

PREFIX: Final = "QBITRR_"
LOOPS: Final = "HEALTH"
"""The word of the sections that most of these become."""

CLIENT: Final = "CLIENT qbit"
"""The section of the client that QBITRR_QBIT_* describe."""

_GENERAL: Final = "General"
_YES: Final = ("true", "yes", "y", "on", "1")
_DEBUG: Final = ("debug", "trace")
_SHORTEST_LOOK: Final = 2
_PROBED_PORT: Final = 443
_CLIENT_KEYS: Final = {
    "QBIT_HOST": "host",
    "QBIT_PORT": "port",
    "QBIT_USERNAME": "username",
    "QBIT_PASSWORD": "password",
    "QBIT_PASSWORD_FILE": "password_file",
}
_CLIENT_DEFAULTS: Final = {"host": "localhost", "port": "8080", "username": ""}
_READ: Final = (
    *_CLIENT_KEYS,
    "QBIT_DISABLED",
    "SETTINGS_LOOP_SLEEP_TIMER",
    "SETTINGS_FREE_SPACE",
    "SETTINGS_FAILED_CATEGORY",
    "SETTINGS_RECHECK_CATEGORY",
    "SETTINGS_TAGLESS",
    "SETTINGS_IGNORE_TORRENTS_YOUNGER_THAN",
    "SETTINGS_PING_URLS",
    "SETTINGS_AUTO_PAUSE_RESUME",
    "SETTINGS_AUTO_UPDATE_ENABLED",
    "SETTINGS_AUTO_UPDATE_CHANNEL",
    "SETTINGS_CONSOLE_LEVEL",
    "OVERRIDES_SEARCH_ONLY",
    "OVERRIDES_PROCESSING_ONLY",
    "OVERRIDES_DATA_PATH",
)


@dataclass(frozen=True, slots=True)
class LoopsThere:
    """What the config has beside the environment. `loops`: names of its [HEALTH] sections; `arrs`: of its [ARR] sections.

    `has_file`: there is a config file at all. `actions`: the keys of the actions of rules.
    """

    loops: Sequence[str]
    arrs: Sequence[str]
    has_file: bool
    actions: Sequence[str] = ()


def is_set_up(environ: Mapping[str, str]) -> bool:
    """Whether these variables are enough to work without a config file: one of them is read."""
    given = _given(environ)
    return any(name in given for name in _READ)


def wants_debug(environ: Mapping[str, str]) -> bool:
    """Whether QBITRR_SETTINGS_CONSOLE_LEVEL asks for debug messages."""
    return _given(environ).get("SETTINGS_CONSOLE_LEVEL", "").lower() in _DEBUG


def without_effect(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Variables of qBitrr that nothing here reads."""
    return tuple(f"{PREFIX}{name}" for name in sorted(_given(environ)) if name not in _READ)


def from_environment(environ: Mapping[str, str], there: LoopsThere) -> tuple[SeedKey, ...]:
    """The keys that QBITRR_* say. A loop of the file takes them; without a file there is one loop for each Arr, or one alone."""
    given = _given(environ)
    if not any(name in given for name in _READ):
        return ()
    keys = list(_common(given))
    own_client = not there.has_file or "QBIT_HOST" in given
    if own_client and not _is_yes(given.get("QBIT_DISABLED", "")):
        keys += _client(given)
    loops = [f"{LOOPS} {name}" for name in there.loops]
    if not loops and own_client:
        for name in there.arrs or ("qbit",):
            section = f"{LOOPS} {name}"
            keys.append(SeedKey(section, "client", CLIENT.partition(" ")[2], f"{PREFIX}QBIT_HOST", is_default=True))
            if name in there.arrs:
                keys.append(SeedKey(section, "arr", name, f"{PREFIX}QBIT_HOST", is_default=True))
            loops.append(section)
    for section in loops:
        keys += _loop(given, section, there.actions)
    return tuple(keys)


def _client(given: Mapping[str, str]) -> Iterator[SeedKey]:
    for name, key in _CLIENT_KEYS.items():
        if name in given:
            yield SeedKey(CLIENT, key, given[name], f"{PREFIX}{name}")
        elif key in _CLIENT_DEFAULTS:
            yield SeedKey(CLIENT, key, _CLIENT_DEFAULTS[key], f"{PREFIX}{name}", is_default=True)


def _common(given: Mapping[str, str]) -> Iterator[SeedKey]:
    if probe := probe_of(given.get("SETTINGS_PING_URLS", "").split(",")):
        yield _key(_GENERAL, "internet_probe", probe, "SETTINGS_PING_URLS")
    if "SETTINGS_AUTO_UPDATE_ENABLED" in given:
        wanted = _is_yes(given["SETTINGS_AUTO_UPDATE_ENABLED"])
        channel = update_channel(given.get("SETTINGS_AUTO_UPDATE_CHANNEL", "")) if wanted else "off"
        yield _key(_GENERAL, "update_check", channel, "SETTINGS_AUTO_UPDATE_ENABLED")
    if "OVERRIDES_DATA_PATH" in given:
        yield _key(_GENERAL, "state_dir", given["OVERRIDES_DATA_PATH"], "OVERRIDES_DATA_PATH")


def _loop(given: Mapping[str, str], section: str, actions: Sequence[str]) -> Iterator[SeedKey]:
    for name, key, made in (
        ("SETTINGS_LOOP_SLEEP_TIMER", "every", look_every),
        ("SETTINGS_FREE_SPACE", "min_free", free_space),
        ("SETTINGS_FAILED_CATEGORY", "failed_category", str),
        ("SETTINGS_RECHECK_CATEGORY", "recheck_category", str),
        ("SETTINGS_IGNORE_TORRENTS_YOUNGER_THAN", "min_age", seconds),
        ("SETTINGS_TAGLESS", "tags", lambda text: "off" if _is_yes(text) else "on"),
        ("SETTINGS_AUTO_PAUSE_RESUME", "no_space_action", lambda text: "pause" if _is_yes(text) else "off"),
    ):
        if name in given:
            yield _key(section, key, made(given[name]), name)
    if _is_yes(given.get("OVERRIDES_SEARCH_ONLY", "")):
        for action in actions:
            yield _key(section, action, "off", "OVERRIDES_SEARCH_ONLY")
    if _is_yes(given.get("OVERRIDES_PROCESSING_ONLY", "")):
        yield _key(section, "search", "off", "OVERRIDES_PROCESSING_ONLY")


def seconds(text: str) -> str:
    """A number of seconds as a duration of ours; what is none stays, to be told as wrong."""
    return f"{text}s" if text.strip().isdecimal() else text


def look_every(text: str) -> str:
    """The pause between two looks; the smallest is two seconds."""
    return f"{max(int(text), _SHORTEST_LOOK)}s" if text.strip().isdecimal() else text


def free_space(text: str) -> str:
    """`100G`; -1 stands for none."""
    return "0" if text.strip() in ("-1", "0") else text


def probe_of(urls: Sequence[str]) -> str:
    """The first host of a list of those to be pinged, as a host and a port; blank for none."""
    for text in (each.strip() for each in urls):
        parts = urlsplit(text if "//" in text else f"//{text}")
        if parts.hostname:
            return f"{parts.hostname}:{parts.port or _PROBED_PORT}"
    return ""


def update_channel(text: str) -> str:
    """Which releases are told of: nightly ones are previews to us."""
    return "pre" if text.strip().lower() == "nightly" else "stable"


def _key(section: str, key: str, text: str, name: str) -> SeedKey:
    return SeedKey(section, key, text, f"{PREFIX}{name}")


def _is_yes(text: str) -> bool:
    return text.strip().lower() in _YES


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """By name without the prefix. A variable that is empty, or still says CHANGE_ME, counts as not given."""
    return {
        name[len(PREFIX) :]: value.strip()
        for name, value in environ.items()
        if name.startswith(PREFIX) and value.strip() not in ("", "CHANGE_ME")
    }

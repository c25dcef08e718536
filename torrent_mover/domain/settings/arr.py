"""How to reach an Arr, and what it is told: the settings of [ARR name]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from torrent_mover.domain.arrs.path_pairs import ArrPair
from torrent_mover.domain.paths import ArrPath, LocalPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.document import SeedKey
from torrent_mover.domain.settings.kinds import (
    LOGIN,
    LOGIN_FILE,
    READABLE_FILE,
    SECRET,
    TEXT,
    WEB_HOST,
    WORDS,
    YES_NO,
    HostAddress,
    Key,
    Surroundings,
    choice,
    duration,
    path_pairs,
)
from torrent_mover.domain.settings.schema import many, of_each

ARR: Final = "ARR"
"""The word of these sections."""

_YES: Final = ("yes", "true", "on", "1")
_NO: Final = ("no", "false", "off", "0")
_NOTIFY: Final = "NOTIFY_ARR_ENABLED"
_SEEDS: Final = {"sonarr": "http://sonarr:8989", "radarr": "http://radarr:7878"}
"""Name of a section that the environment may make -> the address that it has where none is given."""

SEED_VARIABLES: Final = (
    _NOTIFY,
    *(f"{name.upper()}_{end}" for name in _SEEDS for end in ("URL", "API_KEY", "TAG")),
)
"""What `from_environment` reads."""


class ArrKind(Enum):
    """Which program an Arr is."""

    SONARR = "sonarr"
    RADARR = "radarr"
    LIDARR = "lidarr"
    READARR = "readarr"
    WHISPARR = "whisparr"


class HandOverMode(Enum):
    """How an Arr is told of data: `auto` lets it look by itself where it knows the path already, `scan` always names the path."""

    AUTO = "auto"
    SCAN = "scan"
    OFF = "off"


class HoldUntil(Enum):
    """What keeps a torrent where it is."""

    IMPORTED = "imported"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrSettings:
    """A Sonarr, Radarr, Lidarr, Readarr or Whisparr that wants the torrents of its category."""

    url: Annotated[
        HostAddress,
        Key(
            WEB_HOST,
            "Address of the Arr, with its port, and with its URL base where it has one.",
            example="http://sonarr.example.com:8989",
        ),
    ]
    api_key: Annotated[
        Secret | None,
        Key(SECRET, "API key of the Arr: Settings > General > Security > API Key.", example="your-api-key"),
    ] = None
    api_key_file: Annotated[
        LocalPath | None,
        Key(LOGIN_FILE, "File with the API key in its first line.", blank="none", advanced=True),
    ] = None
    api_key_command: Annotated[
        tuple[str, ...],
        Key(WORDS, "Command that prints the API key. It runs without a shell.", blank="none", advanced=True),
    ] = ()
    type: Annotated[
        ArrKind | None, Key(choice(ArrKind), "Which program it is.", blank="it is asked", advanced=True)
    ] = None
    category: Annotated[
        str,
        Key(
            TEXT,
            "Category (rTorrent: label) of the torrents that are the Arr's.",
            blank="the one that the Arr has in its own settings",
        ),
    ] = ""
    client: Annotated[
        str,
        Key(
            TEXT,
            "What the Arr calls the torrent client, in its Settings > Download Clients, where it has several.",
            blank="all of its torrent clients",
            advanced=True,
        ),
    ] = ""
    path_map: Annotated[
        tuple[tuple[ArrPath, LocalPath], ...],
        Key(
            path_pairs(LocalPath, ArrPath, "/as/the/arr/sees = /as/we/see"),
            "Folders that have another path in the Arr than for torrent_mover: pairs /as/the/arr/sees = /as/we/see.",
            blank="they are found, and tried before they count",
        ),
    ] = ()
    hand_over: Annotated[
        HandOverMode,
        Key(
            choice(HandOverMode),
            "How the Arr is told of data at a new place: scan names the path, auto has it look at its clients where it knows that "
            "path already, off tells it nothing.",
            advanced=True,
        ),
    ] = HandOverMode.AUTO
    hold: Annotated[
        HoldUntil,
        Key(
            choice(HoldUntil),
            "Do not move a torrent before the Arr has imported it, where the Arr sees its data at the source.",
            advanced=True,
        ),
    ] = HoldUntil.IMPORTED
    hold_limit: Annotated[
        float, Key(duration(0), "A torrent that is not imported is not kept longer than this.", advanced=True)
    ] = 6 * 3600.0
    scan_timeout: Annotated[
        float, Key(duration(1), "How long a scan may take before it counts as having come to nothing.", advanced=True)
    ] = 600.0
    timeout: Annotated[float, Key(duration(1), "How long to wait for an answer of the Arr.", advanced=True)] = 30.0
    verify_cert: Annotated[bool, Key(YES_NO, "Check the certificate of an https address.")] = True
    ca_file: Annotated[
        LocalPath | None,
        Key(
            READABLE_FILE,
            "PEM file of trusted certificates for an https address: your own authority, or a self-signed certificate.",
            blank="the certificates that come with Python",
            advanced=True,
        ),
    ] = None
    basic_auth: Annotated[
        Secret | None,
        Key(
            LOGIN,
            "Login of a web server in front of the Arr (HTTP basic authentication): user:password.",
            blank="none",
            advanced=True,
        ),
    ] = None

    @property
    def base_url(self) -> str:
        """The address without a slash at its end; http where no scheme is given."""
        return str(HostAddress(self.url.name, self.url.scheme or "http", self.url.port, self.url.path))

    @property
    def key_place(self) -> str:
        """Where the API key comes from, in words; blank where there is none."""
        if self.api_key_file is not None:
            return f"the file {self.api_key_file}"
        if self.api_key_command:
            return f"what api_key_command ({self.api_key_command[0]}) prints"
        return "api_key" if self.api_key is not None else ""

    @property
    def pairs(self) -> tuple[ArrPair, ...]:
        """`path_map`, as pairs of folders."""
        return tuple(ArrPair(theirs, ours) for theirs, ours in self.path_map)


@dataclass(frozen=True, slots=True)
class ArrProblem:
    """See domain.settings.schema.Finding."""

    key: str
    what: str
    remedy: str
    warning: bool = False


def problems_of(settings: ArrSettings) -> Iterator[ArrProblem]:
    """What is wrong with values that are right one by one."""
    if not settings.key_place:
        yield ArrProblem(
            "api_key",
            "it is missing.",
            "Write api_key = the key from Settings > General > Security of that Arr, or use api_key_file.",
        )


def from_environment(environ: Mapping[str, str]) -> tuple[SeedKey, ...]:
    """The keys of [ARR sonarr] and [ARR radarr] that SONARR_* and RADARR_* say, under the names of the programs replaced.

    An Arr without an API key is not used, as there. NOTIFY_ARR_ENABLED=false: both are told nothing.
    """
    given = _given(environ)
    told = given.get(_NOTIFY, "").lower() not in _NO
    keys = []
    for name, address in _SEEDS.items():
        word = name.upper()
        if f"{word}_API_KEY" not in given:
            continue
        section = f"{ARR} {name}"
        for key, end, usual in (("url", "URL", address), ("api_key", "API_KEY", ""), ("category", "TAG", name)):
            variable = f"{word}_{end}"
            keys.append(SeedKey(section, key, given.get(variable, usual), variable, variable not in given))
        if not told:
            keys.append(SeedKey(section, "hand_over", HandOverMode.OFF.value, _NOTIFY))
    return tuple(keys)


def wrong_in_environment(environ: Mapping[str, str]) -> ArrProblem | None:
    """What is wrong with NOTIFY_ARR_ENABLED; `key` is the variable."""
    wanted = _given(environ).get(_NOTIFY, "true")
    if wanted.lower() in (*_YES, *_NO):
        return None
    return ArrProblem(f"${_NOTIFY}", f"{wanted!r} is neither true nor false.", "Write true or false.")


def arrs_of_environment(environ: Mapping[str, str], around: Surroundings) -> Mapping[str, ArrSettings]:
    """The same as settings by name, for a duty that has no config file. Raises ValueError for a value that cannot be used."""
    texts: dict[str, dict[str, str]] = {}
    for seed in from_environment(environ):
        texts.setdefault(seed.section.removeprefix(f"{ARR} "), {})[seed.key] = seed.text
    return {
        name: ArrSettings(**{key: ARR_SECTION.keys[key].kind.read(text, around) for key, text in values.items()})
        for name, values in texts.items()
    }


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """A variable that is empty counts as not given, as in the programs that it comes from."""
    return {name: value.strip() for name, value in environ.items() if value.strip()}


ARR_SECTION: Final = many(ARR, ArrSettings, of_each(problems_of), seeds=from_environment)
"""[ARR name]."""

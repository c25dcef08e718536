"""The step of init that asks for a Sonarr, Radarr or the like: by address and key, or by the config.xml that it wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from xml.sax.saxutils import unescape

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.process.this_user import expanded
from torrent_mover.bootstrap.arrs import managers_of
from torrent_mover.commands.init_conversation import Conversation
from torrent_mover.domain.arrs.media import ArrClient
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.settings.arr import ARR, ArrKind, ArrSettings
from torrent_mover.domain.text import counted, safe
from torrent_mover.ports.media_manager import MediaManager

KEY_VARIABLE: Final = "TORRENT_MOVER_ARR_KEY"
_USUAL: Final = "http://localhost:8989"
_ASKED: Final = "new"
"""What the section is called before the Arr has said which program it is."""
_LARGEST: Final = 64 * 1024  # bytes; the file that an Arr writes has some twenty lines


class ArrStep:
    """Asks for an Arr until it answers. Then `name` is its section; `keys` is that section, empty where the config has it.

    `clients`: its torrent clients, as it has them in its settings.
    """

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self.name = _ASKED
        self.keys: dict[str, str] = {}
        self.clients: Sequence[ArrClient] = ()

    def ask(self, *, optional: bool = False) -> None:
        """Until it answers. `optional`: a blank answer, or none, leaves it out, and `name` is blank then."""
        remedy = "Copy the key from Settings > General > Security there; it has 32 characters."
        self._talk.until_right(lambda: self._answers(optional=optional), self._greet, remedy)

    def sections(self) -> Mapping[str, Mapping[str, str]]:
        """What is added to the config."""
        return {f"{ARR} {self.name}": self.keys} if self.name and self.keys else {}

    def _answers(self, *, optional: bool) -> None:
        usual = self.keys.get("url") or ("none" if optional else _USUAL)
        question = "Address of Sonarr, Radarr ..., or the path of its config.xml"
        told = self._talk.answer("arr", question, usual, "--arr-url", needed=not optional)
        self.name, self.keys = _ASKED, {}
        if told == "none":
            self.name = ""
        elif told.startswith(("/", "~", "./")) or told.endswith(".xml"):
            self.keys = read_config_xml(expanded(told))
            self._is_there()
        else:
            self.keys = {"url": told}
            if not self._is_there():
                question = "API key (Settings > General > Security)"
                self._talk.secret(self.keys, "api_key", question, self._talk.flags.arr_key_file, "--arr-key-file")

    def _is_there(self) -> bool:
        """Whether the config has this Arr already: then its key is known, and it is not written again."""
        wanted = self.keys["url"].rstrip("/").rpartition("://")[2]
        for name, section in self._talk.draft.sections_of(ARR).items():
            if wanted == section.get("url", "").rstrip("/").rpartition("://")[2]:
                self.name, self.keys = name, {}
                return True
        return False

    def _greet(self) -> str:
        if not self.name:
            there = ", ".join(self._talk.draft.sections_of(ARR))
            return f"those that the config has already: {there}" if there else "none: no Arr is told or asked"
        with self._manager() as manager:
            info = manager.info()
            self.clients = [each for each in manager.clients() if each.enabled]
        kind = next((each for each in ArrKind if each.value == info.product.lower()), None)
        if self.keys and kind is not None:
            self.name = self._talk.draft.free(ARR, kind.value)
        return (
            f"{safe(info.product)} {safe(info.version)}, {counted(len(self.clients), 'torrent client')} in its settings"
        )

    @contextmanager
    def _manager(self) -> Iterator[MediaManager]:
        section = self._talk.draft.configuration(self.sections()).named(ArrSettings)[self.name]
        with ExitStack() as stack:
            yield managers_of({self.name: section}, SystemClock(), stack)[self.name]


def read_config_xml(path: Path) -> dict[str, str]:
    """Address and key from the file that an Arr keeps in its config folder. Read where somebody names it, never looked for.

    Raises ConfigError. The elements are taken one by one, so nothing of XML but these is understood or expanded.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(_LARGEST).decode("utf-8", "replace")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.",
            kept="Nothing was written.",
            remedy="Name the config.xml in the config folder of the Arr, or give its address: http://host:8989",
        ) from error
    found = {name: unescape(value.strip()) for name, value in re.findall(r"<(\w+)>([^<]*)</\1>", text)}
    if not found.get("ApiKey") or not found.get("Port", "").isdecimal():
        raise ConfigError(
            f"{path} has no <Port> and <ApiKey>, so it is no config.xml of an Arr.",
            kept="Nothing was written.",
            remedy="Give its address instead: http://host:8989",
        )
    bound = found.get("BindAddress", "*")
    host = "localhost" if bound in ("", "*", "0.0.0.0", "::") else bound  # noqa: S104  compared, not listened on
    base = found.get("UrlBase", "").strip("/")
    return {"url": f"http://{host}:{found['Port']}{f'/{base}' if base else ''}", "api_key": found["ApiKey"]}

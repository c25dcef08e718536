"""init health: asks for an Arr and for the client that it downloads with, tries each, adds a loop, and looks once."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final
from urllib.parse import urlsplit

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.bootstrap.health.setups import HealthSetup, setups_of
from torrent_mover.bootstrap.health.world import HealthDuty
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.commands.health.configured import checks_of
from torrent_mover.commands.health.health import told_of
from torrent_mover.commands.init_arr import KEY_VARIABLE, ArrStep
from torrent_mover.commands.init_conversation import Conversation, of_environment
from torrent_mover.domain.arrs.belonging import categories_of
from torrent_mover.domain.arrs.media import ArrClient
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.settings.clients import ClientType
from torrent_mover.domain.text import counted, safe

_USUAL: Final = "http://localhost:8080"
_LOOP: Final = "HEALTH"
_CLIENT: Final = "CLIENT"
_USUAL_PORTS: Final = {"http": 80, "https": 443}


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Ask, try, write. Without a terminal, or with --yes, the flags are the answers."""
    setup = _InitHealth(arguments)
    steps = (
        ("Sonarr, Radarr or the like", setup.ask_arr),
        ("The client that it downloads with", setup.ask_client),
        ("All checks of doctor", setup.check),
    )
    return setup.talk.hold("health: what is wrong with downloads, and what helps", steps, setup.write)


class _InitHealth:
    def __init__(self, arguments: argparse.Namespace) -> None:
        given = {
            "arr": arguments.arr_url,
            "api_key": of_environment(KEY_VARIABLE),
            "url": arguments.client_url,
            "username": arguments.client_user,
            "password": of_environment("TORRENT_MOVER_CLIENT_PASSWORD"),
        }
        self.talk = Conversation(arguments, given)
        self._arr = ArrStep(self.talk)
        self._client = ""
        self._keys: dict[str, str] = {}

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask_arr(self) -> None:
        """The Arr, whose settings say which clients it has."""
        self._arr.ask()

    def ask_client(self) -> None:
        """The client: the one of the Arr's settings, wherever it is from here."""
        kinds = {kind.value for kind in ClientType}
        usable = [each for each in self._arr.clients if each.program.lower() in kinds]
        chosen = None
        if not usable:
            self.talk.console.say(
                f"   {self._arr.name} has no qBittorrent or rTorrent in its settings. Which client is it?"
            )
        else:
            chosen = self._one_of(usable)
        if len(usable) > 1 and chosen is not None and self._arr.keys:
            self._arr.keys["client"] = chosen.name
        if self._arr.keys and self.talk.console.asks and not categories_of(self._arr.clients):
            self._ask_category()
        refused = "Type user name and password again, as for its Web UI. After five wrong ones it bans this address for an hour."
        self.talk.until_right(lambda: self._ask_client(chosen), lambda: self._greet(chosen), refused)

    def _one_of(self, usable: Sequence[ArrClient]) -> ArrClient:
        if len(usable) > 1 and not self.talk.console.asks:
            return client_with_address(usable, self.talk.flags.client_url or "")
        name = self.talk.choose("Which of them", [each.name for each in usable], "--client-url")
        return next(each for each in usable if each.name == name)

    def _ask_category(self) -> None:
        """The Arr's settings do not say which torrents are its own."""
        told = self.talk.answer("category", "Category of its torrents in that client", "none", "", needed=False)
        self._arr.keys.pop("category", None)
        if told != "none":
            self._arr.keys["category"] = told

    def _ask_client(self, chosen: ArrClient | None) -> None:
        kind = self.talk.flags.client_type or (chosen.program.lower() if chosen else ClientType.QBITTORRENT.value)
        usual = self._keys.get("url") or _USUAL
        if chosen is not None and chosen.host and "url" not in self._keys:
            usual = f"http://{chosen.host}{f':{chosen.port}' if chosen.port else ''}"
        url = self.talk.answer("url", f"Address of {kind}, from here", usual, "--client-url")
        self._client, self._keys = self.talk.draft.client_at(url, has_files_here=False), {}
        if self._client:
            return
        self._client = self.talk.draft.free(_CLIENT, chosen.name.replace(" ", "-") if chosen else kind)
        self._keys = {"type": kind, "url": url}
        if kind == ClientType.QBITTORRENT.value or self.talk.is_given("username"):
            self._keys["username"] = self.talk.answer("username", "User name", "admin", "--client-user", needed=False)
            self.talk.secret(self._keys, "password", "Password", self.talk.flags.client_password_file)

    def _greet(self, chosen: ArrClient | None) -> str:
        setup = self._setup()
        with ExitStack() as stack:
            servers = Servers((), stack, common=setup, run=False)
            server = setup.machines.get(setup.client.machine) if setup.client.is_tunnelled else None
            client = servers.client(f"{_CLIENT} {self._client}", setup.client, setup, SystemClock(), server)
            info, torrents = client.info(), client.torrents()
        ours = categories_of(self._arr.clients, chosen.name if chosen else "")
        ours = frozenset((self._arr.keys["category"],)) if "category" in self._arr.keys else ours
        mine = sum(each.category.casefold() in {name.casefold() for name in ours} for each in torrents)
        whose = f", {mine} of them in {safe(', '.join(sorted(ours)))}" if ours else ""
        return f"{client.name}: {info.product} {info.version}, {counted(len(torrents), 'torrent')}{whose}"

    def check(self) -> None:
        """What doctor asks of the loop."""
        self.talk.examine(checks_of(self._setup()))

    # -- the config ----------------------------------------------------------------------------------------------------

    def _sections(self) -> Mapping[str, Mapping[str, str]]:
        client = {f"{_CLIENT} {self._client}": self._keys} if self._keys else {}
        loop = {"client": self._client, "arr": self._arr.name, "mode": "report"}
        return {**client, **self._arr.sections(), f"{_LOOP} {self._loop}": loop}

    @property
    def _loop(self) -> str:
        return self.talk.draft.free(_LOOP, self._arr.name)

    def _setup(self) -> HealthSetup:
        found = setups_of(self.talk.draft.configuration(self._sections()), str(self.talk.draft.path))
        return next(each for each in found if each.name == self._loop)

    def write(self) -> None:
        """Write it, and look once, changing nothing."""
        setup, loop, talk = self._setup(), self._loop, self.talk
        said = talk.draft.write(self._sections(), "--client-password-file")
        talk.console.say()
        talk.console.say(said)
        talk.console.say()
        talk.console.say("A look, as it is in report mode. Nothing is changed or written down.")
        with HealthDuty(setup, writes=False) as health:
            talk.console.say("\n".join(told_of(setup, health.worker().peek())[0]))
        talk.next(
            (
                ("Next:", f"health {loop}", "look, and remember since when; changes nothing"),
                ("Then:", f"health {loop} --watch", "look again and again; it reports until you set mode = act"),
                ("More:", "init health", "once for each further Arr: it adds to this config"),
            )
        )


def client_with_address(clients: Sequence[ArrClient], url: str) -> ArrClient:
    """The one of an Arr's clients that has host and port of this address, where nobody can be asked which one it is.

    Raises UsageError where none has them, or several: another one's torrents would be judged by this Arr's categories.
    """
    found = [each for each in clients if (each.host.casefold(), each.port) == _place_of(url)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{each.name} ({each.host}:{each.port})" for each in clients)
    which = f"{len(found) or 'none'} of them {'have' if len(found) > 1 else 'has'} the address {url}" if url else ""
    raise UsageError(
        f"This Arr has several clients: {safe(names)}{f'; {safe(which)}' if which else ''}. Which one it is was not said.",
        kept="Nothing was written.",
        remedy="Give the address of one of them, as the Arr has it, with --client-url; or run it in a terminal, which asks.",
    )


def _place_of(url: str) -> tuple[str, int | None]:
    """Host and port; blank for what has none, such as the path of a socket."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        return parts.hostname or "", parts.port or _USUAL_PORTS.get(parts.scheme)
    except ValueError:
        return "", None  # no address: what is wrong with it is said when it is read

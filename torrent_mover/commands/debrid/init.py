"""init debrid: asks for the account, the mount and the links, tries each, adds the section, and ends with a dry run."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from torrent_mover.bootstrap.debrid.account import OpenDebrid
from torrent_mover.bootstrap.debrid.setups import DebridSetup, setups_of
from torrent_mover.commands.debrid import working
from torrent_mover.commands.debrid.arguments import SERVICES
from torrent_mover.commands.debrid.configured import checks_of, standing_line
from torrent_mover.commands.init_arr import KEY_VARIABLE, ArrStep
from torrent_mover.commands.init_conversation import Conversation, of_environment
from torrent_mover.domain.errors import ConfigError, ExitCode
from torrent_mover.domain.text import safe
from torrent_mover.duties.debrid.layouts import MountLayout
from torrent_mover.duties.debrid.link_walk import LinkWalk

TOKEN_VARIABLE: Final = "TORRENT_MOVER_DEBRID_TOKEN"  # noqa: S105  the name of a variable
_WORD: Final = "DEBRID"
_NONE: Final = "none"


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Ask, try, write. Without a terminal, or with --yes, the flags are the answers."""
    setup = _InitDebrid(arguments)
    steps = (
        ("The account", setup.ask_account),
        ("Where it is mounted", setup.ask_mount),
        ("The folder with your links", setup.ask_links),
        ("Sonarr, Radarr or the like", setup.ask_arr),
        ("All checks of doctor", setup.check),
    )
    return setup.talk.hold("a debrid account whose library stays playable", steps, setup.write)


class _InitDebrid:
    def __init__(self, arguments: argparse.Namespace) -> None:
        given = {
            "type": arguments.debrid_type,
            "token": of_environment(TOKEN_VARIABLE),
            "mount": arguments.mount,
            "links": "\n".join(arguments.media_root),
            "arr": arguments.arr_url,
            "api_key": of_environment(KEY_VARIABLE),
        }
        self.talk = Conversation(arguments, given)
        self._arr = ArrStep(self.talk)
        self._arr.name = ""
        self._keys: dict[str, str] = {}
        self._name = ""

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask_account(self) -> None:
        """The service and its token."""
        self.talk.until_right(self._account, self._standing)

    def _account(self) -> None:
        talk = self.talk
        kind = (
            talk.answer("type", "", "", "")
            if talk.is_given("type")
            else talk.choose("Service", SERVICES, "--debrid-type")
        )
        self._name = self.talk.draft.free(_WORD, kind)
        self._keys = {"type": kind, "mode": "report"}
        if talk.flags.debrid_url:
            self._keys["url"] = talk.flags.debrid_url
        talk.secret(self._keys, "token", "Its API token", talk.flags.debrid_token_file, "--debrid-token-file")

    def _standing(self) -> str:
        with self._open() as account:
            return standing_line(account.world().good_standing())

    def ask_mount(self) -> None:
        """The folder through which the files are seen, and the program that makes it."""
        self.talk.until_right(self._mount, self._mounted)

    def _mount(self) -> None:
        self._keys.pop("mounts", None)
        told = self.talk.answer("mount", "Folder of the mount (none: only the account)", _NONE, "--mount", needed=False)
        if told == _NONE:
            return
        if "=" not in told:
            layouts = [each.value for each in MountLayout]
            told = f"{told} = {self.talk.choose('Which program makes it', layouts, '--mount FOLDER=zurg')}"
        self._keys["mounts"] = told

    def _mounted(self) -> str:
        with self._open() as account:
            world = account.world()
            for mount in world.settings.mounts:
                LinkWalk(world).sound(mount)
                measure = world.journal.measure(str(mount.path))
                return f"{mount.path}: {measure.entries if measure else 0:,} entries"
        return "none: links are not looked at"

    def ask_links(self) -> None:
        """The folders with the symbolic links; only where there is a mount that they lead to."""
        if "mounts" in self._keys:
            self.talk.until_right(self._links, self._linked)
        else:
            self.talk.console.good("none: without a mount there are none")

    def _links(self) -> None:
        self._keys.pop("media_roots", None)
        told = self.talk.answer("links", "Folder with your links (none)", _NONE, "--media-root", needed=False)
        if told != _NONE:
            self._keys["media_roots"] = told

    def _linked(self) -> str:
        roots = self._setup().settings.media_roots
        for root in roots:
            if not Path(str(root)).is_dir():
                raise ConfigError(f"{root} is no folder.", kept="Nothing was written.", remedy="Make it, or mount it.")
        return ", ".join(map(str, roots)) or "none: only the account is looked at"

    def ask_arr(self) -> None:
        """The Arr whose library it is, where there is one."""
        self._arr.ask(optional=True)

    def check(self) -> None:
        """What doctor asks of the account."""
        self.talk.examine(checks_of(self._setup()))

    # -- the config ----------------------------------------------------------------------------------------------------

    def _sections(self) -> Mapping[str, Mapping[str, str]]:
        arr = {"arrs": self._arr.name} if self._arr.name else {}
        return {**self._arr.sections(), f"{_WORD} {self._name}": {**self._keys, **arr}}

    def _setup(self) -> DebridSetup:
        found = setups_of(self.talk.draft.configuration(self._sections()), str(self.talk.draft.path))
        return next(each for each in found if each.name == self._name)

    def _open(self) -> OpenDebrid:
        return OpenDebrid(self._setup(), writes=False, stop=threading.Event())

    def write(self) -> None:
        """Write it, and look once, changing nothing."""
        setup, talk = self._setup(), self.talk
        said = talk.draft.write(self._sections(), "--debrid-token-file")
        talk.console.say()
        talk.console.say(said)
        talk.console.say()
        talk.console.say("A dry run: what was found, and what would be done. Only GET is sent.")
        with OpenDebrid(setup, writes=False, stop=threading.Event()) as account:
            said_of = working.run(account, setup, argparse.Namespace(dry_run=True))
        talk.console.say("\n".join(map(safe, said_of.lines)))
        chosen = f" --account {setup.name}" if len(setup.accounts) > 1 else ""
        talk.next(
            (
                ("Next:", f"debrid scan --full{chosen}", "list the whole account; changes nothing there"),
                ("Then:", f"debrid run --stay{chosen}", "stay, and look again and again; set mode = act to repair"),
            )
        )

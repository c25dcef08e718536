"""init tier: asks for client, SSD and targets, tries each answer at once, adds a tier to the config, and ends with a dry run."""

from __future__ import annotations

import argparse
import shlex
import shutil
from collections import Counter
from pathlib import Path
from typing import Final

from torrent_mover.adapters.process.this_user import expanded
from torrent_mover.bootstrap.tiering.setups import TierSetup
from torrent_mover.bootstrap.tiering.tier import Tier
from torrent_mover.commands.init_conversation import Conversation, of_environment
from torrent_mover.commands.tiering.checks import checks_of
from torrent_mover.domain.errors import ConfigError, ExitCode, PathNotSeen
from torrent_mover.domain.settings.clients import ClientType
from torrent_mover.domain.text import clauses, counted, size
from torrent_mover.duties.tiering.amounts import TARGETS, DiskAmount, join_entries
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.settings import TierSettings
from torrent_mover.duties.tiering.status import dry_run

_URLS: Final = {"rtorrent": "/run/rtorrent/rpc.sock", "qbittorrent": "http://localhost:8080"}
_STAND_INS: Final = {"ssd": "/stand-in/ssd", "targets": "*:/stand-in/disk", "free_low": "100G"}
_FREE_LOW: Final = "100G"
_PART: Final = "10%"
_OF_AN_SSD: Final = 4
"""The usual mark is at most one such part of the SSD; else it is `_PART`."""

_PASSWORD: Final = "TORRENT_MOVER_CLIENT_PASSWORD"  # noqa: S105  the name of a variable


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Ask, try, write. Without a terminal, or with --yes, the flags are the answers."""
    setup = _InitTier(arguments)
    steps = (
        ("Which client has the torrents?", setup.ask_which),
        ("How is it reached?", setup.ask_reached),
        ("The SSD", setup.ask_ssd),
        ("The disks that the copies go to", setup.ask_targets),
        ("When do torrents leave the SSD?", setup.ask_marks),
        ("All checks of doctor", setup.check),
    )
    return setup.talk.hold("a tier: an SSD in front of disks", steps, setup.write)


class _InitTier:
    """`_client` and `_tier`: keys of the two sections, as the config will say them."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        given = {
            "url": arguments.client_url,
            "user": arguments.client_user,
            "password": of_environment(_PASSWORD),
            "ssd": arguments.ssd,
            "targets": arguments.targets,
            "free_low": arguments.free_low,
        }
        self.talk = Conversation(arguments, given)
        self._kind = arguments.client_type or ""
        self._known = ""
        self._name = self.talk.draft.free("TIER", "ssd")
        self._client: dict[str, str] = {}
        self._places: Counter[str] = Counter()
        self._tier: dict[str, str] = {}

    # -- questions -----------------------------------------------------------------------------------------------------

    def ask_which(self) -> None:
        """Which program the client is."""
        if not self.talk.flags.client_type:
            kinds = sorted((kind.value for kind in ClientType), reverse=True)
            self._kind = self.talk.choose("Client", kinds, "--client-type")

    def ask_reached(self) -> None:
        """Its address and login, unless the config has it already."""
        refused = (
            "Type user name and password again. After five wrong ones a qBittorrent bans this address for an hour."
        )
        away = (
            "Start it, with network.scgi.open_local = this path in its rtorrent.rc; or type where its socket is."
            if self._kind == "rtorrent"
            else "Start it and switch its Web UI on, or type another address."
        )
        self.talk.until_right(self._reached, self._greet, refused, away)

    def _reached(self) -> None:
        talk = self.talk
        question = "Its socket, host:port or address" if self._kind == "rtorrent" else "Address of its Web UI"
        url = talk.answer("url", question, self._client.get("url") or _URLS[self._kind], "--client-url")
        self._known, self._client = talk.draft.client_at(url, has_files_here=True), {"type": self._kind, "url": url}
        if self._known:
            return
        if self._kind == "qbittorrent" or talk.is_given("user"):
            self._client["username"] = talk.answer("user", "User name", "admin", "--client-user", needed=False)
            talk.secret(self._client, "password", "Password", talk.flags.client_password_file)
        if talk.flags.session_folder:
            self._client["session_folder"] = str(expanded(talk.flags.session_folder).absolute())

    def _greet(self) -> str:
        with self._tier_now() as tier:
            client = tier.client()
            info = client.info()
            self._places = Counter(str(torrent.save_path) for torrent in client.torrents())
        return f"{client.name}: {info.product} {info.version}, {counted(self._places.total(), 'torrent')}"

    def ask_ssd(self) -> None:
        """The folder on the SSD; where most torrents are, unless somebody knows better."""

        def ask() -> None:
            usual = self._tier.get("ssd") or next((place for place, _ in self._places.most_common(1)), "")
            self._tier["ssd"] = self.talk.answer(
                "ssd", "Folder of its torrents on the SSD, as we see it", usual, "--ssd"
            )

        self.talk.until_right(ask, lambda: clauses(*self._seen(of_ssd=True)))

    def ask_targets(self) -> None:
        """The folders on the disks."""

        def ask() -> None:
            question = "Folder on a disk (or label:/folder ... *:/folder)"
            answer = self.talk.answer("targets", question, self._tier.get("targets", ""), "--targets")
            self._tier["targets"] = f"*:{answer}" if answer.startswith("/") and " " not in answer else answer

        self.talk.until_right(ask, lambda: clauses(*self._seen(of_ssd=False)))

    def ask_marks(self) -> None:
        """Below how much room torrents leave."""

        def ask() -> None:
            usual = self._tier.get("free_low") or self._usual_mark()
            question = "With less than this free (100G, 10%)"
            self._tier["free_low"] = self.talk.answer("free_low", question, usual, "--free-low", needed=False)

        self.talk.until_right(ask, self._try_marks)

    def check(self) -> None:
        """What doctor asks of the tier."""
        self.talk.examine(checks_of(self._setup()))

    # -- trying --------------------------------------------------------------------------------------------------------

    def _seen(self, *, of_ssd: bool) -> list[str]:
        """The folders are there, and the client sees them; a path_map that was found out is taken, for a new client."""
        settings = self._settings()
        folders = settings.ssd if of_ssd else tuple(target.path for target in settings.targets)
        told = []
        for folder in dict.fromkeys(folders):
            if not Path(str(folder)).is_dir():
                raise ConfigError(
                    f"{folder} is no folder.",
                    kept="Nothing was written.",
                    remedy=f"Mount its disk; or make it: mkdir -p {shlex.quote(str(folder))}",
                )
            with self._tier_now() as tier:
                try:
                    told.append(f"{folder}: {tier.seen(folder)}")
                    continue
                except PathNotSeen as error:
                    if error.setting is None or self._known:
                        raise
                    pairs = [self._client.get("path_map", ""), error.setting[2]]
                    self._client["path_map"] = ", ".join(filter(None, pairs))
            with self._tier_now() as tier:
                told.append(f"{folder}: {tier.seen(folder)}, found out by looking")
        return told

    def _smallest(self) -> int:
        """Bytes of the smallest file system that the SSD's folders are on."""
        return min(shutil.disk_usage(str(folder)).total for folder in self._settings().ssd)

    def _usual_mark(self) -> str:
        """100G is a lot of a small SSD."""
        large = DiskAmount.parse(_FREE_LOW).of(self._smallest()) * _OF_AN_SSD <= self._smallest()
        return _FREE_LOW if large else _PART

    def _try_marks(self) -> str:
        """Less room than the SSD has at all: with more, every torrent would leave it at once."""
        mark, total = self._settings().free_low, self._smallest()
        if mark.of(total) >= total:
            raise ConfigError(
                f"free_low: {mark} is not less than the SSD has, {size(total)}: every torrent would leave it.",
                kept="Nothing was written.",
                remedy=f"Write a part of it: {_PART}",
            )
        return f"below {mark} free, of {size(total)}"

    def _settings(self) -> TierSettings:
        return self._setup().settings

    def _tier_now(self) -> Tier:
        return Tier(self._setup(), writes=False)

    def _setup(self) -> TierSetup:
        """What was answered so far, with stand-ins for the rest. Raises ConfigError with what is wrong."""
        found = self.talk.draft.configuration(self._sections(_STAND_INS))
        return TierSetup(
            self._name,
            found.named(TierSettings)[self._name],
            found.clients,
            found.machines,
            found.general,
            found.state_dir,
            found.log_dir,
            str(self.talk.draft.path),
        )

    def _sections(self, stand_ins: dict[str, str]) -> dict[str, dict[str, str]]:
        name = self._known or self.talk.draft.free("CLIENT", self._kind)
        client = {} if self._known else {f"CLIENT {name}": self._client}
        return {**client, f"TIER {self._name}": {"client": name, **stand_ins, **self._tier}}

    # -- writing -------------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write it, and show what a round would do."""
        setup, talk = self._setup(), self.talk
        self._tier["targets"] = TARGETS.write(setup.settings.targets)
        self._tier["ssd"] = join_entries(setup.settings.ssd)
        said = talk.draft.write(self._sections({}), "--client-password-file")
        talk.console.say()
        talk.console.say(said)
        talk.console.say()
        talk.console.say("A dry run: what would be copied, and what would leave. Nothing is touched.")
        with Tier(setup, writes=False) as tier:
            world = tier.world()
            talk.console.say("\n".join(dry_run(world, PictureReader(world)).lines))
        chosen = "" if self._name == "ssd" else f" --tier {self._name}"
        talk.next(
            (
                ("Next:", f"tier{chosen} --now HASH", "copy one torrent; nothing is deleted"),
                ("Then:", f"tier{chosen}", "one round: copies, and evictions where room is short"),
                ("To stay:", f"tier{chosen} --watch", "rounds until stopped"),
            )
        )
        talk.console.say(self._hook(chosen))

    def _hook(self, chosen: str) -> str:
        """The line that makes the client tell of a finished torrent. A client does not know our PATH."""
        words = [shutil.which("torrent-mover") or "torrent-mover", *shlex.split(self.talk.config_words()), "tier"]
        words += shlex.split(chosen)
        what = "So that it starts as soon as a torrent has finished"
        if self._kind == "rtorrent":
            command = ",".join([*words, "$d.hash="])
            return (
                f"{what}, add to rtorrent.rc:\n"
                f'method.set_key = event.download.finished,torrent_mover,"execute.nothrow.bg={command}"'
            )
        return f'{what}, set in qBittorrent as "Run external program on torrent finished":\n{shlex.join(words)} "%K"'

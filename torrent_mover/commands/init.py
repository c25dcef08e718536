"""init: asks the few things that matter, tries each answer at once, writes config.ini, and ends with a dry run."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from torrent_mover.adapters.config.ini_syntax import read_ini
from torrent_mover.adapters.config.places import discover
from torrent_mover.adapters.config.reading import text_of
from torrent_mover.adapters.config.writing import KEPT_SUFFIX, mode_of, write_config
from torrent_mover.adapters.process.this_user import expanded
from torrent_mover.bootstrap import plans, servers
from torrent_mover.bootstrap.checkup import Checkup
from torrent_mover.bootstrap.configs import CONFIGS
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.commands import init_qbitrr
from torrent_mover.commands.dry_run import as_table
from torrent_mover.commands.init_answers import Answers
from torrent_mover.commands.init_draft import ConfigDraft
from torrent_mover.commands.init_hostkeys import accept_host_key
from torrent_mover.commands.init_prompts import BACK, Console, GoBack, remedy_for
from torrent_mover.domain.errors import (
    ConfigError,
    ExitCode,
    HostKeyUnknown,
    MoverError,
    PathNotSeen,
    UsageError,
)
from torrent_mover.domain.settings.schema import GENERAL
from torrent_mover.domain.settings.servers import ServerSettings
from torrent_mover.domain.text import counted, safe, size
from torrent_mover.domain.torrent.torrent import Torrent
from torrent_mover.duties.moving.settings import TransferMode
from torrent_mover.engine.preflight.examination import Doubt, Examination
from torrent_mover.ports.roles import Categories, Locates

_TRIES: Final = 4
"""Wrong answers after which a person is asked whether to go on: a client bans an address after five refused logins."""

_KEY: Final = "Private key, or - for agent and usual keys"
_USUAL_KEYS: Final = "-"
_KEYS_AGAIN: Final = "Type the path of a private key, or - for those of ssh-agent and the usual ones in ~/.ssh."
_ROUNDS: Final = 4
_SHOWN: Final = 20
_UPLOAD_HEADING: Final = "The machine that takes the data, by SSH"
_USUAL_PORT: Final = "8080"
_USUAL: Final = f"http://localhost:{_USUAL_PORT}"
_MODES: Final = {
    "sftp": "to this machine, over SFTP",
    "rsync": "to this machine, by rsync",
    "sftp_upload": "through this machine to another one, over SFTP at both ends",
    "rsync_upload": "through a folder of this machine to another one, by rsync",
}


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Ask, try, write. Without a terminal, or with --yes, the flags are the answers."""
    console = Console(asks=not arguments.yes and sys.stdin.isatty() and sys.stdout.isatty())
    path = target_of(arguments.config)
    if arguments.from_env or arguments.from_rdtm:
        from torrent_mover.commands import init_environment  # names other duties, which moving does without

        return init_environment.write(arguments, ConfigDraft(path, overwrite=arguments.overwrite))
    old = None if arguments.from_qbitrr else _lines_of_others(path, overwrite=arguments.overwrite)
    replaces = not old and guard(path, console, overwrite=arguments.overwrite)
    if arguments.from_qbitrr:
        return init_qbitrr.write(expanded(arguments.from_qbitrr), path, replaces=replaces)
    does = "adds to" if old else "writes"
    console.tell(
        f"This sets up moving, from one client to another. It tests each answer first, and then {does} {path}."
    )
    console.tell("Other duties: torrent-mover init tier, init health, init debrid.")
    if console.asks:
        console.tell(f"{BACK} goes back to the previous questions; Ctrl-C leaves.")
    setup = _Setup(arguments, console, Answers(path), old, replaces=replaces)
    try:
        with console.conversation():
            setup.run(path)
    except KeyboardInterrupt:
        console.say(f"\n\nStopped. {setup.kept(path)}")
        raise
    return ExitCode.DONE


def target_of(explicit: str | None) -> Path:
    """Where the config goes: where a run would look for it, in the user's folder unless a place is named."""
    places = discover(explicit)
    return places[0][0] if len(places) == 1 else places[1][0]


def _lines_of_others(path: Path, *, overwrite: bool) -> str | None:
    """The lines of a config that is there and has nothing of moving: they stay, and the route comes after them. Else None.

    Raises ConfigError for a file that cannot be read.
    """
    text = None if overwrite or path.suffix.lower() == ".toml" else text_of(path)
    if text is None:
        return None
    headings = {heading.casefold() for heading, _ in read_ini(text, "")[0]} - {GENERAL.name.casefold()}
    mine = {section.name.casefold() for section in SCHEMA.plain}
    has_routes = any(heading.partition(" ")[0] == "route" for heading in headings)
    return text if headings and not headings & mine and not has_routes else None


def guard(path: Path, console: Console, *, overwrite: bool) -> bool:
    """See that no config is replaced unless somebody wants that; returns whether somebody does. Raises UsageError."""
    if path.suffix.lower() == ".toml":
        raise UsageError(f"{path}: init writes a config.ini.", remedy="Choose a name that ends in .ini: --config PATH")
    if not path.exists() or overwrite:
        return overwrite
    if not console.agree(
        f"{path} is there already. Replace it (the old one is kept as {path.name}{KEPT_SUFFIX})?", default=False
    ):
        raise UsageError(
            f"There is a config already: {path}.",
            kept="It was left as it is.",
            remedy="Choose another place with --config PATH, or replace it with --overwrite (the old one is kept).",
        )
    return True


class _Setup:
    """One conversation."""

    def __init__(
        self, arguments: argparse.Namespace, console: Console, answers: Answers, old: str | None, *, replaces: bool
    ) -> None:
        self._old = old
        self._replaces = replaces
        self._flags = arguments
        self._console = console
        self._answers = answers
        known = arguments.known_hosts
        self._written = False
        self._trusted = ""
        self._known_hosts = str(expanded(known).absolute()) if known else ""

    def run(self, path: Path) -> None:
        """Everything, in order; back where somebody wants to."""
        steps = (
            ("Where do the bytes go?", self._mode),
            ("The client that has the torrents", lambda: self._client("SOURCE_CLIENT", "source")),
            ("Which of its torrents", self._category),
            ("The machine that holds its files, by SSH", lambda: self._server("SOURCE_SERVER", "source")),
            ("The client that takes over", lambda: self._client("DESTINATION_CLIENT", "destination")),
            (_UPLOAD_HEADING, lambda: self._server("DESTINATION_SERVER", "destination")),
            ("The folder that receives the data", self._folder),
            ("All checks of a run", self._check),
        )
        at, way = 0, 1
        while at < len(steps):
            heading, step = steps[at]
            if heading == _UPLOAD_HEADING and not TransferMode(self._told("SETTINGS", "transfer_mode")).uploads:
                at += way
                continue
            self._heading(heading)
            way = 1
            try:
                step()
            except GoBack:
                way = -1 if at else 0
            at += way
        self._write(path)

    def kept(self, path: Path) -> str:
        """What is there of it, for somebody who leaves in the middle."""
        if self._written:
            return f"The config is written: {path}. Nothing else was changed."
        trusted = f" Trusted host keys stay in {self._trusted}." if self._trusted else ""
        return f"No config was written, and no answer is kept; no client and no file was changed.{trusted}"

    def _heading(self, text: str) -> None:
        self._console.say()
        self._console.say(text)

    def _told(self, section: str, key: str, default: str = "") -> str:
        return self._answers.told(section, key, default)

    def _flag(self, name: str) -> str:
        return str(getattr(self._flags, name) or "")

    def _until_right(self, ask: Callable[[], None], test: Callable[[], str], refused: str = "", away: str = "") -> None:
        """Ask and try, until it works or somebody gives up. Without somebody to ask, the first trouble is the end.

        For somebody who is asked again at once: `refused` is the remedy of a refused login, `away` that of a server that is not
        reached. Those of the errors themselves name sections of a config, and there is none yet.
        """
        for tries in count(1):
            try:
                ask()
                self._console.good(test())
            except MoverError as error:
                wrong_answer = not isinstance(error, UsageError) or isinstance(error, ConfigError)
                if not (wrong_answer and self._console.asks):
                    raise
                self._console.bad(error, remedy_for(error, refused, away))
                question = "Answer these once more? What was right so far is kept"
                if tries % _TRIES == 0 and not self._console.agree(question, default=True):
                    raise
            else:
                return

    # -- mode ----------------------------------------------------------------------------------------------------------

    def _mode(self) -> None:
        mode = self._flag("mode")
        if not mode and self._console.asks:
            for number, (name, what) in enumerate(_MODES.items(), 1):
                self._console.say(f"   {number}  {name:<13} {what}")
            while mode not in _MODES:
                answer = self._console.ask("transfer_mode", "1", "--mode")
                mode = dict(enumerate(_MODES, 1)).get(int(answer), "") if answer.isdecimal() else answer
        self._answers.tell("SETTINGS", transfer_mode=mode or "sftp")

    # -- clients -------------------------------------------------------------------------------------------------------

    def _client(self, section: str, role: str) -> None:
        given = {
            "host": self._flag(f"{role}_url"),
            "username": self._flag(f"{role}_user"),
            "password": os.environ.get(f"TORRENT_MOVER_{role.upper()}_PASSWORD", ""),
        }
        file = self._flag(f"{role}_password_file")
        usual = _USUAL if self._console.asks else ""

        def ask() -> None:
            ask = self._console.ask
            host = given.pop("host", "") or ask(
                "Address of its Web UI", self._told(section, "host", usual), f"--{role}-url"
            )
            port = self._port(host, self._told(section, "port"), role)
            user = given.pop("username", "") or ask(
                "User name", self._told(section, "username", "admin"), f"--{role}-user"
            )
            self._answers.tell(section, host=host, port=port, username=user)
            self._password(section, given.pop("password", ""), file, "Password", f"--{role}-password-file")

        refused = "Type user name and password again, as for its Web UI. After five wrong ones it bans this address for an hour."
        away = "Start it there and switch its Web UI on, or type another address."
        self._until_right(ask, lambda: self._greet(section), refused, away)

    def _port(self, host: str, told: str, role: str) -> str:
        """The port that the address lacks, asked for before anything else; blank where it has one or needs none."""
        try:
            parts = urlsplit(host if "://" in host else f"//{host}")
            lacks = parts.port is None and parts.scheme != "https"
        except ValueError:
            lacks = False  # no address: what is wrong with it is said when it is read
        if not lacks:
            return ""
        usual = (told or _USUAL_PORT) if self._console.asks else ""
        return self._console.ask("Port of its Web UI", usual, f"--{role}-url http://HOST:PORT")

    def _password(self, section: str, given: str, file: str, question: str, flag: str, *, needed: bool = True) -> None:
        if file and not self._told(section, "password_file"):
            self._answers.tell(section, password_file=str(expanded(file).absolute()), password="")
            return
        password = given or self._console.ask_secret(question, self._told(section, "password"))
        if needed and not password:
            raise ConfigError(
                f"There is no password for [{section}].",
                kept="Nothing was written.",
                remedy=f"Type it, or give it with {flag} PATH, or in the environment: torrent-mover init --help",
            )
        self._answers.tell(section, password=password, password_file="")

    def _greet(self, section: str) -> str:
        settings = self._answers.settings()
        chosen = settings.source_client if section == "SOURCE_CLIENT" else settings.destination_client
        with servers.one_client(section, chosen, settings) as client:
            info = client.info()
            return f"{client.name}: {info.product} {info.version}, API {info.api}"

    def _category(self) -> None:
        settings = self._answers.settings()
        with servers.one_client("SOURCE_CLIENT", settings.source_client, settings) as client:
            torrents = [torrent for torrent in client.torrents() if torrent.complete]
            sorting = client.role(Categories)
            known = sorting.categories() if sorting else ()
            names = sorted({*known, *(torrent.category for torrent in torrents)} - {""})
        names.sort(key=lambda name: -sum(torrent.category == name for torrent in torrents))
        given = [self._flag("move_category")]
        if not given[0] and self._console.asks:
            self._show_categories(names[:_SHOWN], torrents)

        def ask() -> None:
            default = self._told("SETTINGS", "category_to_move") or (names[0] if names and self._console.asks else "")
            answer = given.pop() if given and given[0] else self._console.ask("Category to move", default, "--category")
            given.clear()
            by_number = answer not in names and answer.isdecimal() and 1 <= int(answer) <= len(names[:_SHOWN])
            self._answers.tell("SETTINGS", category_to_move=names[int(answer) - 1] if by_number else answer)

        def test() -> str:
            category = self._answers.settings().moving.category_to_move
            mine = [torrent for torrent in torrents if torrent.category == category]
            return f"{category}: {counted(len(mine), 'completed torrent')}, {size(sum(one.size for one in mine))}"

        self._until_right(ask, test)

    def _show_categories(self, names: Sequence[str], torrents: Sequence[Torrent]) -> None:
        counts = Counter(torrent.category for torrent in torrents)
        self._console.say("   Completed torrents there:")
        for number, name in enumerate(names, 1):
            self._console.say(f"   {number:>2}  {safe(name)}  {counted(counts[name], 'torrent')}")

    # -- servers -------------------------------------------------------------------------------------------------------

    def _server(self, section: str, role: str) -> None:
        flag, key_flag = f"--{role}-ssh", self._flag(f"{role}_ssh_key")
        given = {
            "login": self._flag(f"{role}_ssh"),
            "password": os.environ.get(f"TORRENT_MOVER_{role.upper()}_SSH_PASSWORD", ""),
        }
        file = self._flag(f"{role}_ssh_password_file")

        def ask() -> None:
            told = self._login_text(section)
            login = given.pop("login", "") or self._console.ask("SSH login, user@host:port", told, flag)
            self._answers.tell(section, known_hosts=self._known_hosts, **_login_of(login))
            key = key_flag or self._told(section, "key_file")
            if self._console.asks and not (key_flag or file):
                key = self._key(key, f"{flag}-key")
            self._answers.tell(section, key_file=str(expanded(key).absolute()) if key else "")
            if not key or given.get("password") or file:
                question = "Password, empty to log in by key"
                self._password(
                    section, given.pop("password", ""), file, question, f"{flag}-password-file", needed=False
                )

        refused = "Answer again. If it keeps failing, check that this logs in from here: ssh -p PORT USER@HOST"
        self._until_right(ask, lambda: self._log_in(section), refused)

    def _key(self, told: str, flag: str) -> str:
        """The path of a private key that is there; blank: those of the agent and the usual ones."""
        answer = self._console.ask(_KEY, told or _USUAL_KEYS, flag)
        while answer != _USUAL_KEYS and not _is_file(answer):
            self._console.bad(ConfigError(f"There is no file {answer}.", remedy=_KEYS_AGAIN))
            answer = self._console.ask(_KEY, _USUAL_KEYS, flag)
        return "" if answer == _USUAL_KEYS else answer

    def _login_text(self, section: str) -> str:
        host = self._told(section, "host")
        if not host:
            return ""
        port = self._told(section, "port", "22")
        return f"{self._told(section, 'username')}@{f'[{host}]' if ':' in host else host}" + (
            f":{port}" if port != "22" else ""
        )

    def _log_in(self, section: str) -> str:
        settings = self._answers.settings()
        server = settings.source_server if section == "SOURCE_SERVER" else settings.destination_server
        assert server is not None  # noqa: S101  it was told just now
        try:
            return self._logged_in(server)
        except HostKeyUnknown as error:
            target = servers.ssh_target(server, settings)
            if not accept_host_key(target, self._console, self._flags.host_key):
                remedy = self._how_to_accept(error)
                raise HostKeyUnknown(error.what, kept=error.kept, remedy=remedy, server=error.server) from error
            self._trusted = str(server.known_hosts or "~/.ssh/known_hosts")
        return self._logged_in(server)

    def _how_to_accept(self, error: HostKeyUnknown) -> str:
        if self._console.asks or not error.shown:
            return error.remedy
        shown = error.shown.rpartition(" ")[2]
        return f"Compare the fingerprint with what the server's owner says; if it is right, add: --host-key {shown}"

    def _logged_in(self, server: ServerSettings) -> str:
        login = servers.log_in(server, self._answers.settings())
        key = login.host_key.partition(" ")[0]
        return (
            f"logged in{f' by {login.method}' if login.method else ''}, {key or 'its'} host key known ({login.speaker})"
        )

    # -- paths ---------------------------------------------------------------------------------------------------------

    def _folder(self) -> None:
        given = [self._flag("destination_path")]

        def ask() -> None:
            told = self._told("DESTINATION_PATHS", "destination_path") or self._default_folder()
            answer = given.pop() if given and given[0] else self._console.ask("Folder", told, "--destination-path")
            given.clear()
            self._answers.tell("DESTINATION_PATHS", destination_path=answer, remote_destination_path="")

        def test() -> str:
            with Checkup(self._answers.settings(), lambda: "") as checkup:
                self._console.good(checkup.checks.folder.write())
                try:
                    return checkup.checks.folder.seen_by_client()
                except Doubt as error:
                    return error.what
                except MoverError as error:
                    if not self._take_line(error):
                        raise
            return self._seen()

        self._until_right(ask, test)
        mode = TransferMode(self._told("SETTINGS", "transfer_mode"))
        doubt = None if mode.uploads else doubt_of_mount(self._told("DESTINATION_PATHS", "destination_path"))
        if doubt is not None:
            self._console.doubt(doubt)

    def _seen(self) -> str:
        with Checkup(self._answers.settings(), lambda: "") as checkup:
            return checkup.checks.folder.seen_by_client()

    def _default_folder(self) -> str:
        """Where the destination client saves to, as it sees it: a good guess on a machine without containers."""
        if not self._console.asks:
            return ""
        settings = self._answers.settings()
        with servers.one_client("DESTINATION_CLIENT", settings.destination_client, settings) as client:
            looking = client.role(Locates)
            return str(next(iter(looking.folders()), "")) if looking else ""

    def _take_line(self, error: MoverError) -> bool:
        """Where what helps is a line of the config that was found out by looking, write that line."""
        if not isinstance(error, PathNotSeen) or error.setting is None:
            return False
        section, key, value = error.setting
        old = self._told(section, key)
        pairs = f"{old}, {value}" if old and key == "path_map" and value not in old else value
        if pairs == old:
            return False
        self._answers.tell(section, **{key: pairs})
        self._console.good(f"found out: {key} = {pairs}  [{section}]")
        return True

    def _check(self) -> None:
        """Every check of a run; what can be found out is taken, then all is asked again."""
        for _ in range(_ROUNDS):
            with Checkup(self._answers.settings(), lambda: "as answered") as checkup:
                examination = Examination(checkup.clock, lambda _event: None)
                results = list(examination.ask(checkup.checks.first()))
            if any(result.error and self._take_line(result.error) for result in results):
                continue
            break
        for result in results:
            if result.error is None:
                self._console.good(f"{result.view.name}: {result.view.result}")
            elif result.view.fatal:
                self._console.bad(result.error)
            else:
                self._console.doubt(result.error)
        refusal = examination.verdict()
        if refusal is not None and not self._console.agree("Write the config all the same?", default=False):
            raise refusal

    def _write(self, path: Path) -> None:
        settings = self._answers.settings()
        kept = write_config(path, settings, CONFIGS, self._old, replaces=self._replaces)
        settings = CONFIGS.load(path)[0]
        self._written = True
        self._console.say()
        self._console.say(
            f"{'Added to' if self._old else 'Written'}: {path} ({mode_of(path)}){f'; what was there is {kept}' if kept else ''}"
        )
        self._console.say()
        self._console.say("A dry run: what would move, and what would not. Nothing is touched.")
        self._console.say(as_table(plans.preview(settings)).rstrip("\n"))
        self._console.say()
        found = next((place for place, _ in discover(None) if place.exists()), None)
        config = "" if found == path else f" --config {shlex.quote(str(path.absolute()))}"
        # cron does not know where we were found.
        whole = shlex.quote(shutil.which("torrent-mover") or "torrent-mover")
        for title, command, what in (
            ("Next:", f"torrent-mover{config} --test-run", "all of it, but the source keeps everything"),
            ("Then:", f"torrent-mover{config}", "the real thing"),
        ):
            self._console.say(f"{title:<9}{command}   ({what})")
        self._console.say("By cron, every half hour; it prints only failures. Add this line with crontab -e:")
        self._console.say(f"*/30 * * * * {in_crontab(f'{whole}{config} --simple -q || [ $? -eq 5 ]')}")


def in_crontab(command: str) -> str:
    """A command as a line of a crontab has it: there, a bare `%` ends the line of the command."""
    return command.replace("%", r"\%")


def _is_file(answer: str) -> bool:
    """Whether it is the path of a file; no file has a name that is too long for its file system."""
    try:
        return expanded(answer).is_file()
    except OSError:
        return False


def doubt_of_mount(typed: str) -> Doubt | None:
    """What to tell of a folder of this machine, as it was typed, that is a mount point itself; None: it is none.

    While its disk is away, such a folder is still there, empty and on the disk above: a run that remembers no disk fills that.
    """
    folder = str(expanded(typed))
    if folder == "/" or not Path(folder).is_mount():
        return None
    return Doubt(
        f"{folder} is where a disk is mounted. While the disk is away, the empty folder is still there, and torrents would go"
        " to the disk of the system.",
        kept="It may stay as it is.",
        remedy=f"A folder on that disk is safer: mkdir {shlex.quote(str(Path(folder) / 'torrents'))}; then name that one as"
        " destination_path.",
    )


def _login_of(text: str) -> dict[str, str]:
    """`user@host:port` as keys of a section; what is not there is blank, and told as such."""
    user, at, rest = text.rpartition("@")
    bracket = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", rest)
    if bracket:
        host, port = bracket[1], bracket[2] or ""
    elif rest.count(":") == 1:
        host, _, port = rest.partition(":")
    else:
        host, port = rest, ""
    if not at or not user:
        raise ConfigError(
            f"{text!r} names no user.", kept="Nothing was written.", remedy="It looks like: user@server.example.org:22"
        )
    return {"username": user, "host": host, "port": port}

"""A world behind a chaos proxy and a watchman, runs of the real command in it, and the check that holds after every fault."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.command import Command, Result
from tests.faults.chaos import ChaosProxy
from tests.faults.ledger import Entry, note
from tests.faults.verifier import faults, good_pieces
from tests.faults.watchman import Watchman
from tests.servers import eventually, snapshot
from torrent_mover.demo.content import Sample, sample
from torrent_mover.demo.process import children_of
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES
from torrent_mover.demo.world import CATEGORY, DemoWorld

MODES = ("sftp", "sftp_upload", "rsync", "rsync_upload")
PASSKEY = "passkey0canary0b7f3"
MIB = 1 << 20
PROBES = ".torrent-mover-probe-"

ENDED = {0: "done", 1: "some failed", 143: "terminated", 130: "interrupted"}


class Scene:
    """`samples` are what was seeded, with their content as it was. All runs of the scene share state, log and home.

    `taken_to`: infohash -> the folder to which its user took it at the source, and the paths that were renamed.
    `rate`: bytes a second from the source's SSH server, so that a fault finds a transfer under way.
    """

    def __init__(
        self, world: DemoWorld, home: Path, mode: str = "sftp", *, rate: float | None = None, seed: int = 0
    ) -> None:
        self.world = world
        self.home = home
        self.mode = mode
        self.cache = home / "cache"
        self.cache.mkdir(parents=True)
        self.random = random.Random(seed)  # noqa: S311  chooses instants
        self.seed_number = seed
        self.samples: list[Sample] = []
        self.contents: dict[str, dict[str, bytes]] = {}
        self.settings: dict[str, dict[str, str]] = {}
        self.taken_to: dict[str, tuple[Path, dict[str, str]]] = {}
        self.injected = 0
        self.checks = 0
        self.accounted = False
        self.violations: list[str] = []
        self.deletes = 0
        self.secrets: set[str] = set()
        self.began = time.monotonic()
        self._stack = ExitStack()
        self.chaos = self._stack.enter_context(ChaosProxy(world.ssh.port, rate=rate))
        self.watchman = self._stack.enter_context(Watchman(world.source.port))
        self.watchman.at_delete = self._look_at_delete
        self.canaries = [world.root / "canaries", world.source.data / "a user's", world.destination.data / "a user's"]
        for folder in self.canaries:
            _plant(folder)
        self._canaries_before = [snapshot(folder) for folder in self.canaries]

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # -- what there is -------------------------------------------------------------------------------------------------

    def seed(self, count: int = 3, size: int = 2 * MIB, **more) -> list[Sample]:
        """Seed that many torrents, of all versions in turn, some with tiny files and files without bytes."""
        made = []
        for number in range(len(self.samples), len(self.samples) + count):
            version = ("v1", "hybrid", "v2")[number % 3]
            sizes = {
                f"part {number}.bin": size // 2 + 13 * number,
                "sub/other.bin": size - size // 2,
                "tiny.nfo": 10 + number,
                "empty.txt": 0,
            }
            trackers = (f"http://tracker.example/{PASSKEY}/announce",)
            made.append(
                sample(
                    self.world.source.data,
                    f"Torrent {number}",
                    sizes if number % 4 != 3 else size,
                    version=version,
                    category=CATEGORY,
                    seed=self.seed_number * 100 + number,
                    trackers=trackers,
                    **more,
                )
            )
        self.add(made)
        return made

    def add(self, made: list[Sample]) -> None:
        """Seed these, and hold them to what the check says."""
        for one in made:
            self.world.source.add(one.metainfo, one.content.parent, category=one.category)
        for one in made:
            self.world.source.wait_for(one.info_hash)
            self.contents[one.info_hash] = one.files()
        self.samples += made

    def restore(self, one: Sample) -> None:
        """Put the files of a torrent back at the source as they were, as a user does from a backup."""
        for name, data in self.contents[one.info_hash].items():
            (self.world.source.data / name).write_bytes(data)

    @property
    def size(self) -> int:
        return sum(len(data) for files in self.contents.values() for data in files.values())

    # -- running -------------------------------------------------------------------------------------------------------

    def start(
        self,
        *arguments: object,
        environment: dict[str, str] | None = None,
        module: str = "torrent_mover",
        fresh: bool = True,
    ) -> Command:
        """Start the command, or another module that ends in it. `kill` looks at it from outside: that is why it is `fresh`."""
        proxied = self.world.root / "known_hosts.proxied"
        kind_and_key = self.world.ssh.host_key_line.split(" ", 1)[1]
        proxied.write_text(f"[{self.world.ssh.host}]:{self.chaos.port} {kind_and_key}")
        values = {
            "SOURCE_CLIENT": {"port": str(self.watchman.port)},
            "SOURCE_SERVER": {"port": str(self.chaos.port), "known_hosts": str(proxied)},
            "SETTINGS": {"transfer_mode": self.mode, "local_cache_path": str(self.cache)},
        }
        for section, keys in self.settings.items():
            values.setdefault(section, {}).update(keys)
        config = self.world.write_config(**values)
        words = ("--config", config, "--simple", *arguments)
        return Command(*words, home=self.home, environment=environment, module=module, fresh=fresh)

    def run(self, *arguments: object, environment: dict[str, str] | None = None) -> Result:
        """Run the command to its end."""
        with self.start(*arguments, environment=environment, fresh=False) as command:
            return command.end(240)

    def run_and_kill(self, after: float, count: int | None = None) -> bool:
        """Start it, and kill it after so many seconds, or earlier: once so many bytes have come; whether it still ran."""
        goal = None if count is None else self.chaos.received + count
        with self.start() as command:
            deadline = time.monotonic() + after

            def due() -> bool:
                enough = goal is not None and self.chaos.received >= goal
                return enough or not command.running or time.monotonic() > deadline

            eventually(due, after + 5)
            return self.kill(command)

    def kill(self, command: Command) -> bool:
        """SIGKILL it and all its children, as a machine does that goes down; whether it still ran."""
        if not command.running:
            return False
        self._read_command_lines(command.pid)
        for pid in [command.pid, *children_of(command.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        eventually(lambda: not command.running)
        self.injected += 1
        return True

    def _read_command_lines(self, pid: int) -> None:
        for each in (pid, *children_of(pid)):
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{each}/cmdline").read_bytes() + Path(f"/proc/{each}/environ").read_bytes()
                self.secrets |= {secret for secret in self._secrets() if secret.encode() in line}

    def _secrets(self) -> list[str]:
        return [PASSKEY, self.world.source.password, self.world.destination.password]

    def orphans(self) -> list[int]:
        """Living processes that know the home of this scene's runs: the command, and whatever it started."""
        mark = f"HOME={self.home}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with contextlib.suppress(OSError):
                    if mark in (folder / "environ").read_bytes().split(b"\0"):
                        found.append(int(folder.name))
        return found

    def wait_for_bytes(self, count: int, timeout: float = 60) -> None:
        """Wait until the source's SSH server has sent so many more bytes."""
        goal = self.chaos.received + count
        eventually(lambda: self.chaos.received >= goal, timeout)

    @property
    def destination(self) -> Path:
        """The folder that torrents go to."""
        configured = self.settings.get("DESTINATION_PATHS", {}).get("destination_path")
        return Path(configured) if configured else self.world.destination.data

    # -- the check -----------------------------------------------------------------------------------------------------

    def at_destination(self, one: Sample) -> list[str]:
        """What the verifier finds wrong with the copy at the destination."""
        return faults(one.metainfo, self.destination)

    def at_source(self, one: Sample) -> list[str]:
        """What the verifier finds wrong with the copy at the source, where its user has it by now."""
        folder, renames = self.taken_to.get(one.info_hash, (self.world.source.data, {}))
        return faults(one.metainfo, folder, renames)

    def _look_at_delete(self, form: dict[str, str]) -> None:
        """At the very moment when the source is asked to delete: the copy is right, seeds, and it is all written down."""
        self.deletes += 1
        for info_hash in form.get("hashes", "").split("|"):
            one = next((each for each in self.samples if each.info_hash == info_hash), None)
            if one is None:
                self.violations.append(f"a delete of the unknown {info_hash!r}")
                continue
            if wrong := self.at_destination(one):
                self.violations.append(f"{info_hash} was deleted while {wrong[:2]}")
            there = self.world.destination.torrent(info_hash)
            if there is None or there["state"] not in SEEDING_STATES or there["amount_left"]:
                self.violations.append(f"{info_hash} was deleted while the destination said {there and there['state']}")
            if not self._certified(info_hash):
                self.violations.append(f"{info_hash} was deleted without a certificate in the journal")

    def _certified(self, info_hash: str) -> bool:
        journal = self.world.root / "state" / "journal.sqlite3"
        with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=10)) as connection:
            found = connection.execute("SELECT count(*) FROM certificates WHERE torrent = ?", (info_hash,)).fetchone()
        return bool(found[0])

    def check(self) -> None:
        """What must be true at every instant, also right after a kill."""
        self.checks += 1
        assert not self.violations, self.violations
        for one in self.samples:
            here, there = self.at_source(one), self.at_destination(one)
            assert not here or not there, f"no good copy of {one.name}: {here[:2]} {there[:2]}"
            if self.world.source.torrent(one.info_hash) is None:
                assert not there, f"the source of {one.name} is gone, and {there[:2]}"
        assert [snapshot(folder) for folder in self.canaries] == self._canaries_before
        self._look_for_secrets()

    def _look_for_secrets(self) -> None:
        assert not self.secrets, f"seen in a command line or an environment: {self.secrets}"
        for folder in (self.world.root / "state", self.world.root / "log", self.home):
            for file in folder.rglob("*"):
                if file.is_file():
                    data = file.read_bytes()
                    seen = [secret for secret in self._secrets() if secret.encode() in data]
                    assert not seen, f"{file} holds {seen}"

    def missing(self) -> int:
        """Bytes of pieces that lie nowhere on the way or at the destination, of the torrents that the source still has.

        sftp_upload counts what the journal knows: to read back over the network what it does not would cost as much as
        sending it.
        """
        left = [one for one in self.samples if self.world.source.torrent(one.info_hash) is not None]
        return sum(self._missing(one) for one in left)

    def _missing(self, one: Sample) -> int:
        staged = Path(".torrent-mover") / one.info_hash

        def landed(name: str) -> Path:
            path = self.destination / staged / name
            return path if path.exists() else self.destination / name

        if self.mode == "sftp_upload":
            known = self._journaled(one)
            found = {piece: size for piece, size in good_pieces(one.metainfo, landed).items() if piece in known}
            return sum(len(data) for data in self.contents[one.info_hash].values()) - sum(found.values())
        found = good_pieces(one.metainfo, landed) | good_pieces(one.metainfo, lambda name: self.cache / staged / name)
        return sum(len(data) for data in self.contents[one.info_hash].values()) - sum(found.values())

    def _journaled(self, one: Sample) -> set[int]:
        journal = self.world.root / "state" / "journal.sqlite3"
        with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=10)) as connection:
            row = connection.execute(
                "SELECT bitfield FROM pieces JOIN jobs ON id = job WHERE infohash = ?", (one.info_hash,)
            ).fetchone()
        bits = row[0] if row else b""
        return {8 * at + bit for at, byte in enumerate(bits) for bit in range(8) if byte >> (7 - bit) & 1}

    def converge_sending_only(self, missing: int) -> Result:
        """Converge, and assert that no byte of a piece that was proven before comes again."""
        before, connections = self.chaos.received, self.chaos.accepted
        result = self.converge()
        came = self.chaos.received - before
        allowed = missing + self._overhead(missing, self.chaos.accepted - connections)
        assert came <= allowed, f"{came} bytes came, {missing} were missing"
        return result

    def converge(self, runs: int = 3) -> Result:
        """Run until everything is moved; then check all of it."""
        for _ in range(runs):
            result = self.run()
            self.check()
            if all(self.world.source.torrent(one.info_hash) is None for one in self.samples):
                break
        try:
            self.assert_moved()
            assert result.code == 0
        except AssertionError as error:
            raise AssertionError(f"{error}\nThe last run said:\n{result.text}") from error
        return result

    def assert_moved(self) -> None:
        """Assert that everything seeds at the destination, that nothing is left behind, and that the account is true."""
        self.check()
        for one in self.samples:
            there = self.world.destination.torrent(one.info_hash)
            assert there is not None, one.name
            assert (there["state"] in SEEDING_STATES, there["amount_left"]) == (True, 0), there
            assert self.world.source.torrent(one.info_hash) is None
            assert not any(path.is_file() for path in [one.content, *one.content.rglob("*")])
            arrived = {name: (self.destination / name).read_bytes() for name in self.contents[one.info_hash]}
            assert arrived == self.contents[one.info_hash], one.name
        for folder in (self.destination, self.world.root / "state", self.home):
            # Probes of a run that was killed in its pre-flight go with one of the next, once they are old.
            ours = [path for path in folder.rglob(".torrent-mover*") if not path.name.startswith(PROBES)]
            left = [str(path) for path in ours]
            assert not left, left
        journal = self.world.root / "state" / "journal.sqlite3"
        with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=10)) as connection:
            moved = dict(
                connection.execute("SELECT torrent, confirmed FROM history WHERE outcome = 'moved' ORDER BY number")
            )
            under_way = connection.execute("SELECT count(*) FROM jobs").fetchone()[0]
        assert moved == {one.info_hash: 1 for one in self.samples}
        assert under_way == 0

    def account(self, row: str, what: str, *, allowed_again: int) -> None:
        """Note the scenario as survived, and assert that no more than so many bytes came a second time.

        Bytes are counted on the wire of the source's SSH server, with what SSH itself adds.
        """
        again = max(0, self.chaos.received - self.size - self.overhead)
        assert again <= allowed_again, f"{again} bytes came again, of {self.size}; {allowed_again} were allowed"
        self.note(row, what, again=again, allowed=allowed_again)

    def note(self, row: str, what: str, *, again: int = 0, allowed: int = 0, survived: bool = True) -> None:
        """Write the scenario down."""
        self.accounted = True
        lost = [one for one in self.samples if self.at_source(one) and self.at_destination(one)]
        note(
            Entry(
                row=row,
                what=what,
                mode=self.mode,
                faults=self.injected,
                survived=self.injected if survived else 0,
                seed=self.seed_number,
                size=self.size,
                lost=sum(len(data) for one in lost for data in self.contents[one.info_hash].values()),
                sent_again=again,
                allowed=allowed,
                deletes=self.deletes,
                unproven=len(self.violations),
                checks=self.checks,
                seconds=round(time.monotonic() - self.began, 1),
                versions=f"{self.world.source.version} -> {self.world.destination.version}",
            )
        )

    @property
    def overhead(self) -> int:
        """What SSH and SFTP add: packets and greetings."""
        return self._overhead(self.size, self.chaos.accepted)

    @staticmethod
    def _overhead(size: int, connections: int) -> int:
        return size // 200 + 8_192 * max(1, connections)


def _plant(folder: Path) -> None:
    (folder / "deep").mkdir(parents=True)
    for name, mode in (("notes.txt", 0o640), ("deep/secret.bin", 0o400), ("run.sh", 0o755)):
        path = folder / name
        path.write_bytes(os.urandom(3000))
        path.chmod(mode)
    (folder / "link").symlink_to("notes.txt")

"""What goes wrong in a long run: servers, disks and mounts are away or full, calls fail, bytes rot, the clock jumps."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.doubles.arr.server import Fault
from tests.longrun.clockwork import Process, used
from tests.longrun.known import KnownTorrent, files_below
from tests.longrun.story import DAY, HOUR, Story
from tests.longrun.watchman import Watchman
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.errors import NotWritable, Unreachable

CALLS = (
    "torrents",
    "get",
    "files",
    "metainfo",
    "pieces",
    "add_stopped",
    "recheck",
    "start",
    "stop",
    "remove",
    "retire",
    "relocate",
    "persist",
    "set_tags",
    "snapshot",
)
_SAID = {
    "the service is unavailable (503)": AnswerClass.AGAIN,
    "the service wants fewer requests (429)": AnswerClass.PAUSE,
    "the account is locked (403)": AnswerClass.STOP,
    "the service says that everything is gone (404)": AnswerClass.GONE,
    "the account's traffic is used up": AnswerClass.PARK,
}
_ARR = {
    "the Arr answers 502": Fault.BAD_GATEWAY,
    "the Arr answers with a page of HTML": Fault.HTML,
    "the Arr answers nothing": Fault.EMPTY,
    "the Arr cuts its answers": Fault.CUT,
}


class Faults:
    """`step` injects and ends them. `counted`: how many of each kind; `enough`: no new ones."""

    def __init__(self, story: Story, watchman: Watchman, random_: random.Random, mean: float = DAY / 3) -> None:
        self.story = story
        self.place = story.place
        self.watchman = watchman
        self.random = random_
        self.counted: Counter[str] = Counter()
        self.under_way: dict[str, tuple[float, Callable[[], None]]] = {}
        self._mean = mean
        self._next = self.place.clock.now() + random_.expovariate(1 / mean)

    def step(self) -> None:
        """End what is over; inject what is due."""
        now = self.place.clock.now()
        for kind, (until, end) in list(self.under_way.items()):
            if until <= now:
                del self.under_way[kind]
                end()
        while self._next <= now:
            self._next += self.random.expovariate(1 / self._mean)
            self._inject()

    def end_all(self) -> None:
        """Everything is as it should be from now on."""
        for _, end in self.under_way.values():
            end()
        self.under_way = {}
        self._next = float("inf")

    def _inject(self) -> None:
        kinds: list[Callable[[], str]] = [
            *(lambda name=name: self._client_away(name) for name in self.place.clients),  # type: ignore[misc]
            *(lambda name=name: self._client_restarts(name) for name in self.place.clients),  # type: ignore[misc]
            *(lambda host=host: self._ssh_away(host) for host in ("box.invalid", "here.invalid")),  # type: ignore[misc]
            *(lambda what=what: self._arr(what) for what in _ARR),  # type: ignore[misc]
            *(lambda what=what: self._service(what) for what in _SAID),  # type: ignore[misc]
            *(lambda disk=disk: self._full(disk) for disk in ("home/ssd", "home/hdd", "nas/data")),  # type: ignore[misc]
            self._arr_lost_its_client, self._mount_away, self._disk_away, self._call_fails, self._call_fails,
            self._write_fails, self._write_fails, self._rot, self._rot, self._clock_jumps,
        ]  # fmt: skip
        kind = self.random.choice(kinds)()
        if kind:
            self.counted[kind] += 1

    def _lasts(self, kind: str, end: Callable[[], None], most: float = 1.5 * DAY) -> str:
        until = self.place.clock.now() + min(self.random.expovariate(1 / (4 * HOUR)) + 600, most)
        self.under_way[kind] = until, end
        return kind

    # -- servers -------------------------------------------------------------------------------------------------------

    def _client_away(self, name: str) -> str:
        kind = f"client does not answer ({name})"
        if kind in self.under_way:
            return ""
        self.watchman.away.add(name)
        return self._lasts(kind, lambda: self.watchman.away.discard(name))

    def _client_restarts(self, name: str) -> str:
        self.place.clients[name].restart()
        return f"client is started again ({name})"

    def _ssh_away(self, host: str) -> str:
        kind = f"SSH refuses ({host.partition('.')[0]})"
        flag = self.place.root / "away" / host
        if kind in self.under_way:
            return ""
        flag.touch()
        return self._lasts(kind, lambda: flag.unlink(missing_ok=True))

    def _arr(self, what: str) -> str:
        if self.place.arr.faults:
            return ""
        self.place.arr.faults["*"] = _ARR[what]
        return self._lasts(what, self.place.arr.faults.clear)

    def _arr_lost_its_client(self) -> str:
        def back() -> None:
            self.place.library.client_away = False

        self.place.library.client_away = True
        return self._lasts("the Arr does not reach its client: an empty queue", back)

    def _service(self, what: str) -> str:
        if self.place.debrid.faults:
            return ""
        self.place.debrid.fault("*", **self.place.debrid.SAYS[_SAID[what]])
        return self._lasts(what, self.place.debrid.faults.clear)

    # -- disks ---------------------------------------------------------------------------------------------------------

    def _full(self, disk: str) -> str:
        kind, place = f"disk is full ({disk})", self.place.root / disk
        if kind in self.under_way or not place.exists():
            return ""
        sizes = self.place.disks.sizes
        before, sizes[place] = sizes[place], used(place)

        def freed() -> None:
            sizes[place] = before

        return self._lasts(kind, freed, 12 * HOUR)

    def _mount_away(self) -> str:
        if not self.place.mounted:
            return ""
        self._hide(self.place.root / "mount")
        self.place.mounted = False

        def back() -> None:
            self._show(self.place.root / "mount", "the mount of the account")
            self.place.mounted = True

        return self._lasts("the account's mount is gone", back)

    def _disk_away(self) -> str:
        kind, place = "the tier's disk is not mounted", self.place.root / "home/hdd"
        if kind in self.under_way:
            return ""
        self._hide(place)
        return self._lasts(kind, lambda: self._show(place, "the tier's disk"), 12 * HOUR)

    @staticmethod
    def _hide(place: Path) -> None:
        place.rename(place.with_name(f".{place.name}-away"))
        place.mkdir()

    def _show(self, place: Path, what: str) -> None:
        for stray in files_below(place):
            self.watchman.wrong.append(f"{stray} was written where {what} was not mounted")
        for folder in sorted(place.rglob("*"), reverse=True):
            folder.rmdir() if folder.is_dir() else folder.unlink()
        place.rmdir()
        place.with_name(f".{place.name}-away").rename(place)

    def _rot(self) -> str:
        """A bit of a copy flips whose original is still there, and nothing tells of it: neither size nor time."""
        hdd = self.place.root / "home/hdd"
        both = [known for known in self.story.alive() if known.complete and self._is_on_ssd(known)]
        self.random.shuffle(both)
        for known in both:
            for name in known.sizes:
                for path in files_below(hdd):
                    if path.name != Path(name).name:
                        continue
                    if ".torrent-mover" in path.parts or not path.stat().st_size or path.stat().st_nlink > 1:
                        continue
                    before = path.stat()
                    data = bytearray(path.read_bytes())
                    data[self.random.randrange(len(data))] ^= 0x10
                    path.write_bytes(data)
                    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
                    return "a bit of a tier's copy flips"
        return ""

    def _is_on_ssd(self, known: KnownTorrent) -> bool:
        held = self.place.clients["home"].listed().get(known.id)
        ssd = self.place.root / "home/ssd"
        return (
            held is not None
            and str(held.row.save_path).startswith(str(ssd))
            and self.watchman.looker.is_whole(known, Path(str(held.row.save_path)))
        )

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _call_fails(self) -> str:
        client = self.place.clients[self.random.choice(list(self.place.clients))]
        for _ in range(self.random.randint(1, 4)):
            client.fail(
                self.random.choice(CALLS),
                Unreachable(f"{client.name} does not answer.", kept="Nothing.", server=client.name),
            )
        return "calls of a client fail"

    def _write_fails(self) -> str:
        """One of the next writes to a disk fails, as on a disk that is about to die."""
        fuse = Process.now.fuse

        def act(label: str) -> None:
            if label == "a write" or label.removeprefix("before ") in (
                "sync",
                "rename",
                "create",
                "unlink",
                "make_folders",
            ):
                raise NotWritable(f"Input/output error: {label}", kept="Nothing was lost.", remedy="Look at the disk.")
            fuse.arm(fuse.count + 1, act)

        fuse.arm(fuse.count + self.random.randint(1, 2000), act)
        return "a write to a disk fails"

    def _clock_jumps(self) -> str:
        self.place.clock.jump(self.random.choice((-3600.0, 3600.0, -5.0)))
        return "the wall clock jumps"

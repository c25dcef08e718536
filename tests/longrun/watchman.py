"""Stands by in a long run and sees to it that nothing is lost: at each delete, after each step, and at the end."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.longrun.known import KnownTorrent, Looker, files_below
from tests.longrun.place import KEEP, Place
from tests.longrun.story import DAY, PEOPLE, Story
from torrent_mover.domain.errors import Unreachable
from torrent_mover.domain.torrent.torrent import InfoHash

HEALTH = "by health"
BIN = ".torrent-mover/bin"
COPIES = "of copies behind the SSD"
OLD_COPIES = "of copies behind the SSD whose torrents have left this client"
"""A tier deletes no copy: what a route, health or a person takes out of the client leaves it behind."""
ROTTEN = "of copies behind the SSD in which a bit has flipped, whose original is whole"
OVERTAKEN = "left on the SSD by an eviction that was cut short and overtaken by somebody, who was told"
LEFT_FOR_OTHERS = (
    "of torrents that health took out while another client of the machine could not be asked, which was told"
)
RETIRED = "of torrents that health retired, whose data stays where it was"


class Watchman:
    """`wrong`: what must never be. `away`: clients that do not answer. `deletes`, `looks`: what was looked at."""

    def __init__(self, place: Place, story: Story) -> None:
        self.place = place
        self.story = story
        self.looker = Looker()
        self.wrong: list[str] = []
        self.away: set[str] = set()
        self.deletes = 0
        self.looks = 0
        self.left_at: dict[InfoHash, float] = {}
        self.roots = [place.root / each for each in ("seedbox/data", "home/ssd", "home/hdd", "nas/data")]
        for name, client in place.clients.items():
            client.before = self._gate(name)
        place.disks.before_unlink = self._before_unlink

    def _gate(self, name: str) -> Any:
        def before(method: str, torrent: InfoHash | None) -> None:
            if name in self.away:
                raise Unreachable(f"{name} does not answer.", kept="Nothing was changed.", server=name)
            known = self.story.known.get(torrent) if torrent else None
            if known is None or known.id not in self.place.clients[name].listed():
                return
            if method == "remove":
                self._before_remove(name, known)
            elif method == "retire":
                self._before_retire(known)

        return before

    def _before_remove(self, name: str, known: KnownTorrent) -> None:
        """The program removes a torrent with its data: it must be whole at another client at this instant."""
        self.deletes += 1
        others = [other for other in self.place.clients if other != name and self._whole_at(other, known)]
        if not others:
            self.wrong.append(f"{known.name} was removed at {name}, and no other client has it whole")

    def _before_retire(self, known: KnownTorrent) -> None:
        """Health takes a torrent out: only what is really in trouble."""
        if known.fate == "well":
            self.wrong.append(f"health took out {known.name}, which is well")
        known.ended = HEALTH
        self.left_at[known.id] = self.story.now

    def _before_unlink(self, path: Path) -> None:
        """The program deletes a file itself: no last good copy of anything."""
        if not any(path.is_relative_to(root) for root in self.roots):
            return
        digest = self.looker.digest(path)
        for known in self.story.alive():
            if known.complete and digest in known.digests.values() and path.stat().st_size > 1000:
                self.deletes += 1
                if not self._whole_elsewhere(known, path):
                    self.wrong.append(f"{path} was deleted, the last good copy of {known.name}")

    def _place_at(self, client: str, known: KnownTorrent) -> Path | None:
        held = self.place.clients[client].listed().get(known.id)
        return None if held is None else Path(str(held.row.save_path))

    def _whole_at(self, client: str, known: KnownTorrent) -> bool:
        place = self._place_at(client, known)
        return place is not None and self.looker.is_whole(known, self._real(place))

    def _real(self, place: Path) -> Path:
        """Where a folder lies that is perhaps not mounted now."""
        away = self.place.root / "home/.hdd-away"
        hdd = self.place.root / "home/hdd"
        return away / place.relative_to(hdd) if away.exists() and place.is_relative_to(hdd) else place

    def _whole_elsewhere(self, known: KnownTorrent, path: Path) -> bool:
        """Whether each of its files is somewhere, right, under another name than `path`."""
        return all(any(self._copies(name, digest, path)) for name, digest in known.digests.items())

    def _copies(self, name: str, digest: str, but: Path | None = None) -> list[Path]:
        found = []
        for root in (*self.roots, self.place.root / "home/.hdd-away"):
            if root.exists():
                found += [
                    path
                    for path in files_below(root)
                    if path.name == Path(name).name and path != but and self.looker.digest(path) == digest
                ]
        return found

    def look(self) -> None:
        """After a step: every torrent that nobody removed rightly has all of its bytes somewhere."""
        self.looks += 1
        for known in self.story.alive():
            if not known.complete:
                continue
            if any(self._whole_at(client, known) for client in self.place.clients):
                continue
            if not all(self._copies(name, digest) for name, digest in known.digests.items()):
                self.wrong.append(f"{known.name} has lost bytes: {self._said(known)}")

    def _said(self, known: KnownTorrent) -> str:
        at = {client: str(place) for client in self.place.clients if (place := self._place_at(client, known))}
        return f"{known.fate}, {known.kind}, listed {at or 'nowhere'}"

    # -- at the end ----------------------------------------------------------------------------------------------------

    def account(self) -> Counter[str]:
        """Every torrent is where the duties say, and every byte on the disks is explained; bytes by what explains them."""
        for known in self.story.known.values():
            self._account_of(known)
        explained: dict[Path, str] = {}
        for known in self.story.alive():
            for client in self.place.clients:
                place = self._place_at(client, known)
                if place is not None:
                    explained |= {place / name: "of torrents at their clients" for name in known.sizes}
        self.wrong += self.late()
        bytes_: Counter[str] = Counter()
        for root in self.roots:
            for path in files_below(root):
                bytes_[explained.get(path) or self._why(path)] += path.stat().st_size
        return bytes_

    def _why(self, path: Path) -> str:
        if path.name in (KEEP, "root-id"):
            return "of folders themselves"
        if BIN in str(path):
            return "in the bin of health"
        digest = self.looker.digest(path)
        owner = next((each for each in self.story.known.values() if digest in each.digests.values()), None)
        why = self._why_of(path, owner) if owner is not None else ""
        if why or self._rotten(path):
            return why or ROTTEN
        self.wrong.append(f"nothing explains {path} ({path.stat().st_size} bytes): {self._whose(path)}")
        return "not explained"

    def _why_of(self, path: Path, owner: KnownTorrent) -> str:
        """Why a whole file of that torrent lies where no client has it; blank: nothing explains it."""
        if ".torrent-mover" not in str(path):
            if path.is_relative_to(self.place.root / "home/hdd"):
                return COPIES if owner.id in self.place.clients["home"].listed() else OLD_COPIES
            if owner.ended == HEALTH and path.is_relative_to(self.place.root / "nas"):
                return RETIRED
            if owner.ended == HEALTH and any("its files stay in" in text for text in self._told_of(owner)):
                return LEFT_FOR_OTHERS
        return OVERTAKEN if self._overtaken(path, owner) else ""

    def _rotten(self, path: Path) -> bool:
        """Whether it is a copy in which a bit has flipped, and nobody needs it."""
        known = self._named(path)
        if known is None or not path.is_relative_to(self.place.root / "home/hdd"):
            return False
        return bool(known.ended) or any(self._whole_at(client, known) for client in self.place.clients)

    def _overtaken(self, path: Path, known: KnownTorrent) -> bool:
        """Whether it lies on the SSD by an eviction that a kill cut short and somebody overtook, who was told.

        Nothing of it is needed there: it has left, or is whole at a client.
        """
        needed = not known.ended and not any(self._whole_at(client, known) for client in self.place.clients)
        if needed or not path.is_relative_to(self.place.root / "home/ssd"):
            return False
        return any("no longer lists" in text or "nothing is done to it" in text for text in self._told_of(known))

    def _told_of(self, known: KnownTorrent) -> list[str]:
        """Everything that the journal says of it, oldest first."""
        with closing(sqlite3.connect(f"file:{self.place.root / 'state/journal.sqlite3'}?mode=ro", uri=True)) as journal:
            rows = journal.execute(
                "SELECT text FROM notes WHERE torrent = ? ORDER BY number", (known.id.hex,)
            ).fetchall()
        return [text for (text,) in rows]

    def _named(self, path: Path) -> KnownTorrent | None:
        """Whose file this is by its name: each is the only one that is called so."""
        return next(
            (each for each in self.story.known.values() if path.name in {Path(name).name for name in each.sizes}), None
        )

    def _whose(self, path: Path) -> str:
        digest = self.looker.digest(path)
        owner = next((each for each in self.story.known.values() if digest in each.digests.values()), None)
        if owner is None:
            return "of nobody"
        told = " / ".join(self._told_of(owner)[-20:])
        return f"{owner.name}, {owner.ended or 'alive'}, {self._said(owner)}; told: {told}"

    def _account_of(self, known: KnownTorrent) -> None:
        at = [client for client in self.place.clients if known.id in self.place.clients[client].listed()]
        if known.ended:
            if at:
                self.wrong.append(f"{known.name} left {known.ended}, and {at} still has it")
            return
        wanted = {"films": "home", "tv": "home"}[known.kind]
        wanted = "nas" if known.archived else wanted
        if known.fate == "stalls" or not known.complete:
            return
        if at != [wanted]:
            self.wrong.append(f"{known.name} should be at {wanted} alone, and is at {at}")
        elif not self._whole_at(wanted, known):
            self.wrong.append(f"{known.name} is not whole at {wanted}: {self._said(known)}")
        elif (row := self.place.clients[wanted]._shown[known.id][0]).amount_left or not self.place.clients[
            wanted
        ].listed()[known.id].running:
            self.wrong.append(f"{known.name} does not seed at {wanted}: {row.client_state}")

    def twice(self) -> None:
        """What must not be done twice: imports, searches for one grab, entries of the account."""
        library = self.place.library
        imports = Counter(
            (event["sourceTitle"], event.get("downloadId"))
            for event in library.history
            if event["eventType"] == library.product.file_in
        )
        self.wrong += [f"{what} was imported {count} times" for what, count in imports.items() if count > 1]
        searched = Counter(number for search in library.searches for number in search)
        left = Counter(
            known.media for known in self.story.known.values() if known.ended == HEALTH and known.kind == "tv"
        )
        self.wrong += [
            f"media {what} was searched {count} times for {left[what]} losses"
            for what, count in searched.items()
            if count > left[what]
        ]
        account = self.place.account
        with account.lock:
            held = Counter(entry.torrent.hash for entry in account.entries)
            well = {entry.torrent.hash for entry in account.entries if account.status(entry) == "downloaded"}
        self.wrong += [f"the account has {digits[:8]} {count} times" for digits, count in held.items() if count > 1]
        self.wrong += [f"the account has {digits[:8]} no more" for digits in account.torrents if digits not in well]
        for link in (self.place.root / "media").rglob("*.mkv"):
            if not link.exists():
                self.wrong.append(f"{link} leads nowhere")

    def late(self) -> list[str]:
        """Files that are in a bin still, though health took their torrent out longer ago than it keeps them; or never did."""
        found = []
        for root in self.roots:
            emptied_after = (16 if root == self.place.root / "nas/data" else 5) * DAY  # bin_keep, and time for looks
            for path in files_below(root):
                # The folder of an action begins with the infohash of its torrent.
                _, bin_, inside = str(path).partition(f"{BIN}/")
                at = next((at for torrent, at in self.left_at.items() if inside.startswith(torrent.hex)), None)
                if bin_ and (at is None or self.story.now - at > emptied_after):
                    since = "never" if at is None else f"{(self.story.now - at) / DAY:.1f} days ago"
                    found.append(f"{path} is in the bin still; health took its torrent out: {since}")
        return found


__all__ = ["HEALTH", "PEOPLE", "Watchman"]

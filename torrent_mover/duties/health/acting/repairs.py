"""What is done to a torrent that stays in its client: marks, stops, checks, priorities, trackers, attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from torrent_mover.domain.errors import ClientLacks, TorrentGone
from torrent_mover.domain.torrent.torrent import FilePriority, Torrent, TorrentState
from torrent_mover.duties.health.acting.checking import checked
from torrent_mover.duties.health.acting.log import ActionLog
from torrent_mover.duties.health.acting.world import ActingWorld
from torrent_mover.duties.health.model import FindingCode, HealthAction
from torrent_mover.ports.client import RecheckVerdict
from torrent_mover.ports.documents import Documents
from torrent_mover.ports.roles import Categories, EditsTrackers, Priorities, Reannounces, Tags

_BEFORE: Final = "before"
_STOPPED: Final = (TorrentState.STOPPED_COMPLETE, TorrentState.STOPPED_INCOMPLETE)
_RUNNING: Final = (TorrentState.SEEDING, TorrentState.DOWNLOADING)


class BeforeRecords:
    """What was so before an action changed it, for its undo."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def get(self, number: int) -> Mapping[str, Any]:
        """Of one action; empty where it has changed nothing."""
        return self._documents.get(_BEFORE, str(number)) or {}

    def save(self, number: int, **said: Any) -> None:  # noqa: ANN401  what JSON can say
        """Write it; what stands there already stays: a second try sees what the first one has changed."""
        self._documents.put_new(_BEFORE, str(number), said)


@dataclass(slots=True)
class TorrentRepair:
    """One action on a torrent that stays. Each is such that doing it twice is doing it once."""

    world: ActingWorld
    log: ActionLog
    before: BeforeRecords
    detail: tuple[str, ...]

    def run(self) -> None:
        """Do it. Raises MoverError."""
        doing = {
            HealthAction.TAG: self._tag,
            HealthAction.PAUSE: self._pause,
            HealthAction.RESUME: self._resume,
            HealthAction.RECHECK: self._recheck,
            HealthAction.SKIP_FILES: self._skip_files,
            HealthAction.REMOVE_TRACKER: self._remove_trackers,
            HealthAction.REANNOUNCE: self._nudge,
            HealthAction.HAND_OVER: self._hand_over,
        }[self.log.record.action]
        self.log.take(self.log.record.action.value, doing)

    @property
    def _torrent(self) -> Torrent:
        client = self.world.health.client
        there = client.get(self.log.record.torrent)
        if there is None:
            raise TorrentGone(
                f"{client.name} does not list {self.log.record.name} any more.",
                kept="Nothing was changed.",
                remedy="Nothing needs to be done.",
            )
        return there

    def _tag(self) -> str | None:
        torrent, word = self._torrent, f"tm:{self.log.record.code.value}"
        self.before.save(self.log.record.number, tags=list(torrent.tags))
        if word not in torrent.tags:
            self._role(Tags).set_tags(torrent.id, (*torrent.tags, word))
        return None

    def _pause(self) -> str | None:
        """Marked first: a stop without its mark would count as a person's, and never be taken back."""
        health = self.world.health
        torrent = self._torrent
        if torrent.state in _STOPPED and torrent.id not in health.journal.stopped_by_us():
            return "a person has stopped it already"
        health.journal.mark_stopped(torrent.id, health.clock.now())
        health.client.stop(torrent.id)
        return None

    def _resume(self) -> str | None:
        health, torrent = self.world.health, self._torrent
        if torrent.id not in health.journal.stopped_by_us():
            return "it was not stopped by torrent_mover"
        if torrent.state in _STOPPED:
            health.client.start(torrent.id)
        health.journal.mark_stopped(torrent.id, None)
        return None

    def _recheck(self) -> str:
        health, torrent = self.world.health, self._torrent
        back = self._category_back() if self.log.record.code is FindingCode.MANUAL_RECHECK else ""
        self.before.save(
            self.log.record.number, category=torrent.category, running=torrent.state in _RUNNING, goes_to=back
        )
        kept = self.before.get(self.log.record.number)
        verdict = checked(self.world, torrent.id)
        if category := kept.get("goes_to"):
            self._role(Categories).set_category(torrent.id, str(category))
        goes_on = kept.get("running") or self.log.record.code is FindingCode.ERRORED
        if goes_on and verdict is not RecheckVerdict.FAILED:
            health.client.start(torrent.id)
        return verdict.value

    def _category_back(self) -> str:
        """Where a torrent belongs that a person had put aside to be checked: as was told, else the one category of the loop."""
        health = self.world.health
        if self.detail:
            return self.detail[0]
        own = health.settings.categories or (tuple(health.arr.categories()) if health.arr is not None else ())
        return own[0] if len(own) == 1 else ""

    def _skip_files(self) -> str:
        torrent, client = self._torrent, self.world.health.client
        wanted = {file.index: file for file in client.files(torrent.id) if file.wanted}
        skipped = [int(index) for index in self.detail if int(index) in wanted]
        if not skipped or len(skipped) == len(wanted):
            return "nothing to leave out"  # without a single file there would be no torrent left
        said = {str(index): wanted[index].priority.value for index in skipped}
        self.before.save(self.log.record.number, files=said)
        self._role(Priorities).set_priorities(torrent.id, dict.fromkeys(skipped, FilePriority.SKIP))
        return f"{len(skipped)} of {len(wanted)} files"

    def _remove_trackers(self) -> str:
        torrent, client = self._torrent, self.world.health.client
        trackers = client.trackers(torrent.id)
        dead = [tracker.url for tracker in trackers if tracker.url in self.detail and not tracker.working]
        if not any(tracker.working and tracker.url not in dead for tracker in trackers):
            return "no other tracker works now: it stays"
        self.before.save(self.log.record.number, trackers=dead)
        for url in dead:
            self._role(EditsTrackers).remove_tracker(torrent.id, url)
        return f"{len(dead)} of {len(trackers)} trackers"

    def _nudge(self) -> str | None:
        """Ask the trackers; a started one also goes through a stop and a start, which has it look for peers anew."""
        torrent, client = self._torrent, self.world.health.client
        self.before.save(self.log.record.number, running=torrent.state in _RUNNING)
        if self.before.get(self.log.record.number).get("running"):
            client.stop(torrent.id)
            client.start(torrent.id)
        announcing = client.role(Reannounces)
        if announcing is not None:
            announcing.reannounce(torrent.id)
        return None

    def _hand_over(self) -> str:
        if self.world.hand_over is None:
            return "there is no Arr to tell"
        return self.world.hand_over.tell(self._torrent)

    def _role(self, kind: type[Any]) -> Any:  # noqa: ANN401  one of the roles
        found = self.world.health.client.role(kind)
        if found is None:
            raise ClientLacks(
                f"{self.world.health.client.name} cannot do this: {self.log.record.action.value}.",
                kept="Nothing was changed.",
                remedy=f"Set {self.log.record.code.value}_action = report.",
            )
        return found

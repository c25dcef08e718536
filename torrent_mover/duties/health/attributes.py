"""Attributes of torrents beside what their tracker rules want: limits, super seeding, tags, trackers, place in the queue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from torrent_mover.domain.rules import Rule, TrackerRules
from torrent_mover.domain.text import size
from torrent_mover.domain.torrent.torrent import InfoHash, Tracker
from torrent_mover.duties.health.model import Picture
from torrent_mover.duties.health.settings import HealthSettings


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """What is to be set of one torrent. None, or empty: it stays as it is. Rates in bytes a second."""

    torrent: InfoHash
    upload_limit: int | None = None
    download_limit: int | None = None
    super_seeding: bool | None = None
    add_tags: tuple[str, ...] = ()
    add_trackers: tuple[str, ...] = ()
    remove_trackers: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """For people and the journal. No address of a tracker: it may hold a passkey."""
        said = []
        if self.upload_limit is not None:
            said.append(f"upload limit {size(self.upload_limit)}/s")
        if self.download_limit is not None:
            said.append(f"download limit {size(self.download_limit)}/s")
        if self.super_seeding is not None:
            said.append(f"super seeding {'on' if self.super_seeding else 'off'}")
        said += [f"tag {tag}" for tag in self.add_tags]
        if self.add_trackers:
            said.append(f"{len(self.add_trackers)} trackers more")
        if self.remove_trackers:
            said.append(f"{len(self.remove_trackers)} trackers less")
        return tuple(said)


def change_of(
    picture: Picture, settings: HealthSettings, rules: TrackerRules, known: Mapping[str, str]
) -> AttributeChange | None:
    """What differs; None: nothing, or its trackers are not known. Of several rules the strictest limit counts, and all tags.

    `known`: for each rule's domain, an address of a tracker there that another torrent has. A private torrent is given none.
    """
    trackers, torrent = picture.trackers, picture.torrent
    if trackers is None:
        return None
    of_it = [(tracker, rules.of_tracker(tracker.url)) for tracker in trackers]
    healths = [rule.health for _, rule in of_it if rule is not None and rule.health is not None]
    upload = min((each.upload_limit for each in healths if each.upload_limit), default=settings.upload_limit)
    supers = [each.super_seed for each in healths if each.super_seed is not None]
    tags = dict.fromkeys(tag for each in healths for tag in each.tags if tag not in torrent.tags)
    super_seeding = all(supers) if supers else None
    change = AttributeChange(
        picture.id,
        upload or None if upload != torrent.upload_limit else None,
        settings.download_limit or None if settings.download_limit != torrent.download_limit else None,
        super_seeding if super_seeding is not None and super_seeding != torrent.super_seeding else None,
        tuple(tags),
        () if picture.private is not False else _missing(rules, of_it, known),
        _unwanted(of_it),
    )
    return change if change.words else None


def trackers_known(pictures: Iterable[Picture], rules: TrackerRules) -> Mapping[str, str]:
    """An address for each domain whose rule says `add`, as a torrent that is not private has it."""
    found: dict[str, str] = {}
    for picture in pictures:
        if picture.private is False:
            for tracker in picture.trackers or ():
                rule = rules.of_tracker(tracker.url)
                if rule is not None and rule.health is not None and rule.health.add:
                    found.setdefault(rule.domain, tracker.url)
    return found


def queue_first(pictures: Collection[Picture]) -> Sequence[InfoHash]:
    """Torrents to be put at the head of the queue, one after the other, until the order is that of priorities. Empty: it is."""
    waiting = [(each.activity.queue_place, each) for each in pictures if each.activity and each.activity.queue_place]
    now = [each for _, each in sorted(waiting, key=lambda pair: pair[0] or 0)]
    wanted = sorted(now, key=lambda each: -_priority(each))
    if now == wanted:
        return ()
    return [each.id for each in reversed(wanted)]


def _priority(picture: Picture) -> int:
    return max((rule.priority for rule in picture.rules or ()), default=0)


def _missing(
    rules: TrackerRules, of_it: Sequence[tuple[Tracker, Rule | None]], known: Mapping[str, str]
) -> tuple[str, ...]:
    has = {rule.domain for _, rule in of_it if rule is not None}
    wanted = [rule.domain for rule in rules if rule.health is not None and rule.health.add and rule.domain not in has]
    return tuple(known[domain] for domain in wanted if domain in known)


def _unwanted(of_it: Sequence[tuple[Tracker, Rule | None]]) -> tuple[str, ...]:
    """Those whose rule says `remove`; the last tracker stays."""
    gone = [
        tracker.url for tracker, rule in of_it if rule is not None and rule.health is not None and rule.health.remove
    ]
    return tuple(gone) if len(gone) < len(of_it) else ()

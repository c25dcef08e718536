"""What is owed before a torrent may leave its client: all of it must be settled, and what is unknown is open."""

from __future__ import annotations

from collections.abc import Iterator

from torrent_mover.domain.arrs.holding import hold_of
from torrent_mover.domain.health_rules import HealthRule
from torrent_mover.domain.text import clause, duration
from torrent_mover.duties.health.model import FindingCode, HealthAction, HealthLook, Intent, Picture
from torrent_mover.duties.health.seeding import hit_and_run, seeded
from torrent_mover.duties.health.settings import HealthSettings, PrivateAction

_HELD_FOR = 10 * 365 * 86400.0
"""Seconds: as long as the Arr has not imported it, it holds."""


def of_private(intent: Intent, picture: Picture, settings: HealthSettings) -> Intent:
    """The intent as private_action wants it. A person who says that a torrent failed has the last word."""
    if not intent.action.takes_out or intent.code is FindingCode.MANUAL_FAILED or not is_private(picture):
        return intent
    if settings.private_action is PrivateAction.SAME:
        return intent
    if settings.private_action is PrivateAction.REPLACE_KEEP and intent.action is HealthAction.REPLACE:
        return Intent(
            intent.torrent, HealthAction.KEEP, intent.code, f"{clause(intent.reason)}; private", detail=intent.detail
        )
    return Intent(
        intent.torrent, HealthAction.TAG, intent.code, f"{clause(intent.reason)}; private", detail=intent.detail
    )


def is_private(picture: Picture) -> bool:
    """Unknown counts as private, but for a magnet without metadata: there is nothing to owe."""
    return picture.private is not False and not picture.magnet


def open_obligations(intent: Intent, picture: Picture, look: HealthLook, settings: HealthSettings) -> tuple[str, ...]:
    """What speaks against it, in words. Only what takes a torrent out owes anything."""
    if not intent.action.takes_out:
        return ()
    return tuple(_open(intent, picture, look, settings))


def _open(intent: Intent, picture: Picture, look: HealthLook, settings: HealthSettings) -> Iterator[str]:
    torrent = picture.torrent
    if intent.code is not FindingCode.MANUAL_FAILED and not picture.magnet:
        yield from _hit_and_run(intent, picture, settings)
    if torrent.complete and seeded(picture)[1] < settings.seed_min:
        yield f"seed_min: seeded {duration(seeded(picture)[1])} of {duration(settings.seed_min)}"
    if torrent.complete and not intent.action.tells_the_arr:
        yield from _arr(picture, look)
    if torrent.complete and intent.action is HealthAction.REPLACE and picture.last_copy is not False:
        yield (
            "it is the last verified copy" if picture.last_copy else "whether it is the last verified copy is not known"
        )
    if picture.shared is None:
        yield "whether other torrents use its data is not known"


def _hit_and_run(intent: Intent, picture: Picture, settings: HealthSettings) -> Iterator[str]:
    if picture.rules is None:
        yield "hit-and-run: its trackers were not read"
        return
    if intent.code is FindingCode.UNREGISTERED and settings.hnr_until_unregistered:
        return
    wanted: list[HealthRule] = [rule for rule in picture.rules if rule.hnr is not None]
    yield from filter(None, (hit_and_run(picture, rule.hnr) for rule in wanted if rule.hnr is not None))


def _arr(picture: Picture, look: HealthLook) -> Iterator[str]:
    if look.arr_known is None:
        return
    arr = picture.arr
    if arr is None or arr.queue is None or arr.events is None:
        yield "what its Arr still wants of it is not known"
        return
    held = hold_of(arr.name, picture.id, arr.events, arr.queue, look.at, _HELD_FOR)
    if held is not None:
        yield held.words(look.at)

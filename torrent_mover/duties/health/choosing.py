"""Which one thing is done with a torrent: of all that is due, what stands first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from torrent_mover.duties.health.model import FindingCode, HealthAction, HealthFinding, HealthLook, Intent, Picture
from torrent_mover.duties.health.obligations import of_private, open_obligations
from torrent_mover.duties.health.settings import HealthSettings, TagMode

_ORDER: Final = {code: place for place, code in enumerate(FindingCode)}
_BESIDE: Final = (FindingCode.DEAD_TRACKER,)
"""Compared beside the one intent: it is about attributes."""

_CHECKS: Final = 2
"""How often an error is answered by a check."""

_NEVER_OUT: Final = (FindingCode.LOST_DATA,)


def choose(
    found: Collection[HealthFinding], picture: Picture, look: HealthLook, settings: HealthSettings
) -> Intent | None:
    """The one intent of a torrent, with its vetoes; None: nothing is due."""
    due = sorted((each for each in found if each.due and each.code not in _BESIDE), key=lambda each: _ORDER[each.code])
    if not due:
        return None
    first = due[0]
    intent = Intent(
        picture.id, _action(first, settings), first.code, f"{first.code.value}: {first.evidence}", (), first.detail
    )
    intent = of_private(intent, picture, settings)
    vetoes = (*open_obligations(intent, picture, look, settings), *_standing(intent, look))
    return Intent(intent.torrent, intent.action, intent.code, intent.reason, vetoes, intent.detail)


def beside(found: Collection[HealthFinding], picture: Picture) -> Sequence[Intent]:
    """What is due beside the one intent."""
    return [
        Intent(picture.id, each.action, each.code, f"{each.code.value}: {each.evidence}", (), each.detail)
        for each in found
        if each.due and each.code in _BESIDE
    ]


def changes_something(intent: Intent) -> bool:
    """Whether it is more than telling."""
    return intent.action not in (HealthAction.OFF, HealthAction.REPORT)


def _action(finding: HealthFinding, settings: HealthSettings) -> HealthAction:
    action = finding.action
    if finding.code is FindingCode.ERRORED and action is HealthAction.RECHECK and finding.acted >= _CHECKS:
        return HealthAction.REPORT
    if finding.code is FindingCode.UNWANTED_FILES and not finding.detail and action is HealthAction.SKIP_FILES:
        return HealthAction.REPORT
    if finding.code in _NEVER_OUT and action.takes_out:
        return HealthAction.REPORT
    return HealthAction.REPORT if action is HealthAction.TAG and settings.tags is TagMode.OFF else action


def _standing(intent: Intent, look: HealthLook) -> Sequence[str]:
    """What speaks against telling an Arr: it does not answer."""
    if intent.action.tells_the_arr and look.arr_known is False:
        return ("its Arr does not answer: nothing can be blocked",)
    return ()

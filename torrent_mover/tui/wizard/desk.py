"""What the wizard's screens share: the draft, and how the torrent in front of us would be remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from torrent_mover.domain.categorizing import (
    CategoryShelf,
    Change,
    Draft,
    Fate,
    Placed,
    RuleSet,
    SortState,
    Suggestion,
    Unsorted,
)
from torrent_mover.domain.rules import IGNORE, Rule, category_refusal
from torrent_mover.domain.text import shorten
from torrent_mover.tui.shell.look import Look

_HOST_CELLS = 30
_ANY = "any"
"""Stands for the category that is not chosen yet: which torrents a rule covers does not depend on it."""


class Remember(Enum):
    """What a choice is for."""

    TRACKER = "always"
    ONCE = "once"
    IGNORE = "ignore"


@dataclass
class Desk:
    """`at` is now, in Unix seconds. The draft is None until the client has answered; screens replace it, step by step."""

    look: Look
    place: str
    at: float
    draft: Draft | None = None
    remember: Remember = Remember.TRACKER
    turned: int = 0
    made_up: tuple[str, ...] = ()
    _fates: tuple[Draft | None, tuple[Fate, ...]] = (None, ())
    _suggested: tuple[Draft | None, Suggestion | None] = (None, None)
    _covered: dict[RuleSet, tuple[Fate, ...]] = field(default_factory=dict)

    @property
    def fates(self) -> tuple[Fate, ...]:
        """How it stands with each torrent. Worked out once for a draft: there may be thousands."""
        if self._fates[0] is not self.draft:
            self._fates = (self.draft, self.draft.fates() if self.draft else ())
            self._covered.clear()
        return self._fates[1]

    def covered(self, way: Remember) -> tuple[Fate, ...]:
        """The torrents that a choice would decide, remembered in that way, and how it stands with each of them now."""
        if self.draft is None or not self.fates or self.current is None:
            return ()
        if way is Remember.ONCE or not self.domain:
            return tuple(fate for fate in self.fates if fate.candidate is self.current)
        step = RuleSet(self.domain, IGNORE if way is Remember.IGNORE else _ANY)
        if step not in self._covered:
            self._covered[step] = self.draft.touched(step)
        return self._covered[step]

    def under(self, rule: Rule) -> tuple[Fate, ...]:
        """The torrents that this rule covers, as the rules are now."""
        if self.draft is None:
            return ()
        rules = self.draft.rules
        return tuple(fate for fate in self.fates if rules.of_torrent(fate.candidate.hosts) == rule)

    def count(self, standing: SortState) -> int:
        """How many torrents stand so."""
        return sum(fate.standing is standing for fate in self.fates)

    @property
    def current(self) -> Unsorted | None:
        """The torrent in front of us: the first that waits for a decision."""
        return next((fate.candidate for fate in self.fates if fate.standing is SortState.OPEN), None)

    @property
    def pending(self) -> bool:
        """Whether there is something to write."""
        return self.draft is not None and bool(self.draft.changes() or self.draft.rule_changes())

    # -- remembering ---------------------------------------------------------------------------------------------------

    @property
    def domain(self) -> str:
        """The domain that a rule would be made for; blank where the torrent has no tracker."""
        domains = self.current.domains if self.current else ()
        return domains[self.turned % len(domains)] if domains else ""

    @property
    def remembered(self) -> Remember:
        """As chosen; a torrent without a tracker can be remembered once only."""
        return self.remember if self.domain else Remember.ONCE

    def turn_remember(self) -> None:
        """The next way to remember."""
        ways = list(Remember)
        self.remember = ways[(ways.index(self.remembered) + 1) % len(ways)]

    # -- choosing ------------------------------------------------------------------------------------------------------

    def choices(self) -> tuple[CategoryShelf, ...]:
        """Where the torrent could go, what was made up just now first."""
        if self.draft is None or self.current is None:
            return ()
        known = self.draft.choices(self.current)
        names = {shelf.category for shelf in known}
        return (*(CategoryShelf(name, 0) for name in self.made_up if name not in names), *known)

    @property
    def suggested(self) -> Suggestion | None:
        """What most torrents of this tracker have already: shown, and taken by a key of its own only."""
        if self._suggested[0] is not self.draft:
            found = self.draft.suggestion(self.current) if self.draft and self.current else None
            offered = {shelf.category for shelf in self.choices()} if found else set()
            self._suggested = self.draft, found if found and found.category in offered else None
        return self._suggested[1]

    def reason_for(self, category: str) -> str:
        """Why that category is suggested; blank: it is not."""
        suggested = self.suggested
        if suggested is None or suggested.category != category:
            return ""
        host = "this tracker" if suggested.host == self.domain else shorten(suggested.host, _HOST_CELLS)
        return f"suggested: {suggested.count} of {suggested.total} from {host}"

    def choose(self, category: str) -> str:
        """Decide, as remembered; a blank category: none is chosen. Returns why not, or an empty text."""
        if self.draft is None or self.current is None:
            return ""
        if self.remembered is Remember.IGNORE:
            self._step(self.draft.decided(RuleSet(self.domain, IGNORE)))
        elif not category:
            return self.how_to_choose()
        elif self.remembered is Remember.ONCE:
            self._step(self.draft.decided(Placed(self.current, category)))
        elif refusal := category_refusal(category):  # some clients have categories that they would not accept today
            return f"No rule can be made for this category: {refusal}. r: only this torrent"
        else:
            self._step(self.draft.decided(RuleSet(self.domain, category)))
        return ""

    def how_to_choose(self) -> str:
        """What to press where no category is chosen."""
        if not self.choices():
            return "There is no category to put it in: n makes one."
        suggestion = ", y takes the suggestion" if self.suggested else ""
        return f"Nothing is chosen: 1 to 9 or an arrow chooses{suggestion}."

    def skip(self) -> None:
        """Leave the torrent in front of us as it is."""
        if self.draft is not None and self.current is not None:
            self._step(self.draft.decided(Placed(self.current, None)))

    def undo(self) -> bool:
        """Take the newest step back; whether there was one."""
        if self.draft is None or not self.draft.decisions:
            return False
        self._step(self.draft.undone())
        return True

    def set_rule(self, domain: str, category: str | None) -> None:
        """Set a rule, or take one away."""
        if self.draft is not None:
            self._step(self.draft.decided(RuleSet(domain, category)))

    def begin(self, draft: Draft) -> None:
        """A new look at the client: nothing is decided yet."""
        self._step(draft)
        self.made_up = ()

    def _step(self, draft: Draft) -> None:
        self.draft = draft
        self.turned = 0
        self.remember = Remember.TRACKER

    def changes(self) -> tuple[Change, ...]:
        """What would be written to the client."""
        return self.draft.changes() if self.draft else ()

    def rule_changes(self) -> tuple[RuleSet, ...]:
        """What would be written to the rules file."""
        return self.draft.rule_changes() if self.draft else ()

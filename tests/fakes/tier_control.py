"""A TierControl that tests drive: it shows what they set, remembers what it is asked, and publishes what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.fakes.duty_control import FakeDutyControl
from torrent_mover.domain.report.tiers import TierSnapshot
from torrent_mover.domain.torrent.torrent import InfoHash


class FakeTierControl(FakeDutyControl[TierSnapshot]):
    """See FakeDutyControl."""

    def show(self, **changes: object) -> None:
        """Change fields of the first tier."""
        first, *others = self.current.tiers
        self.current = replace(self.current, tiers=(replace(first, **changes), *others))  # type: ignore[arg-type]

    def pin(self, tier: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("pin", tier, torrent))

    def unpin(self, tier: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("unpin", tier, torrent))

    def evict(self, tier: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("evict", tier, torrent))

    def recopy(self, tier: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("recopy", tier, torrent))

    def queue(self, tier: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("queue", tier, torrent))

    def explain(self, tier: str, torrent: InfoHash) -> Sequence[str]:
        """What the test set, or its refusal."""
        return self.explained(tier, torrent)

    def request_round(self, tier: str) -> None:
        """Remember the wish."""
        self.calls.append(("round", tier))

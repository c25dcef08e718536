"""A HealthControl that tests drive: it shows what they set, remembers what it is asked, and publishes what they say."""

from __future__ import annotations

from collections.abc import Sequence

from tests.fakes.duty_control import FakeDutyControl
from torrent_mover.domain.report.health import HealthSnapshot
from torrent_mover.domain.torrent.torrent import InfoHash


class FakeHealthControl(FakeDutyControl[HealthSnapshot]):
    """See FakeDutyControl."""

    def request_look(self, loop: str) -> None:
        """Remember the wish."""
        self.calls.append(("look", loop))

    def hold(self, loop: str, torrent: InfoHash, seconds: float | None = None) -> None:
        """Remember the wish."""
        self.calls.append(("hold", loop, torrent, seconds))

    def release(self, loop: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("release", loop, torrent))

    def reset(self, loop: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("reset", loop, torrent))

    def act(self, loop: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("act", loop, torrent))

    def undo(self, loop: str, number: int) -> None:
        """Remember the wish."""
        self.calls.append(("undo", loop, number))

    def explain(self, loop: str, torrent: InfoHash) -> Sequence[str]:
        """What the test set, or its refusal."""
        return self.explained(loop, torrent)

"""A DebridControl that tests drive: it shows what they set, remembers what it is asked, and publishes what they say."""

from __future__ import annotations

from collections.abc import Sequence

from tests.fakes.duty_control import FakeDutyControl
from torrent_mover.domain.report.debrid import DebridSnapshot
from torrent_mover.domain.torrent.torrent import InfoHash


class FakeDebridControl(FakeDutyControl[DebridSnapshot]):
    """See FakeDutyControl."""

    def request_scan(self, account: str) -> None:
        """Remember the wish."""
        self.calls.append(("scan", account))

    def act(self, account: str, torrents: Sequence[InfoHash]) -> None:
        """Remember the wish."""
        self.calls.append(("act", account, tuple(torrents)))

    def repair(self, account: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("repair", account, torrent))

    def retry(self, account: str, torrent: InfoHash) -> None:
        """Remember the wish."""
        self.calls.append(("retry", account, torrent))

    def restore(self, account: str, key: str) -> None:
        """Remember the wish."""
        self.calls.append(("restore", account, key))

    def explain(self, account: str, torrent: InfoHash) -> Sequence[str]:
        """What the test set, or its refusal."""
        return self.explained(account, torrent)

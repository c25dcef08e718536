"""What the screens of debrid accounts share: the control, the picture of this tick, which account is looked at."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from torrent_mover.domain.report.debrid import DebridAccountView, DebridSnapshot
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.ports.debrid_control import DebridControl
from torrent_mover.tui.shell.listing import drain
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.session import LOG_LINES


@dataclass
class AccountsSession:
    """One screen over the accounts. `snapshot` is replaced at each tick; `place`: which account is shown, None: all."""

    control: DebridControl
    look: Look
    snapshot: DebridSnapshot
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    place: int | None = None

    @property
    def at(self) -> float:
        """Unix seconds of the picture."""
        return self.snapshot.at

    @property
    def account(self) -> DebridAccountView | None:
        """The account that is looked at alone; None: all are."""
        accounts = self.snapshot.accounts
        return accounts[self.place % len(accounts)] if accounts and self.place is not None else None

    @property
    def accounts(self) -> tuple[DebridAccountView, ...]:
        """The accounts that are looked at."""
        return (self.account,) if self.account is not None else self.snapshot.accounts

    def refresh(self) -> bool:
        """Take the picture of now; whether it differs from the one before."""
        now = self.control.snapshot()
        changed = now != self.snapshot
        self.snapshot = now
        return changed

    def drain_log(self) -> bool:
        """Take what is new in the ring; whether there was anything."""
        return drain(self.control, self.log)

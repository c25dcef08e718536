"""What the screens of debrid accounts share: the control, the picture of this tick, which account is looked at."""

from __future__ import annotations

from torrent_mover.domain.report.debrid import DebridAccountView, DebridSnapshot
from torrent_mover.ports.debrid_control import DebridControl
from torrent_mover.tui.shell.duty_session import DutySession


class AccountsSession(DutySession[DebridControl, DebridSnapshot]):
    """One screen over the accounts. `place`: which account is shown, None: all."""

    @property
    def account(self) -> DebridAccountView | None:
        """The account that is looked at alone; None: all are."""
        accounts = self.snapshot.accounts
        return accounts[self.place % len(accounts)] if accounts and self.place is not None else None

    @property
    def accounts(self) -> tuple[DebridAccountView, ...]:
        """The accounts that are looked at."""
        return (self.account,) if self.account is not None else self.snapshot.accounts

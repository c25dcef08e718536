"""The role of whoever knows accounts: as whom we touch files somewhere, and what the owners there are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Account:
    """A user. `uid` None where the server does not tell; `groups` by name where they have one, the main one first."""

    user: str
    uid: int | None = None
    groups: tuple[str, ...] = ()

    def __str__(self) -> str:
        inside = ", ".join(
            part
            for part in (
                "" if self.uid is None else f"uid {self.uid}",
                f"groups {' '.join(self.groups)}" if self.groups else "",
            )
            if part
        )
        return f"{self.user} ({inside})" if inside else self.user


class Accounts(Protocol):
    """Accounts of this machine, or of an SSH server. Raises ServerError's children where the server does not answer."""

    @property
    def place(self) -> str:
        """How messages call the machine: `this machine`, `nas`."""

    def ours(self) -> Account:
        """As whom we read and write there."""

    def names(self, uid: int, gid: int) -> tuple[str, str]:
        """What a user and a group are called; their numbers as text where they have no name."""

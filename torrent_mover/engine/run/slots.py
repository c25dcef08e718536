"""The slots for bringing bytes: so many torrents at a time in the whole process, shared fairly by the queues of its routes."""

from __future__ import annotations

import threading
from typing import Final, Protocol


class SlotHolder(Protocol):
    """A queue that takes slots for its rows. Both are asked under the lock of `Slots.changed`."""

    @property
    def held(self) -> int:
        """How many it holds."""

    @property
    def hungry(self) -> bool:
        """Whether it waits for one now, and for nothing else."""


class Slots:
    """`count` slots. `changed` is the one lock of all queues that share them: who gives one back wakes whoever waits.

    A free slot goes to the queue that holds the fewest: a route with thousands of torrents does not keep another one waiting.
    """

    def __init__(self, count: int) -> None:
        self.count: Final = count
        self.changed: Final = threading.Condition()
        self._holders: list[SlotHolder] = []

    def join(self, holder: SlotHolder) -> None:
        """A queue takes part."""
        with self.changed:
            self._holders.append(holder)

    def leave(self, holder: SlotHolder) -> None:
        """A queue has ended; what it held is free."""
        with self.changed:
            if holder in self._holders:
                self._holders.remove(holder)
            self.changed.notify_all()

    @property
    def held(self) -> int:
        """How many are taken. Asked under the lock of `changed`."""
        return sum(each.held for each in self._holders)

    def free_for(self, holder: SlotHolder) -> bool:
        """Whether this queue may take one now. Asked under the lock of `changed`."""
        if self.held >= self.count:
            return False
        return all(each is holder or not each.hungry or each.held >= holder.held for each in self._holders)

"""Looks once a day whether there is a newer release, and tells of each once. Installs nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from torrent_mover.domain.errors import ServerError
from torrent_mover.domain.releases import Release, UpdateChannel, newer
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.documents import Documents

DUTY: Final = "updates"
"""Under this name the journal keeps when it was looked last: a restart does not ask again."""

_DAY: Final = 86400.0
_TABLE, _STATE = "looks", "state"


class UpdateLoop:
    """See engine.hub.loops.Loop. `read` gives the list of releases, or raises ServerError; `say` tells people a line."""

    name: Final = "updates"
    duty: Final = DUTY

    def __init__(
        self,
        channel: UpdateChannel,
        current: str,
        read: Callable[[], Sequence[Release]],
        documents: Documents,
        clock: Clock,
        say: Callable[[str], object],
    ) -> None:
        self._channel = channel
        self._current = current
        self._read = read
        self._documents = documents
        self._clock = clock
        self._say = say

    def look(self, stop: threading.Event) -> float:
        """One GET where a day has passed, written down before; the seconds until the next."""
        state = self._documents.get(_TABLE, _STATE) or {}
        now, last = self._clock.now(), float(state.get("at", 0.0))
        if stop.is_set() or last <= now < last + _DAY:
            return max(last + _DAY - now, 1.0)
        told = str(state.get("told", ""))
        self._documents.put(_TABLE, _STATE, {"at": now, "told": told})
        try:
            found = newer(self._read(), self._channel, self._current)
        except ServerError:
            return _DAY  # nobody needs it today
        if found is not None and found.tag != told:
            self._say(f"there is a newer release: {found.tag} (this is {self._current})")
            self._documents.put(_TABLE, _STATE, {"at": now, "told": found.tag})
        return _DAY

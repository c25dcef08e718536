"""What keeps rounds from their work, and only a person can end: told once, and again when it comes back."""

from __future__ import annotations

from typing import Final

from torrent_mover.domain.debrid.errors import DebridParked, TooManyBroken, TooManyRefused
from torrent_mover.domain.errors import MoverError, PreflightRefused, Retry, ServerError
from torrent_mover.duties.debrid.needs import DebridWorld, said

_KEY: Final = "stop "
"""How the keys of notices begin that are sent again once a round went well in between."""

_TOLD_ALREADY: Final = (TooManyBroken, TooManyRefused)


def alert(world: DebridWorld, error: MoverError) -> None:
    """Tell a person, once, of an account that cannot be used, or a mount or a list that is not believed."""
    server = isinstance(error, ServerError) and error.retry is Retry.NEVER and not isinstance(error, DebridParked)
    doubt = isinstance(error, PreflightRefused) and not isinstance(error, _TOLD_ALREADY)
    if server or doubt:
        world.tell_once(f"{_KEY}{error.code}", f"{said(error)} {error.remedy}".strip())


def all_clear(world: DebridWorld) -> None:
    """A round has ended well: what comes from now on is news."""
    for key in world.journal.note().told:
        if key.startswith(_KEY):
            world.forget_told(key)

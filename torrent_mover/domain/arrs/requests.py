"""What people have asked for in Overseerr, Seerr or Ombi, in words of none of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """One that is not fulfilled yet. `tmdb` of a movie or a series, `tvdb` of a series; `seasons` empty: all of it.

    `key` names it in its program. `approved` None: nobody has decided.
    """

    key: str
    title: str
    is_series: bool
    tmdb: int | None
    tvdb: int | None
    seasons: tuple[int, ...] = ()
    approved: bool | None = None
    is_4k: bool = False

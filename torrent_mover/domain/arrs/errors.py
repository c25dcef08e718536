"""What can go wrong with an Arr: each says what happened, what was kept, and the one line that helps."""

from __future__ import annotations

from torrent_mover.domain.errors import (
    BadAnswer,
    LoginRefused,
    MoverError,
    Retry,
    ServerTooOld,
    TorrentError,
    Unreachable,
)


class ArrUnreachable(Unreachable):
    """An Arr does not answer: refused, timed out, or the proxy before it says that nobody is behind it (502, 504)."""

    code = "TM-E250"


class ArrStarting(Unreachable):
    """An Arr says that it is still starting (503). It is waited for, and not counted as a failure."""

    code = "TM-E251"


class ArrKeyRefused(LoginRefused):
    """An Arr refuses the API key (401). Not tried again before the config changes."""


class NotAnArr(BadAnswer):
    """A login page, a proxy or another program answers in place of an Arr."""

    code = "TM-E252"


class ArrElsewhere(BadAnswer):
    """An Arr answers below another path (a URL base), and sends us there."""

    code = "TM-E253"


class ArrGarbled(BadAnswer):
    """An Arr's answer is cut, or is not what its API promises."""

    code = "TM-E254"


class ArrTooOld(ServerTooOld):
    """An Arr is too old for what is asked of it, or lacks that call."""

    code = "TM-E255"


class OtherArr(ServerTooOld):
    """Another product answers than the config says."""

    code = "TM-E256"


class ArrPathUnknown(MoverError):
    """No path was found at which an Arr sees the data."""

    code = "TM-E160"
    retry = Retry.LATER


class ImportRefused(TorrentError):
    """An Arr was told several times, and has not imported the torrent."""

    code = "TM-E161"


class ImportIncomplete(ImportRefused):
    """An Arr has imported a part of what it grabbed: 8 of 10 episodes."""

    code = "TM-E162"


class ArrItemRefused(TorrentError):
    """An Arr refuses one request (400, 409, 500): it is about this item, and others go on."""

    code = "TM-E163"
    retry = Retry.LATER


class QueueLineGone(TorrentError):
    """An Arr has no such line in its queue any more."""

    code = "TM-E166"
    retry = Retry.LATER


class BlockNotProven(TorrentError):
    """An Arr was asked to block a release, and its history does not show that it did."""

    code = "TM-E164"
    retry = Retry.LATER


class DeletionByArr(TorrentError):
    """A block would make an Arr delete the torrent with its data, so it was not asked."""

    code = "TM-E165"


class RequestsUnreachable(Unreachable):
    """A program in which people ask for media (Overseerr, Seerr, Ombi) does not answer."""

    code = "TM-E230"


class RequestsKeyRefused(LoginRefused):
    """Such a program refuses its key."""

    code = "TM-E231"


class RequestsGarbled(BadAnswer):
    """A login page, a proxy or another program answers in place of it."""

    code = "TM-E232"

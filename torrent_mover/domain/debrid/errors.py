"""What can go wrong with a debrid service and its repairs: each says what happened, what was kept, and the one line that helps."""

from __future__ import annotations

from typing import ClassVar

from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.errors import (
    BadAnswer,
    LoginRefused,
    MoverError,
    PreflightRefused,
    Retry,
    ServerError,
    TorrentError,
    TorrentGone,
    Unreachable,
)


class MountDown(PreflightRefused):
    """A mount of the account is away, hung, or shows less than it did: nothing is decided by its files."""

    code = "TM-E130"


class TooManyBroken(PreflightRefused):
    """So many links are broken that the service or the mount is, not the torrents. A person must accept the number."""

    code = "TM-E131"


class TooManyRefused(PreflightRefused):
    """The service refuses so many torrents that it is a new filter of its, not the torrents. A person must accept the number."""

    code = "TM-E132"


class DebridPaused(ServerError):
    """The service wants fewer requests: the limiter is closed until `until` (Unix seconds).

    `sent`: the service has refused this very request; else it was not sent at all.
    """

    code = "TM-E220"
    retry = Retry.LATER
    answer: ClassVar = AnswerClass.PAUSE

    def __init__(
        self, what: str, *, kept: str = "", remedy: str = "", server: str = "", until: float = 0.0, sent: bool = False
    ) -> None:
        super().__init__(what, kept=kept, remedy=remedy, server=server)
        self.until = until
        self.sent = sent


class DebridParked(ServerError):
    """The traffic of the account is used up until `until` (Unix seconds)."""

    code = "TM-E221"
    retry = Retry.LATER
    answer: ClassVar = AnswerClass.PARK

    def __init__(self, what: str, *, kept: str = "", remedy: str = "", server: str = "", until: float = 0.0) -> None:
        super().__init__(what, kept=kept, remedy=remedy, server=server)
        self.until = until


class AccountExpired(ServerError):
    """The account may not be used: its premium has ended, it is locked, or it may not do this."""

    code = "TM-E222"
    answer: ClassVar = AnswerClass.STOP


class TokenRefused(LoginRefused):
    """The service does not accept the token."""

    answer: ClassVar = AnswerClass.STOP


class DebridUnreachable(Unreachable):
    """The service does not answer, or says that it is out of order."""

    answer: ClassVar = AnswerClass.AGAIN


class DebridGarbled(BadAnswer):
    """The service's answer is cut, a page for a browser, or not what its API promises. It is never a verdict."""

    answer: ClassVar = AnswerClass.AGAIN


class DebridRefused(TorrentError):
    """The service refuses this torrent for good."""

    code = "TM-E320"
    answer: ClassVar = AnswerClass.REFUSED


class SlotsFull(DebridRefused):
    """The service takes no further torrent before one of those under way is done."""

    retry = Retry.LATER
    answer: ClassVar = AnswerClass.FULL


class AlreadyThere(DebridRefused):
    """The account has this torrent under way already: its list is read again."""

    retry = Retry.LATER
    answer: ClassVar = AnswerClass.DONE


class AskedWrongly(DebridRefused):
    """The service does not understand what we asked: that operation stops, and others go on."""

    answer: ClassVar = AnswerClass.OURS


class EntryGone(TorrentGone):
    """The account has no such entry any more."""

    answer: ClassVar = AnswerClass.GONE


class AmbiguousLink(TorrentError):
    """A link leads to several torrents, depending on who is asked: nothing is done about it."""

    code = "TM-E321"


class Unproven(TorrentError):
    """The new entry is not proven to hold what the old one held: the old one stays."""

    code = "TM-E322"
    retry = Retry.LATER


def class_of(error: MoverError) -> AnswerClass:
    """The class of the answer that an error was made of; AGAIN for one that no answer of a service has made."""
    return getattr(error, "answer", AnswerClass.AGAIN)


class RemovalRefused(TorrentError):
    """The delete gate is not satisfied: the entry stays."""

    code = "TM-E323"
    retry = Retry.LATER


class AccountShrank(PreflightRefused):
    """The account lists far fewer torrents than it did: nothing is decided by that list."""

    code = "TM-E133"


class ScanIncomplete(MoverError):
    """Not all of the account was seen: nothing counts as gone, and the next scan goes on."""

    code = "TM-E324"
    retry = Retry.LATER

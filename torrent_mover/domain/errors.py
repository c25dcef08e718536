"""The tree of errors: each says what happened, what was kept, the remedy, whether to try again, and the exit code.

MoverError
├── UsageError ─ ConfigError ─ NoSuchCategory; BackupExists, NoJournal, WebRefused
├── ServerError ─ Unreachable, LoginRefused ─ PersonNeeded, NoLogin, Banned, HostKeyUnknown, HostKeyChanged, ServerTooOld,
│   BadAnswer, TunnelRefused, CommandsRefused, NothingRuns, OtherVersion
├── PreflightRefused ─ PathNotSeen; AlreadyRunning
├── ProvisioningError ─ NotWritable ─ ReadOnlyLogin, FileTooLarge, StorageAway; DiskFull ─ DoesNotFit, MissingProgram,
│   NoAccount, DataLeft, StatisticsRefused, JournalDamaged, NothingRecovered
├── TransferError ─ ConnectionLost, Stalled, TooManyOpenFiles, SourceUnreadable ─ SourceAway, SourceCorrupt
├── TorrentError ─ TorrentGone, TorrentChanged, UnsafeTorrent, Collision, NamesNotTold, NotPersisted, NotComplete,
│   RecheckFailed, GateRefused ─ LookAgain
├── Cancelled
└── Unexpected
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, IntEnum
from typing import ClassVar, Final


class Retry(Enum):
    """When it makes sense to try again."""

    NEVER = "never"  # a person must change something first
    LATER = "later"  # after a back-off
    NOW = "now"  # at once, on a new connection


class ExitCode(IntEnum):
    """What the process returns. An API: documented and tested."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    PREFLIGHT_REFUSED = 4
    ALREADY_RUNNING = 5
    INTERRUPTED = 130
    TERMINATED = 143


_WORST_LAST: Final = (
    ExitCode.DONE,
    ExitCode.UNREACHABLE,
    ExitCode.PREFLIGHT_REFUSED,
    ExitCode.ALREADY_RUNNING,
    ExitCode.USAGE,
    ExitCode.SOME_FAILED,
    ExitCode.TERMINATED,
    ExitCode.INTERRUPTED,
)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The one that several things done together end with: a server that is away comes back by itself, a failure needs somebody."""
    return max(codes, key=_WORST_LAST.index, default=ExitCode.DONE)


class MoverError(Exception):
    """What happened (`what`), what is safe (`kept`), and the one command or line that helps (`remedy`).

    `server`: the one that it is about, as messages call it (`seedbox`, `nas:8080`); blank where it is about none.
    """

    code: ClassVar[str] = "TM-E000"
    retry: ClassVar[Retry] = Retry.NEVER
    exit_code: ClassVar[ExitCode] = ExitCode.SOME_FAILED

    def __init__(self, what: str, *, kept: str = "", remedy: str = "", server: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.kept = kept
        self.remedy = remedy
        self.server = server

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.kept, self.remedy) if part)


class UsageError(MoverError):
    """The command line does not make sense."""

    code = "TM-E001"
    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """The config file is missing, unreadable or wrong. `problems` holds one line each."""

    code = "TM-E101"

    def __init__(self, what: str, *, problems: tuple[str, ...] = (), kept: str = "", remedy: str = "") -> None:
        super().__init__(what, kept=kept, remedy=remedy)
        self.problems = problems


class NoSuchCategory(ConfigError):
    """The source client has no category of that name, and no torrent in one. Told with those that there are."""

    code = "TM-E114"


class BackupExists(UsageError):
    """A copy is not written over a file that exists."""

    code = "TM-E115"


class NoJournal(UsageError):
    """There is no journal to look after: no run was made with this config."""

    code = "TM-E116"


class WebRefused(UsageError):
    """The API does not take a request: its token, its host, its path, or how much is asked at once."""

    code = "TM-E129"


class ServerError(MoverError):
    """Something between us and a server."""

    code = "TM-E200"
    exit_code = ExitCode.UNREACHABLE


class Unreachable(ServerError):
    """Nothing answers there, or not in time."""

    code = "TM-E201"
    retry = Retry.LATER


class LoginRefused(ServerError):
    """The server answered, and does not accept who we say we are. Never tried twice: clients ban after five."""

    code = "TM-E202"


class PersonNeeded(LoginRefused):
    """The login asks for something that only a person can answer, at each connection: a code, a second proof."""

    code = "TM-E208"


class NoLogin(ServerError):
    """The file or the command that gives a password, a key or a token gives none. Nobody was asked: it may be there later."""

    code = "TM-E223"
    retry = Retry.LATER
    exit_code = ExitCode.USAGE


class Banned(ServerError):
    """The client has banned this address after too many failed logins."""

    code = "TM-E203"


class HostKeyUnknown(ServerError):
    """The SSH server's key has never been accepted. `address` and `shown`: its host:port, and the key's type and fingerprint."""

    code = "TM-E204"

    def __init__(
        self, what: str, *, kept: str = "", remedy: str = "", server: str = "", address: str = "", shown: str = ""
    ) -> None:
        super().__init__(what, kept=kept, remedy=remedy, server=server)
        self.address = address
        self.shown = shown


class HostKeyChanged(ServerError):
    """The SSH server shows another key than the one we know: stop hard."""

    code = "TM-E205"


class ServerTooOld(ServerError):
    """The server lacks something we cannot do without."""

    code = "TM-E206"


class BadAnswer(ServerError):
    """The server answered something that makes no sense (an HTML page, cut JSON, a 500)."""

    code = "TM-E207"
    retry = Retry.LATER


class TunnelRefused(ServerError):
    """The SSH server accepts the login, but does not forward to the port behind it."""

    code = "TM-E219"


class CommandsRefused(ServerError):
    """rTorrent lets this connection look, but not change anything."""

    code = "TM-E241"


class NothingRuns(ServerError):
    """No process of ours works with this state folder, so there is nothing to look at, or to tell anything."""

    code = "TM-E217"


class OtherVersion(ServerError):
    """The process that runs is another version of this program, which talks in another way."""

    code = "TM-E218"


class PreflightRefused(MoverError):
    """A check before the run says no."""

    code = "TM-E110"
    exit_code = ExitCode.PREFLIGHT_REFUSED


class PathNotSeen(PreflightRefused):
    """A client, or an SSH login, does not see files where the other one says they are.

    `setting`: section, key and value of the one line that mends it, where that is known.
    """

    code = "TM-E107"

    def __init__(
        self, what: str, *, kept: str = "", remedy: str = "", setting: tuple[str, str, str] | None = None
    ) -> None:
        super().__init__(what, kept=kept, remedy=remedy)
        self.setting = setting


class ClientMayNotRead(PreflightRefused):
    """The destination client sees the folder, and may not read the files that we make in it."""

    code = "TM-E126"


class ClientLacks(PreflightRefused):
    """The client cannot do at all what it is to be used for."""

    code = "TM-E128"


class DiskNotMounted(PreflightRefused):
    """The disk on which the destination folder lay in earlier runs is not mounted."""

    code = "TM-E138"


class AlreadyRunning(MoverError):
    """Another run holds the lock."""

    code = "TM-E111"
    exit_code = ExitCode.ALREADY_RUNNING


class ProvisioningError(MoverError):
    """The destination is not prepared: no blind retries, a person must act."""

    code = "TM-E120"
    exit_code = ExitCode.PREFLIGHT_REFUSED


class NotWritable(ProvisioningError):
    """Permission denied, read-only file system, or a folder that is missing."""

    code = "TM-E121"


class ReadOnlyLogin(NotWritable):
    """The login may change nothing there, wherever it is: who owns a folder, and its mode, do not matter."""

    code = "TM-E125"


class FileTooLarge(NotWritable):
    """That file system takes no file of that size: FAT none of 4 GiB, and a process none above its own limit."""

    code = "TM-E134"


class StorageAway(NotWritable):
    """What the destination lies on does not answer now: a network share, a FUSE program, a disk that was unplugged."""

    code = "TM-E135"
    retry = Retry.LATER


class OtherFileSystem(NotWritable):
    """A rename cannot lead from one place to the other: they lie on two disks, datasets, branches or mounts."""

    code = "TM-E127"


class JournalDamaged(ProvisioningError):
    """The journal's file is no sound database, or not as its version makes it."""

    code = "TM-E118"


class JournalLocked(ProvisioningError):
    """Another program has the journal for itself: nothing can be noted, so nothing is done."""

    code = "TM-E109"
    exit_code = ExitCode.ALREADY_RUNNING


class NothingRecovered(ProvisioningError):
    """Of a damaged journal nothing can be read."""

    code = "TM-E119"


class DiskFull(ProvisioningError):
    """No space or quota left."""

    code = "TM-E122"


class DoesNotFit(DiskFull):
    """Seen before its first byte: there is no room for this torrent. There may be for others."""


class MissingProgram(ProvisioningError):
    """A program that we need is not installed, here or there."""

    code = "TM-E123"


class NoAccount(ProvisioningError):
    """The user that runs us is only a number: the ssh program works for nobody without an entry in passwd."""

    code = "TM-E209"


class DataLeft(ProvisioningError):
    """A torrent was removed as certified, and its files could not be deleted: they are still there."""

    code = "TM-E244"


class StatisticsRefused(ProvisioningError):
    """What the source has counted cannot be written where the destination client keeps such; the moves themselves are done."""

    code = "TM-E124"


class TransferError(MoverError):
    """Bringing bytes failed; what arrived and was verified is kept."""

    code = "TM-E210"
    retry = Retry.LATER


class ConnectionLost(TransferError):
    """The connection broke in the middle."""

    code = "TM-E213"
    retry = Retry.NOW


class Stalled(TransferError):
    """No byte and no sign of life for longer than the watchdog allows."""

    code = "TM-E214"


class TooManyOpenFiles(TransferError):
    """This process, or the whole machine, can open no more files."""

    code = "TM-E212"
    retry = Retry.LATER


class SourceUnreadable(TransferError):
    """A source file is missing, shorter than the torrent says, or may not be read."""

    code = "TM-E215"
    retry = Retry.NEVER


class SourceAway(SourceUnreadable):
    """What the source lies on does not answer now: a network share, a FUSE program, a disk that was unplugged."""

    code = "TM-E211"
    retry = Retry.LATER


class SourceCorrupt(TransferError):
    """A piece does not match the torrent's hash at the source itself, read twice."""

    code = "TM-E216"
    retry = Retry.NEVER


class TorrentError(MoverError):
    """Something about this one torrent. Others go on."""

    code = "TM-E300"


class TorrentGone(TorrentError):
    """A client no longer lists the torrent."""

    code = "TM-E301"


class TorrentChanged(TorrentError):
    """The torrent at the source is not what was planned any more."""

    code = "TM-E302"


class UnsafeTorrent(TorrentError):
    """Broken metainfo, or names that would leave the destination folder."""

    code = "TM-E303"


class Namesakes(TorrentError):
    """Names in the torrent collide, so that the client does not find a file after its next restart."""

    code = "TM-E313"


class Collision(TorrentError):
    """Something that is not ours already has that name at the destination."""

    code = "TM-E304"


class NamesNotTold(TorrentError):
    """A client cannot say exactly where a torrent lies, or how its files are called, so nothing is done with it."""

    code = "TM-E242"


class NotPersisted(TorrentError):
    """The client has a torrent's new place in memory only: after a power cut it would look at the old one."""

    code = "TM-E243"
    retry = Retry.LATER


class NotComplete(TorrentError):
    """The client does not have all of it, so it is not started: starting would make empty files in place of what is missing."""

    code = "TM-E245"


class RecheckFailed(TorrentError):
    """The destination client does not find all pieces good."""

    code = "TM-E305"


class GateRefused(TorrentError):
    """The delete gate is not satisfied: the source stays."""

    code = "TM-E306"


class LookAgain(GateRefused):
    """Nothing is known to be wrong: what was seen no longer counts (slow servers), or not yet (a client that was restarted)."""

    retry = Retry.LATER


class NoMetainfo(TorrentError):
    """Nobody hands out the .torrent, which is needed to verify the data."""

    code = "TM-E307"


class CannotHold(TorrentError):
    """The destination's client cannot be given the torrent as the source has it."""

    code = "TM-E308"


class Cancelled(MoverError):
    """We were asked to stop. Not a failure: the next run goes on from here."""

    code = "TM-E400"
    retry = Retry.LATER
    exit_code = ExitCode.INTERRUPTED


class Unexpected(MoverError):
    """A fault of this program, or one of the machine that it does not know: it has ended what it came up in, and nothing more."""

    code = "TM-E401"

    @classmethod
    def of(cls, error: BaseException, kept: str = "The source is whole; what was verified is kept.") -> Unexpected:
        """What is told of an exception that is none of ours; the log file has all of it."""
        words = f": {error}" if str(error) else ""
        return cls(
            f"Something unexpected happened: {type(error).__name__}{words}.",
            kept=kept,
            remedy="The log file has the details; please report them.",
        )

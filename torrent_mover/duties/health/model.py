"""What is known of the torrents of a client at one look, what is found, wanted and done: immutable values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from torrent_mover.domain.arrs.media import MediaEvent, QueueItem
from torrent_mover.domain.health_rules import HealthRule
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent, Tracker


class FindingCode(Enum):
    """What may be wrong with a torrent. The order is that of choosing: what stands first is dealt with first."""

    MANUAL_FAILED = "manual_failed"
    MANUAL_RECHECK = "manual_recheck"
    LOST_DATA = "lost_data"
    ERRORED = "errored"
    NO_SPACE = "no_space"
    UNWANTED_FILES = "unwanted_files"
    BAD_MEDIA = "bad_media"
    NOT_IMPORTED = "not_imported"
    IMPORT_BLOCKED = "import_blocked"
    UNREGISTERED = "unregistered"
    NO_METADATA = "no_metadata"
    STALLED = "stalled"
    UNAVAILABLE = "unavailable"
    SLOW = "slow"
    BEFORE_AIR = "before_air"
    ORPHANED = "orphaned"
    SUPERSEDED = "superseded"
    REGRAB_LOOP = "regrab_loop"
    DEAD_TRACKER = "dead_tracker"
    SEED_GOAL = "seed_goal"
    ATTRIBUTES = "attributes"  # no rule finds it: they are compared beside


class HealthAction(Enum):
    """What may be done for a finding. `off`: the rule is not asked; `report`, nothing is done."""

    OFF = "off"
    REPORT = "report"
    TAG = "tag"  # tm:CODE, for another program
    KEEP = "keep"  # block and search; the torrent stays, in kept_category where there is one
    REPLACE = "replace"  # block, search; torrent out, data into the bin
    RETIRE = "retire"  # torrent out, data stays
    PAUSE = "pause"  # stopped and marked as ours
    RESUME = "resume"  # one that we stopped starts again
    RECHECK = "recheck"
    LOCATE = "locate"  # find the lost files, prove them, relocate, recheck
    HAND_OVER = "hand_over"  # tell the Arr where the data is
    SKIP_FILES = "skip_files"  # unwanted files: priority 0
    REMOVE_TRACKER = "remove"  # the URL that is dead
    REANNOUNCE = "reannounce"  # the nudge at half time
    ADJUST = "adjust"  # limits, tags, trackers, queue as the rules say

    @property
    def takes_out(self) -> bool:
        """Whether the torrent leaves the client: for these alone there are obligations."""
        return self in (HealthAction.REPLACE, HealthAction.RETIRE)

    @property
    def counts(self) -> bool:
        """Whether the caps count it: the torrent leaves the client, or its release is blocked for good."""
        return self.takes_out or self.tells_the_arr

    @property
    def tells_the_arr(self) -> bool:
        """Whether the Arr is told to block the release and to search."""
        return self in (HealthAction.REPLACE, HealthAction.KEEP)


@dataclass(frozen=True, slots=True)
class TorrentActivity:
    """What a torrent does right now, as its client tells. None: the client does not tell.

    `metadata`: a magnet link whose file list is not there yet. `queued`: it waits in the client's queue. `swarm_seeds`: as the
    trackers count, connected or not. `private` as the client tells, which says nothing true of a magnet. Rates in bytes/s.
    """

    metadata: bool | None
    queued: bool | None
    download_rate: int
    upload_rate: int
    eta: int | None
    availability: float | None
    seeds: int
    peers: int
    swarm_seeds: int | None = None
    last_activity: int | None = None
    private: bool | None = None
    queue_place: int | None = None
    was_complete: bool | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """How the client itself is. None: it does not tell. `dht_nodes`: as it counts them.

    `limited`: alternative speed limits hold now, so that slow torrents are no fault of theirs. `connected`: it says that it is
    connected to the network; firewalled counts as connected, for that is what it says without a network too.
    """

    connected: bool | None = None
    dht_nodes: int | None = None
    limited: bool | None = None
    queueing: bool | None = None


@dataclass(frozen=True, slots=True)
class MediaView:
    """What an Arr knows of the media that a torrent was grabbed for. None: not told.

    `airs_at` in Unix seconds; `monitored` and `exists` over all of the torrent's media; `score` of the release and `file_score` of
    what lies in the library, in the Arr's own points. `ahead`: places by which the quality of that file stands above that of the
    release in the Arr's own order; negative: below it. `revised`: 1 where that file is a later revision (PROPER, REPACK) than the
    release, -1 an earlier one, 0 the same. A file that came from the release itself is not above it.
    """

    media: int
    title: str = ""
    airs_at: float | None = None
    monitored: bool | None = None
    exists: bool | None = None
    score: int | None = None
    file_score: int | None = None
    ahead: int | None = None
    revised: int | None = None


def unwanted_by(media: MediaView) -> bool | None:
    """Whether its Arr has it no more, or does not monitor it; None: not told."""
    if media.exists is None or (media.exists and media.monitored is None):
        return None
    return not (media.exists and media.monitored)


@dataclass(frozen=True, slots=True)
class ArrView:
    """What the loop's Arr says of one torrent. `queue` and `events` None: unknown (the Arr is away, or was not asked).

    `blocked_by_us`: Unix seconds of our own block of that release, by our journal; None: never. `wanted_elsewhere`: the other Arr
    of the config that has grabbed it too and may want it; blank: none; None: not known. Asked only where this one wants it no more.
    """

    name: str
    queue: tuple[QueueItem, ...] | None = None
    events: tuple[MediaEvent, ...] | None = None
    media: tuple[MediaView, ...] | None = None
    blocked_by_us: float | None = None
    wanted_elsewhere: str | None = None

    @property
    def unwanted(self) -> bool:
        """Whether this Arr says of all that it was grabbed for that it is gone, or that nobody monitors it."""
        return bool(self.media) and all(unwanted_by(each) for each in self.media or ())


class ProbeVerdict(Enum):
    """What ffprobe says of the media files of a torrent."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CountedSeeding:
    """What was counted before a move, by the journal: added to what the client says. Seconds and bytes."""

    seeding_time: int = 0
    uploaded: int = 0


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """A file system that holds save paths, measured by us. Bytes; `name` is the same for all paths on it.

    `reserved`: promised to moves.
    """

    name: str
    free: int
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """One torrent at one look. What is None is unknown, and a rule that needs it finds nothing.

    `trackers`, `files`: read for candidates and some others a look. `private`: of the metainfo where that was read; True where it
    is unknown, but for a magnet without metadata. `leased`: by whom else it is worked on; blank: nobody. `shared`: other torrents
    use its data, of this client, or (asked for what is in trouble) of another one of the machine. `last_copy`: a certificate says
    that it is the last verified copy. `stopped_by_us`: since when (Unix seconds). `here`: its save path as we see it; None: out of
    reach.
    """

    torrent: Torrent
    activity: TorrentActivity | None = None
    trackers: tuple[Tracker, ...] | None = None
    files: tuple[ClientFile, ...] | None = None
    private: bool | None = None
    leased: str = ""
    arr: ArrView | None = None
    rules: tuple[HealthRule, ...] | None = None
    ignored: bool = False
    disk: DiskRoom | None = None
    here: LocalPath | None = None
    probe: ProbeVerdict = ProbeVerdict.UNKNOWN
    counted: CountedSeeding = CountedSeeding()
    shared: bool | None = None
    last_copy: bool | None = None
    stopped_by_us: float | None = None
    fits: bool | None = None

    @property
    def id(self) -> InfoHash:
        """Its infohash."""
        return self.torrent.id

    @property
    def ever_complete(self) -> bool:
        """Whether it was complete once, whatever it is now."""
        told = self.activity.was_complete if self.activity is not None else None
        return self.torrent.completed_on > 0 if told is None else told

    @property
    def magnet(self) -> bool:
        """Whether it has no metadata yet."""
        return self.activity is not None and self.activity.metadata is True


@dataclass(frozen=True, slots=True)
class CrowdFacts:
    """What the list tells of all torrents of a client together. `quiet`: none of the started ones has a peer or a byte.

    `started`: those of which the client tells what they do. `complete`: once, or now. `lost`: without their data now.
    """

    started: int
    quiet: bool
    lost: int
    complete: int


@dataclass(frozen=True, slots=True)
class HealthLook:
    """All that one look has seen, of one loop. `at` in Unix seconds.

    `pictures`: every torrent of the client, those of others too: cross-seeds and the share that is in trouble are counted over
    all of them. `arr_known`: the loop's Arr gave a true answer; None: the loop has none. `categories`: those of the loop,
    case-folded; None: all. `unknown_owner`: the Arr whose categories they would be, and that never told them; blank: they are
    known. `own`: the only ones that may be the loop's; None: any. `closely`: pictures of which more is known than the list tells;
    None: any. `facts`: over all pictures; None: not counted yet.
    """

    loop: str
    client: str
    at: float
    pictures: Mapping[InfoHash, Picture]
    categories: frozenset[str] | None
    condition: Condition = Condition()
    arr_known: bool | None = None
    notes: tuple[str, ...] = ()
    own: Sequence[Picture] | None = None
    closely: Sequence[Picture] | None = None
    facts: CrowdFacts | None = None
    unknown_owner: str = ""

    @property
    def known_closely(self) -> Collection[Picture]:
        """Where trackers, disks and marks are to be looked for."""
        return self.pictures.values() if self.closely is None else self.closely

    @property
    def candidates(self) -> Collection[Picture]:
        """Those that may be the loop's."""
        return self.pictures.values() if self.own is None else self.own


@dataclass(frozen=True, slots=True)
class Judged:
    """What one rule says of one torrent. `true` None: not judged, and `words` say why; else they are the evidence, or why not."""

    true: bool | None
    words: str = ""
    detail: tuple[str, ...] = ()
    """What the action needs: paths of unwanted files, URLs of dead trackers, queue numbers."""


@dataclass(frozen=True, slots=True)
class Strand:
    """What is remembered of one finding between looks. Times in Unix seconds, `held` in seconds, `done_bytes` at `since`.

    `seen_at`: the last look that found it. `acted`: how often its action was done, and `acted_at` when last; `failed` and
    `failed_at` likewise. `nudged_at`: the help at half time. `due_since`: the look at which it became due.
    """

    since: float
    held: float = 0.0
    done_bytes: int = 0
    seen_at: float = 0.0
    acted: int = 0
    acted_at: float | None = None
    failed: int = 0
    failed_at: float | None = None
    nudged_at: float | None = None
    due_since: float | None = None


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """Something that is wrong with a torrent. `held` of `needs` seconds so far; each third is a strike.

    `due_at` in Unix seconds, if all stays as it is; never before now while it is not due.
    """

    code: FindingCode
    torrent: InfoHash
    since: float
    held: float
    needs: float
    strikes: int
    due_at: float
    evidence: str
    action: HealthAction
    detail: tuple[str, ...] = ()
    acted: int = 0
    factor: float = 1.0

    @property
    def due(self) -> bool:
        """Whether its time is full."""
        return self.held >= self.needs


@dataclass(frozen=True, slots=True)
class Intent:
    """What would be done with one torrent, and what speaks against it. With any veto nothing is done."""

    torrent: InfoHash
    action: HealthAction
    code: FindingCode
    reason: str
    vetoes: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.vetoes


@dataclass(frozen=True, slots=True)
class ActionStep:
    """One step of an action that was taken, and what came of it. `at` in Unix seconds."""

    step: str
    at: float
    result: str = ""


class ActionState(Enum):
    """How an action stands."""

    UNDER_WAY = "under way"
    DONE = "done"
    REFUSED = "refused"  # before the first step that changes something
    FAILED = "failed"
    DROPPED = "dropped"  # the torrent is no longer as it was
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """One action, written down before each step. `number` grows; `world`: what the executor must know to go on or to undo."""

    number: int
    at: float
    loop: str
    client: str
    torrent: InfoHash
    name: str
    action: HealthAction
    code: FindingCode
    reason: str
    evidence: str
    state: ActionState
    steps: tuple[ActionStep, ...] = ()
    trackers: tuple[str, ...] = ()
    """Hosts only, for the cap of removals a tracker."""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """What came of an action. `trouble`: the sentence for people, blank where all went well."""

    record: ActionRecord
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class HealthHold:
    """A person wants a torrent left alone. `until` in Unix seconds; None: until it is released."""

    torrent: InfoHash
    since: float
    until: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class BinEntry:
    """The data of one torrent in the bin of its file system. `paths`: names in the bin, and where each came from."""

    number: int
    torrent: InfoHash
    name: str
    at: float
    size: int
    paths: tuple[tuple[LocalPath, LocalPath], ...]
    save_path: ClientPath
    emptied_at: float | None = None


@dataclass(frozen=True, slots=True)
class HealthMemory:
    """What is remembered between the looks of one loop. Times in Unix seconds.

    `looked_at`: the last look; `trusted_at`: the last one whose picture was true. `listed`: how many torrents that look had.
    `shrunk`: looks in a row with a list that is empty or halved. `waves`: since when a wave of one code is held back, and over
    how many looks. `present_since`: since when the client has answered without a break. `bytes_seen`: of torrents that are not
    complete, downloaded bytes at the last look. `started_by_person`: of what we had stopped, when. `judged`: every torrent that
    this loop has judged. `bin_kept_until`: before it no bin is emptied, for the wall clock has jumped; None: it has not.
    """

    looked_at: float | None = None
    trusted_at: float | None = None
    listed: int = 0
    shrunk: int = 0
    present_since: float | None = None
    waves: Mapping[FindingCode, tuple[float, int]] = field(default_factory=dict)
    strands: Mapping[tuple[InfoHash, FindingCode], Strand] = field(default_factory=dict)
    bytes_seen: Mapping[InfoHash, int] = field(default_factory=dict)
    started_by_person: Mapping[InfoHash, float] = field(default_factory=dict)
    judged: frozenset[InfoHash] = frozenset()
    bin_kept_until: float | None = None

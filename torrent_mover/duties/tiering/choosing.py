"""Which torrents leave the SSD, in which order, and why each of the others stays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from torrent_mover.domain.text import duration, rate
from torrent_mover.domain.text import size as size_text
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.grouping import TorrentGroup
from torrent_mover.duties.tiering.picture import CopyProof, TierTorrent, TorrentKey
from torrent_mover.duties.tiering.settings import EvictionOrder, TierSettings


class Stay(Enum):
    """Why a torrent stays on the SSD."""

    NOT_COPIED = "not copied"
    BAD_COPY = "its copy is bad"
    PINNED = "pinned"
    HOT = "hot"
    YOUNG = "too young"
    SEEDING = "must seed longer"
    INCOMPLETE = "not complete"
    UNWANTED = "not all files are selected"
    LEASED = "in use"
    HELD = "not imported yet"
    ELSEWHERE = "linked elsewhere, frees nothing"
    OUTSIDE = "a link leads out of the SSD"
    SIBLING = "shares files with one that stays"
    CAP = "enough for this round"
    RESTING = "came back lately"
    NOT_NEEDED = "not needed"


@dataclass(frozen=True, slots=True)
class StayReason:
    """One reason: its kind, and a sentence part with the numbers."""

    kind: Stay
    text: str


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """What is known of a torrent's copy: its proof, None without one. `bad`: why it counts no longer; blank: it counts.

    `rest_until`: the torrent came back from an eviction, and is left alone until then (Unix seconds).
    """

    proof: CopyProof | None = None
    bad: str = ""
    rest_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What choosing depends on besides the torrents. `now` in Unix seconds; `wanted` bytes are to be freed on `device`.

    `critical`: hot and young torrents may leave too. `leased`: torrents that somebody works on. `begun`: those whose eviction
    has begun and not ended. `pinned`: by command. `most`: how many torrents may leave; None: as many as the settings say.
    `held`: by which Arr, and why.
    """

    now: float
    wanted: int
    device: int
    critical: bool = False
    leased: Collection[TorrentKey] = ()
    begun: Collection[TorrentKey] = ()
    pinned: Collection[InfoHash] = ()
    most: int | None = None
    held: Mapping[TorrentKey, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was decided about one group: it leaves (`reasons` empty), or stays for reasons, by member.

    `over`: it leaves although it has more torrents than a round evicts: in words, blank otherwise.
    """

    group: TorrentGroup
    frees: int
    score: float
    reasons: tuple[tuple[TorrentKey, StayReason], ...] = ()
    over: str = ""

    @property
    def leaves(self) -> bool:
        """Whether the group is to leave the SSD."""
        return not self.reasons

    def of(self, key: TorrentKey) -> tuple[StayReason, ...]:
        """The reasons of one torrent."""
        return tuple(reason for each, reason in self.reasons if each == key)


@dataclass(frozen=True, slots=True)
class EvictionPlan:
    """Judgements of all groups on one disk: those that leave in order, then those that stay. `wanted`, `promised` in bytes."""

    wanted: int
    judgements: tuple[Judgement, ...]

    @property
    def leaving(self) -> tuple[Judgement, ...]:
        """The groups that leave, in their order."""
        return tuple(each for each in self.judgements if each.leaves)

    @property
    def staying(self) -> tuple[Judgement, ...]:
        """The groups that stay."""
        return tuple(each for each in self.judgements if not each.leaves)

    @property
    def promised(self) -> int:
        """Bytes that the groups which leave free."""
        return sum(each.frees for each in self.leaving)

    def judgement_of(self, torrent: InfoHash) -> Judgement | None:
        """The judgement of the group with this torrent."""
        return next(
            (each for each in self.judgements if any(member.id == torrent for member in each.group.members)), None
        )


def plan(
    groups: Sequence[TorrentGroup],
    facts: Mapping[TorrentKey, CopyFacts],
    settings: TierSettings,
    around: Circumstances,
) -> EvictionPlan:
    """Choose groups in order until the promised bytes reach what is wanted. Touches nothing."""
    here = [group for group in groups if frees_on(group, around.device) or _lies_on(group, around.device)]
    able: list[Judgement] = []
    staying: list[Judgement] = []
    for group in here:
        reasons = tuple(_reasons(group, facts, settings, around))
        judged = Judgement(group, frees_on(group, around.device), 0.0, reasons)
        (staying if reasons else able).append(judged)
    leaving: list[Judgement] = []
    promised = evictions = 0
    most = settings.max_evictions_per_run if around.most is None else around.most
    begun = most < settings.max_evictions_per_run
    for judged in _ordered(able, settings, around.now):
        members = judged.group.members
        if promised >= around.wanted:
            staying.append(_stays(judged, Stay.NOT_NEEDED, "enough gets free without it"))
        elif not judged.frees:
            staying.append(_stays(judged, Stay.NOT_NEEDED, "it has no bytes there"))
        elif evictions + len(members) > most and (leaving or begun):
            text = f"this round evicts {settings.max_evictions_per_run} at most (max_evictions_per_run)"
            staying.append(_stays(judged, Stay.CAP, text))
        else:
            # They cannot leave apart: a group that is larger than the limit is a round of its own.
            leaving.append(replace(judged, over=_over(len(members), most)))
            promised += judged.frees
            evictions += len(members)
    return EvictionPlan(around.wanted, (*leaving, *staying))


def _over(members: int, most: int) -> str:
    if members <= most:
        return ""
    return f"{members} torrents share files and leave together, although a round evicts {most} (max_evictions_per_run)"


def frees_on(group: TorrentGroup, device: int) -> int:
    """Bytes that get free on one disk when the group leaves: of the files whose names all go."""
    return sum(file.size for file in group.files if file.identity[0] == device and not file.hidden)


def _lies_on(group: TorrentGroup, device: int) -> bool:
    return any(file.identity[0] == device for file in group.files)


def _stays(judged: Judgement, kind: Stay, text: str) -> Judgement:
    reason = StayReason(kind, text)
    return Judgement(
        judged.group, judged.frees, judged.score, tuple((member.key, reason) for member in judged.group.members)
    )


def _reasons(
    group: TorrentGroup,
    facts: Mapping[TorrentKey, CopyFacts],
    settings: TierSettings,
    around: Circumstances,
) -> Iterator[tuple[TorrentKey, StayReason]]:
    own = {member.key: tuple(reasons_of(member, facts.get(member.key), settings, around)) for member in group.members}
    held = next((member for member in group.members if own[member.key]), None)
    for member in group.members:
        for reason in own[member.key]:
            yield member.key, reason
        if held is not None and not own[member.key]:
            text = f"it shares files with {held.name}, which stays: {own[held.key][0].text}"
            yield member.key, StayReason(Stay.SIBLING, text)
        if group.outside:
            text = f"{group.outside[0]} is reached by a symbolic link that leads out of the SSD"
            yield member.key, StayReason(Stay.OUTSIDE, text)
        if group.loose:
            text = f"{group.loose[0]} leads to it by a symbolic link (not in link_roots), and would lead nowhere"
            yield member.key, StayReason(Stay.ELSEWHERE, text)
        if group.elsewhere:
            text = (
                f"{size_text(group.elsewhere)} are linked elsewhere (not in link_roots), so that it would free nothing"
            )
            yield member.key, StayReason(Stay.ELSEWHERE, text)


def reasons_of(
    torrent: TierTorrent, copy: CopyFacts | None, settings: TierSettings, around: Circumstances
) -> Iterator[StayReason]:
    """Why one torrent by itself stays; nothing: it may leave. Never asks whether it is needed."""
    if not torrent.complete:
        yield StayReason(Stay.INCOMPLETE, f"it is not complete ({torrent.state.value})")
    if torrent.unwanted:
        yield StayReason(Stay.UNWANTED, "not all of its files are selected")
    if copy is None or copy.proof is None:
        yield StayReason(Stay.NOT_COPIED, "it has no proven copy yet")
    elif copy.bad:
        yield StayReason(Stay.BAD_COPY, f"its copy does not count: {copy.bad}")
    if torrent.id in around.pinned or settings.pins(torrent.label, torrent.tags):
        yield StayReason(Stay.PINNED, "it is pinned")
    if torrent.key in around.begun:
        yield StayReason(Stay.LEASED, "its eviction has begun, and is not over")
    elif torrent.key in around.leased:
        yield StayReason(Stay.LEASED, "somebody works on it now")
    if torrent.key in around.held:
        yield StayReason(Stay.HELD, f"not imported yet: {around.held[torrent.key]}")
    yield from _seeding_reasons(torrent, settings)
    if not around.critical:
        yield from _soft_reasons(torrent, settings, around.now)
        if copy is not None and around.now < copy.rest_until:
            rest = duration(copy.rest_until - around.now)
            yield StayReason(Stay.RESTING, f"it came back from an eviction lately, and is left alone for {rest}")


def _seeding_reasons(torrent: TierTorrent, settings: TierSettings) -> Iterator[StayReason]:
    """What a tracker may ask for: a time or a ratio. Where both are set, either is enough."""
    short_time = torrent.seeding_time < settings.min_seed_time
    short_ratio = torrent.ratio < settings.min_ratio
    parts = []
    if settings.min_seed_time and short_time:
        parts.append(f"{duration(torrent.seeding_time)} of {duration(settings.min_seed_time)}")
    if settings.min_ratio and short_ratio:
        parts.append(f"ratio {torrent.ratio:.2f} of {settings.min_ratio:g}")
    asked = bool(settings.min_seed_time) + bool(settings.min_ratio)
    if asked and len(parts) == asked:
        yield StayReason(Stay.SEEDING, f"it has seeded {' and '.join(parts)}")


def _soft_reasons(torrent: TierTorrent, settings: TierSettings, now: float) -> Iterator[StayReason]:
    """What no longer counts when space is critical."""
    if settings.keep_active is not None and torrent.upload_rate >= max(settings.keep_active, 1):
        yield StayReason(Stay.HOT, f"it uploads {rate(torrent.upload_rate)}")
    age = now - torrent.finished_at
    if age < settings.min_age:
        yield StayReason(Stay.YOUNG, f"it finished {duration(age)} ago, under {duration(settings.min_age)}")


def _ordered(able: Sequence[Judgement], settings: TierSettings, now: float) -> list[Judgement]:
    """Those that leave first come first; the infohash settles ties, so that a dry run says the same."""

    def tie(judged: Judgement) -> str:
        return min(member.id.hex for member in judged.group.members)

    if settings.order is EvictionOrder.OLDEST:
        return sorted(able, key=lambda judged: (judged.group.finished_at, tie(judged)))
    scored = [replace(each, score=score) for each, score in zip(able, _scores(able, settings, now), strict=True)]
    return sorted(scored, key=lambda judged: (-judged.score, tie(judged)))


def _scores(able: Sequence[Judgement], settings: TierSettings, now: float) -> list[float]:
    """Each property as a part of the largest one among those that may leave, times its weight."""
    weights = settings.score
    properties: tuple[tuple[float, Callable[[Judgement], float]], ...] = (
        (weights.age, lambda judged: now - judged.group.finished_at),
        (weights.idle, lambda judged: min(member.idle for member in judged.group.members)),
        (weights.size, lambda judged: float(judged.frees)),
        (weights.ratio, lambda judged: min(member.ratio for member in judged.group.members)),
    )
    totals = [0.0] * len(able)
    for weight, of in properties:
        values = [max(of(judged), 0.0) for judged in able]
        largest = max(values, default=0.0)
        for index, value in enumerate(values):
            totals[index] += weight * value / largest if largest else 0.0
    return totals

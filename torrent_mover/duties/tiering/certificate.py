"""The gate of an eviction: what proves that data on the SSD may go, and the only thing that can say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.text import clause, clauses
from torrent_mover.domain.torrent.certificate import MAX_AGE, MIN_SEEDING, Reading
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.duties.tiering.errors import EvictionRefused, EvidenceTooOld
from torrent_mover.duties.tiering.picture import CopyProof, Identity, NameFound, same_files
from torrent_mover.duties.tiering.roots import RootFinding, distinct
from torrent_mover.duties.tiering.settings import EvictionCheck

_SEAL: Final = object()


@dataclass(frozen=True, slots=True)
class CopyCheck:
    """Who found the copy good, and when. Monotonic seconds.

    `began`: when the check was seen to begin, None where nobody read (`unchanged`). `pieces_good` of `pieces`.
    """

    by: EvictionCheck
    began: float | None
    at: float
    pieces_good: int
    pieces: int


@dataclass(frozen=True, slots=True)
class MemberEvidence:
    """What is known of one torrent of the group. Times are monotonic seconds of this process.

    `copies`: the target's files now; `checked_copies`: the same files when the check ended. `save_path`: where its client is
    to use it, as we see it; `persisted`: that path as the client's saved state has it. `opened`: the paths that the client
    has really opened. `ran`: it was started, and is to seed again.
    """

    client: str
    torrent: InfoHash
    name: str
    proof: CopyProof | None
    marked: str
    pieces: int
    left_at: float
    check: CopyCheck
    checked_copies: tuple[tuple[str, NameFound | None], ...]
    copies: tuple[tuple[str, NameFound | None], ...]
    copies_at: float
    save_path: LocalPath
    persisted: LocalPath | None
    opened: tuple[LocalPath, ...]
    ran: bool
    first: Reading
    last: Reading
    pinned: bool


@dataclass(frozen=True, slots=True)
class OriginalFound:
    """One name on the SSD: as it was noted, and as it is now, at its own place or set aside.

    `now` None with `released`: an earlier certificate has let go of it, and it is gone already.
    """

    noted: NameFound
    now: NameFound | None
    released: bool = False


@dataclass(frozen=True, slots=True)
class EvictionEvidence:
    """Everything that the gate of an eviction looks at.

    `siblings`: torrents outside the group that use a file of it on the SSD, by name. `elsewhere`: names of its files that
    nobody knows. `media_missing`: names below link roots that are not made again yet. `union`: the clients' path never
    changes, only the branch that holds the data.
    """

    acts: bool
    union: bool
    members: tuple[MemberEvidence, ...]
    originals: tuple[OriginalFound, ...]
    originals_at: float
    siblings: tuple[str, ...]
    siblings_at: float
    elsewhere: int
    media_missing: tuple[LocalPath, ...]
    ssds: tuple[RootFinding, ...]
    targets: tuple[RootFinding, ...]
    roots_at: float


class EvictionCertificate:
    """Says that exactly these names on the SSD may be removed. Only `certify_eviction` makes one."""

    __slots__ = ("evidence", "issued_at", "names")

    def __init__(self, seal: object, evidence: EvictionEvidence, issued_at: float) -> None:
        if seal is not _SEAL:
            raise TypeError("an EvictionCertificate is made by certify_eviction() alone")
        self.evidence = evidence
        self.issued_at = issued_at
        self.names = tuple(original.noted for original in evidence.originals if not original.released)

    def valid_at(self, now: float) -> bool:
        """Whether it still counts at `now` (monotonic seconds)."""
        return now >= self.issued_at and now - _oldest(self.evidence) <= MAX_AGE


def certify_eviction(evidence: EvictionEvidence, now: float) -> EvictionCertificate:
    """Check every item of the gate at `now` (monotonic seconds); raises EvictionRefused naming each one that does not hold."""
    reasons = [*_of_the_whole(evidence)]
    originals = frozenset(original.noted.identity for original in evidence.originals)
    for member in evidence.members:
        reasons += [f"{member.name}: {reason}" for reason in _of_member(member, originals, union=evidence.union)]
    age = now - _oldest(evidence)
    too_old = [f"the evidence is {age:.0f} s old, over {MAX_AGE:.0f} s"] if age > MAX_AGE else []
    if reasons or too_old:
        refusal = EvictionRefused if reasons else EvidenceTooOld
        reasons += too_old
        raise refusal(
            f"Nothing of {', '.join(member.name for member in evidence.members)} is deleted on the SSD:"
            f" {clause(clauses(*reasons))}.",
            kept="The data on the SSD and the copy are both kept.",
            remedy="The next round looks again.",
        )
    return EvictionCertificate(_SEAL, evidence, now)


def _oldest(evidence: EvictionEvidence) -> float:
    """The oldest item. Of the checks the last one counts: for the others, the files have not changed since they ended."""
    members = evidence.members
    looks = [moment for member in members for moment in (member.copies_at, member.last.at)]
    checked = max((member.check.at for member in members), default=0.0)
    return min([checked, evidence.originals_at, evidence.siblings_at, evidence.roots_at, *looks])


def _of_the_whole(evidence: EvictionEvidence) -> Iterator[str]:
    if not evidence.acts:
        yield "the tier only reports (mode = report)"
    if not evidence.members:
        yield "it is not known whose data it is"
    pairs = [(ssd, target) for ssd in evidence.ssds for target in evidence.targets]
    if not pairs or not all(distinct(ssd, target) for ssd, target in pairs):
        yield "the SSD and the target are not proven to be two disks, both mounted"
    for sibling in evidence.siblings:
        yield f"{sibling} still uses files of it on the SSD"
    if evidence.elsewhere:
        yield f"{evidence.elsewhere} names of its files are unknown"
    if evidence.media_missing:
        yield f"{evidence.media_missing[0]} is not linked on the target yet"
    for original in evidence.originals:
        if original.now is None and not original.released:
            yield f"{original.noted.path} is not there"
        elif original.now is not None and not _same(original.noted, original.now):
            yield f"{original.noted.path} has changed since it was looked at"
    yield from _of_originals(evidence)


def _of_originals(evidence: EvictionEvidence) -> Iterator[str]:
    """What goes is what was copied: no file more, and none that has changed since."""
    noted = {_stamp(original.noted): original.noted.path for original in evidence.originals}
    proven = {}
    for member in evidence.members:
        for stamp in member.proof.originals if member.proof else ():
            proven[stamp.size, stamp.mtime_ns, stamp.inode] = f"{member.name}: {stamp.path}"
    for changed in proven.keys() - noted.keys():
        yield f"{proven[changed]} on the SSD is not the file that was copied"
    for strange in noted.keys() - proven.keys():
        yield f"{noted[strange]} was never copied"


def _stamp(name: NameFound) -> tuple[int, int, int]:
    return name.size, name.mtime_ns, name.identity[1]


def _same(one: NameFound, other: NameFound) -> bool:
    return _as_read(one) == _as_read(other)


def _as_read(name: NameFound) -> tuple[int, int, Identity]:
    """What must not change between two looks. Further names of the file may come and go."""
    return name.size, name.mtime_ns, name.identity


def _of_member(member: MemberEvidence, originals: frozenset[Identity], *, union: bool) -> Iterator[str]:
    if member.pinned:
        yield "it is pinned"
    if member.marked:
        yield f"its copy does not count: {member.marked}"
    proof = member.proof
    if proof is None:
        yield "it has no proven copy"
        return
    if proof.pieces != member.pieces:
        yield f"only {proof.pieces} of {member.pieces} pieces are proven"
    yield from _of_check(member, proof)
    if any(name is not None and name.identity in originals for _, name in member.copies):
        yield "its copy is the SSD's own file under another name"
    for changed in same_files(proof.copies, dict(member.copies)):
        yield f"the copy of {changed} is not as it was proven"
    if [(path, found and _as_read(found)) for path, found in member.checked_copies] != [
        (path, found and _as_read(found)) for path, found in member.copies
    ]:
        yield "the copy has changed since it was checked"
    yield from _of_client(member, union=union)


def _of_check(member: MemberEvidence, proof: CopyProof) -> Iterator[str]:
    check = member.check
    if check.pieces != member.pieces or check.pieces_good != member.pieces:
        yield f"only {check.pieces_good} of {member.pieces} pieces were found good"
    if check.by is EvictionCheck.UNCHANGED:
        if not proof.read_back:
            yield "nobody has read its copy since it was written"
    elif check.began is None or check.began < member.left_at:
        yield "the check was not seen to begin after it left the SSD"
    if check.at < member.left_at:
        yield "it was checked before it left the SSD"


def _of_client(member: MemberEvidence, *, union: bool) -> Iterator[str]:
    first, last = member.first.torrent, member.last.torrent
    if first is None or last is None:
        yield "its client does not list it"
        return
    if last.id != member.torrent or first.id != member.torrent:
        yield "its client answers with another infohash"
    if last.amount_left:
        yield f"its client lacks {last.amount_left} bytes"
    if member.persisted != member.save_path:
        yield f"its client has not saved its new place (saved: {member.persisted or 'unknown'})"
    if member.first.at < member.check.at:
        yield "it was started before it was checked"
    if not member.ran:
        if last.state is not TorrentState.STOPPED_COMPLETE:
            yield f"it was stopped, and is not any more (state: {last.client_state})"
        return
    if first.state is not TorrentState.SEEDING or last.state is not TorrentState.SEEDING:
        yield f"its client does not seed it (state: {last.client_state})"
    if member.last.at - member.first.at < MIN_SEEDING:
        yield f"it has not been seen seeding for {MIN_SEEDING:.0f} s yet"
    if not member.opened:
        yield "its client does not say which files it has open"
    outside = [path for path in member.opened if not path.is_within(member.save_path)]
    if outside and not union:
        yield f"its client has {outside[0]} open, outside of the copy"

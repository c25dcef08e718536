"""Starts torrents again that a disk which was away has stopped: checked first, and only those that we evicted."""

from __future__ import annotations

from dataclasses import replace

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.torrent import Torrent
from torrent_mover.duties.tiering.checking_copy import check_all
from torrent_mover.duties.tiering.errors import CheckedBad, EvictionRefused
from torrent_mover.duties.tiering.gathering import leaving_torrent
from torrent_mover.duties.tiering.healing import HealDecision, HealFacts, Healing, heal
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.picture import CopyProof, same_files
from torrent_mover.duties.tiering.records import CopyRecord, EvictionMember, TierEnd, TierHistoryEntry
from torrent_mover.duties.tiering.reports import RoundReport
from torrent_mover.duties.tiering.root_marks import look_at
from torrent_mover.duties.tiering.roots import RootState


def heal_decisions(world: TierWorld) -> tuple[tuple[CopyRecord, HealDecision], ...]:
    """What is to be done with each evicted torrent. Changes nothing. Raises where a client is silent."""
    evicted = [record for record in world.journal.copies() if record.evicted_at and world.knows(record.client)]
    listed = {
        (name, torrent.id): torrent
        for name in {record.client for record in evicted}
        for torrent in world.client(name).client.torrents()
    }
    roots = {disk.root: look_at(world, disk).state is RootState.KNOWN for disk in world.targets}
    decided = []
    for record in evicted:
        if record.proof is not None and record.proof.root in roots:
            known = roots[record.proof.root]
            decided.append((record, _decision(world, record, record.proof, listed.get(record.key), known=known)))
    return tuple(decided)


def _decision(
    world: TierWorld, record: CopyRecord, proof: CopyProof, torrent: Torrent | None, *, known: bool
) -> HealDecision:
    """The files are looked at only where a torrent may have to be started: a disk that sleeps is not woken for the others."""
    end = world.client(record.client)
    save_path = None if torrent is None else end.paths.to_host(torrent.save_path)
    if torrent is not None and world.settings.union is not None:
        save_path = proof.save_path if torrent.save_path.is_within(world.settings.union) else save_path
    facts = HealFacts(torrent.state if torrent else None, save_path, proof, record.ran, known, (), record.bad)
    decision = heal(facts)
    if decision.act is not Healing.CHECK_AND_START:
        return decision
    names = world.disk(proof.root).find(proof.paths)
    found = dict(zip((stamp.path for stamp in proof.copies), names, strict=True))
    return heal(replace(facts, changed=same_files(proof.copies, found)))


def heal_round(world: TierWorld) -> RoundReport:
    """Heal what can be healed; what cannot is reported."""
    report = RoundReport()
    if not world.settings.heal:
        return report
    for record, decision in heal_decisions(world):
        if decision.act is Healing.REPORT:
            report.note(record.key, _not_healed(record, decision.why))
        elif decision.act is Healing.CHECK_AND_START and not world.leases.held(record.key):
            try:
                _start(world, record)
            except MoverError as error:
                report.note(record.key, error)
                if isinstance(error, CheckedBad):  # else each round would read all of it again
                    world.journal.save_copy(replace(record, bad=error.what, changed_at=world.clock.now()))
            else:
                report.healed.append(record.key)
    return report


def _start(world: TierWorld, record: CopyRecord) -> None:
    """Have its client check the copy, then start it, and see that this is saved."""
    end = world.client(record.client)
    with world.leases.hold([record.key]):
        torrent = end.client.get(record.torrent)
        if torrent is None:
            return
        row = EvictionMember(
            record.client, record.torrent, record.name, torrent.save_path, torrent.save_path, ran=record.ran
        )
        leaving = leaving_torrent(world, row)
        check_all(world, [leaving.to_check], lambda _count: world.clock.wait(0.0))
        end.client.start(record.torrent)
        end.client.persist(record.torrent)
        size = leaving.manifest.total_size
        now = world.clock.now()
        world.journal.add_history(TierHistoryEntry(now, *record.key, record.name, TierEnd.HEALED, size, 0.0))
        world.say(record.key, f"{record.name} seeds again: its disk is back")


def _not_healed(record: CopyRecord, why: str) -> EvictionRefused:
    return EvictionRefused(
        f"{record.name} is stopped, and is not started by itself: {clause(why)}.",
        kept="Nothing was changed.",
        remedy=f"Have its client check it, and start it there. torrent-mover tier --verify {record.torrent} reads the copy.",
        key=record.key,
    )

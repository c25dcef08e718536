"""What every TorrentClient must do, whatever its roles. A bench supplies the client, and plays the user who has torrents in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest

from torrent_mover.demo.content import Sample, sample
from torrent_mover.domain.errors import Collision, GateRefused, TorrentGone, UnsafeTorrent
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.bencode import decode_document
from torrent_mover.domain.torrent.certificate import (
    MIN_SEEDING,
    Certificate,
    Evidence,
    FileFound,
    ReadBack,
    Reading,
    certify,
)
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.ports import roles
from torrent_mover.ports.client import AddSpec, RecheckVerdict, TorrentClient
from torrent_mover.ports.clock import Clock

PIECE = 16 * 1024
TREE = {"a.bin": 100_000, "b/c.bin": 70_001, "e.nfo": 0, "z z/ü'[1].srt": 10}
STRANGER = InfoHash("0123456789" * 4)
FINAL = (RecheckVerdict.GOOD, RecheckVerdict.BAD, RecheckVerdict.FAILED)


class Bench(Protocol):
    """A client to be tested, with its disk: both see the same paths. `versions` of torrents that it takes: v1, v2, hybrid."""

    versions: Sequence[str]
    client: TorrentClient
    clock: Clock
    data: Path

    def have(self, torrent: Sample, save_path: Path, category: str = "") -> InfoHash:
        """Let the user have it: complete and seeding, its data below `save_path`."""

    def lose(self, torrent: InfoHash) -> None:
        """Let the user remove it."""

    def restart(self) -> None:
        """Kill the client and start it again."""


def path(folder: Path) -> ClientPath:
    return ClientPath(str(folder))


def make(bench: Bench, name: str = "Show", version: str = "v1", tree=None, **options) -> Sample:
    return sample(bench.data, name, TREE if tree is None else tree, version=version, piece_length=PIECE, **options)


def until(bench: Bench, condition, timeout: float = 30.0):
    """Look until `condition()` is true, by the bench's own clock."""
    deadline = bench.clock.monotonic() + timeout
    while not (found := condition()):
        assert bench.clock.monotonic() < deadline, f"not within {timeout:.0f} s"
        bench.clock.wait(0.1)
    return found


def state_of(bench: Bench, torrent: InfoHash) -> TorrentState:
    found = bench.client.get(torrent)
    assert found is not None
    return found.state


def checked_all(bench: Bench, torrents: list[InfoHash]) -> list[RecheckVerdict]:
    """Recheck several at once, each to its end."""
    tickets = {torrent: bench.client.recheck(torrent) for torrent in torrents}
    ends: dict[InfoHash, RecheckVerdict] = {}

    def over() -> bool:
        for torrent in tickets.keys() - ends.keys():
            verdict = tickets[torrent].poll().verdict
            if verdict in FINAL:
                ends[torrent] = verdict
        return len(ends) == len(tickets)

    until(bench, over, timeout=90.0)
    return [ends[torrent] for torrent in torrents]


def checked(bench: Bench, torrent: InfoHash) -> RecheckVerdict:
    """Recheck to the end."""
    return checked_all(bench, [torrent])[0]


def add(bench: Bench, torrent: Sample, **spec) -> InfoHash:
    return bench.client.add_stopped(torrent.metainfo, AddSpec(save_path=path(bench.data), **spec))


def info_of(metainfo: bytes) -> bytes:
    start, end = decode_document(metainfo).info_span
    return metainfo[start:end]


def flip(file: Path, offset: int = 5) -> None:
    """Change one byte; size and times stay."""
    before = file.stat()
    content = bytearray(file.read_bytes())
    content[offset] ^= 0xFF
    with file.open("r+b") as stream:
        stream.write(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


DAMAGES = {
    "flipped byte": (flip, (0,)),
    "missing": (Path.unlink, tuple(range(7))),
    "truncated": (lambda file: os.truncate(file, PIECE), tuple(range(1, 7))),
}
"""What is done to a file of 100,000 bytes, and the pieces that are bad then."""


def role(bench: Bench, kind):
    """The client in a role that it must have."""
    found = bench.client.role(kind)
    assert found is not None, f"{bench.client.name} does not claim {kind.__name__}"
    return found


def certificate_for(
    bench: Bench, wanted: Sample, torrent: InfoHash, *, siblings: tuple[InfoHash, ...] = ()
) -> Certificate:
    """An honest one, with the client playing both sides: what it says is read, nothing is made up but who is who."""
    pieces = Manifest.parse(wanted.metainfo).piece_count
    client, clock = bench.client, bench.clock

    def read() -> Reading:
        return Reading(clock.monotonic(), client.get(torrent), tuple(client.files(torrent)))

    assert checked(bench, torrent) is RecheckVerdict.GOOD
    telling = client.role(roles.HasPieces)
    good = sum(telling.pieces(torrent).have) if telling else pieces
    read_back = ReadBack(at=clock.monotonic(), by_client=True, pieces_good=good, pieces=pieces, amount_left=0)
    client.start(torrent)
    until(bench, lambda: state_of(bench, torrent) is TorrentState.SEEDING)
    first = read()
    clock.wait(MIN_SEEDING + 0.1)
    last = read()
    assert first.torrent is not None
    found = tuple(
        FileFound(file.path, file.size, (bench.data / file.path).lstat().st_size if file.size else file.size)
        for file in first.files
    )
    evidence = Evidence(
        planned=first.torrent,
        planned_files=first.files,
        save_path=first.torrent.save_path,
        pieces=pieces,
        own_pieces=pieces,
        read_back=read_back,
        files=found,
        files_at=clock.monotonic(),
        destination_first=first,
        destination_last=last,
        source=read(),
        siblings=siblings,
        ignored_by_rule=False,
        limited_there=(limiting := client.role(roles.EndsSharing)) is not None and limiting.limited(last.torrent),
    )
    return certify(evidence, clock.monotonic())


class TorrentClientContract:
    """Run over every adapter and over the fakes: subclass it and supply the fixtures `bench` and `old_certificate`."""

    def test_it_says_what_it_is(self, bench):
        info = bench.client.info()
        assert info.product
        assert info.version
        assert bench.client.name

    def test_an_empty_client_lists_nothing(self, bench):
        assert list(bench.client.torrents()) == []

    def test_a_role_that_it_claims_it_has_in_full_and_others_it_does_not_claim(self, bench):
        for kind in roles.ROLES:
            found = bench.client.role(kind)
            assert found is None or isinstance(found, kind)
            assert bench.client.role(kind) is found

    def test_torrents_of_no_category_are_listed_as_such(self, bench):
        torrent = bench.have(make(bench, "Mine"), bench.data)
        assert [one.id for one in bench.client.torrents("")] == [torrent]
        assert [one.id for one in bench.client.torrents()] == [torrent]
        assert list(bench.client.torrents("no such")) == []

    def test_a_complete_torrent_is_described_in_full(self, bench):
        wanted = make(bench, "Ünï [1080p] 'x'")
        torrent = bench.client.get(bench.have(wanted, bench.data))
        assert torrent.name == "Ünï [1080p] 'x'"
        assert torrent.category == ""
        assert torrent.state is TorrentState.SEEDING
        assert torrent.client_state
        assert torrent.complete
        assert torrent.save_path == path(bench.data)
        assert torrent.content_path == path(bench.data) / wanted.name
        assert torrent.size == sum(TREE.values())
        assert torrent.amount_left == 0
        assert torrent.progress == 1
        assert torrent.added_on > 1_600_000_000
        assert not torrent.auto_managed

    def test_it_is_known_by_its_client_id_and_its_files_are_the_manifests(self, bench):
        for version in bench.versions:
            wanted = make(bench, f"Show {version}", version)
            manifest = Manifest.parse(wanted.metainfo)
            torrent = bench.have(wanted, bench.data)
            assert torrent == manifest.hashes.client_id
            assert bench.client.get(torrent).id == torrent
            files = bench.client.files(torrent)
            assert [(file.index, file.path, file.size) for file in files] == [
                (file.index, str(file.path), file.size) for file in manifest.files
            ]
            assert all(file.wanted and file.progress == 1 for file in files)

    def test_trackers_are_listed_without_the_swarm_rows_and_hide_their_urls(self, bench):
        urls = ("http://127.0.0.1:9/announce?passkey=S3CRET", "http://127.0.0.1:9/other")
        trackers = bench.client.trackers(bench.have(make(bench, trackers=urls), bench.data))
        assert [(tracker.url, tracker.tier) for tracker in trackers] == [(urls[0], 0), (urls[1], 1)]
        assert "S3CRET" not in repr(trackers)

    def test_an_unknown_torrent_is_none_or_gone(self, bench):
        client = bench.client
        assert client.get(STRANGER) is None
        for call in (client.files, client.trackers, client.recheck, client.start, client.stop):
            with pytest.raises(TorrentGone):
                call(STRANGER)

    def test_a_torrent_is_added_stopped_where_it_was_asked_for(self, bench):
        wanted = make(bench, "Show", bench.versions[-1])
        torrent = add(bench, wanted)
        there = bench.client.get(torrent)
        assert there.state is TorrentState.STOPPED_INCOMPLETE
        assert there.save_path == path(bench.data)
        assert not there.auto_managed
        limiting = bench.client.role(roles.EndsSharing)
        assert limiting is None or not limiting.limited(there)
        assert [file.path for file in bench.client.files(torrent)] == [
            f"{wanted.name}/{name}" for name in ("a.bin", "b/c.bin", "e.nfo", "z z/ü'[1].srt")
        ]

    def test_adding_checks_nothing_and_touches_nothing(self, bench):
        wanted = make(bench)
        before = wanted.files()
        torrent = add(bench, wanted)
        assert bench.client.get(torrent).progress == 0
        assert wanted.files() == before

    def test_adding_again_leaves_it_as_it_is(self, bench):
        wanted = make(bench)
        torrent = add(bench, wanted)
        assert add(bench, wanted) == torrent
        assert len(bench.client.torrents()) == 1

    def test_a_torrent_that_lies_elsewhere_is_a_collision(self, bench):
        wanted = make(bench)
        torrent = add(bench, wanted)
        elsewhere = AddSpec(save_path=path(bench.data / "elsewhere"))
        with pytest.raises(Collision):
            bench.client.add_stopped(wanted.metainfo, elsewhere)
        assert bench.client.get(torrent).save_path == path(bench.data)

    def test_a_torrent_that_seeds_already_is_a_collision_and_goes_on_seeding(self, bench):
        wanted = make(bench)
        torrent = bench.have(wanted, bench.data)
        with pytest.raises(Collision):
            add(bench, wanted)
        assert state_of(bench, torrent) is TorrentState.SEEDING

    def test_what_is_no_torrent_is_refused(self, bench):
        with pytest.raises(UnsafeTorrent):
            bench.client.add_stopped(b"<html>no torrent</html>", AddSpec(save_path=path(bench.data)))
        assert list(bench.client.torrents()) == []

    def test_a_recheck_of_good_data_is_good(self, bench):
        torrent = add(bench, make(bench, "Show", bench.versions[-1]))
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        there = bench.client.get(torrent)
        assert there.state is TorrentState.STOPPED_COMPLETE
        assert there.complete

    def test_a_recheck_never_takes_the_success_of_before_for_its_own(self, bench):
        samples = {damage: make(bench, damage, seed=seed) for seed, damage in enumerate(DAMAGES)}
        torrents = [add(bench, one) for one in samples.values()]
        assert checked_all(bench, torrents) == [RecheckVerdict.GOOD] * len(torrents)
        whole = {damage: (one.content / "a.bin").read_bytes() for damage, one in samples.items()}
        for _ in range(2):
            for damage, (do, _) in DAMAGES.items():
                do(samples[damage].content / "a.bin")
            assert checked_all(bench, torrents) == [RecheckVerdict.BAD] * len(torrents)
            assert {state_of(bench, torrent) for torrent in torrents} == {TorrentState.STOPPED_INCOMPLETE}
            for damage, content in whole.items():
                (samples[damage].content / "a.bin").write_bytes(content)
            assert checked_all(bench, torrents) == [RecheckVerdict.GOOD] * len(torrents)

    def test_a_recheck_of_nothing_at_all_ends_and_is_bad(self, bench):
        torrent = bench.client.add_stopped(make(bench).metainfo, AddSpec(save_path=path(bench.data / "empty")))
        assert checked(bench, torrent) is RecheckVerdict.BAD

    def test_a_recheck_cannot_see_a_missing_file_of_no_bytes(self, bench):
        torrent = add(bench, make(bench, "Show"))
        (bench.data / "Show" / "e.nfo").unlink()
        assert checked(bench, torrent) is RecheckVerdict.GOOD

    def test_a_folder_in_place_of_a_file_never_passes(self, bench):
        torrent = add(bench, make(bench, "Show"))
        (bench.data / "Show" / "a.bin").unlink()
        (bench.data / "Show" / "a.bin" / "x").mkdir(parents=True)
        assert checked(bench, torrent) in (RecheckVerdict.FAILED, RecheckVerdict.BAD)

    def test_a_seeding_torrent_is_stopped_for_its_recheck_and_stays_so(self, bench):
        torrent = bench.have(make(bench, "Show"), bench.data)
        flip(bench.data / "Show" / "a.bin")
        assert checked(bench, torrent) is RecheckVerdict.BAD
        assert state_of(bench, torrent) is TorrentState.STOPPED_INCOMPLETE

    def test_rechecks_that_wait_for_others_end_well_too(self, bench):
        samples = [make(bench, f"T{number}", tree={"a.bin": 40_000}, seed=number) for number in range(4)]
        torrents = [add(bench, one) for one in samples]
        flip(samples[2].content / "a.bin")
        good, bad = RecheckVerdict.GOOD, RecheckVerdict.BAD
        assert checked_all(bench, torrents) == [good, good, bad, good]

    def test_a_restart_in_the_middle_never_makes_a_recheck_good(self, bench):
        torrent = add(bench, make(bench, "Show"))
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        bench.clock.wait(3.0)  # its own notes about that are on disk now
        flip(bench.data / "Show" / "a.bin")
        ticket = bench.client.recheck(torrent)
        bench.restart()
        end = until(bench, lambda: (now := ticket.poll()).verdict in FINAL and now, timeout=60.0)
        assert end.verdict is RecheckVerdict.BAD

    def test_a_ticket_of_a_removed_torrent_says_that_it_is_gone(self, bench):
        torrent = add(bench, make(bench))
        ticket = bench.client.recheck(torrent)
        bench.lose(torrent)
        with pytest.raises(TorrentGone):
            ticket.poll()

    def test_a_lookup_tells_those_that_are_there_and_nothing_else(self, bench):
        torrents = [add(bench, make(bench, f"T{number}", seed=number)) for number in range(3)]
        found = bench.client.lookup([*torrents[:2], STRANGER])
        assert set(found) == set(torrents[:2])
        assert all(found[each].id == each for each in found)
        assert bench.client.lookup(()) == {}

    def test_start_lets_it_seed_and_stop_ends_that(self, bench):
        torrent = add(bench, make(bench))
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        bench.client.start(torrent)
        until(bench, lambda: state_of(bench, torrent) is TorrentState.SEEDING)
        bench.client.stop(torrent)
        assert state_of(bench, torrent) is TorrentState.STOPPED_COMPLETE

    def test_a_certificate_removes_torrent_and_data_and_nothing_else(self, bench):
        wanted = make(bench, "Show")
        other = make(bench, "Other", seed=9)
        kept = bench.have(other, bench.data)
        torrent = add(bench, wanted)
        (bench.data / "Show" / "notes.txt").write_text("not of the torrent")
        certificate = certificate_for(bench, wanted, torrent)
        bench.client.remove(certificate)
        assert bench.client.get(torrent) is None
        until(bench, lambda: list(wanted.files()) == ["Show/notes.txt"])
        assert bench.client.get(kept) is not None
        assert len(other.files()) == len(TREE)
        assert bench.client.complaint(certificate) == ""
        bench.client.remove(certificate)  # gone already: that is what was wanted

    def test_data_that_a_sibling_uses_stays(self, bench):
        wanted = make(bench)
        torrent = add(bench, wanted)
        bench.client.remove(certificate_for(bench, wanted, torrent, siblings=(STRANGER,)))
        assert bench.client.get(torrent) is None
        bench.clock.wait(1.0)
        assert len(wanted.files()) == len(TREE)

    def test_a_stale_certificate_removes_nothing(self, bench, old_certificate):
        wanted = make(bench)
        torrent = add(bench, wanted)
        certificate = certificate_for(bench, wanted, torrent)
        with pytest.raises(GateRefused):
            bench.client.remove(old_certificate(certificate))
        assert bench.client.get(torrent) is not None
        assert len(wanted.files()) == len(TREE)

    def test_it_goes_on_after_a_restart(self, bench):
        torrent = add(bench, make(bench))
        bench.clock.wait(3.0)
        bench.restart()
        assert bench.client.get(torrent) is not None
        assert checked(bench, torrent) is RecheckVerdict.GOOD

    def test_closing_twice_is_fine(self, bench):
        bench.client.info()
        bench.client.close()
        bench.client.close()

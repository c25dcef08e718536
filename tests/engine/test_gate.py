"""The delete gate: each item alone keeps the source, and without one of its conditions the code itself would be caught."""

from __future__ import annotations

from dataclasses import replace

import pytest

from torrent_mover.domain.errors import GateRefused
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.certificate import (
    MAX_AGE,
    MIN_SEEDING,
    Certificate,
    Evidence,
    FileFound,
    ReadBack,
    Reading,
    certify,
)
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent, TorrentState

NOW = 1000.0
HERE, THERE = ClientPath("/seed"), ClientPath("/nas")
ID, OTHER = InfoHash("a" * 40), InfoHash("b" * 40)

FILES = (
    ClientFile(0, "Show/a", 100, 1.0, wanted=True),
    ClientFile(1, "Show/empty", 0, 1.0, wanted=True),
)


def a_torrent(**changes) -> Torrent:
    plain = Torrent(
        id=ID,
        name="Show",
        category="move-me",
        state=TorrentState.SEEDING,
        client_state="stalledUP",
        save_path=HERE,
        size=100,
        total_size=100,
        amount_left=0,
        progress=1.0,
        added_on=1,
        completed_on=2,
        seeding_time=3,
        ratio=0.0,
        uploaded=0,
    )
    return replace(plain, **changes)


def arrived(**changes) -> Torrent:
    return a_torrent(**({"save_path": THERE} | changes))


def evidence(**changes) -> Evidence:
    whole = Evidence(
        planned=a_torrent(),
        planned_files=FILES,
        save_path=THERE,
        pieces=4,
        own_pieces=4,
        read_back=ReadBack(NOW - 20, by_client=True, pieces_good=4, pieces=4, amount_left=0),
        files=(FileFound("Show/a", 100, 100), FileFound("Show/empty", 0, 0)),
        files_at=NOW - 3,
        destination_first=Reading(NOW - 10, arrived(), FILES),
        destination_last=Reading(NOW - 2, arrived(), FILES),
        source=Reading(NOW - 1, a_torrent(), FILES),
        siblings=(),
        ignored_by_rule=False,
        limited_there=False,
    )
    return replace(whole, **changes)


def there(**changes) -> dict:
    return {"destination_last": Reading(NOW - 2, arrived(**changes), FILES)}


def here(**changes) -> dict:
    return {"source": Reading(NOW - 1, a_torrent(**changes), FILES)}


def read_back(**changes) -> dict:
    return {"read_back": replace(evidence().read_back, **changes)}


RENAMED = (replace(FILES[0], path="Show/b"), FILES[1])
RESIZED = (replace(FILES[0], size=101), FILES[1])
UNWANTED = (replace(FILES[0], wanted=False), FILES[1])

FLAWS = {
    "a piece is bad in the recheck": (read_back(pieces_good=3), "only 3 of 4 pieces were read back"),
    "the recheck was of another number of pieces": (read_back(pieces=3, pieces_good=3), "pieces were read back"),
    "the recheck was of more pieces than there are": (read_back(pieces=5), "pieces were read back"),
    "the recheck misses bytes": (read_back(amount_left=1), "pieces were read back"),
    "a piece was not hashed by us": ({"own_pieces": 3}, "only 3 of 4 pieces were hashed by ourselves"),
    "a file is short": ({"files": (FileFound("Show/a", 100, 99), evidence().files[1])}, "is 99 bytes"),
    "a file is long": ({"files": (FileFound("Show/a", 100, 101), evidence().files[1])}, "is 101 bytes"),
    "a file is no file": ({"files": (FileFound("Show/a", 100, None), evidence().files[1])}, "not a regular file"),
    "a file without bytes is missing": ({"files": (evidence().files[0], FileFound("Show/empty", 0, None))}, "empty is"),
    "it was not listed at first": ({"destination_first": Reading(NOW - 10, None)}, "does not list it"),
    "it is not listed any more": ({"destination_last": Reading(NOW - 2, None)}, "does not list it"),
    "the destination answers about another one": (there(id=OTHER), "another infohash"),
    "the destination moved it": (there(save_path=HERE), "moved it to /seed"),
    "automatic management is on": (there(auto_managed=True), "automatic torrent management"),
    "a limit could fire there": ({"limited_there": True}, "share limit"),
    "it stopped": (there(state=TorrentState.STOPPED_COMPLETE, client_state="pausedUP"), "not seeding it"),
    "it downloads": (there(state=TorrentState.DOWNLOADING), "not seeding it"),
    "it was not seeding at first": (
        {"destination_first": Reading(NOW - 10, arrived(state=TorrentState.CHECKING), FILES)},
        "not seeding it",
    ),
    "bytes are missing there": (there(amount_left=5), "5 bytes are missing"),
    "it was hardly watched": (
        {"destination_first": Reading(NOW - 2 - MIN_SEEDING + 0.1, arrived(), FILES)},
        "not been seen seeding",
    ),
    "it was started before it was checked": (read_back(at=NOW - 9), "started before it was checked"),
    "a file has another name there": (
        {"destination_last": Reading(NOW - 2, arrived(), RENAMED)},
        "laid out differently",
    ),
    "a file has another size there": (
        {"destination_last": Reading(NOW - 2, arrived(), RESIZED)},
        "laid out differently",
    ),
    "a file is not wanted there": ({"destination_last": Reading(NOW - 2, arrived(), UNWANTED)}, "laid out differently"),
    "the source does not list it": ({"source": Reading(NOW - 1, None)}, "no longer lists it"),
    "the source answers about another one": (here(id=OTHER), "another infohash"),
    "the source moved it": (here(save_path=THERE), "moved it to /nas"),
    "its category changed": (here(category="keep-me"), "category at the source is now 'keep-me'"),
    "the source checks it": (here(state=TorrentState.CHECKING), "busy with it"),
    "the source moves it": (here(state=TorrentState.MOVING), "busy with it"),
    "the source lost bytes of it": (here(amount_left=1), "busy with it"),
    "a file was renamed at the source": ({"source": Reading(NOW - 1, a_torrent(), RENAMED)}, "renamed or changed"),
    "a file was changed at the source": ({"source_changed": ("Show/a",)}, "somebody has changed Show/a"),
    "both clients have one folder": ({"common_folder": "/nas/Show"}, "/nas/Show is the source's own folder"),
    "a rule ignores it": ({"ignored_by_rule": True}, "rule says Ignore"),
    "the recheck is old": (read_back(at=NOW - MAX_AGE - 1), "61 s old"),
    "the look at the files is old": ({"files_at": NOW - MAX_AGE - 1}, "61 s old"),
    "the look at the destination is old": (
        {
            "destination_first": Reading(NOW - 90, arrived(), FILES),
            "destination_last": Reading(NOW - MAX_AGE - 1, arrived(), FILES),
            "read_back": replace(evidence().read_back, at=NOW - 95),
        },
        "old",
    ),
    "the look at the source is old": ({"source": Reading(NOW - MAX_AGE - 1, a_torrent(), FILES)}, "61 s old"),
}


def test_whole_evidence_lets_the_source_go():
    certificate = certify(evidence(), NOW)
    assert certificate.torrent == ID
    assert certificate.delete_data


@pytest.mark.parametrize("flaw", FLAWS)
def test_each_flaw_alone_keeps_the_source(flaw):
    changes, said = FLAWS[flaw]
    with pytest.raises(GateRefused) as refused:
        certify(evidence(**changes), NOW)
    assert said in refused.value.what
    assert "source keeps" in refused.value.kept


def test_all_flaws_are_named_at_once():
    changes = {"own_pieces": 0, "ignored_by_rule": True} | there(auto_managed=True) | here(category="x")
    with pytest.raises(GateRefused) as refused:
        certify(evidence(**changes), NOW)
    for said in ("hashed by ourselves", "rule says", "automatic", "category"):
        assert said in refused.value.what


def test_a_sibling_keeps_the_data_and_is_named():
    certificate = certify(evidence(siblings=(OTHER,)), NOW)
    assert not certificate.delete_data
    assert OTHER.short in certificate.kept_because


def test_a_certificate_grows_old_with_its_evidence_not_with_its_making():
    certificate = certify(evidence(), NOW)
    assert certificate.valid_at(NOW - 20 + MAX_AGE)
    assert not certificate.valid_at(NOW - 20 + MAX_AGE + 0.1)
    assert not certificate.valid_at(NOW - 0.1)


def test_nobody_else_can_make_a_certificate():
    with pytest.raises(TypeError):
        Certificate(object(), evidence(), NOW)

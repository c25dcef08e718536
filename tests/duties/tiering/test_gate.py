"""The gate of an eviction: every item that does not hold refuses, and there is no other way to a removed name."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from tests.architecture.calls import calls, modules_that_call, sources
from torrent_mover.domain.paths import ClientPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.certificate import Reading
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent, TorrentState
from torrent_mover.duties.tiering.certificate import (
    CopyCheck,
    EvictionCertificate,
    EvictionEvidence,
    MemberEvidence,
    OriginalFound,
    certify_eviction,
)
from torrent_mover.duties.tiering.errors import EvictionRefused, EvidenceTooOld
from torrent_mover.duties.tiering.picture import CopyProof, FileStamp, NameFound
from torrent_mover.duties.tiering.roots import RootFinding, RootState
from torrent_mover.duties.tiering.settings import EvictionCheck

HASH = InfoHash("ab" * 20)
NOW = 1000.0
SSD, HDD = LocalPath("/ssd"), LocalPath("/hdd")


def torrent(**changes):
    known = {
        "id": HASH, "name": "Film", "category": "", "state": TorrentState.SEEDING, "client_state": "seeding",
        "save_path": ClientPath("/hdd"), "size": 10, "total_size": 10, "amount_left": 0, "progress": 1.0,
        "added_on": 0, "completed_on": 0, "seeding_time": 0, "ratio": 0.0, "uploaded": 0,
    }  # fmt: skip
    return Torrent(**known | changes)


def name(root, inode, device, **changes):
    path = root / "Film"
    return replace(NameFound(path, path, 10, 5, (device, inode)), **changes)


ORIGINAL = name(SSD, 1, 1)
COPY = name(HDD, 2, 2)
PROOF = CopyProof(
    0.0,
    HDD,
    "id-h",
    RelativePath(()),
    (FileStamp("Film", 10, 5, 2),),
    (FileStamp("Film", 10, 5, 1),),
    4,
    read_back=True,
)
MEMBER = MemberEvidence(
    client="rtorrent",
    torrent=HASH,
    name="Film",
    proof=PROOF,
    marked="",
    pieces=4,
    left_at=900.0,
    check=CopyCheck(EvictionCheck.CLIENT, 950.0, 980.0, 4, 4),
    checked_copies=(("Film", COPY),),
    copies=(("Film", COPY),),
    copies_at=995.0,
    save_path=HDD,
    persisted=HDD,
    opened=(HDD / "Film",),
    ran=True,
    first=Reading(985.0, torrent()),
    last=Reading(990.5, torrent()),
    pinned=False,
)
EVIDENCE = EvictionEvidence(
    acts=True,
    union=False,
    members=(MEMBER,),
    originals=(OriginalFound(ORIGINAL, ORIGINAL),),
    originals_at=996.0,
    siblings=(),
    siblings_at=994.0,
    elsewhere=0,
    media_missing=(),
    ssds=(RootFinding(SSD, RootState.KNOWN, "id-s"),),
    targets=(RootFinding(HDD, RootState.KNOWN, "id-h"),),
    roots_at=997.0,
)


def member(**changes):
    return {"members": (replace(MEMBER, **changes),)}


def proof(**changes):
    return member(proof=replace(PROOF, **changes))


def check(**changes):
    return member(check=replace(MEMBER.check, **changes))


def stopped(**changes):
    reading = Reading(985.0, torrent(state=TorrentState.STOPPED_COMPLETE))
    return member(**{"ran": False, "first": reading, "last": replace(reading, at=986.0), "opened": ()} | changes)


def originals(**changes):
    return {"originals": (OriginalFound(ORIGINAL, replace(ORIGINAL, **changes)),)}


def test_evidence_that_holds_makes_a_certificate_for_exactly_its_names():
    certificate = certify_eviction(EVIDENCE, NOW)

    assert certificate.names == (ORIGINAL,)
    assert certificate.valid_at(NOW + 30)
    assert not certificate.valid_at(NOW + 60)
    assert not certificate.valid_at(NOW - 1)


@pytest.mark.parametrize(
    "changes",
    [
        stopped(),
        {"union": True} | member(opened=(LocalPath("/pool/Film"),)),
        check(by=EvictionCheck.UNCHANGED, began=None),
        check(by=EvictionCheck.OWN),
        member(checked_copies=(("Film", replace(COPY, links=2)),)),
        {"originals": (OriginalFound(ORIGINAL, None, released=True),)},
    ],
)
def test_other_evidence_that_is_as_good(changes):
    certify_eviction(replace(EVIDENCE, **changes), NOW)


def test_a_name_that_an_earlier_certificate_let_go_of_is_in_no_new_one():
    certificate = certify_eviction(replace(EVIDENCE, originals=(OriginalFound(ORIGINAL, None, released=True),)), NOW)

    assert certificate.names == ()


REFUSED = {
    "report mode": {"acts": False},
    "no torrent": {"members": ()},
    "SSD away": {"ssds": (RootFinding(SSD, RootState.AWAY),)},
    "no SSD": {"ssds": ()},
    "target away": {"targets": (RootFinding(HDD, RootState.AWAY),)},
    "no target": {"targets": ()},
    "the same disk under two names": {"targets": (RootFinding(HDD, RootState.KNOWN, "id-s"),)},
    "a sibling": {"siblings": ("Other",)},
    "unknown names": {"elsewhere": 1},
    "a media link that is missing": {"media_missing": (SSD / "media",)},
    "a file gone from the SSD": {"originals": (OriginalFound(ORIGINAL, None),)},
    "another size on the SSD": originals(size=11),
    "another time on the SSD": originals(mtime_ns=6),
    "another file on the SSD": originals(identity=(1, 9)),
    "a file that was never copied": {
        "originals": (OriginalFound(ORIGINAL, ORIGINAL), OriginalFound(name(SSD, 7, 1), name(SSD, 7, 1)))
    },
    "a proof of other files": proof(originals=(FileStamp("Film", 10, 4, 1),)),
    "no proof": member(proof=None),
    "a mark": member(marked="bad"),
    "a pin": member(pinned=True),
    "too few pieces proven": proof(pieces=3),
    "too few pieces checked": check(pieces_good=3),
    "a check of another torrent": check(pieces=5, pieces_good=5),
    "a check before it left": check(at=899.0),
    "a check that began before it left": check(began=899.0),
    "a check that was not seen to begin": check(began=None),
    "unchanged, and never read": {
        "members": (
            replace(
                MEMBER,
                proof=replace(PROOF, read_back=False),
                check=CopyCheck(EvictionCheck.UNCHANGED, None, 990.0, 4, 4),
            ),
        )
    },
    "a copy with another time": member(copies=(("Film", replace(COPY, mtime_ns=6)),)),
    "a copy that is gone": member(copies=(("Film", None),)),
    "a copy that changed since its check": member(checked_copies=(("Film", replace(COPY, mtime_ns=4)),)),
    "a copy that is the SSD's own file": member(
        copies=(("Film", replace(COPY, identity=(1, 1))),),
        checked_copies=(("Film", replace(COPY, identity=(1, 1))),),
        proof=replace(PROOF, copies=(FileStamp("Film", 10, 5, 1),)),
    ),
    "a place that is not saved": member(persisted=SSD),
    "a place that nobody knows": member(persisted=None),
    "files open on the SSD": member(opened=(SSD / "Film",)),
    "no open files": member(opened=()),
    "not listed first": member(first=Reading(985.0, None)),
    "not listed last": member(last=Reading(991.0, None)),
    "another torrent": member(last=Reading(991.0, torrent(id=InfoHash("cd" * 20)))),
    "bytes missing": member(last=Reading(991.0, torrent(amount_left=1))),
    "not seeding at first": member(first=Reading(985.0, torrent(state=TorrentState.STOPPED_COMPLETE))),
    "not seeding at last": member(last=Reading(991.0, torrent(state=TorrentState.ERROR))),
    "seen seeding too shortly": member(last=Reading(989.0, torrent())),
    "started before it was checked": member(first=Reading(979.0, torrent())),
    "stopped, and running again": stopped(last=Reading(986.0, torrent())),
}


@pytest.mark.parametrize("what", REFUSED)
def test_each_item_that_does_not_hold_refuses(what):
    with pytest.raises(EvictionRefused) as refused:
        certify_eviction(replace(EVIDENCE, **REFUSED[what]), NOW)

    assert not isinstance(refused.value, EvidenceTooOld)
    assert refused.value.kept
    assert refused.value.remedy


@pytest.mark.parametrize(
    "changes",
    [
        {"originals_at": 939.0},
        {"siblings_at": 939.0},
        {"roots_at": 939.0},
        member(copies_at=939.0),
        member(
            left_at=800.0,
            check=CopyCheck(EvictionCheck.CLIENT, 850.0, 939.0, 4, 4),
        ),
        member(
            left_at=800.0, check=CopyCheck(EvictionCheck.CLIENT, 850.0, 870.0, 4, 4), last=Reading(991.0, torrent())
        ),
    ],
)
def test_evidence_over_a_minute_old_counts_no_longer(changes):
    with pytest.raises(EvidenceTooOld):
        certify_eviction(replace(EVIDENCE, **changes), NOW)


def test_all_reasons_are_told_at_once():
    with pytest.raises(EvictionRefused, match=r"only reports.*still uses") as refused:
        certify_eviction(replace(EVIDENCE, acts=False, siblings=("Other",)), NOW)

    assert "Film" in refused.value.what


def test_in_a_group_each_torrent_must_hold():
    good = MEMBER
    bad = replace(MEMBER, name="Twin", check=replace(MEMBER.check, pieces_good=0))

    with pytest.raises(EvictionRefused, match="Twin: only 0 of 4"):
        certify_eviction(replace(EVIDENCE, members=(good, bad)), NOW)


# There is no other way


def test_an_eviction_certificate_is_made_by_certify_eviction_alone():
    assert modules_that_call("EvictionCertificate") == ["duties/tiering/certificate.py"]
    assert modules_that_call("certify_eviction") == ["duties/tiering/evicting.py"]
    with pytest.raises(TypeError, match=r"certify_eviction\(\) alone"):
        EvictionCertificate(object(), EVIDENCE, NOW)


def test_files_are_removed_in_three_places_of_the_tier_alone():
    removing = {"unlink", "rmtree", "removedirs", "rmdir", "remove_tree"}

    found = [
        (module, called)
        for module, called, _ in calls()
        if module.startswith("duties/tiering/") and called.rpartition(".")[2] in removing
    ]

    assert sorted(found) == [
        ("duties/tiering/following.py", "disk.files.unlink"),
        ("duties/tiering/following.py", "target.files.unlink"),
        ("duties/tiering/releasing.py", "disk.files.unlink"),
        ("duties/tiering/staging.py", "self._disk.files.unlink"),
    ]


def test_the_removal_on_the_ssd_takes_a_certificate():
    (tree,) = [tree for module, tree in sources() if module == "duties/tiering/releasing.py"]
    (free,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "free"]
    unlinking = [
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".unlink")
    ]

    assert unlinking == ["free"]
    assert "EvictionCertificate" in {ast.unparse(each.annotation) for each in free.args.args if each.annotation}
    assert [module for module, called, _ in calls() if called == "free" and module.startswith("duties/tiering/")] == [
        "duties/tiering/evicting.py"
    ]


def test_what_is_set_aside_is_only_renamed_and_clients_are_never_told_to_remove():
    clients = [
        called
        for module, called, _ in calls()
        if module.startswith("duties/tiering/") and called.endswith(("client.remove", "torrents_delete"))
    ]

    assert clients == []

"""The decisions of the debrid duty: hashes, whose a link is, mounts that may be believed, verdicts, turns."""

from __future__ import annotations

import base64
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.debrid.account import RemoteFile, RemoteId, RemoteLink, RemoteStatus, RemoteTorrent, Standing
from torrent_mover.domain.debrid.links import MountLook
from torrent_mover.domain.debrid.wanted import is_packed, numbers_of, selected_of, wanted_file
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid import mount_guard, turns, verdicts
from torrent_mover.duties.debrid.layouts import MountLayout, NamedEntry
from torrent_mover.duties.debrid.magnets import read_hash
from torrent_mover.duties.debrid.mapping import Catalogue, MappingKind, owner_of
from torrent_mover.duties.debrid.mount_guard import SoundMeasure, mount_doubts
from torrent_mover.duties.debrid.needs import Act, RunBudget
from torrent_mover.duties.debrid.turns import RetryEntry, after_failure, in_turn, parked, priority_of
from torrent_mover.duties.debrid.verdicts import DebridFinding, Fault, LinkTrial, at_once, fault_of, seen_again

HASH, OTHER = InfoHash("3f2a" * 10), InfoHash("3f2b" * 10)
hashes = st.binary(min_size=20, max_size=20).filter(lambda raw: len(set(raw.hex())) > 1)


@given(hashes)
def test_a_hash_is_read_from_hex_base32_and_magnet_alike(raw):
    forms = (
        raw.hex(),
        raw.hex().upper(),
        base64.b32encode(raw).decode(),
        base64.b32encode(raw).decode().lower(),
        f"magnet:?xt=urn:btih:{raw.hex()}&dn=a+name&tr=http%3A%2F%2Ft",
        f"magnet:?xt.1=urn:btmh:1220{'ab' * 32}&xt.2=urn:btih:{raw.hex()}",
    )
    assert {read_hash(form) for form in forms} == {InfoHash(raw.hex())}


@given(st.text(max_size=60))
def test_no_other_text_is_a_hash(text):
    word = text.strip()
    if len(word) in (32, 40) or word.lower().startswith("magnet:"):
        return
    with pytest.raises(ValueError, match="infohash"):
        read_hash(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0" * 40, "repeats"),
        ("A" * 32, "repeats"),
        ("3f2a" * 10, "blocked_hashes"),
        (f"magnet:?xt=urn:btmh:1220{'ab' * 32}", "btmh"),
        ("magnet:?dn=only+a+name", "exactly one"),
        (f"magnet:?xt=urn:btih:{'3f2a' * 10}&xt=urn:btih:{'77aa' * 10}", "exactly one"),
        ("1" * 32, "40 hex digits"),
        ("", "40 hex digits"),
    ],
)
def test_a_hash_that_cannot_be_real_or_is_blocked_is_refused(text, says):
    with pytest.raises(ValueError, match=says):
        read_hash(text, blocked=("3F2A" * 10,))


# Whose a link is


def named(torrent, name, original="", files=("e1.mkv",)):
    return NamedEntry(torrent, name, original or name, frozenset(files))


def owner(path, *entries, layout=MountLayout.ZURG, by_arr=()):
    return owner_of(tuple(path.split("/")), layout, Catalogue(entries), by_arr)


@pytest.mark.parametrize(
    ("layout", "path"),
    [
        (MountLayout.ZURG, "__all__/Show.S01.mkv/e1.mkv"),
        (MountLayout.ZURG, "shows/Show.S01/e1.mkv"),
        (MountLayout.ZURG, "shows/Original.S01/e1.mkv"),
        (MountLayout.ZURG, "__all__/Show.S01 {3f2a3f}/e1.mkv"),
        (MountLayout.DECYPHARR, "__bad__/Show.S01/e1.mkv"),
        (MountLayout.DECYPHARR, f"torrents/{'3f2a' * 10}/e1.mkv"),
        (MountLayout.RCLONE, "torrents/Show.S01.mkv/e1.mkv"),
    ],
)
def test_a_link_is_mapped_by_its_layouts_rule(layout, path):
    found = owner(path, named(HASH, "Show.S01.mkv", "Original.S01.mkv"), named(OTHER, "Else"), layout=layout)

    assert (found.kind, found.torrent) == (MappingKind.MAPPED, HASH)


@pytest.mark.parametrize(
    ("layout", "path"),
    [
        (MountLayout.ZURG, "__all__/Show.S01.mk/e1.mkv"),
        (MountLayout.ZURG, "__all__/Show.S01.mkv/e2.mkv"),
        (MountLayout.ZURG, "__all__/show.s01.mkv/e1.mkv"),
        (MountLayout.ZURG, "Show.S01.mkv/e1.mkv"),
        (MountLayout.RCLONE, "torrents/Show.S01/e1.mkv"),
        (MountLayout.RCLONE, "other/Show.S01.mkv/e1.mkv"),
    ],
)
def test_what_only_looks_alike_is_an_orphan(layout, path):
    assert owner(path, named(HASH, "Show.S01.mkv"), layout=layout).kind is MappingKind.ORPHAN


def test_namesakes_are_ambiguous_unless_zurgs_digits_tell_them_apart():
    both = named(HASH, "Show"), named(OTHER, "Show")

    assert owner("__all__/Show/e1.mkv", *both).kind is MappingKind.AMBIGUOUS
    assert owner("__all__/Show {3f2b3f}/e1.mkv", *both).torrent == OTHER


def test_composed_and_decomposed_names_are_the_same_name():
    composed = unicodedata.normalize("NFC", "Amélie")
    entry = named(HASH, unicodedata.normalize("NFD", "Amélie"), files=(unicodedata.normalize("NFC", "Amélie.mkv"),))

    assert owner(f"__all__/{composed}/{unicodedata.normalize('NFD', 'Amélie.mkv')}", entry).torrent == HASH


def test_the_arrs_may_answer_too_and_must_agree():
    entry = named(HASH, "Show")

    assert owner("__all__/Renamed/e9.mkv", entry, by_arr=(HASH,)).torrent == HASH
    assert owner("__all__/Show/e1.mkv", entry, by_arr=(HASH,)).torrent == HASH
    assert owner("__all__/Show/e1.mkv", entry, by_arr=(OTHER,)).kind is MappingKind.AMBIGUOUS


@given(
    st.lists(st.tuples(hashes, st.text(max_size=8), st.text(min_size=1, max_size=8)), max_size=6), st.text(max_size=8)
)
def test_a_link_has_exactly_one_owner_or_none(entries, folder):
    catalogue = [named(InfoHash(raw.hex()), name, files=(file,)) for raw, name, file in entries]

    for layout in MountLayout:
        for _, _, file in entries:
            found = owner_of(("torrents", folder, file), layout, Catalogue(catalogue))
            assert (found.torrent is not None) == (found.kind is MappingKind.MAPPED)


# Mounts


SOUND = MountLook(mounted=True, entries=100, sentinel=True)


@pytest.mark.parametrize(
    ("look", "says"),
    [
        (replace(SOUND, mounted=False), "not mounted"),
        (replace(SOUND, trouble="it did not answer within 30 s"), "did not answer"),
        (replace(SOUND, entries=None), "cannot be listed"),
        (replace(SOUND, sentinel=False), "version.txt"),
        (replace(SOUND, entries=89), "lists 89 entries, and had 100"),
        (replace(SOUND, sentinel=None, sample=20, sample_seen=17), "only 17 of 20"),
    ],
)
def test_one_doubt_about_a_mount_is_enough(look, says):
    assert says in "; ".join(mount_doubts(look, SoundMeasure(100)))


def test_a_sound_mount_has_no_doubts_and_the_first_look_has_no_measure():
    assert mount_doubts(replace(SOUND, entries=90), SoundMeasure(100)) == ()
    assert mount_doubts(replace(SOUND, sentinel=None, sample=20, sample_seen=18), SoundMeasure(100)) == ()
    assert mount_doubts(replace(SOUND, entries=0), SoundMeasure()) == ()


@pytest.mark.parametrize(
    ("broken", "scope", "many"), [(20, 20, False), (21, 400, True), (21, 420, False), (0, 0, False)]
)
def test_too_many_broken_links_are_not_the_torrents_doing(broken, scope, many):
    assert mount_guard.too_many_broken(broken, scope, 0.05) is many


# Files


def entry(status=RemoteStatus.DOWNLOADED, selected=2, links=2, added=0.0):
    files = tuple(RemoteFile(n, f"Show/e{n}.mkv", 10 * n, n <= selected) for n in (1, 2, 3))
    found = tuple(RemoteLink("rd", f"https://x/{n}") for n in range(links))
    return RemoteTorrent(RemoteId("rd", "A"), HASH, "Show", status, "", 1, 30, added, files=files, links=found)


def test_exactly_the_wanted_files_are_chosen_or_none():
    files = entry().files

    assert numbers_of(selected_of(entry()), files) == (1, 2)
    assert numbers_of(selected_of(entry()) | {wanted_file("Show/e1.mkv", 11)}, files) is None
    assert numbers_of(selected_of(entry()), (*files, files[0])) is None
    assert numbers_of(frozenset(), files) is None


def test_one_archive_for_several_files_is_known_by_its_name():
    assert is_packed(entry(links=1), ["Show.rar"])
    assert not is_packed(entry(links=1), ["e1.mkv"])
    assert not is_packed(entry(), ["Show.rar", "b.rar"])


# Verdicts


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (entry(RemoteStatus.MAGNET_ERROR), Fault.MAGNET_ERROR),
        (entry(RemoteStatus.ERROR), Fault.ERROR),
        (entry(RemoteStatus.DEAD), Fault.DEAD),
        (entry(RemoteStatus.VIRUS), Fault.VIRUS),
        (entry(RemoteStatus.CHOOSING, added=100.0), Fault.CHOICE_FORGOTTEN),
        (entry(RemoteStatus.CHOOSING, added=9000.0), None),
        (entry(links=1), Fault.HALF_DEAD),
        (entry(), None),
        (entry(RemoteStatus.UNKNOWN, links=0), None),
        (entry(RemoteStatus.DOWNLOADING, links=0), None),
    ],
)
def test_what_is_wrong_is_what_the_account_says(found, fault):
    files = len(found.selected)
    assert fault_of(found.status, found.added, 10_000.0, links=len(found.links), files=files) is fault


def finding(fault=Fault.HALF_DEAD, at=1000.0, **changed):
    return DebridFinding(HASH, "A", "Show", fault, at, at, **changed)


def test_a_torrent_is_convicted_by_two_looks_half_an_hour_apart():
    first = seen_again(None, finding())
    soon = seen_again(first, finding(at=1100.0))
    later = seen_again(soon, finding(at=2800.0))

    assert (first.proven, soon.proven, later.proven) == (False, False, True)
    assert not seen_again(first, finding(Fault.VANISHED, at=2800.0)).proven
    assert not seen_again(first, replace(finding(at=2800.0), id="B")).proven


def test_a_status_convicts_at_once_and_a_person_may_ask_for_it():
    assert seen_again(None, finding(Fault.ERROR)).proven
    assert at_once(finding()).proven
    assert not at_once(finding(Fault.DEAD_LINK)).proven


@pytest.mark.parametrize(
    ("trial", "convicts"),
    [
        (LinkTrial(1000, 1600, control_at=1300), True),
        (LinkTrial(1000, 1599, control_at=1300), False),
        (LinkTrial(1000, 1600, control_at=900), False),
        (LinkTrial(1000, 1600), False),
    ],
)
def test_a_dead_link_takes_two_tries_and_a_living_control_between_them(trial, convicts):
    assert trial.convicts() is convicts


def test_an_account_without_premium_or_traffic_says_nothing():
    good = Standing("jane", 100, True)

    assert verdicts.account_doubts(good, 0) == ""
    assert "premium" in verdicts.account_doubts(replace(good, good=False, trouble="premium has ended"), 0)
    assert "traffic" in verdicts.account_doubts(replace(good, parked_until=50.0), 0)
    assert verdicts.account_doubts(replace(good, parked_until=50.0), 60) == ""


# Turns

NOW, DAY = 100 * 86_400.0, 86_400.0


@pytest.mark.parametrize(
    ("fault", "size", "age", "priority"),
    [
        (Fault.MAGNET_ERROR, 1, 30 * DAY, turns.Priority.HIGH),
        (Fault.ERROR, 1 << 30, 30 * DAY, turns.Priority.HIGH),
        (Fault.ERROR, 1, DAY, turns.Priority.HIGH),
        (Fault.ERROR, 100 << 20, 7 * DAY, turns.Priority.LOW),
        (Fault.ERROR, 100 << 20, 6 * DAY, turns.Priority.USUAL),
        (Fault.ERROR, 101 << 20, 30 * DAY, turns.Priority.USUAL),
    ],
)
def test_priority_by_fault_size_and_age(fault, size, age, priority):
    assert priority_of(finding(fault, size=size, added=NOW - age), NOW) is priority


def test_due_retries_go_first_then_high_ones_then_the_oldest():
    def one(digit, at, size):
        torrent = InfoHash(f"{digit}a" * 20)
        return DebridFinding(torrent, digit, digit, Fault.ERROR, at, at, size=size, added=NOW - 30 * DAY, proven_by="x")

    old, young, large, again, later, over = (
        one("1", 10, 500 << 20), one("2", 20, 500 << 20), one("3", 30, 2 << 30), one("4", 40, 500 << 20),
        one("5", 1, 2 << 30), one("6", 1, 2 << 30),
    )  # fmt: skip
    retries = [
        RetryEntry(again.hash, "", "", 1, NOW - 1),
        RetryEntry(later.hash, "", "", 1, NOW + 1),
        RetryEntry(over.hash, "", "", 3, 0, given_up=True),
    ]
    suspect = replace(one("7", 1, 2 << 30), proven_by="")

    found = in_turn([young, old, large, again, later, over, suspect], retries, NOW)

    assert found == [again, large, old, young]


def test_three_failures_give_up_and_parking_counts_for_none():
    first = after_failure(None, HASH, "Show", "error", 100.0, 60.0, 3)
    waits = parked(first, HASH, "Show", "full", 500.0)
    third = after_failure(
        after_failure(waits, HASH, "Show", "error", 600.0, 60.0, 3), HASH, "Show", "x", 700.0, 60.0, 3
    )

    assert (first.tries, first.due, waits.tries, waits.due) == (1, 160.0, 1, 500.0)
    assert (third.tries, third.given_up) == (3, True)


def test_a_wave_is_more_than_allowed_and_more_than_accepted():
    assert turns.is_wave(6, 5, 0)
    assert not turns.is_wave(5, 5, 0)
    assert not turns.is_wave(6, 5, 6)


def test_a_budget_runs_out():
    budget = RunBudget({Act.REPAIR: 1, Act.DELETE: 0})

    assert [budget.take(Act.REPAIR), budget.take(Act.REPAIR), budget.take(Act.DELETE)] == [True, False, False]
    budget.give_back(Act.REPAIR)
    assert budget.left(Act.REPAIR) == 1

"""What must hold before and after the source is asked to delete: fresh proof, siblings that live, and an honest account."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from tests.engine.fuse import Fuse
from tests.engine.story import CATEGORY, PIECE, SAVE, path
from tests.engine.test_partial import seed_partly
from tests.engine.test_repair import BIG, Damager
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import DataLeft, ExitCode, ServerError, Unreachable
from torrent_mover.domain.move import Outcome
from torrent_mover.domain.report.events import Level, MoveDone, MoveFailed, Noticed
from torrent_mover.domain.torrent.certificate import MAX_AGE
from torrent_mover.domain.torrent.partfile import header_size, part_file_name
from torrent_mover.domain.torrent.sharing import NoOwnLimit, ShareLimits
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.ports.roles import Remark


def at(_story, label: str, act, times: int = 1) -> Fuse:
    """A fuse that does something once, at the first call of a label."""
    fuse = Fuse(lambda each: each.startswith(label))
    fuse.arm(times, lambda _label: act())
    return fuse


def failed(story) -> MoveFailed:
    (event,) = [event for event in story.events if isinstance(event, MoveFailed)]
    return event


# -- proof -------------------------------------------------------------------------------------------------------------


def test_bytes_that_rot_after_they_were_settled_are_found_before_anything_is_deleted(story):
    torrent = story.seed()

    def rot() -> None:
        story.there.nodes[path(BIG)].data[PIECE] ^= 0xFF

    assert story.run(at(story, "after destination.add_stopped", rot)) is ExitCode.DONE
    story.assert_moved(torrent)


def test_success_that_a_client_shows_from_before_its_check_is_not_believed(story):
    torrent = story.seed()
    story.run_until("after journal.save_move verified")
    assert story.state_there(torrent) is TorrentState.STOPPED_COMPLETE
    Damager(story, BIG, 2 * PIECE, times=1)
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


def test_a_file_that_vanishes_while_it_is_watched_keeps_the_source(story):
    torrent = story.seed()
    story.run(at(story, "after destination.start", lambda: story.there.unlink(path("Show/empty"))))
    story.assert_kept(torrent)
    assert "Show/empty is not a regular file" in failed(story).what
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"category": "keep-me"}, "category"),
        ({"save_path": SAVE / "elsewhere"}, "moved"),
        ({"limits": ShareLimits(ratio=1.0)}, ""),
    ],
)
def test_what_the_user_changes_at_the_source_in_the_last_moment_counts(story, change, said):
    torrent = story.seed()
    code = story.run(at(story, "after destination.start", lambda: story.source.change(torrent, **change)))
    if said:
        story.assert_kept(torrent)
        assert said in failed(story).what
    else:
        assert code is ExitCode.DONE


@pytest.mark.parametrize(
    "change",
    [
        {"auto_managed": True},
        {"limits": ShareLimits(ratio=2.0)},
        {"limits": ShareLimits(seeding_time=NoOwnLimit.AS_CLIENT)},
        {"save_path": SAVE},
    ],
)
def test_what_the_user_changes_at_the_destination_in_the_last_moment_counts(story, change):
    torrent = story.seed()
    story.run(at(story, "after destination.start", lambda: story.destination.change(torrent, **change)))
    story.assert_kept(torrent)
    assert failed(story).code == "TM-E306"


def test_a_file_renamed_at_the_source_in_the_last_moment_keeps_it(story):
    torrent = story.seed()

    def rename() -> None:
        story.source.rename_file(torrent, "Show/tiny", "Show/tiny renamed")

    story.run(at(story, "after destination.start", rename))
    assert story.source.get(torrent) is not None
    assert "renamed" in failed(story).what


@pytest.mark.parametrize("label", ["before here.reader", "after destination.start"])
@pytest.mark.parametrize("change", ["edited", "removed"])
def test_a_file_that_somebody_changes_at_the_source_is_left_to_them(story, change, label):
    torrent = story.seed()

    def act() -> None:
        node = story.here.nodes[path(BIG)]
        if change == "edited":
            node.mtime += 60
        else:
            story.here.unlink(path(BIG))

    story.run(at(story, label, act))
    assert story.source.get(torrent) is not None
    assert not story.source.removed
    if (change, label) != ("removed", "before here.reader"):
        assert f"somebody has changed {BIG}" in failed(story).what


def rename_at_source(story, torrent, old: str, new: str) -> None:
    story.source.rename_file(torrent, old, new)
    story.contents[torrent][new] = story.contents[torrent].pop(old)


def test_files_renamed_at_the_source_between_two_runs_are_neither_sent_again_nor_left_behind(story):
    torrent = story.seed()
    story.run_until("after journal.save_move settled")
    sent = story.brought
    rename_at_source(story, torrent, BIG, "Show/folder/better name.bin")

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought == sent
    assert path(BIG) not in story.there.nodes


def test_a_folder_renamed_at_the_source_in_the_middle_of_a_transfer_is_renamed_in_staging(story):
    torrent = story.seed()
    story.run_until("after journal.save_pieces")
    known = story.journaled(torrent)
    sent = story.brought
    for name in list(story.contents[torrent]):
        rename_at_source(story, torrent, name, name.replace("Show", "Better", 1))

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought - sent <= story.size(torrent) - known.count() * PIECE + PIECE


def test_two_files_of_one_size_that_changed_their_names_are_told_apart_by_their_pieces(story):
    torrent = story.seed("Show", {"one": 3 * PIECE, "two": 3 * PIECE, "three": 3 * PIECE})
    story.run_until("after journal.save_move settled")
    sent, first = story.brought, path(f".torrent-mover/{torrent.hex}/Show/one")
    story.there.nodes[first] = story.there.nodes.pop(first)  # listed last from now on
    for old, new in (("one", "b"), ("two", "a"), ("three", "c")):
        rename_at_source(story, torrent, f"Show/{old}", f"Show/{new}")

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought == sent


def test_what_is_no_file_of_the_torrent_is_not_taken_along_from_staging(story):
    torrent = story.seed()
    story.plant(torrent, staged=True)
    story.there.plant_file(path(f".torrent-mover/{torrent.hex}/Show/folder/of before.bin"), b"left over")

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert path("Show/folder/of before.bin") not in story.there.nodes


def test_what_lay_there_before_goes_back_when_its_file_was_renamed_at_the_source(story):
    torrent = story.seed()
    half = story.contents[torrent][BIG][: 2 * PIECE]
    story.plant(torrent, **{"second.bin": half})
    story.run_until("after journal.save_pieces")
    rename_at_source(story, torrent, BIG, "Show/folder/better name.bin")

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.there.content(path(BIG))[: len(half)] == half


def test_a_rule_that_says_ignore_in_the_last_moment_keeps_the_source(story):
    torrent = story.seed()
    fuse = at(story, "after destination.start", lambda: story.source.fail("trackers", Unreachable("no answer")))
    story.run(fuse)  # a client that cannot be asked for its trackers: in doubt nothing is deleted
    story.assert_kept(torrent)
    assert "rule says Ignore" in failed(story).what


def test_a_source_that_does_not_answer_at_the_end_keeps_everything(story):
    torrent = story.seed()
    story.run(at(story, "after destination.start", lambda: story.source.fail("torrents", *[Unreachable("no")] * 9)))
    story.assert_kept(torrent)


def test_empty_listings_are_no_evidence(story):
    torrent = story.seed()

    def lose_everything() -> None:
        story.source._shown.clear()
        story.source._refreshed_at = story.clock.monotonic() + 1e6

    story.run(at(story, "after destination.start", lose_everything))
    assert not story.source.removed
    assert story.at_source(torrent) == story.contents[torrent]


def test_the_torrent_file_of_a_twin_proves_nothing(story):
    """The very same files under another infohash: every piece would match."""
    torrent = story.seed()
    twin = seed_twin(story, torrent)
    story.source._held[torrent].metainfo = story.source._held[twin].metainfo

    assert story.run() is ExitCode.SOME_FAILED

    assert failed(story).code == "TM-E303"
    story.assert_kept(torrent)
    assert not story.destination.torrents()
    assert not any(story.at_destination(torrent).values())


# -- siblings ----------------------------------------------------------------------------------------------------------


def seed_twin(story, torrent, *, category="keep-me"):
    """Another torrent of the source over the very same files, as cross-seeding makes it."""
    made = story.folder / "twin" / "Show"
    for name, data in story.contents[torrent].items():
        target = story.folder / "twin" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    metainfo = make_torrent(made, piece_length=PIECE, source="another tracker")
    return story.source.seed(metainfo, SAVE, category=category)


def test_data_that_a_sibling_at_the_source_uses_stays_there(story):
    torrent = story.seed()
    twin = seed_twin(story, torrent)

    assert story.run() is ExitCode.DONE

    assert story.source.get(torrent) is None
    assert story.at_source(torrent) == story.contents[torrent]
    assert story.source.get(twin) is not None
    assert story.at_destination(torrent) == story.contents[torrent]
    (done,) = [event for event in story.events if isinstance(event, MoveDone)]
    assert twin.short in done.detail


def test_of_two_siblings_that_both_move_the_last_one_takes_the_data_along(story):
    torrent = story.seed()
    twin = seed_twin(story, torrent, category=CATEGORY)
    story.metainfo[twin] = story.metainfo[torrent]

    assert story.run() is ExitCode.DONE

    assert story.source.get(torrent) is None
    assert story.source.get(twin) is None
    assert set(story.at_source(torrent).values()) == {None}
    assert story.at_destination(torrent) == story.contents[torrent]
    assert story.brought == story.size(torrent)


def test_a_sibling_that_reaches_the_data_by_a_linked_folder_keeps_it(story):
    torrent = story.seed()
    story.links = {"/other/way": str(SAVE)}
    made = story.folder / "twin" / "Show"
    for name, data in story.contents[torrent].items():
        target = story.folder / "twin" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    metainfo = make_torrent(made, piece_length=PIECE, source="another tracker")
    twin = story.source.seed(metainfo, "/other/way", category="keep-me")

    assert story.run() is ExitCode.DONE

    assert story.source.get(twin) is not None
    assert story.at_source(torrent) == story.contents[torrent]
    (done,) = [event for event in story.events if isinstance(event, MoveDone)]
    assert twin.short in done.detail


def test_siblings_that_move_side_by_side_do_not_leave_the_data_behind(story):
    torrent = story.seed()
    twin = seed_twin(story, torrent, category=CATEGORY)
    story.metainfo[twin] = story.metainfo[torrent]
    story.jobs = 2
    assert story.run() is ExitCode.DONE
    assert set(story.at_source(torrent).values()) == {None}
    assert story.at_destination(torrent) == story.contents[torrent]


def test_a_sibling_that_shares_one_file_of_many_keeps_the_data(story):
    torrent = story.seed()
    made = story.folder / "one" / "last.bin"
    made.parent.mkdir()
    made.write_bytes(story.contents[torrent]["Show/last.bin"])
    story.source.seed(make_torrent(made, piece_length=PIECE), SAVE / "Show", category="keep-me")
    assert story.run() is ExitCode.DONE
    assert story.at_source(torrent) == story.contents[torrent]


# -- the account -------------------------------------------------------------------------------------------------------


def test_an_answer_to_the_removal_that_was_lost_is_looked_for(story):
    torrent = story.seed()

    def lost() -> None:
        raise Unreachable("seedbox does not answer.")

    assert story.run(at(story, "after source.remove", lost)) is ExitCode.DONE
    story.assert_moved(torrent)
    assert not [event for event in story.events if isinstance(event, MoveFailed)]


def test_a_removal_whose_answer_and_whose_looking_fail_is_settled_by_the_retry(story):
    torrent = story.seed()

    def lost() -> None:
        story.source.fail("get", *[Unreachable("seedbox does not answer.")] * 2)
        raise Unreachable("seedbox does not answer.")

    assert story.run(at(story, "after source.remove", lost)) is ExitCode.DONE
    story.assert_moved(torrent)


def lists_nothing_for_some_seconds(story, *, dies_over="") -> None:
    """The source client has just started; or it dies over the first call of a method, and starts."""
    hidden, began = {}, []

    def hide() -> None:
        began.append(story.clock.monotonic())
        hidden.update(story.source._held)
        story.source._held.clear()
        story.source._show()

    def before(method, _torrent) -> None:
        if method == dies_over and not began:
            hide()
            raise Unreachable("seedbox does not answer.")
        if hidden and story.clock.monotonic() - began[0] > 5:
            story.source._held.update(hidden)
            hidden.clear()
            story.source._show()

    story.source.before = before
    if not dies_over:
        hide()


def test_a_source_that_dies_over_the_removal_and_lists_nothing_as_it_starts_is_told_to_remove_again(story):
    torrent = story.seed()
    lists_nothing_for_some_seconds(story, dies_over="remove")

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert not [event for event in story.events if isinstance(event, Noticed) and "by hand" in event.text]


def test_a_source_that_lists_nothing_as_it_starts_has_not_removed_what_a_killed_run_had_certified(story):
    torrent = story.seed()
    story.run_until("before source.remove")
    lists_nothing_for_some_seconds(story)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert not [event for event in story.events if isinstance(event, Noticed) and "by hand" in event.text]


@pytest.mark.parametrize("why", ["Permission denied", ""])
def test_a_source_that_cannot_delete_the_data_is_told_once_with_the_reason_and_the_files_that_are_left(story, why):
    torrent = story.seed()
    story.source.keeps_data, story.source.complains = True, why
    began = story.clock.monotonic()
    assert story.run() is ExitCode.DONE
    said = [event.text for event in story.events if isinstance(event, Noticed) and event.level is Level.WARN]
    (told,) = [text for text in said if "but not its data" in text]
    assert (f"not its data: {why}" if why else "it does not say why, and 6 files are still there") in told
    assert "'/seed/data/Show/a first.bin'" in told
    assert "and 3 more" in told
    assert (story.clock.monotonic() - began < 12) is bool(why)  # a reason ends the wait
    with contextlib.closing(story.journal()) as journal:
        (entry,) = [entry for entry in journal.history() if entry.id == torrent]
    assert (entry.outcome, entry.confirmed) == (Outcome.MOVED, True)


def test_a_client_that_removed_the_torrent_and_says_that_its_data_is_left_is_told_once_and_the_move_is_done(story):
    torrent = story.seed()
    story.source.keeps_data = True

    def left() -> None:
        raise DataLeft(
            "seedbox has removed it, but its data is still there.", remedy="Delete it there by hand: /seed/a"
        )

    assert story.run(at(story, "after source.remove", left)) is ExitCode.DONE

    said = [event.text for event in story.events if isinstance(event, Noticed) and event.level is Level.WARN]
    (told,) = said
    assert "its data is still there" in told
    assert "/seed/a" in told
    with contextlib.closing(story.journal()) as journal:
        (entry,) = [entry for entry in journal.history() if entry.id == torrent]
    assert (entry.outcome, entry.confirmed) == (Outcome.MOVED, True)


def test_data_that_a_killed_run_left_at_the_source_is_told_by_the_next_one(story):
    torrent = story.seed()
    story.source.keeps_data = True

    story.run_until("after source.remove")
    assert story.source.get(torrent) is None

    assert story.run() is ExitCode.DONE

    said = [event.text for event in story.events if isinstance(event, Noticed) and event.level is Level.WARN]
    (told,) = [text for text in said if "delete it there by hand" in text]
    assert "'/seed/data/Show/a first.bin'" in told
    assert "and 3 more" in told


def test_nobody_asks_why_data_is_left_where_it_is_gone(story):
    story.source.complains = "of another torrent, long ago"
    asked = []
    story.source.before = lambda method, _torrent: asked.append(method)
    torrent = story.seed()

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert "complaint" not in asked
    assert not [event for event in story.events if isinstance(event, Noticed) and event.level is Level.WARN]


def test_what_lay_there_before_goes_back_when_the_torrent_was_removed_at_the_source(story):
    torrent = story.seed("Show")
    half = story.contents[torrent]["Show/folder/second.bin"][: 2 * PIECE]
    story.plant(torrent, **{"second.bin": half})
    story.run_until("after journal.save_pieces")
    name = path("Show/folder/second.bin")
    assert name not in story.there.nodes, "it was not adopted"
    story.source.forget(torrent)
    story.run()
    assert bytes(story.there.nodes[name].data)[: len(half)] == half
    assert any("that lay there before put back" in event.text for event in story.events if isinstance(event, Noticed))
    with contextlib.closing(story.journal()) as journal:
        assert not journal.adopted(torrent)


CHANGES = {
    f"after there.{each}" for each in ("rename", "unlink", "copy", "clone", "create", "link", "sync", "remove_folder")
}


@pytest.mark.parametrize("names", [1, 2])
def test_what_lay_there_before_goes_back_wherever_the_move_was_killed(stories, names):
    """A file with a second name is copied for the move, and has its own name back if that comes to nothing."""
    name, step = path("Show/folder/second.bin"), 0
    while True:
        step += 1
        story = stories()
        torrent = story.seed("Show")
        half = story.contents[torrent]["Show/folder/second.bin"][: 2 * PIECE] + b"its owner's"
        story.plant(torrent, **{"second.bin": half})
        if names == 2:
            story.there.link(name, path("the other name"))
        fuse = Fuse(lambda label: label in CHANGES | {"after journal.save_pieces", "after journal.save_adopted"})
        fuse.arm(step, fuse.kill)
        story.run(fuse)
        if "after journal.save_pieces" in fuse.labels:
            break
        story.source.forget(torrent)
        story.run()
        back = story.there.content(name)
        assert back[: 2 * PIECE] == half[: 2 * PIECE]
        assert len(back) >= len(half)
        assert [str(each) for each in story.there.nodes if ".taken" in str(each)] == []
    assert step > 4


def test_a_part_file_that_lay_there_before_goes_back_too(stories):
    step = 0
    while True:
        step += 1
        story = stories()
        torrent = seed_partly(story)
        story.run_until("before destination.recheck")
        part = path(part_file_name(torrent))
        before = story.there.nodes[part].data
        before[header_size(story.manifest(torrent).piece_count) + PIECE - 1] ^= 0xFF
        before = bytes(before)
        with contextlib.closing(story.journal()) as journal:
            journal.forget_move(torrent)
        fuse = Fuse(lambda label: label in CHANGES)
        fuse.arm(step, fuse.kill)
        story.run(fuse)
        if "after there.create" in fuse.labels:
            break
        story.source.forget(torrent)
        story.run()
        assert story.there.content(part) == before
    assert step > 4


def test_what_somebody_else_removed_is_not_called_moved(story):
    torrent = story.seed()
    story.run_until("after journal.save_move added")
    story.source.forget(torrent)
    story.run()
    with contextlib.closing(story.journal()) as journal:
        assert not journal.history()
        assert not journal.moves()
    assert any("by somebody else" in event.text for event in story.events if isinstance(event, Noticed))
    assert story.destination.get(torrent) is None


@pytest.mark.parametrize("known", [True, False])
def test_what_was_being_mended_when_somebody_removed_it_is_not_called_moved(story, known):
    """The certificate of the first attempt was never used: since then a byte has rotted at the destination."""
    torrent = story.seed()
    story.run_until("before source.remove")
    story.there.nodes[path(BIG)].data[PIECE] ^= 0xFF
    story.run_until("before there.writer.write")
    if not known:
        for held in story.destination._held.values():
            held.have = [True] * len(held.have)
        story.destination._show()
    story.source.forget(torrent)

    story.run()

    assert [entry.confirmed for entry in story.history()] == [False]
    assert any("by somebody else" in event.text for event in story.events if isinstance(event, Noticed))


def test_what_we_removed_is_called_moved_while_the_destination_client_checks_it(story):
    torrent = story.seed()
    story.run_until("after source.remove")
    story.destination.resume_time = 600.0
    story.destination.restart()
    story.run()
    assert [entry.confirmed for entry in story.history()] == [True]
    assert story.at_destination(torrent) == story.contents[torrent]


def test_a_torrent_that_is_not_whole_at_the_destination_any_more_is_not_called_moved(story):
    torrent = story.seed()
    story.run_until("before source.remove")
    story.destination._held[torrent].have[0] = False
    story.destination._show()
    story.source.forget(torrent)
    story.run()
    assert [entry.confirmed for entry in story.history()] == [False]


def test_a_torrent_that_somebody_removes_in_the_middle_ends_its_move_and_nothing_else(story):
    torrent = story.seed()
    other = story.seed("Other", 50_000)
    fuse = at(story, "after journal.save_move added", lambda: story.source.forget(torrent))
    assert story.run(fuse) is ExitCode.SOME_FAILED
    del story.contents[torrent]
    story.assert_moved(other)
    assert failed(story).code == "TM-E301"


def test_the_destination_losing_the_torrent_in_the_middle_is_no_harm(story):
    torrent = story.seed()
    story.run_until("after journal.save_move verified")
    story.destination.forget(torrent)
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert story.brought == story.size(torrent)


def test_a_client_that_restarts_in_the_middle_of_the_check_is_asked_again(story):
    torrent = story.seed()
    fuse = Fuse(lambda label: label.startswith("before destination.recheck.poll"))
    fuse.arm(2, lambda _label: story.destination.restart())
    assert story.run(fuse) is ExitCode.DONE
    story.assert_moved(torrent)


def test_a_wrong_password_is_not_tried_twice(story):
    story.seed()
    asked = Fuse(lambda label: label == "before source.metainfo")

    class Refused(ServerError):
        pass

    story.source.fail("metainfo", Refused("seedbox does not accept the password."))
    assert story.run(asked) is ExitCode.SOME_FAILED
    assert asked.count == 1


def test_a_file_to_which_somebody_has_added_at_the_source_is_left_to_them(story):
    """The client calls it complete: it reads no further than the torrent goes."""
    torrent = story.seed()
    story.here.nodes[path(BIG)].data += b"notes of its owner"
    assert story.run() is ExitCode.SOME_FAILED
    assert story.source.get(torrent) is not None
    assert not story.source.removed
    assert story.here.content(path(BIG)).endswith(b"notes of its owner")
    error = failed(story)
    assert f"{BIG} is 18 bytes longer" in error.what
    assert "If no other torrent uses it" in error.remedy
    assert (
        f"{story.here.name}/{BIG}" in error.remedy
    )  # as SSH sees it: in a container the client may call another file so


def test_where_nothing_is_removed_what_somebody_has_added_does_not_matter(story):
    torrent = story.seed()
    story.here.nodes[path(BIG)].data += b"notes of its owner"
    story.policy = replace(story.policy, delete_at_source=False)
    assert story.run() is ExitCode.DONE
    assert story.at_destination(torrent) == story.contents[torrent]


def test_evidence_that_slow_servers_let_grow_old_is_gathered_anew_in_the_same_run(story):
    torrent = story.seed("Show", 50_000)
    late = [MAX_AGE + 1]

    def answer_late(method, _):
        if method == "torrents" and late and ("start", torrent) in story.destination.calls:
            story.clock.advance(late.pop())

    story.source.before = answer_late

    assert story.run() is ExitCode.DONE

    assert late == []
    story.assert_moved(torrent)
    assert [call for call in story.destination.calls if call[0] == "recheck"] == [("recheck", torrent)] * 2


def test_a_destination_that_was_restarted_before_the_gate_looked_is_looked_at_again_in_the_same_run(story):
    """What it says while it reads its resume data counts for nothing, and is no reason to give up."""
    torrent = story.seed("Show", 50_000)
    looks: list[str] = []

    def restart_before_the_last_look(method, _):
        if method == "get" and ("start", torrent) in story.destination.calls:
            looks.append(method)
            if len(looks) == 2:
                story.destination.restart()

    story.destination.before = restart_before_the_last_look

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert [call for call in story.destination.calls if call[0] == "recheck"] == [("recheck", torrent)] * 2


# -- a trash at the source -----------------------------------------------------------------------------------------------


def test_what_lies_in_the_trash_of_the_source_client_is_told_before_and_after(story):
    story.source.trashed = Remark(
        "it moves the data to the trash", "Options > Advanced > Torrent content removing mode"
    )
    story.seed("One")
    torrent = story.seed("Two")
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    said = [event.text for event in story.events if isinstance(event, Noticed) and event.level is Level.WARN]
    assert any("of 2 moved torrents lie in the trash of seedbox:8080" in text for text in said)


def test_without_a_trash_nothing_is_said_of_one(story):
    story.seed()
    assert story.run() is ExitCode.DONE
    assert not [event for event in story.events if isinstance(event, Noticed) and "trash" in event.text]

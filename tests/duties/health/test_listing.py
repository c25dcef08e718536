"""One listing for all loops at a client: what came a moment ago serves each of them once."""

from __future__ import annotations

import threading

import pytest

from tests.duties.health.looker import Looker
from torrent_mover.domain.errors import Unreachable
from torrent_mover.duties.health.listing import ClientListing
from torrent_mover.ports.roles import ClientSnapshot


@pytest.fixture
def looker(tmp_path):
    made = Looker(tmp_path)
    yield made
    made.file.close()


@pytest.fixture
def listing(looker):
    return ClientListing(looker.client, looker.clock)


def test_loops_that_look_together_ask_the_client_once_and_one_that_looks_again_asks_anew(looker, listing):
    first = looker.download()
    assert listing.look("tv").pictures.keys() == {first}

    second = looker.download()
    assert listing.look("films").pictures.keys() == {first}
    assert listing.look("films").pictures.keys() == {first, second}
    assert listing.look("tv").pictures.keys() == {first, second}


def test_what_is_older_than_a_moment_serves_nobody(looker, listing):
    first = looker.download()
    listing.look("tv")
    second = looker.download()
    looker.clock.advance(11)
    assert listing.look("films").pictures.keys() == {first, second}


def test_after_something_was_done_whoever_looks_next_asks_anew(looker, listing):
    torrent = looker.download()
    listing.look("tv")
    looker.client.forget(torrent)
    listing.outdated()
    assert not listing.look("films").pictures


def test_what_is_done_while_another_loop_asks_waits_for_nothing_and_its_answer_serves_nobody_else(looker, listing):
    torrent = looker.download()
    listed = looker.client.torrents

    def asked():
        found = listed()
        looker.client.forget(torrent)
        done = threading.Thread(target=listing.outdated, daemon=True)
        done.start()
        done.join(30)
        assert not done.is_alive()
        looker.client.torrents = listed
        return found

    looker.client.torrents = asked
    assert listing.look("tv").pictures.keys() == {torrent}
    assert not listing.look("films").pictures


def test_what_changed_before_a_question_failed_is_told_by_the_next_look(looker, listing):
    def told():
        return ClientSnapshot({each.id: each for each in looker.client.torrents()}, looker.client.pulses(), None)

    first = looker.download()
    seen = [told()]
    looker.client.snapshot = lambda: seen[-1]  # the same one where nothing has changed: see ports.roles.Snapshots
    assert listing.look("tv").pictures.keys() == {first}
    second = looker.download()
    seen.append(told())
    looker.client.fail("condition", Unreachable("It is away."))
    with pytest.raises(Unreachable):
        listing.look("tv")
    assert listing.look("tv").pictures.keys() == {first, second}


def test_where_the_client_does_not_answer_nobody_is_told_what_was(looker, listing):
    looker.download()
    listing.look("tv")
    looker.client.fail("torrents", *[Unreachable("It is away.", kept="Nothing was changed.", server="fake")] * 2)
    for loop in ("tv", "films"):
        with pytest.raises(Unreachable):
            listing.look(loop)
    assert listing.look("films").pictures

"""No overlap: at no moment do both clients seed, and the source seeds again whenever the destination does not take over."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import closing

import pytest

from tests.servers import eventually
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES

pytestmark = pytest.mark.servers


class Watching:
    """Looks at both clients again and again while it is entered; `both` says whether both were ever seen seeding."""

    def __init__(self, house, torrent: str) -> None:
        self._house = house
        self._torrent = torrent
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.looks = 0
        self.both = False

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            # The destination first: what it says is older, so that a hand-over in between cannot look like an overlap.
            there = self._house.destination.state(self._torrent) in SEEDING_STATES
            self.both |= there and self._house.source.state(self._torrent) in SEEDING_STATES
            self.looks += 1


def assert_nothing_owed(house) -> None:
    with closing(house.journal()) as journal:
        assert list(journal.stopped()) == []


@pytest.mark.parametrize("by", ["setting", "rule"])
def test_without_overlap_the_two_clients_never_seed_at_the_same_time(pair, by):
    made = pair.seed("Alone", {"a": 300_000, "b": 10}, trackers=("http://private.invalid/announce",))
    files = made.files()
    if by == "setting":
        pair.config = {"SETTINGS": {"overlap": "none"}}
    else:
        rule = {"private.invalid": {"category": "private", "overlap": "none"}}
        (pair.world.root / "tracker_rules.json").write_text(json.dumps(rule))

    with Watching(pair, made.info_hash) as watching:
        pair.move().ended(0)

    assert watching.looks > 10
    assert not watching.both
    pair.assert_moved(made, files)
    assert_nothing_owed(pair)


def test_a_source_that_is_kept_stays_stopped_and_that_is_said(house):
    made = house.seed("Kept", {"a": 70_000})
    house.config = {"SETTINGS": {"overlap": "none"}, "SOURCE_CLIENT": {"delete_after_transfer": "no"}}

    house.move().ended(0).says("stopped there, for overlap = none")

    assert house.source.state(made.info_hash) == "pausedUP"
    assert house.destination.state(made.info_hash) in SEEDING_STATES
    assert_nothing_owed(house)


def test_the_source_seeds_again_when_the_gate_refuses(house):
    made = house.seed("Refused", {"a": 70_000}, trackers=("http://late.invalid/announce",))
    files = made.files()
    house.config = {"SETTINGS": {"overlap": "none"}}

    with house.start("--simple") as command:
        eventually(lambda: house.destination.state(made.info_hash) in SEEDING_STATES, 60)
        house.source.api.post("torrents/setCategory", hashes=made.info_hash, category="")
        command.end()

    house.assert_at_source(made, files)
    assert house.destination.state(made.info_hash) == "stoppedUP"
    assert_nothing_owed(house)


def test_after_a_crash_the_next_run_lets_the_source_seed_again(house):
    made = house.seed("Crashed", {"a": 70_000})
    files = made.files()
    house.config = {"SETTINGS": {"overlap": "none"}}
    with house.start("--simple") as command:
        eventually(lambda: house.destination.state(made.info_hash) in SEEDING_STATES, 60)
        command.send(signal.SIGKILL)
    with closing(house.journal()) as journal:
        owed = list(journal.stopped())

    assert [torrent.hex for torrent in owed] == [made.info_hash]
    house.move().ended(0).says("started again at")
    house.assert_moved(made, files)
    assert_nothing_owed(house)

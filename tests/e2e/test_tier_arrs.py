"""Copies of a tier handed to an Arr: a real rTorrent, and the double of Sonarr, which refuses what Sonarr refuses."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tests.doubles.arr.library import Library
from tests.doubles.arr.polled import PolledTorrent, ScriptedClient
from tests.doubles.arr.products import SONARR
from tests.doubles.arr.server import ArrDouble
from tests.e2e.tier_house import MIB, TierHouse
from tests.faults.ledger import SERVERS
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers

NAME = "Show.S01E01.mkv"


@contextmanager
def sonarr_that_sees(tiered: TierHouse):
    """A Sonarr that sees the larger disk under the path that it has here; named by the environment of the former programs."""
    library_folder = tiered.hdd / "library"
    library_folder.mkdir()
    library = Library(SONARR, ScriptedClient(), {str(tiered.hdd): tiered.hdd}, str(library_folder))
    with ArrDouble(library) as double:
        tiered.environment |= {
            "NOTIFY_ARR_ENABLED": "true",
            "SONARR_URL": double.url,
            "SONARR_API_KEY": double.key,
            "SONARR_TAG": "tv",
        }
        yield double
    assert double.violations == []


def scans(double: ArrDouble) -> list[dict]:
    """The commands that were sent to it."""
    return [body for method, _, _, body in double.requests if method == "POST" and body]


def test_sonarr_imports_a_copy_by_its_proven_path_once_and_the_torrent_seeds_on(tiered):
    made = tiered.seed(NAME, 3 * MIB, label="tv")
    with sonarr_that_sees(tiered) as double:
        double.library.add_media(1, "Episode 1", NAME)
        double.library.grab(made.info_hash.lower(), 1, title=NAME)
        double.library.client.have(PolledTorrent(made.info_hash.lower(), NAME, "tv", f"/elsewhere/{NAME}"))

        tiered.run().ended(ExitCode.DONE).says("1 copied", "sonarr has imported")
        tiered.run().ended(ExitCode.DONE)

        (scan,) = [body for body in scans(double) if "path" in body]
        assert (scan["importMode"], scan["path"]) == ("Copy", str(tiered.hdd / "tv" / NAME))
    imported = [path for path in (tiered.hdd / "library").rglob("*") if path.is_file()]
    assert [path.stat().st_size for path in imported] == [3 * MIB]
    assert (tiered.hdd / "tv" / NAME).exists()
    assert tiered.seeds(made)


@pytest.mark.fault("arrs", "the Arr is away while a copy is made", SERVERS)
def test_a_sonarr_that_is_away_keeps_no_copy_waiting_and_is_told_by_a_later_round(tiered):
    made = tiered.seed(NAME, 3 * MIB, label="tv")
    with sonarr_that_sees(tiered) as double:
        there = tiered.environment["SONARR_URL"]
        tiered.environment["SONARR_URL"] = "http://127.0.0.1:9"
        tiered.run().ended(ExitCode.DONE).says("1 copied")

        double.library.add_media(1, "Episode 1", NAME)
        double.library.grab(made.info_hash.lower(), 1, title=NAME)
        double.library.client.have(PolledTorrent(made.info_hash.lower(), NAME, "tv", f"/elsewhere/{NAME}"))
        tiered.environment["SONARR_URL"] = there
        tiered.run().ended(ExitCode.DONE).says("sonarr has imported")
        assert len([body for body in scans(double) if "path" in body]) == 1
    assert tiered.seeds(made)

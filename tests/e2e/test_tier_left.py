"""Copies whose torrents have left a real client: told, listed with their paths, set aside by hand, and brought back."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from tests.e2e.command import Command
from tests.e2e.tier_house import MIB
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode

pytestmark = pytest.mark.servers

_EVICTED = 30
"""Seconds within which a client shows that it seeds."""


@pytest.mark.parametrize("client", ["rtorrent_016", "qbittorrent_51"])
def test_what_torrents_leave_behind_is_told_and_goes_into_quarantine_and_back(request, tier_of, client):
    tier = tier_of(request.getfixturevalue(client))
    gone = tier.seed("Gone", {"S01/one.mkv": 9 * MIB, "info.nfo": 1000})
    shared = tier.seed("Shared", 3 * MIB, seed=1)
    stays = tier.seed("Stays", 4 * MIB, seed=2)
    tier.configure("64M")
    tier.run().ended(ExitCode.DONE).says("3 evicted")
    for made in (gone, shared, stays):
        eventually(lambda made=made: tier.seeds(made), _EVICTED)
    tier.run("--left").ended(ExitCode.DONE).says("No copy was left behind.")
    copies = tier.files(tier.hdd)

    tier.server.remove(gone.info_hash)
    tier.server.remove(shared.info_hash)
    (tier.home / "elsewhere").mkdir()
    (tier.home / "elsewhere" / "Shared").symlink_to(tier.hdd / "films" / "Shared")
    tier.end.seed(shared.metainfo, tier.home / "elsewhere", "films")
    # Listed again, and so not missing; what was evicted is its own copy. The one that is missing uses nothing of it.
    told = tier.run("--left").ended(ExitCode.DONE)
    told.says("1 copy, 9.0 MiB, of torrents that have left their client:", str(tier.hdd / "films" / "Gone"))
    tier.run("--set-aside").ended(ExitCode.DONE).says("Would set aside", "Nothing was changed.")
    assert tier.files(tier.hdd) == copies

    moved = tier.run("--set-aside", "--yes").ended(ExitCode.DONE)
    place = tier.hdd / f".torrent-mover/quarantine/{gone.info_hash.upper()}-1"
    moved.says(str(place), f"torrent-mover tier --put-back {gone.info_hash[:8].upper()}", f"rm -r {place}")
    assert set(tier.files(place)) == {"Gone/S01/one.mkv", "Gone/info.nfo"}
    assert not (tier.hdd / "films" / "Gone").exists()
    for made in (shared, stays):
        assert tier.seeds(made)
    tier.run("--status").ended(ExitCode.DONE).says(
        "1 copy, 9.0 MiB, set aside in quarantine: torrent-mover tier --left"
    )

    tier.run("--put-back", gone.info_hash[:8]).ended(ExitCode.DONE).says("is back in")
    assert tier.files(tier.hdd) == copies
    told = "1 copy, 9.0 MiB, of torrents that have left their client"
    with Command("doctor", home=tier.home, environment=tier.environment) as doctor:
        doctor.end().ended(ExitCode.DONE).says(told, "torrent-mover tier --left")
    tier.run().ended(ExitCode.DONE)
    tier.run("--status").ended(ExitCode.DONE).says(told)
    tier.end.seed(gone.metainfo, tier.hdd / "films", "films")
    eventually(lambda: tier.seeds(gone), _EVICTED)
    tier.run("--set-aside", gone.info_hash, "--yes").ended(ExitCode.PREFLIGHT_REFUSED).says(
        "Nothing was left behind by"
    )
    assert tier.files(tier.hdd) == copies


def test_the_line_that_deletes_for_good_is_taken_as_it_stands(rtorrent_016, tier_of, hdd):
    tier = tier_of(rtorrent_016)
    tier.hdd = hdd / "large 'disk'"
    tier.hdd.mkdir()
    gone, stays = tier.seed("Gone", 2 * MIB), tier.seed("Stays", MIB, seed=1)
    tier.configure("64M", targets=f'*:"{tier.hdd}"')
    tier.run().ended(ExitCode.DONE).says("2 evicted")
    tier.server.remove(gone.info_hash)

    text = tier.run("--set-aside", "--yes").ended(ExitCode.DONE).text
    (line,) = [line.partition("for good:")[2].strip() for line in text.splitlines() if "for good:" in line]
    assert shlex.split(line)[:2] == ["rm", "-r"]
    subprocess.run(["sh", "-c", line], check=True)

    assert tier.seeds(stays)
    assert set(tier.files(tier.hdd)) == {"films/Stays"}
    tier.run().ended(ExitCode.DONE)
    tier.run("--left").ended(ExitCode.DONE).says("No copy was left behind.")

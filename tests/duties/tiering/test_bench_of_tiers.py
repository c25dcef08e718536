"""What `make bench` measures of a tier is the tier's own story, and works."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from bench import tiered
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.demo.torrents import make_torrent


@pytest.mark.parametrize("verify", [False, True])
def test_the_measured_copy_is_made_and_counts(tmp_path, verify):
    for name in ("ssd/Show", "hdd", "state"):
        (tmp_path / name).mkdir(parents=True)
    files = {name: os.urandom(70_000) for name in ("one.mkv", "two.mkv")}
    for name, content in files.items():
        (tmp_path / "ssd/Show" / name).write_bytes(content)
    (tmp_path / "torrent").write_bytes(make_torrent(tmp_path / "ssd/Show"))
    job = {name: str(tmp_path / name) for name in ("ssd", "hdd", "state", "torrent")} | {"verify": verify}

    with closing(SqliteJournal(tmp_path / "state/journal.sqlite3", SystemClock())) as journal:
        said = tiered.copy(job, journal)

    assert said["counts"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "hdd/Show").iterdir()} == files

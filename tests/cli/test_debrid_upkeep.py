"""What a run of debrid does with the journal by itself: copies of it, purging, room that is given back."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from threading import Event

import pytest

from torrent_mover.adapters.store import upkeep
from torrent_mover.bootstrap.debrid.account import OpenDebrid
from torrent_mover.bootstrap.debrid.setups import debrid_setups
from torrent_mover.bootstrap.state import journal_path
from torrent_mover.commands.debrid.keeping import keep_up
from torrent_mover.domain.debrid.account import RemoteStatus
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.records import KnownEntry, Metric

DAY = 86_400.0


@pytest.fixture
def setup(tmp_path):
    config = tmp_path / "config.ini"
    config.write_text(f"[General]\nstate_dir = {tmp_path}/state\n[DEBRID rd]\ntoken = t\nbackups_kept = 2\n")
    config.chmod(0o600)
    ((setup,), _) = debrid_setups(str(config), {})
    return setup


def entries(count):
    return [
        KnownEntry(
            str(number), InfoHash(f"{number:040x}"), "Film " * 20, "", RemoteStatus.DOWNLOADED.value, 1, 0.0, 1.0
        )
        for number in range(count)
    ]


def free_pages(setup):
    with contextlib.closing(sqlite3.connect(journal_path(setup))) as connection:
        return connection.execute("PRAGMA freelist_count").fetchone()[0]


def test_every_six_hours_old_numbers_go_and_their_room_is_given_back(setup):
    with OpenDebrid(setup, writes=True, stop=Event()) as account:
        now = account.clock.now()
        keep_up(account, setup)
        for number in range(300):
            account.journal.add_metric(Metric(now - 91 * DAY, "scan", "duration", number, (("x", "y" * 200),)))
        account.journal.add_metric(Metric(now, "scan", "duration", 1.0))
        keep_up(account, setup)
        early = len(account.journal.metrics())
        account.world().remember(purged_at=now - 6 * 3600)
        keep_up(account, setup)

        assert (early, len(account.journal.metrics())) == (301, 1)
        assert free_pages(setup) == 0
        account.journal.add_metric(Metric(now, "scan", "duration", 2.0))
        assert len(account.journal.metrics()) == 2, "the journal that is open goes on"


def test_rounds_of_months_leave_no_thread_behind(setup, tmp_path):
    before, link = set(threading.enumerate()), LocalPath(str(tmp_path / "link"))
    with OpenDebrid(setup, writes=True, stop=Event()) as account:
        for _ in range(20):
            account.world().library.target(link)
        made = set(threading.enumerate()) - before
    for thread in made:
        thread.join(30)

    assert (len(made), [thread for thread in made if thread.is_alive()]) == (1, [])


def test_a_purge_beside_somebody_who_writes_leaves_the_room_to_the_next_one(setup):
    with OpenDebrid(setup, writes=True, stop=Event()) as account:
        account.journal.save_entries(entries(500))
        account.journal.forget_entries(str(number) for number in range(500))
        account.world().remember(backed_up_at=account.clock.now(), purged_at=0.0)
        with contextlib.closing(sqlite3.connect(journal_path(setup), isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM documents").fetchone()
            keep_up(account, setup)
        account.world().remember(purged_at=0.0)
        keep_up(account, setup)

        assert free_pages(setup) == 0


def test_a_day_has_one_copy_and_the_oldest_go(setup):
    with OpenDebrid(setup, writes=True, stop=Event()) as account:
        path, now = journal_path(setup), int(account.clock.now())
        old = [path.with_name(f"{path.name}.debrid-rd-{now - days * 86_400}") for days in (3, 2, 1)]
        for each in old:
            each.write_text("a copy")
        keep_up(account, setup)
        keep_up(account, setup)

        left = sorted(path.parent.glob("*.debrid-rd-*"))
        assert (len(left), left[0], upkeep.inspect(left[1]).findings) == (2, old[2], ())

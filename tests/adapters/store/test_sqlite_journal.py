import contextlib
import dataclasses
import json
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.clock import FakeClock
from tests.fakes.jobs import SOURCE, OpenJobs
from tests.fakes.journal_writer import MOVES, bitfield_for
from torrent_mover.adapters.store import file, journal_file
from torrent_mover.adapters.store.file import TIMINGS_KEPT
from torrent_mover.adapters.store.migrations import VERSION, migrate
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.breaker import Breaker
from torrent_mover.domain.errors import ConfigError, DiskFull, NotWritable, ProvisioningError
from torrent_mover.domain.move import MOVE, HistoryEntry, Mark, MoveRecord, Outcome, Stage
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.report.timing import Task, Timing
from torrent_mover.domain.torrent.certificate import Evidence, FileFound, ReadBack, Reading, certify
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, Torrent, TorrentState
from torrent_mover.ports.journal import Attempt, ChangedMode, RunRecord

A, B = InfoHash("a" * 40), InfoHash("b" * 40)
ROOT = Path(__file__).parents[3]


def a_record(torrent=A, **changes):
    plain = MoveRecord(torrent, "A torrent", 1000, Stage.TRANSFERRING, started_at=1.5, updated_at=2.5, source=SOURCE)
    return dataclasses.replace(plain, **changes)


def an_entry(torrent=A, **changes):
    plain = HistoryEntry(
        torrent, "A torrent", 1000, 1.5, 9.5, Outcome.MOVED, sent=900, reused=100, pieces=4, source=SOURCE
    )
    return dataclasses.replace(plain, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite3"


@pytest.fixture
def open_journal(path):
    opened = []

    def open_it(target=path, **scope):
        journal = OpenJobs(target, FakeClock(), **scope)
        opened.append(journal)
        return journal

    yield open_it
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal):
    return open_journal()


texts = st.text(st.characters(codec=None))
moments = st.floats(0, 4e9)
records = st.builds(
    MoveRecord,
    id=st.sampled_from([A, B]),
    name=texts,
    size=st.integers(0, 2**62),
    stage=st.sampled_from(Stage),
    started_at=moments,
    updated_at=moments,
    attempts=st.integers(0, 9),
    next_try_at=moments,
    error_code=st.sampled_from(["", "TM-E213"]),
    error=st.sampled_from(["", "Verbindung zu nas verloren \udcff"]),
    remedy=st.sampled_from(["", "chown media /srv"]),
    mark=st.none() | st.sampled_from(Mark),
    source=st.just(SOURCE),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records)
def test_a_record_comes_back_as_it_was_written_whatever_its_name(journal, record):
    journal.save_move(record)
    assert journal.move(record.id) == record
    assert record in journal.moves()


def test_a_move_that_nobody_saved_is_none(journal):
    assert journal.move(A) is None
    assert journal.moves() == []
    assert journal.pieces(A) is None
    assert journal.certificate_text(A) is None


def test_all_survives_a_close(open_journal):
    first = open_journal()
    first.save_move(a_record())
    first.save_pieces(A, b"\x01\x02")
    first.add_history(an_entry(confirmed=False))
    first.add_attempt(Attempt(A, 1, 1.0, 2.0, 500, "connection lost"))
    first.save_breaker("nas:22", Breaker(3, 10.0, 910.0))
    first.begin_run("r1", 5.0)
    first.add_note(6.0, A, "INFO", "a line")
    first.close()
    again = open_journal()
    assert again.moves() == [a_record()]
    assert again.pieces(A) == b"\x01\x02"
    assert again.history() == [an_entry(confirmed=False)]
    assert again.attempts(A) == [Attempt(A, 1, 1.0, 2.0, 500, "connection lost", SOURCE)]
    assert again.breaker("nas:22") == Breaker(3, 10.0, 910.0)
    assert again.runs() == [RunRecord("r1", 5.0, 0.0, 0, 0, 0, 0)]
    assert again.notes(A) == [(6.0, "INFO", "a line")]
    assert again.notices == ()


def test_saving_a_record_again_keeps_its_pieces(journal):
    journal.save_move(a_record())
    journal.save_pieces(A, b"\xff")
    journal.save_move(a_record(stage=Stage.SETTLED))
    assert journal.pieces(A) == b"\xff"


def test_forgetting_a_move_drops_pieces_and_attempts_but_not_history_nor_modes(journal):
    changed = ChangedMode(A, "nas", "movies", 0o555)
    for torrent in (A, B):
        journal.save_move(a_record(torrent))
        journal.save_pieces(torrent, b"\x01")
        journal.add_attempt(Attempt(torrent, 1, 1.0, 2.0, 0, "x"))
    journal.add_history(an_entry())
    journal.save_mode(changed)
    journal.forget_move(A)
    assert journal.moves() == [a_record(B)]
    assert journal.pieces(A) is None
    assert journal.attempts(A) == []
    assert journal.history() == [an_entry()]
    assert journal.modes() == [changed]
    assert journal.pieces(B) == b"\x01"


def test_pieces_of_a_forgotten_move_are_refused(journal):
    journal.save_move(a_record())
    journal.forget_move(A)
    with pytest.raises(LookupError):
        journal.save_pieces(A, b"\x01")
    journal.save_move(a_record())
    assert journal.pieces(A) is None


def test_pieces_can_be_forgotten_alone(journal):
    journal.save_move(a_record())
    journal.save_pieces(A, b"\x01")
    journal.forget_pieces(A)
    assert journal.pieces(A) is None
    assert journal.move(A) == a_record()


def test_history_is_newest_first_and_only_the_last_entry_is_confirmed(journal):
    journal.add_history(an_entry(outcome=Outcome.FAILED, confirmed=False, run="r1"))
    journal.add_history(an_entry(B, confirmed=False))
    journal.add_history(an_entry(confirmed=False, run="r2"))
    journal.confirm_history(A)
    assert [(entry.id, entry.run, entry.confirmed) for entry in journal.history()] == [
        (A, "r2", True),
        (B, "", False),
        (A, "r1", False),
    ]
    assert len(journal.history(limit=2)) == 2


def test_the_first_mode_remembered_for_a_path_wins(journal):
    original = ChangedMode(A, "nas", "movies/\udce9", 0o555)
    journal.save_mode(original)
    journal.save_mode(dataclasses.replace(original, mode=0o755))
    journal.save_mode(dataclasses.replace(original, torrent=B, mode=0o755))
    other = ChangedMode(B, "cache", "x", 0o500)
    journal.save_mode(other)
    assert journal.modes(A) == [original]
    assert set(journal.modes()) == {original, other}
    journal.forget_mode(original)
    assert journal.modes() == [other]


def test_adopted_files_are_remembered_until_the_move_is_forgotten(journal):
    journal.save_adopted(A, ["Show/a", "Show/\udce9"])
    journal.save_adopted(A, ["Show/a"])
    journal.save_adopted(B, ["Film"])
    journal.save_adopted(B, [])
    assert set(journal.adopted(A)) == {"Show/a", "Show/\udce9"}
    journal.forget_move(A)
    assert journal.adopted(A) == []
    assert journal.adopted(B) == ["Film"]


def test_an_unknown_server_has_a_closed_breaker(journal):
    assert journal.breaker("nas:22") == Breaker()


def test_runs_are_newest_first_and_end_in_place(journal):
    journal.begin_run("r1", 5.0)
    journal.begin_run("r2", 6.0)
    ended = RunRecord("r1", 5.0, 9.0, moved=11, failed=1, sent=10**12, exit_code=1)
    journal.end_run(ended)
    assert journal.runs() == [RunRecord("r2", 6.0, 0.0, 0, 0, 0, 0), ended]
    assert journal.runs(limit=1)[0].id == "r2"


def test_of_many_notes_the_newest_are_shown_oldest_first(journal):
    for number in range(120):
        journal.add_note(float(number), A if number % 2 else B, "INFO", f"note {number}")
    journal.add_note(121.0, None, "WARN", "about the run")
    assert [text for _, _, text in journal.notes(A, limit=3)] == ["note 115", "note 117", "note 119"]


def test_passkeys_never_reach_the_file(open_journal, path):
    journal = open_journal()
    secret = "0123456789abcdef0123456789abcdef"
    url = f"https://tracker.example.org/{secret}/announce"
    journal.save_move(a_record(error=f"tracker {url} says no", remedy=f"ask {url}"))
    journal.add_note(1.0, A, "WARN", f"announce to {url} failed")
    journal.add_attempt(Attempt(A, 1, 1.0, 2.0, 0, f"refused by {url}"))
    journal.add_history(an_entry(detail=f"see {url}"))
    journal.close()
    assert not [file for file in path.parent.iterdir() if secret.encode() in file.read_bytes()]


def a_certificate():
    files = (
        ClientFile(0, "film/a.mkv", 900, 1.0, wanted=True),
        ClientFile(1, "film/\udce9.nfo", 100, 1.0, wanted=True),
    )
    torrent = Torrent(
        id=A, name="film \ud800", category="move-me", state=TorrentState.SEEDING, client_state="stalledUP",
        save_path=ClientPath("/data"), size=1000, total_size=1000, amount_left=0, progress=1.0, added_on=1, completed_on=2,
        seeding_time=3, ratio=1.0, uploaded=4, limits=ShareLimits(),
    )  # fmt: skip
    evidence = Evidence(
        planned=torrent, planned_files=files, save_path=ClientPath("/data"), pieces=4, own_pieces=4,
        read_back=ReadBack(at=100.0, by_client=True, pieces_good=4, pieces=4, amount_left=0),
        files=tuple(FileFound(file.path, file.size, file.size) for file in files), files_at=101.0,
        destination_first=Reading(102.0, torrent, files), destination_last=Reading(108.0, torrent, files),
        source=Reading(109.0, torrent, files), siblings=(B,), ignored_by_rule=False, limited_there=False,
    )  # fmt: skip
    return certify(evidence, 110.0)


def test_a_certificate_is_kept_with_every_item_of_the_gate(journal):
    journal.save_certificate(a_certificate(), 5000.0)
    kept = json.loads(journal.certificate_text(A))
    assert kept["torrent"] == A.hex
    assert kept["at"] == 5000.0
    assert kept["delete_data"] is False
    assert kept["gate"]["read_back"] == {
        "age": 10.0,
        "by": "the client's recheck",
        "pieces_good": 4,
        "pieces": 4,
        "amount_left": 0,
    }
    assert set(kept["gate"]) == {
        "read_back",
        "own_hashes",
        "files_found",
        "layout_at_destination",
        "share_limits",
        "seeding",
        "source_read_again",
    }
    assert kept["gate"]["seeding"]["seen_for"] == 6.0
    assert kept["gate"]["share_limits"] == {
        "ratio": "never",
        "seeding_time": "never",
        "inactive_seeding_time": "never",
        "when_met": "as the client's settings say",
        "could_remove": False,
        "automatic_management": False,
    }
    assert kept["gate"]["source_read_again"]["siblings"] == [B.hex]
    assert kept["files"]["found"][0] == ["film/a.mkv", 900, 900]


def test_the_last_certificate_is_the_one_shown(journal):
    for at in (1.0, 2.0):
        journal.save_certificate(a_certificate(), at)
    assert json.loads(journal.certificate_text(A))["at"] == 2.0


def test_file_and_folder_are_for_us_alone(journal, path):
    journal.save_move(a_record())
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_saves_are_flushed_to_the_disk_before_they_return(journal):
    # The setting is the connection's own: asking another connection would show that one's.
    ((synchronous,),) = journal._file.read("PRAGMA synchronous")
    ((mode,),) = journal._file.read("PRAGMA journal_mode")
    assert (synchronous, mode) == (2, "wal")


def test_a_reader_sees_what_is_saved_while_the_writer_goes_on(journal, path):
    journal.save_move(a_record())
    reader = SqliteJournal.open_readonly(path)
    assert reader.moves() == [a_record()]
    journal.save_move(a_record(B))
    assert len(reader.moves()) == 2
    with pytest.raises(NotWritable):
        reader.of(a_record()).save_move(a_record(name="changed"))
    reader.close()


def test_looking_before_any_run_shows_nothing_and_makes_nothing(path):
    reader = SqliteJournal.open_readonly(path)
    assert reader.moves() == []
    assert reader.history() == []
    reader.close()
    assert not path.parent.exists()


def truncate_half(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def fill_with_noise(path):
    path.write_bytes(random.Random(7).randbytes(50_000))  # noqa: S311 - any noise


def empty(path):
    path.write_bytes(b"")


def overwrite_pages(path):
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


def write_nonsense_rows(path):
    connection = sqlite3.connect(path)
    connection.execute("UPDATE jobs SET stage = 'dancing'")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("damage", [truncate_half, fill_with_noise, empty, overwrite_pages, write_nonsense_rows])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(open_journal, path, damage):
    journal = open_journal()
    journal.save_move(a_record())
    journal.close()
    damage(path)
    damaged = path.read_bytes()
    with pytest.raises(ProvisioningError, match="is damaged"):
        SqliteJournal.open_readonly(path)
    assert path.read_bytes() == damaged
    again = open_journal()
    assert again.moves() == []
    again.save_move(a_record())
    (kept,) = path.parent.glob("journal.sqlite3.damaged-*Z")
    assert kept.name == "journal.sqlite3.damaged-20261120T030103Z"
    assert kept.read_bytes() == damaged
    assert kept.name in again.notices[0]
    again.close()
    assert open_journal().moves() == [a_record()]


def test_two_damaged_files_in_one_second_are_both_kept(open_journal, path):
    open_journal().close()
    for _ in range(2):
        empty(path)
        open_journal().close()
    assert {file.name for file in path.parent.iterdir()} == {
        "journal.sqlite3",
        "journal.sqlite3.damaged-20261120T030103Z",
        "journal.sqlite3.damaged-20261120T030103Z-2",
    }


def test_a_newer_version_is_refused_and_left_alone(open_journal, path):
    open_journal().close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    for opening in (open_journal, lambda: SqliteJournal.open_readonly(path)):
        with pytest.raises(ConfigError, match="newer torrent-mover"):
            opening()
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*damaged*"))


def test_a_database_of_another_program_is_refused_and_left_alone(open_journal, path):
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="another program"):
        open_journal()
    assert path.read_bytes() == before


def test_how_long_parts_took_is_kept_newest_first_and_not_for_ever(open_journal):
    journal = open_journal()
    parts = [Timing(Task.CHECK, f"nas {number}", number, number / 2, 3.0) for number in range(TIMINGS_KEPT + 5)]
    journal.add_timings(parts)
    journal.add_timings([])
    journal.close()
    again = open_journal()
    assert again.timings(2) == [parts[-1], parts[-2]]
    again.begin_run("a", 1.0)
    assert again.timings(TIMINGS_KEPT * 2) == parts[:4:-1]


def test_lines_and_runs_are_not_kept_for_ever_whoever_writes_them(open_journal, path, monkeypatch):
    monkeypatch.setattr(journal_file, "_TRIM", (journal_file._TRIM[0], (3000,)))
    monkeypatch.setattr(file, "RUNS_KEPT", 20)
    jobs = open_journal()
    whole = jobs.whole
    for number in range(7000):
        whole.add_note(float(number), None, "info", f"line {number}")  # of a tier: it begins no run
    for number in range(30):
        whole.begin_run(f"run {number}", float(number))
    jobs.close()

    with contextlib.closing(sqlite3.connect(path)) as connection:
        lines, first, last = connection.execute("SELECT count(*), min(at), max(at) FROM notes").fetchone()
        runs, oldest = connection.execute("SELECT count(*), min(started_at) FROM runs").fetchone()
    assert (last, runs, oldest) == (6999.0, 21, 9.0)  # the newest 20, and the one that has just begun
    assert 3000 <= lines <= 4000
    assert first == 7000 - lines


def test_the_last_move_of_a_torrent_says_from_where_to_where_it_was_brought(journal):
    box, nas = (journal.whole.scoped(MOVE, client, "main") for client in ("box:1", "nas:2"))
    for torrent in (A, B):
        box.add_history(an_entry(torrent, destination="nas:2"))
    nas.add_history(an_entry(B, destination="box:1"))
    for each in (journal, box, nas, journal.whole):
        assert each.brought("box:1", "nas:2") == {A}
        assert each.brought("nas:2", "box:1") == {B}
    assert journal.whole.history()[0].destination == "box:1"


def test_an_older_journal_learns_what_it_lacks_and_keeps_the_rest(open_journal, path):
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, 2)
        connection.execute(
            "INSERT INTO moves VALUES (?, 'A torrent', 1000, 'transferring', 1.5, 2.5, 0, 0, '', '', '', NULL)",
            (A.hex,),
        )
        connection.execute(
            "INSERT INTO history VALUES (1, ?, 'Old', 1, 10.0, 95.0, 'moved', 1, 0, 1, 0, '', '', '', 1)", (A.hex,)
        )
    before = path.read_bytes()
    view = SqliteJournal.open_readonly(path)
    assert (view.timings(), view.moves()) == ([], [a_record(source="")])
    view.close()
    assert path.read_bytes() == before
    part = Timing(Task.ADD, "nas", 1, 2.0, 3.0)
    again = open_journal()
    again.add_timings([part])
    assert (again.timings(), again.moves()) == ([part], [a_record(source="")])
    assert [entry.took for entry in again.history()] == [85.0]


def test_a_full_disk_is_named_and_what_was_saved_stays(journal):
    journal.save_move(a_record())
    journal._file.read("PRAGMA max_page_count = 30")
    with pytest.raises(DiskFull, match="no space left for the journal"):
        journal.save_pieces(A, bytes(500_000))
    assert journal.move(A) == a_record()
    journal.save_move(a_record(stage=Stage.SETTLED))
    assert journal.move(A).stage is Stage.SETTLED


def test_a_folder_that_cannot_be_made_is_named_with_a_remedy(open_journal, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritable, match="state_dir"):
        open_journal(tmp_path / "file" / "state" / "journal.sqlite3")


def test_a_journal_that_another_program_locks_is_named_with_a_remedy(journal, path):
    journal._file.read("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ProvisioningError, match=f"locked the journal.*fuser -v {path}"):
        journal.save_move(a_record())
    other.execute("ROLLBACK")
    other.close()
    journal.save_move(a_record())


def test_a_path_that_cannot_be_reached_is_named(open_journal, tmp_path):
    unreachable = tmp_path / ("x" * 300) / "journal.sqlite3"
    with pytest.raises(NotWritable, match="state_dir"):
        open_journal(unreachable)
    with pytest.raises(NotWritable, match="cannot be reached"):
        SqliteJournal.open_readonly(unreachable)


def test_a_folder_in_place_of_the_file_is_named(open_journal, path):
    path.mkdir(parents=True)
    for opening in (open_journal, lambda: SqliteJournal.open_readonly(path)):
        with pytest.raises(ProvisioningError, match=r"cannot be (opened|used)"):
            opening()


def test_threads_save_side_by_side(journal):
    def save(number):
        torrent = InfoHash(f"{number:040x}")
        for attempts in range(20):
            journal.save_move(a_record(torrent, attempts=attempts))
            journal.add_note(1.0, torrent, "INFO", f"attempt {attempts}")

    threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [record.attempts for record in journal.moves()] == [19] * 4
    assert len(journal.notes(InfoHash(f"{3:040x}"))) == 20


def test_what_was_acknowledged_survives_kill_9_at_any_moment(open_journal, path):
    chance = random.Random(20261120)  # noqa: S311 - moments, no secrets
    acknowledged = {"move": {}, "pieces": {}}
    number = 0
    for _ in range(15):
        number = kill_a_writer(path, number, chance.randrange(1, 25), acknowledged)
        journal = open_journal()
        assert journal.notices == ()
        for torrent, saved in acknowledged["move"].items():
            assert journal.move(torrent).size >= saved
        for torrent, saved in acknowledged["pieces"].items():
            assert int.from_bytes(journal.pieces(torrent)[:8], "big") >= saved
            assert journal.pieces(torrent) == bitfield_for(int.from_bytes(journal.pieces(torrent)[:8], "big"))
        journal.close()
    assert set(acknowledged["pieces"]) == {InfoHash(f"{number:040x}") for number in range(MOVES)}


@pytest.mark.thorough
def test_kill_9_while_the_file_is_made_leaves_none_or_a_whole_one(open_journal, path):
    for round_number in range(12):
        target = path.with_name(f"{round_number}.sqlite3")
        kill_a_writer(target, 0, 0, {"move": {}, "pieces": {}}, after=round_number * 0.002)
        journal = open_journal(target)
        assert journal.notices == ()
        journal.save_move(a_record())


def kill_a_writer(path, first, lines, acknowledged, after=0.0):
    """Let a child write, kill it after so many acknowledgements, note all of them; returns a number it did not reach."""
    command = [sys.executable, "-m", "tests.fakes.journal_writer", str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout.readline() == "opening\n"
        printed = [child.stdout.readline() for _ in range(lines)]
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(after)
        child.kill()
        printed += child.stdout.readlines()
    assert child.returncode == -9
    numbers = [first]
    for kind, number in (line.split() for line in printed if line.endswith("\n")):
        acknowledged[kind][InfoHash(f"{int(number) % MOVES:040x}")] = int(number)
        numbers.append(int(number))
    return numbers[-1] + 2

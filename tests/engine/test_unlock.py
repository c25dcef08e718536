"""Opening closed folders for a move, on a real file system and as somebody to whom something can be closed."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.as_user import as_user, other_uid
from tests.fakes.jobs import OpenJobs
from tests.servers import snapshot
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.local.accounts import LocalAccounts
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.domain.errors import Collision, NotWritable
from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.domain.quantities import OWNER_ACCESS
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.settings.choices import Unlock
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.access import Access
from torrent_mover.engine.delivery.unlock import Unlocker

A, B = InfoHash("a" * 40), InfoHash("b" * 40)


def path(text: str) -> RelativePath:
    return RelativePath.parse(text)


LAYOUT = ((path("Show/one.mkv"), 10), (path("Show/Extras/two.mkv"), 5))
STAGING = path(f".torrent-mover/{A.hex}")


class Site:
    """A destination folder with a journal; `log` is what the unlocker said. Made again in each child process."""

    def __init__(self, folder: Path, when: Unlock = Unlock.AUTO) -> None:
        self.root = folder / "library"
        self.files = LocalFileSystem(LocalPath(str(self.root)))
        self.journal = OpenJobs(folder / "state" / "journal.sqlite3", SystemClock())
        self.log: list[tuple[Level, str]] = []
        self.unlocker = Unlocker(
            self.files, Access(self.files, LocalAccounts()), self.journal, self._say, when, OWNER_ACCESS
        )

    def _say(self, _torrent, level, text):
        self.log.append((level, text))

    def mode(self, name: str = "") -> int:
        return (self.root / name).stat().st_mode & 0o7777

    def remembered(self) -> list[tuple[str, int]]:
        return [(changed.path, changed.mode) for changed in self.journal.modes()]

    def open(self, torrent: InfoHash = A, layout=LAYOUT) -> None:
        self.unlocker.open(torrent, path(f".torrent-mover/{torrent.hex}"), layout)


@pytest.fixture
def folder():
    """A folder of that user's, which pytest's own temporary folders do not let in."""
    made = Path(tempfile.mkdtemp(prefix="torrent-mover-unlock-"))
    made.chmod(0o755)
    for name in ("library", "state"):
        (made / name).mkdir()
        os.chown(made / name, other_uid(), other_uid())
    yield made
    for each in (made, *made.rglob("*")):
        if each.is_dir() and not each.is_symlink():
            each.chmod(0o700)
    shutil.rmtree(made)


def give(place: Path, mode: int | None = None, content: bytes | None = None) -> Path:
    """Make a folder, or a file with that content, that belongs to the other user."""
    if content is None:
        place.mkdir()
    else:
        place.write_bytes(content)
    os.chown(place, other_uid(), other_uid())
    if mode is not None:
        place.chmod(mode)
    return place


def test_a_closed_destination_is_opened_and_closed_again(folder):
    (folder / "library").chmod(0o555)

    def story():
        site = Site(folder)
        site.open()
        during = (site.mode(), site.remembered())
        (site.root / "proof").touch()
        (site.root / "proof").unlink()
        site.unlocker.close(A)
        return during, site.mode(), site.remembered()

    assert as_user(story) == ((0o755, [("", 0o555)]), 0o555, [])


def test_nothing_is_touched_where_writing_succeeds(folder):
    def story():
        site = Site(folder)
        before = site.root.stat().st_ctime_ns
        mode = site.mode()
        site.open()
        return site.remembered(), site.log, site.mode() == mode, before

    remembered, log, same, _ = as_user(story)
    assert (remembered, log, same) == ([], [], True)


def test_only_what_the_move_needs_is_opened(folder):
    library = folder / "library"
    give(library / "Show", 0o500)
    give(library / "Show" / "Extras", 0o755)
    give(library / "Other Show", 0o500)
    give(library / "Show" / "Subs", 0o500)

    def story():
        site = Site(folder)
        site.open()
        during = {name: site.mode(name) for name in ("Show", "Show/Extras", "Show/Subs", "Other Show")}
        site.unlocker.close(A)
        return during, site.mode("Show")

    during, after = as_user(story)
    assert during == {"Show": 0o700, "Show/Extras": 0o755, "Show/Subs": 0o500, "Other Show": 0o500}
    assert after == 0o500


def test_a_folder_that_has_all_of_the_torrent_stays_closed(folder):
    library = folder / "library"
    give(library / "Show")
    give(library / "Show" / "Extras")
    give(library / "Show" / "one.mkv", 0o444, bytes(10))
    give(library / "Show" / "Extras" / "two.mkv", 0o444, bytes(5))
    (library / "Show").chmod(0o555)
    library.chmod(0o555)

    def story():
        site = Site(folder)
        site.open()
        return site.mode(), site.mode("Show"), site.remembered()

    assert as_user(story) == (0o555, 0o555, [])


def test_off_changes_nothing_and_names_the_command(folder):
    (folder / "library").chmod(0o555)

    def story():
        site = Site(folder, Unlock.OFF)
        try:
            site.open()
        except NotWritable as error:
            return site.mode(), site.remembered(), error.what, error.kept, error.remedy
        return None

    mode, remembered, what, kept, remedy = as_user(story)
    assert (mode, remembered) == (0o555, [])
    assert f"uid {other_uid()}" in what
    assert "mode 0555" in what
    assert "preflight_unlock is off" in kept
    assert remedy == f"On this machine, run: chmod u+rwx {folder}/library"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a folder that belongs to somebody else")
def test_a_folder_of_somebody_else_is_left_alone_and_the_remedy_gives_access(folder):
    os.chown(folder / "library", 0, 0)

    def story():
        site = Site(folder, Unlock.ALWAYS)
        try:
            site.open()
        except NotWritable as error:
            return site.mode(), site.remembered(), error.what, error.remedy
        return None

    mode, remembered, what, remedy = as_user(story)
    assert (mode, remembered) == (0o755, [])
    assert "belongs to root:root, mode 0755" in what
    assert f"sudo setfacl -m u:{other_uid()}:rwx {folder}/library" in remedy


def test_always_opens_what_is_not_open_to_its_owner_before_asking(folder):
    (folder / "library").chmod(0o355)

    def story():
        site = Site(folder, Unlock.ALWAYS)
        site.open()
        during = site.mode()
        site.unlocker.close(A)
        return during, site.mode()

    assert as_user(story) == (0o755, 0o355)


def test_a_folder_stays_open_as_long_as_any_move_needs_it(folder):
    (folder / "library").chmod(0o555)

    def story():
        site = Site(folder)
        site.open(A)
        site.open(B)
        site.unlocker.close(A)
        between = site.mode()
        site.unlocker.close(B)
        return between, site.mode(), site.remembered()

    assert as_user(story) == (0o755, 0o555, [])


def test_the_next_run_closes_what_a_killed_one_left_open(folder):
    library = folder / "library"
    give(library / "Show", 0o500)
    library.chmod(0o500)

    as_user(lambda: Site(folder).open())
    assert (library.stat().st_mode & 0o777, (library / "Show").stat().st_mode & 0o777) == (0o700, 0o700)

    def next_run():
        site = Site(folder)
        return site.unlocker.put_back_left_overs(), site.remembered(), site.log

    count, remembered, log = as_user(next_run)
    assert (count, remembered) == (2, [])
    assert [level for level, _ in log] == [Level.INFO, Level.INFO]
    assert library.stat().st_mode & 0o777 == 0o500
    library.chmod(0o700)
    assert (library / "Show").stat().st_mode & 0o777 == 0o500


def test_a_mode_that_somebody_changed_meanwhile_stays_as_they_set_it(folder):
    (folder / "library").chmod(0o555)

    def story():
        site = Site(folder)
        site.open()
        site.root.chmod(0o775)
        site.unlocker.close(A)
        return site.mode(), site.remembered(), site.log[-1]

    mode, remembered, (level, text) = as_user(story)
    assert (mode, remembered, level) == (0o775, [], Level.WARN)
    assert "had mode 0555" in text


def test_a_link_in_the_way_is_told_and_never_followed(folder):
    outside = give(folder / "outside")
    give(outside / "Extras", 0o500)
    outside.chmod(0o500)
    (folder / "library" / "Show").symlink_to(outside)
    before = snapshot(outside)

    def story():
        site = Site(folder)
        with pytest.raises(Collision, match="symbolic link"):
            site.open()
        site.unlocker.close(A)
        return site.remembered()

    assert as_user(story) == []
    assert snapshot(outside) == before
    assert outside.stat().st_mode & 0o777 == 0o500


def test_a_file_of_the_move_is_opened_for_its_bytes_and_closed_under_its_final_name(folder):
    def story():
        site = Site(folder)
        staged = site.root / str(STAGING / "Show")
        staged.mkdir(parents=True)
        (staged / "one.mkv").write_bytes(bytes(10))
        (staged / "one.mkv").chmod(0o444)
        lies_at = STAGING / path("Show/one.mkv")
        site.unlocker.open_files(A, [(path("Show/one.mkv"), lies_at)])
        during = (staged / "one.mkv").stat().st_mode & 0o777
        staged.rename(site.root / "Show")
        site.unlocker.close(A)
        return during, site.mode("Show/one.mkv"), site.remembered()

    assert as_user(story) == (0o744, 0o444, [])


def test_probes_leave_nothing_behind(folder):
    def story():
        site = Site(folder)
        site.open()
        site.unlocker.close(A)
        return [each.name for each in site.root.iterdir()]

    assert as_user(story) == []

"""What lies at the destination already: unfinished copies, whole ones, and what is somebody else's."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.faults.damage import flip, largest
from tests.faults.scene import MIB, Scene
from tests.servers import snapshot
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES
from torrent_mover.demo.torrents import make_torrent

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]


def leftovers(scene, mode: str) -> None:
    here: Scene = scene(mode)
    prefix, holes, staged, whole = here.seed(4, 2 * MIB)
    target = here.world.destination.data

    def copy(one, *, below: Path = target) -> Path:
        name = largest(here.contents[one.info_hash])
        place = below / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(here.world.source.data / name, place)
        return place

    place = copy(prefix)
    os.truncate(place, 700_000)
    flip(place, 100_000)
    place = copy(holes)
    status = place.stat()
    with place.open("r+b") as stream:
        stream.seek(300_000)
        stream.write(bytes(200_000))
    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
    flip(copy(staged, below=target / ".torrent-mover" / staged.info_hash), 5)
    for name in here.contents[whole.info_hash]:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(here.world.source.data / name, target / name)
    if mode == "rsync_upload":
        # Killed between the last byte and the clearing of the cache: nobody needs these any more.
        copy(whole, below=here.cache / ".torrent-mover" / whole.info_hash)
    before = snapshot(target / whole.name) if (target / whole.name).is_dir() else None
    here.injected += 4
    here.converge(runs=1)
    if before is not None:
        assert snapshot(target / whole.name) == before
    sent = here.chaos.received
    assert sent < here.size - MIB  # much of it was there
    here.account("25", "wrong, partial and whole files of former runs", allowed_again=0)


@pytest.mark.parametrize("mode", ["sftp"])
def test_what_others_left_behind_is_mended_or_used(scene, mode):
    leftovers(scene, mode)


@pytest.mark.long
@pytest.mark.parametrize("mode", ["sftp_upload", "rsync", "rsync_upload"])
def test_what_others_left_behind_is_mended_or_used_in_other_modes(scene, mode):
    leftovers(scene, mode)


def untouched(folder: Path) -> dict[str, object]:
    """All that is there, but for the times of folders: asking whether one may write into them changes these."""
    return {
        name: (mode, size, None if stat.S_ISDIR(mode) else time, *rest)
        for name, (mode, size, time, *rest) in snapshot(folder).items()
    }


def test_links_and_files_in_the_way_stay_and_the_source_is_kept(scene):
    here: Scene = scene("sftp")
    top, inner, folder, file, owned = here.seed(5, MIB)
    target, outside = here.world.destination.data, here.world.root / "canaries"
    (target / top.name).symlink_to(outside)
    (target / inner.name).mkdir()
    (target / inner.name / "sub").symlink_to(outside / "deep")
    (target / folder.name).write_bytes(b"a user's own file")
    (target / file.name).parent.mkdir(exist_ok=True)
    (target / file.name).write_bytes(b"x" * len(next(iter(here.contents[file.info_hash].values()))))
    # A damaged copy could be mended, if another torrent of the destination did not seed it as it is.
    shutil.copytree(owned.content, target / owned.name)
    flip(target / largest(here.contents[owned.info_hash]), 100_000)
    twin = make_torrent(target / owned.name, piece_length=64 * 1024)
    destination = here.world.destination
    owner = destination.add(twin, target)
    destination.wait_for(owner)
    before = untouched(target)
    here.injected += 5

    result = here.run()

    assert result.code == 1, result.text
    after = untouched(target)
    assert {name: after.get(name) for name in before} == before
    here.check()
    assert here.deletes == 0
    assert "of the destination client uses it" in result.text
    assert destination.state(owner) in SEEDING_STATES
    destination.remove(owner)
    for path in ((target / top.name), (target / folder.name), (target / file.name)):
        path.unlink()
    shutil.rmtree(target / inner.name)
    here.converge()
    here.account("33, 41", "links, files, folders and others' torrents in the way", allowed_again=0)

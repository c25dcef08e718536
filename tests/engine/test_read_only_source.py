"""What the engine is given of the source's files has no way to write there."""

from __future__ import annotations

import inspect
import typing
from contextlib import ExitStack, contextmanager

import pytest

from tests.adapters.test_config_ini import GOOD
from tests.fakes.filesystem import MemoryFileSystem
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.bootstrap.configs import load
from torrent_mover.bootstrap.ends import Ends
from torrent_mover.bootstrap.servers import Servers
from torrent_mover.domain.paths import ClientPath, HostPath
from torrent_mover.engine.delivery.places import Source
from torrent_mover.ports.filesystem import FileSystem, ReadableFiles, Reader
from torrent_mover.ports.strategy import TransferJob
from torrent_mover.transfer.partial import PartedSource
from torrent_mover.transfer.through import ReadingThrough


def methods(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}


WRITES = methods(FileSystem) - methods(ReadableFiles)


@contextmanager
def ends_of(folder, config):
    file = folder / "config.ini"
    file.write_text(config)
    file.chmod(0o600)
    settings, _ = load(file, {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")})
    with ExitStack() as stack:
        yield Ends(settings, Servers([settings], stack), SystemClock())


@pytest.fixture
def ends(tmp_path):
    with ends_of(tmp_path, GOOD) as ends:
        yield ends


def test_the_two_halves_are_told_apart():
    assert {"create", "rename", "unlink", "link", "chmod", "chown", "writer", "copy", "clone", "sync"} <= WRITES
    assert not WRITES & {"stat", "stats", "listdir", "names_of", "space", "reader", "close", "name"}


def test_the_types_that_a_source_is_known_by_have_no_method_that_writes():
    opened = typing.get_args(typing.get_type_hints(Source)["open"])[-1]
    carried = typing.get_type_hints(TransferJob)["source"]
    for kind in (opened, carried, PartedSource, ReadingThrough, Reader):
        assert not methods(kind) & (WRITES | {"write", "create"}), kind


def test_the_object_that_a_run_reads_its_source_with_has_none_either(ends):
    opened = ends.source.open(ClientPath("/downloads"))
    checked = ends.reach(str, str, None).tree.open(HostPath("/downloads"))
    for files in (opened, checked):
        assert [name for name in WRITES if hasattr(files, name)] == []
        assert files.name == "box.lan:/downloads"


def test_the_folder_of_torrent_files_is_the_configured_one(tmp_path):
    told = GOOD.replace("[DESTINATION_CLIENT]", "torrent_folder = /downloads/torrents\n\n[DESTINATION_CLIENT]", 1)
    with ends_of(tmp_path, told) as ends:
        assert ends.source.torrent_folder == ClientPath("/downloads/torrents")
    with ends_of(tmp_path, GOOD) as ends:
        assert ends.source.torrent_folder is None


def test_what_is_read_through_it_is_what_lies_there():
    files = MemoryFileSystem()
    files.plant_file(path := HostPath("/a").relative_to(HostPath("/")), b"content")
    through = ReadingThrough(files)
    assert through.stat(path).size == 7
    assert through.listdir(path.parent) == ["a"]


def test_this_test_would_see_a_method_that_writes():
    class Leaky(ReadingThrough):
        def unlink(self, path):
            del path

    assert methods(Leaky) & WRITES == {"unlink"}

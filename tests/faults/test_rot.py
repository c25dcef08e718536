"""Bytes go bad: at rest on either side, before and after they were proven, or while they are read."""

from __future__ import annotations

import os

import pytest

from tests.faults.damage import flip, largest
from tests.faults.ledger import long_form
from tests.faults.scene import MIB, MODES, Scene
from tests.servers import eventually
from torrent_mover.demo.content import Sample, write_file
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.demo.world import CATEGORY

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]


@pytest.mark.parametrize("mode", MODES if long_form() else ["sftp"])
def test_a_source_that_is_damaged_is_found_and_kept(scene, mode):
    here: Scene = scene(mode)
    bad, good = here.seed(2, MIB)
    name = largest(here.contents[bad.info_hash])
    flip(here.world.source.data / name, 300_000)
    here.injected += 1

    result = here.run()

    assert result.code == 1, result.text
    assert here.world.source.torrent(bad.info_hash) is not None
    assert here.world.source.torrent(good.info_hash) is None
    assert here.deletes == 1
    assert here.at_destination(good) == []
    assert not here.violations
    assert "TM-E216" in result.text
    flip(here.world.source.data / name, 300_000)
    assert here.run("--clear-corruption", bad.info_hash).code == 0
    here.converge()
    here.account("24", "a bit flipped at rest at the source", allowed_again=4 * MIB)


def test_a_bit_that_flips_at_the_destination_after_it_was_proven_is_mended(scene):
    here: Scene = scene("sftp")
    (one,) = here.seed(1, 2 * MIB)
    name = largest(here.contents[one.info_hash])
    with here.start() as command:
        eventually(lambda: here.world.destination.torrent(one.info_hash), 60)
        flip(here.world.destination.data / name, 400_000)
        here.injected += 1
        result = command.end(240)
    assert result.code == 0, result.text
    here.assert_moved()
    here.account("24", "a bit flipped at rest at the destination", allowed_again=MIB)


def test_a_source_file_that_shrinks_or_vanishes_while_it_is_copied_keeps_its_torrent(scene):
    here: Scene = scene("sftp", rate=1.5 * MIB)
    short, gone, whole = here.seed(3, 2 * MIB)
    with here.start() as command:
        here.wait_for_bytes(200_000)
        os.truncate(here.world.source.data / largest(here.contents[short.info_hash]), 1000)
        (here.world.source.data / largest(here.contents[gone.info_hash])).unlink()
        here.injected += 2
        result = command.end(240)
    assert result.code == 1, result.text
    assert here.deletes == 1
    assert not here.violations
    assert here.at_destination(whole) == []
    for one in (short, gone):
        assert here.world.source.torrent(one.info_hash) is not None
        here.restore(one)
    here.converge()
    here.account("42", "a source file shrinks, another one vanishes, while they are read", allowed_again=MIB)


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_a_sparse_file_arrives_with_its_zeros(scene, mode):
    here: Scene = scene(mode)
    file = write_file(here.world.source.data / "Sparse" / "image.bin", 100_000)
    os.truncate(file, 4 * MIB)
    with file.open("r+b") as stream:
        stream.seek(3 * MIB)
        stream.write(b"in the middle of nothing")
    metainfo = make_torrent(file.parent, piece_length=64 * 1024)
    here.add([Sample(metainfo, file.parent, CATEGORY, "v1")])
    here.injected += 1
    here.converge(runs=1)
    here.account("44", "a file that is mostly holes", allowed_again=0)

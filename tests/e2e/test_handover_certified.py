"""`handover = certified` on real servers: what we have read back ourselves is not read once more by the client."""

from __future__ import annotations

import json

import pytest

from tests.servers import eventually
from torrent_mover.domain.torrent.torrent import InfoHash

pytestmark = pytest.mark.servers

SIZES = {"a.bin": 300_000, "d/b.bin": 100_001, "d/tiny": 7, "none": 0}


def certify(house, **settings):
    house.config = {"SETTINGS": {"handover": "certified"} | settings}


def proven_by(house, made) -> str:
    journal = house.journal()
    try:
        return json.loads(journal.certificate_text(InfoHash(made.info_hash)))["gate"]["read_back"]["by"]
    finally:
        journal.close()


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_a_torrent_that_we_have_read_back_seeds_without_a_recheck(pair, version):
    made = pair.seed(f"Certified {version}", SIZES, version=version)
    files = made.files()
    certify(pair)

    pair.move().ended(0)

    pair.assert_moved(made, files)
    assert proven_by(pair, made) == "our own read-back"
    pair.assert_no_staging()


def test_a_remote_destination_is_read_back_over_sftp(house):
    made = house.seed("Certified afar", SIZES)
    files = made.files()
    certify(house, transfer_mode="sftp_upload")

    house.move().ended(0)

    house.assert_moved(made, files)
    assert proven_by(house, made) == "our own read-back"


def test_torrents_with_renamed_files_or_without_their_folder_are_rechecked(pair):
    renamed, rootless = pair.seed("Renamed", SIZES), pair.seed("Rootless", {"r1.bin": 70_000, "r2.bin": 90_000})
    post = pair.source.api.post
    post("torrents/renameFile", hash=renamed.info_hash, oldPath="Renamed/a.bin", newPath="Renamed/x/other.bin")
    for name in ("r1.bin", "r2.bin"):
        post("torrents/renameFile", hash=rootless.info_hash, oldPath=f"Rootless/{name}", newPath=name)
    eventually(lambda: (pair.source.data / "r2.bin").exists() and (pair.source.data / "Renamed/x/other.bin").exists())
    content = {name: (pair.source.data / name).read_bytes() for name in ("r1.bin", "r2.bin")}
    files = renamed.files()
    certify(pair)

    pair.move().ended(0).says("other names than in the .torrent")

    pair.assert_moved(renamed, files)
    assert {name: (pair.destination.data / name).read_bytes() for name in content} == content
    assert [proven_by(pair, made) for made in (renamed, rootless)] == ["the client's recheck"] * 2

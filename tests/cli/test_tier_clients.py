"""Which clients a tier takes into account, by the config."""

from __future__ import annotations

import pytest

from torrent_mover.bootstrap.tiering.setups import tier_setups
from torrent_mover.bootstrap.tiering.tier import Tier
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.errors import TierRefused
from torrent_mover.duties.tiering.records import CopyRecord
from torrent_mover.duties.tiering.stages import CopyStage

CONFIG = """[General]
state_dir = {folder}/state
[CLIENT alias]
host = http://127.0.0.1
port = 8081
username =
[CLIENT nas]
host = http://127.0.0.1
port = 8081
username =
[CLIENT other]
host = http://127.0.0.1
port = 8082
username =
[TIER ssd]
client = {client}
ssd = {folder}/ssd
targets = *:{folder}/disk
"""


def the_setup(folder, client):
    """The tier of that client, of a config in this folder."""
    for name in ("ssd", "disk"):
        (folder / name).mkdir()
    path = folder / "config.ini"
    path.write_text(CONFIG.format(folder=folder, client=client))
    path.chmod(0o600)
    ((setup,), _) = tier_setups(str(path))
    return setup


@pytest.mark.parametrize(("client", "seen"), [("nas", ["nas", "other"]), ("alias", ["alias", "other"])])
def test_a_client_with_two_names_has_each_torrent_once(tmp_path, client, seen):
    with Tier(the_setup(tmp_path, client), writes=False) as tier:
        assert list(tier.world().clients) == seen


def test_a_name_that_is_added_for_a_client_changes_nothing_for_the_torrents_that_the_journal_knows(tmp_path):
    torrent = InfoHash("ab" * 20)
    setup = the_setup(tmp_path, "other")
    with Tier(setup, writes=True) as tier:
        assert list(tier.world().clients) == ["alias", "other"]
        tier.journal.save_copy(CopyRecord("nas", torrent, "Show", CopyStage.TOLD, 1.0, evicted_at=5.0))
        world = tier.world()
        assert list(world.clients) == ["nas", "other"]
        assert world.client("alias") is world.client("nas"), "rows by the other name can still be settled"
        with world.leases.hold([("alias", torrent)]):
            assert world.leases.held(("nas", torrent))
        assert world.knows("alias")
        assert not world.knows("none")
        with pytest.raises(TierRefused):
            world.client("none")

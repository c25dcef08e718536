"""Session files of rTorrent, as this machine sees them: each save puts a new file in the place of the old one."""

from __future__ import annotations

import errno

import pytest

from torrent_mover.adapters.clients.rtorrent.session_files import SessionFiles
from torrent_mover.domain.torrent.torrent import InfoHash

TORRENT = InfoHash("ab" * 20)


@pytest.mark.parametrize(("number", "known"), [(errno.ESTALE, True), (errno.EACCES, False)])
def test_a_file_that_was_replaced_on_a_network_file_system_is_read_again_at_the_next_look(
    tmp_path, monkeypatch, number, known
):
    saved = tmp_path / f"{TORRENT.hex.upper()}.torrent.rtorrent"
    saved.write_bytes(b"d9:directory4:/here")
    files = SessionFiles(None, str(tmp_path))

    def failing(*_arguments, **_options):
        raise OSError(number, "as a network file system says")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.open", failing)
        patched.setattr("pathlib.Path.read_bytes", failing)
        if known:
            assert files.stamp(TORRENT) == ""
            assert files.state(TORRENT) is None
        else:
            with pytest.raises(OSError, match="as a network"):
                files.state(TORRENT)
    assert files.stamp(TORRENT)

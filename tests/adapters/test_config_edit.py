"""One key of a config is changed, and nothing else: not a comment, not a mode, not an owner, not a line ending."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.as_user import other_uid
from torrent_mover.adapters.config.editing import can_be_edited, set_value
from torrent_mover.domain.errors import ConfigError

TEXT = """# mine
[SOURCE_CLIENT]
host = https://seedbox   ; not a comment
path_map =
    /data = /srv/data

    /more = /srv/more

[Destination_Paths]
destination_path = /nas/x%y
# the end"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.ini"
    path.write_text(TEXT, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_new_key_goes_under_its_heading_and_everything_else_stays(config):
    backup = set_value(config, "DESTINATION_PATHS", "remote_destination_path", "/data/x")

    assert (
        config.read_text()
        == TEXT.replace("[Destination_Paths]\n", "[Destination_Paths]\nremote_destination_path = /data/x\n") + "\n"
    )
    assert backup.read_text() == TEXT
    assert backup.parent == config.parent
    assert [path.stat().st_mode & 0o777 for path in (config, backup)] == [0o600, 0o600]
    assert sorted(config.parent.iterdir()) == sorted([config, backup])


def test_the_file_stays_its_owners_also_where_root_edits_it(config):
    os.chown(config, other_uid(), -1)
    set_value(config, "SOURCE_CLIENT", "username", "me")

    assert config.stat().st_uid == other_uid()


def test_a_key_that_is_there_gets_the_new_value(config):
    set_value(config, "DESTINATION_PATHS", "destination_path", "/elsewhere")

    assert config.read_text() == TEXT.replace("/nas/x%y", "/elsewhere") + "\n"


def test_a_pair_is_added_to_those_that_are_there(config):
    set_value(config, "SOURCE_CLIENT", "path_map", "/third = /srv/third", add=True)

    text = config.read_text()
    assert "path_map =\n    /data = /srv/data\n    /more = /srv/more\n    /third = /srv/third\n\n[Dest" in text
    assert text.count("/more =") == 1


def test_pairs_on_one_line_are_told_apart(config):
    config.write_text("[SOURCE_CLIENT]\npath_map = /a = /b, /c = /d\nport = 1\n")

    set_value(config, "SOURCE_CLIENT", "path_map", "/e = /f", add=True)

    assert config.read_text() == "[SOURCE_CLIENT]\npath_map =\n    /a = /b\n    /c = /d\n    /e = /f\nport = 1\n"


def test_a_section_that_is_missing_is_added(config):
    set_value(config, "SETTINGS", "transfer_mode", "rsync")

    assert config.read_text() == f"{TEXT}\n\n[SETTINGS]\ntransfer_mode = rsync\n"


def test_line_endings_of_other_systems_stay(config):
    config.write_bytes(TEXT.replace("\n", "\r\n").encode())

    set_value(config, "DESTINATION_PATHS", "destination_path", "/elsewhere")

    assert b"\n" not in config.read_bytes().replace(b"\r\n", b"")


def test_a_link_stays_a_link(config, tmp_path):
    link = tmp_path / "link.ini"
    link.symlink_to(config)

    set_value(link, "DESTINATION_PATHS", "destination_path", "/elsewhere")

    assert link.is_symlink()
    assert "/elsewhere" in config.read_text()


def test_a_file_that_cannot_be_changed_is_left_as_it_is_and_says_what_to_write(tmp_path):
    with pytest.raises(ConfigError) as refused:
        set_value(tmp_path / "none.ini", "SETTINGS", "transfer_mode", "rsync")

    assert "in [SETTINGS]: transfer_mode = rsync" in refused.value.remedy


def test_a_file_in_which_the_key_stands_twice_is_left_as_it_is(config):
    text = "[A]\nx = 1\n[B]\ny = 2\n[A]\nx = 3\n"
    config.write_text(text)
    with pytest.raises(ConfigError):
        set_value(config, "A", "x", "line\nother = 5")

    assert config.read_text() == text


def test_toml_is_not_ours_to_edit():
    assert not can_be_edited(Path("config.toml"))
    assert can_be_edited(Path("config.ini"))

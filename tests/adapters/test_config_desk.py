"""What a page sees of a config file, and what it may write: no secret out, and no value but those that were changed."""

from __future__ import annotations

import pytest

from torrent_mover.adapters.config.desk import FileDesk
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.commands.serve_web import _is_secret
from torrent_mover.domain.errors import ConfigError

MASK = "********"


@pytest.fixture
def desk(tmp_path):
    """Opens a desk over a file with that text; nothing is wrong with any text but what masks make wrong."""

    def over(text: str, name: str = "config.ini") -> FileDesk:
        (tmp_path / name).write_bytes(text.encode())
        return FileDesk(tmp_path / name, _is_secret, lambda _: (), SCHEMA.named_keys)

    return over


INI = [
    "[CLIENT a]\nusername = qbittorrent\npassword = qbittorrent\npath_map = /data/qbittorrent/tv = /tv\n",
    "[CLIENT a]\nusername = admin\npassword = admin\n[CLIENT b]\nusername = admin\npassword = admin\n",
    "[CLIENT a]\npassword: ab=cd\nusername = ab\n",
    "[CLIENT a]\npassword=ab:cd\n",
    "[CLIENT a]\nusername = \x85 \x0c \u2028 x\npassword = hunter2\nport = 1\n",
    "[CLIENT a]\nPassword = password\n",
    "\ufeff[CLIENT a]\npassword = hunter2\n",
    "[CLIENT a]\r\npassword = hunter2\r\nport = 1",
    "[CLIENT a]\n    password = a\\b\n",
]
TOML = [
    '[CLIENT.nas]\nurl = "http://nas"\npassword = "hunter2"\n',
    '["CLIENT nas"]\npassword = "hunter2" # hunter2\n',
    '[CLIENT.nas]\npassword = "a\\\\b=\\u0041"\nusername = "a"\n',
    "[CLIENT.nas]\npassword = 12345\nport = 12345\n",
    '[CLIENT.nas]\npassword = """hunter2"""\n',
    '[CLIENTS.nas]\nx = 1\n[X]\nnas = { password = "hunter2" }\n',
    '[CLIENT.nas]\napi_keys = ["hunter2"]\n',
]
SECRETS = (
    "hunter2",
    "ab=cd",
    "ab:cd",
    "a\\",
    "password = 12345",
    "= qbittorrent\npath",
    "password = admin",
    "= password",
)


@pytest.mark.parametrize(("name", "text"), [*(("c.ini", text) for text in INI), *(("c.toml", text) for text in TOML)])
def test_secrets_are_masked_and_what_is_saved_as_it_was_shown_is_the_same_file(desk, tmp_path, name, text):
    at = desk(text, name)
    shown = at.text()

    assert MASK in shown
    assert not any(secret in shown for secret in SECRETS)
    at.put(shown.replace("\n", "\r\n"))
    assert (tmp_path / name).read_bytes().decode() == text.removeprefix("\ufeff").replace("\r\n", "\n")


def test_a_value_that_is_like_a_secret_is_shown_and_kept(desk):
    shown = desk(INI[0]).text()

    assert "username = qbittorrent" in shown
    assert "/data/qbittorrent/tv = /tv" in shown


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.ini", "[CLIENT a]\npassword = a\n  hunter2\n"),
        ("c.ini", "[CLIENT a]\npassword =\n  hunter2\n"),
        ("c.ini", "[CLIENT a]\npassword = a\npassword = hunter2\n"),
        ("c.ini", "password = hunter2\n[CLIENT a]\n"),
        ("c.toml", '[CLIENT.nas]\npassword = """\nhunter2"""\n'),
        ("c.toml", '[CLIENT.nas]\npassword = """\\\n# hunter2"""\n'),
        ("c.toml", "[CLIENT.nas]\npassword = '''\n# hunter2\n# '''\n"),
        ("c.toml", '[CLIENT.nas]\napi_keys = [\n"hunter2"]\n'),
        ("c.toml", '[CLIENT]\nnas = { password = "hunter2" }\n'),
        ("c.toml", 'CLIENT.nas.password = "hunter2"\n'),
        ("c.toml", '[CLIENTS.nas]\npassword = "hunter2"\n'),
        ("c.toml", '[CLIENT.nas]\npath = """\npassword = "hunter2"\n"""\n"password" = "hunter2"\n'),
        ("c.toml", '[CLIENT.nas]\npassword = "hunter2"\nport = \n'),
    ],
)
def test_a_file_whose_secrets_cannot_be_masked_for_certain_is_not_shown(desk, name, text):
    with pytest.raises(ConfigError) as refused:
        desk(text, name).text()

    assert "hunter2" not in f"{refused.value.what} {refused.value.remedy}"
    assert "is not shown" in refused.value.what


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("username = jane", f"username = {MASK}"),
        ("username = jane", f"path = /data/{MASK}/tv"),
        (f"password = {MASK}", f"password = {MASK}x"),
        (f"password = {MASK}", f"password = {MASK}\n  x"),
        ("[CLIENT a]", "[CLIENT b]"),
    ],
)
def test_a_mask_that_is_left_in_a_value_is_never_written(desk, tmp_path, old, new):
    text = "[CLIENT a]\nusername = jane\npassword = hunter2\n"
    at = desk(text)
    shown = at.text()
    assert old in shown

    for order in (at.put, at.check):
        with pytest.raises(ConfigError) as refused:
            order(shown.replace(old, new))
        assert (refused.value.kept, refused.value.remedy) == ("The file was not changed.", "Write the value itself.")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("config.ini", text)]

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.redact import SHORTEST, Redactor, hide_known_shapes

KEY = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (f"https://t.example.org/{KEY}/announce", "https://t.example.org/•••"),
        (f"http://t.example.org:2710/announce?passkey={KEY}", "http://t.example.org:2710/•••"),
        (f"udp://t.example.org:80/announce.php?uk={KEY}.", "udp://t.example.org:80/•••"),
        (f"https://t.example.org/rss/{KEY}", "https://t.example.org/•••"),
        ("https://user:pa55@nas:8080/api/v2/app/version", "https://•••@nas:8080/api/v2/app/version"),
        (f"magnet:?xt=urn:btih:{'a' * 40}&tr=https%3A%2F%2Ft%2F{KEY}", f"magnet:?xt=urn:btih:{'a' * 40}•••"),
        ("Cookie: SID=abc/def+x; other=1", "Cookie: •••"),
        ('{"Authorization": "Basic dXNlcjpwYXNz"}', '{"Authorization": •••'),
        ("SID=x1y2z3 and more", "SID=••• and more"),
        ("username=me&password=geheim&x=1", "username=me&password=•••&x=1"),
        ("password: 'with blanks in it', next", "password: •••, next"),
        (f"(see https://t.example.org/{KEY}/announce)", "(see https://t.example.org/•••"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(told, shown):
    assert hide_known_shapes(told) == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://nas:8080/api/v2/torrents/info?category=move-me",
        f"deleted {'a' * 40} at seedbox",
        "rsync exit 12, connection dropped by nas; 31.2 GiB kept",
        "Set password_file in [SOURCE_CLIENT], chmod 600 it",
        "needs a password or a key",
    ],
)
def test_what_helps_stays(text):
    assert hide_known_shapes(text) == text


@given(st.text(min_size=SHORTEST), st.text(), st.text())
def test_a_registered_secret_never_comes_through(secret, before, after):
    redactor = Redactor()
    redactor.add("another one")
    redactor.add(secret)
    for spelling in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)):
        assert spelling not in redactor(f"{before}{spelling}{after}") or spelling in "•••"


def test_the_longer_of_two_secrets_is_hidden_whole():
    redactor = Redactor()
    redactor.add("geheim")
    redactor.add("geheimnis")
    assert redactor("geheimnis und geheim") == "••• und •••"

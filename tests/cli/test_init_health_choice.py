"""Which client of an Arr init health takes where nobody can be asked."""

from __future__ import annotations

import pytest

from torrent_mover.commands.health.init import client_with_address
from torrent_mover.domain.arrs.media import ArrClient
from torrent_mover.domain.errors import UsageError


def client(name: str, host: str, port: int | None) -> ArrClient:
    return ArrClient(name, "QBittorrent", host, port, "tv", enabled=True, removes_completed=False, removes_failed=False)


SEEDBOX, HOME = client("seedbox", "seedbox.example", 443), client("home", "127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("url", "which"),
    [
        ("http://127.0.0.1:8080", HOME),
        ("127.0.0.1:8080", HOME),
        ("https://SeedBox.example/qbit", SEEDBOX),
    ],
)
def test_it_is_the_one_whose_address_is_given_and_not_the_first(url, which):
    assert client_with_address([SEEDBOX, HOME], url) is which


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "Which one it is was not said"),
        ("http://127.0.0.1:8081", "none of them has the address http://127.0.0.1:8081"),
        ("http://seedbox.example", "none of them has"),
        ("/run/rpc.socket", "none of them has"),
        ("http://127.0.0.1:none", "none of them has"),
        ("http://twice.example:1", "2 of them have"),
    ],
)
def test_where_the_address_does_not_say_it_all_are_named_and_none_is_taken(url, says):
    twice = [client("films", "twice.example", 1), client("shows", "twice.example", 1)]
    with pytest.raises(UsageError) as refused:
        client_with_address([SEEDBOX, HOME, *twice], url)

    assert "seedbox (seedbox.example:443), home (127.0.0.1:8080)" in refused.value.what
    assert says in refused.value.what
    assert "--client-url" in refused.value.remedy

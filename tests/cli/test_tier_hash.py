"""How the commands of a tier take an infohash: whole, or its first characters, as the screens show them."""

from __future__ import annotations

import pytest

from tests.duties.tiering.tier_house import House
from torrent_mover.commands.tiering.telling import known_of, one_of
from torrent_mover.commands.tiering.work import meant
from torrent_mover.domain.errors import UsageError

ALL = 10_000_000


@pytest.fixture
def house(tmp_path):
    return House(tmp_path, total=ALL)


@pytest.mark.parametrize("copied", [False, True])
def test_the_first_characters_are_enough(house, copied):
    torrent = house.torrent("Show", {"a.mkv": 1000}, label="tv")
    if copied:
        house.round()

    for text in (
        torrent.hex,
        torrent.hex.upper(),
        torrent.hex[:4],
        torrent.hex[:6],
        torrent.hex[:8].upper(),
        f" {torrent.hex[:39]} ",
    ):
        assert meant(house.world(), text) == torrent


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ffffffff", "No torrent begins with ffffffff."),
        ("ddf", "no beginning of one: at least 4"),
        ("", "is no infohash"),
        ("A film", "is no infohash"),
        ("f" * 41, "is no infohash"),
    ],
)
def test_what_names_no_torrent_is_refused_in_words(house, text, says):
    house.torrent("Show", {"a.mkv": 1000}, label="tv")

    with pytest.raises(UsageError) as refused:
        meant(house.world(), text)

    assert says in refused.value.what


def test_a_pin_is_let_go_by_its_first_characters_where_no_client_is_asked(house):
    torrent = house.torrent("Show", {"a.mkv": 1000}, label="tv")
    journal = house.world().journal
    assert known_of(journal) == set()
    journal.pin(torrent, on=True)

    assert one_of(torrent.hex[:4], lambda: known_of(journal)) == torrent

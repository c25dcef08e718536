"""--categorize --apply on real servers: the rules sort what lies at the destination, and leave alone what they ignore."""

from __future__ import annotations

import json

import pytest

from tests.e2e.house import told
from tests.servers import eventually
from torrent_mover.demo.content import sample
from torrent_mover.demo.world import CATEGORY

pytestmark = pytest.mark.servers

PASSKEY = "0123456789abcdef0123456789abcdef"


def at_destination(house, name: str, *trackers: str, category: str = CATEGORY):
    """Seed a torrent at the destination."""
    made = sample(house.destination.data, name, 50_000, category=category, trackers=trackers, seed=len(name))
    house.destination.add(made.metainfo, made.content.parent, category=category)
    house.destination.wait_for(made.info_hash)
    return made


def categories(house, *torrents) -> list[str]:
    return [house.destination.torrent(one.info_hash)["category"] for one in torrents]


def rules(house, **pairs: str) -> None:
    text = json.dumps({domain.replace("_", "."): category for domain, category in pairs.items()})
    (house.world.root / "tracker_rules.json").write_text(text)


def without_trackers(torrents: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """Whether a tracker answers changes by itself."""
    live = {"tracker", "trackers_count"}
    return {name: {key: value for key, value in one.items() if key not in live} for name, one in torrents.items()}


def test_rules_sort_by_udp_port_passkey_and_subdomain_and_leave_ignored_torrents_untouched(house):
    udp = at_destination(house, "Udp", "udp://tracker.films.example:6969/announce")
    passkey = at_destination(house, "Passkey", f"https://tv.example:8443/{PASSKEY}/announce?authkey={PASSKEY}")
    deep = at_destination(house, "Deeper", f"http://a.b.anime.example/announce.php?passkey={PASSKEY}")
    unknown = at_destination(house, "Unknown", "http://nobody.example/announce")
    elsewhere = at_destination(house, "Elsewhere", "udp://films.example:1", category="other")
    quiet = at_destination(house, "Quiet one", f"http://films.example/{PASSKEY}", "udp://x.quiet.example:80/announce")
    rules(house, films_example="films", tv_example="tv", anime_example="anime/series", quiet_example="iGNORE")
    before = without_trackers(told(house.destination)["torrents"])[quiet.info_hash]
    files = house.picture()["destination files"]

    dry = house.run("-c", "--apply", "--dry-run").ended(0)

    assert categories(house, udp, passkey, deep) == [CATEGORY] * 3
    dry.says("3 torrents would be put into another category", "1 ignored", "1 without a rule")

    result = house.run("--categorize", "--apply").ended(0)

    assert categories(house, udp, passkey, deep) == ["films", "tv", "anime/series"]
    assert categories(house, unknown, elsewhere, quiet) == [CATEGORY, "other", CATEGORY]
    assert without_trackers(told(house.destination)["torrents"])[quiet.info_hash] == before
    assert house.picture()["destination files"] == files
    result.says("move-me -> films", "rule films.example", "3 torrents put into another category")
    assert PASSKEY not in dry.text + result.text
    house.run("-c", "--apply").ended(0).says("0 torrents put into another category")


def test_a_category_may_be_named_also_that_of_torrents_without_one(house):
    there = at_destination(house, "There", "http://films.example/announce", category="inbox")
    bare = at_destination(house, "Bare", "http://films.example/announce", category="")
    rules(house, films_example="films")

    house.run("-c", "--apply", "--category", "inbox").ended(0)
    assert categories(house, there, bare) == ["films", ""]

    house.run("-c", "--apply", "--category", "").ended(0).says("(none) -> films")
    assert categories(house, bare) == ["films"]


def test_automatic_management_is_switched_off_so_that_no_file_moves(house):
    made = at_destination(house, "Managed", "http://films.example/announce")
    api = house.destination.api
    api.post("torrents/createCategory", category="films", savePath=str(house.world.root / "destination" / "elsewhere"))
    api.post("torrents/setAutoManagement", hashes=made.info_hash, enable="true")
    managed = house.destination.data / CATEGORY  # where the client itself moves it at that
    eventually((managed / made.name).exists)
    house.destination.wait_for(made.info_hash)
    rules(house, films_example="films")

    house.run("-c", "--apply").ended(0)

    there = house.destination.torrent(made.info_hash)
    assert (there["category"], there["auto_tmm"], there["save_path"]) == ("films", False, str(managed))
    assert (managed / made.name).exists()


def test_damaged_rules_and_senseless_wishes_change_nothing(house):
    made = at_destination(house, "Show", "http://films.example/announce")
    file = house.world.root / "tracker_rules.json"
    file.write_text('{"films.example": "films",\n "x": }')

    house.run("-c", "--apply").ended(2).says("line 2", str(file))

    assert file.read_text() == '{"films.example": "films",\n "x": }'
    rules(house, films_example="films")
    house.run("-c").ended(2).says("terminal", "--categorize --apply")
    house.run("-c", "--apply", "-nr").ended(2).says("--no-rules")
    house.run("--apply").ended(2).says("--categorize")
    assert categories(house, made) == [CATEGORY]


def test_a_move_follows_rules_for_udp_and_passkey_trackers_and_their_subdomains(house):
    udp = house.seed("Udp", 60_000, trackers=("udp://t.films.example:6969/announce",))
    passkey = house.seed("Passkey", 60_000, seed=2, trackers=(f"https://tv.example:8443/{PASSKEY}/announce",))
    ignored = house.seed(
        "Ignored", 60_000, seed=3, trackers=("http://films.example/announce", f"udp://a.quiet.example:9/{PASSKEY}")
    )
    rules(house, films_example="films", tv_example="tv", quiet_example="IGNORE")
    before = without_trackers(told(house.source)["torrents"])[ignored.info_hash]
    content = ignored.files()

    result = house.move().ended(0)

    assert categories(house, udp, passkey) == ["films", "tv"]
    assert without_trackers(told(house.source)["torrents"])[ignored.info_hash] == before
    house.assert_at_source(ignored, content)
    house.assert_nothing_landed(ignored)
    assert PASSKEY not in result.text

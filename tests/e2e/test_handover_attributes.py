"""What a torrent has beside its bytes: the source before a move against the destination after it, and the table in docs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.e2e.handover import STOPPED
from tests.servers import eventually
from torrent_mover.demo.content import Sample, write_content
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.demo.web_api import WebApiError
from torrent_mover.demo.world import CATEGORY
from torrent_mover.domain.torrent.bencode import decode_document, encode

pytestmark = pytest.mark.servers

DOCUMENT = Path(__file__).parents[2] / "docs" / "handover.md"
TRACKERS = [
    ("http://one.invalid/announce?passkey=abc", 0),
    ("http://two.invalid/announce", 1),
    ("http://new.invalid/a", 2),
]
TAGS = ["move-first", "äöü tag"]

BY_API = {
    "name": "name",
    "category": "category",
    "tags": "tags",
    "upload limit": "up_limit",
    "download limit": "dl_limit",
    "ratio limit": "ratio_limit",
    "seeding time limit": "seeding_time_limit",
    "inactive seeding time limit": "inactive_seeding_time_limit",
    "sequential download": "seq_dl",
    "first and last pieces first": "f_l_piece_prio",
    "super seeding": "super_seeding",
    "force start": "force_start",
    "state": "state",
}
"""What stands in torrents/info, by the name that the table has for it."""

NOT_CARRIED = {
    "uploaded": "uploaded",
    "downloaded": "downloaded",
    "ratio": "ratio",
    "seeding time": "seeding_time",
    "added on": "added_on",
    "completed on": "completion_on",
}
"""The same of what no interface can set."""


def seed_with_all(server: QBittorrentServer) -> Sample:
    """Seed a torrent of which its user has set everything that can be set."""
    content = write_content(server.data / "Attributes", {"a.bin": 90_000, "b.bin": 50_000})
    document = decode_document(make_torrent(content, piece_length=32 * 1024, trackers=[TRACKERS[0][0]])).root
    document |= {b"comment": "a cömment".encode(), b"url-list": b"http://seed.invalid/x/"}
    made = Sample(encode(document), content, CATEGORY, "v1")
    post, torrent = server.api.post, made.info_hash
    server.add(made.metainfo, category=CATEGORY)
    server.wait_for(torrent)
    post("torrents/addTrackers", hash=torrent, urls="\n".join(url for url, _ in TRACKERS[1:]))
    for url, tier in TRACKERS[1:]:
        set_tier(server, torrent, url, tier)
    post("torrents/rename", hash=torrent, name="Another [name] <b>")
    post("torrents/addTags", hashes=torrent, tags=",".join(TAGS))
    post("torrents/setUploadLimit", hashes=torrent, limit="512000")
    post("torrents/setDownloadLimit", hashes=torrent, limit="1024000")
    post(
        "torrents/setShareLimits",
        hashes=torrent,
        ratioLimit="3.5",
        seedingTimeLimit="600",
        inactiveSeedingTimeLimit="90",
    )
    post("torrents/toggleSequentialDownload", hashes=torrent)
    post("torrents/toggleFirstLastPiecePrio", hashes=torrent)
    post("torrents/setSuperSeeding", hashes=torrent, value="true")
    post("torrents/setForceStart", hashes=torrent, value="true")
    eventually(lambda: server.torrent(torrent)["force_start"] and server.torrent(torrent)["super_seeding"])
    eventually(lambda: server.torrent(torrent)["seeding_time_limit"] == 600)
    return made


def set_tier(server: QBittorrentServer, torrent: str, url: str, tier: int) -> None:
    """Tiers can be edited since 5.1 or so; before, they are what they become."""
    try:
        server.api.post("torrents/editTracker", hash=torrent, origUrl=url, newUrl=url, url=url, tier=str(tier))
    except WebApiError:
        return


def told(server: QBittorrentServer, made: Sample) -> dict[str, object]:
    """Everything about a torrent that a user can see, by the table's names."""
    row = server.torrent(made.info_hash)
    api, torrent = server.api, made.info_hash
    found = {name: row.get(key, "unknown to this version") for name, key in (BY_API | NOT_CARRIED).items()}
    found["tags"] = sorted(row["tags"].split(", "))
    properties = api.json("torrents/properties", hash=torrent)
    trackers = [(one["url"], one["tier"]) for one in api.json("torrents/trackers", hash=torrent) if one["tier"] >= 0]
    return found | {
        "comment": properties["comment"],
        "private": properties["is_private"],
        "trackers and tiers": sorted(trackers),
        "web seeds": sorted(one["url"] for one in api.json("torrents/webseeds", hash=torrent)),
        "files and priorities": [
            (one["name"], one["size"], one["priority"]) for one in api.json("torrents/files", hash=torrent)
        ],
    }


def moved(house) -> tuple[dict[str, object], dict[str, object]]:
    """What the source told before and the destination tells after a move."""
    made = seed_with_all(house.source)
    before = told(house.source, made)
    assert len(before["trackers and tiers"]) == len(TRACKERS)
    assert (before["tags"], before["upload limit"], before["ratio limit"]) == (TAGS, 512_000, 3.5)
    assert all(before[name] is True for name in ("super seeding", "force start", "sequential download"))
    house.move().ended(0)
    assert house.source.torrent(made.info_hash) is None
    eventually(lambda: told(house.destination, made)["state"] == before["state"])
    return before, told(house.destination, made)


def verdict(name: str, before: dict[str, object], after: dict[str, object]) -> str:
    if "unknown to this version" in (before[name], after[name]):
        side = "source" if before[name] == "unknown to this version" else "destination"
        return f"the {side} has none"
    if name in NOT_CARRIED:
        return "not carried by the API, kept in the history"
    return "kept" if before[name] == after[name] else "not kept"


def test_every_attribute_that_an_interface_can_set_is_kept_as_the_documentation_says(pair, request):
    before, after = moved(pair)

    column = {name: verdict(name, before, after) for name in before}
    assert {name: (before[name], after[name]) for name, said in column.items() if said == "not kept"} == {}
    versions = request.node.callspec.params["pair"].replace("-", " -> ")
    if os.environ.get("TORRENT_MOVER_WRITE_DOCS"):
        write(versions, column)
    assert documented()[versions] == column


def documented() -> dict[str, dict[str, str]]:
    """The table of the documentation: pair of versions -> attribute -> what becomes of it."""
    head, _rule, *rows = [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    return {versions: {row[0]: row[at] for row in rows} for at, versions in enumerate(head) if at}


def write(versions: str, column: dict[str, str]) -> None:
    """Put what was seen into the table."""
    table = documented() | {versions: column}
    lines = [f"| Attribute | {' | '.join(table)} |", "|---|" + "---|" * len(table)]
    lines += [f"| {name} | {' | '.join(seen[name] for seen in table.values())} |" for name in column]
    before, *_old, after = re.split(r"(?m)^\|.*\n", DOCUMENT.read_text(encoding="utf-8"))
    DOCUMENT.write_text(before + "\n".join(lines) + "\n" + after, encoding="utf-8")


def test_automatic_management_is_switched_on_where_nothing_would_move(pair):
    made = seed_managed(pair)
    have_category(pair.destination)

    pair.move().ended(0)

    there = pair.destination.torrent(made.info_hash)
    assert (there["auto_tmm"], there["save_path"]) == (True, str(pair.destination.data))


def test_automatic_management_stays_off_where_it_would_move_the_data(house):
    made = seed_managed(house)

    house.move().ended(0).says("automatic management stays off")

    there = house.destination.torrent(made.info_hash)
    assert (there["auto_tmm"], there["save_path"]) == (False, str(house.destination.data))
    assert house.destination.state(made.info_hash) not in STOPPED


def have_category(server: QBittorrentServer, folder: Path | None = None) -> None:
    """See that the category is there, with a folder of its own: the server's, or this one."""
    call = "editCategory" if CATEGORY in server.api.json("torrents/categories") else "createCategory"
    server.api.post(f"torrents/{call}", category=CATEGORY, savePath=str(folder or server.data))


def seed_managed(house) -> Sample:
    have_category(house.source)
    made = house.seed("Managed", {"a": 70_000})
    house.source.api.post("torrents/setAutoManagement", hashes=made.info_hash, enable="true")
    eventually(lambda: house.source.torrent(made.info_hash)["auto_tmm"])
    return made


def test_a_limit_by_which_the_destination_would_remove_it_at_once_is_not_set(pair):
    made = pair.seed("Limited", {"a": 70_000})
    pair.source.api.post(
        "torrents/setShareLimits",
        hashes=made.info_hash,
        ratioLimit="-2",
        seedingTimeLimit="-2",
        inactiveSeedingTimeLimit="-2",
    )
    files = made.files()
    limits = '{"max_ratio_enabled":true,"max_ratio":0,"max_ratio_act":3}'
    pair.destination.api.post("app/setPreferences", json=limits)
    try:
        pair.move().ended(0).says("its share limits are not set", "would remove it there at once")
        pair.assert_moved(made, files)
        assert pair.destination.torrent(made.info_hash)["ratio_limit"] == -1
    finally:
        pair.destination.api.post(
            "app/setPreferences", json='{"max_ratio_enabled":false,"max_ratio":-1,"max_ratio_act":0}'
        )

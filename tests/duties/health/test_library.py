"""What an Arr says of the media of a torrent, and the rules that go by it: over a real answer of its API."""

from __future__ import annotations

import pytest

from tests.doubles.arr.files import OWNER, KeptFile, keep
from tests.doubles.arr.house import HASH, arr_house
from tests.doubles.arr.products import LIDARR, RADARR, SONARR
from tests.duties.health.pictures import CALM, DAY, SETTINGS, known, seeding
from torrent_mover.bootstrap.health.world import AskedArr
from torrent_mover.duties.health.model import FindingCode
from torrent_mover.duties.health.rules.every import CHECKS
from torrent_mover.duties.health.rules.rule import Case

RULES = (FindingCode.BEFORE_AIR, FindingCode.ORPHANED, FindingCode.SUPERSEDED)


@pytest.fixture(params=[SONARR, RADARR], ids=lambda product: product.app)
def house(request, tmp_path):
    with arr_house(tmp_path, request.param) as house:
        house.library.add_media(1, "Show", "e1.mkv")
        yield house


def found(house):
    """The rules that find something in a torrent, by what its Arr says now."""
    arr = AskedArr(house.manager, house.settings())
    events = tuple(arr.events(HASH))
    media = arr.media(events)
    seen = known(events=events, media=None if media is None else tuple(media), wanted_elsewhere="")
    case = Case(seeding(arr=seen), SETTINGS, house.library.now, CALM)
    told = {check.code: check.judge(case).true for check in CHECKS if check.code in RULES}
    return tuple(told[code] for code in RULES)


def test_what_airs_later_is_found(house):
    house.library.grab(HASH.hex, 1)
    house.library.media[1].airs_at = house.library.now + DAY
    assert found(house) == (True, False, False)
    house.library.pass_time(2 * DAY)
    assert found(house) == (False, False, False)


def test_media_that_are_gone_or_not_watched_orphan_their_torrent(house):
    house.library.grab(HASH.hex, 1)
    house.library.media[1].monitored = False
    assert found(house)[1] is True
    del house.library.media[1]
    assert found(house)[1] is True


def test_an_episode_is_not_wanted_where_its_series_is_not(tmp_path):
    with arr_house(tmp_path) as house:
        house.library.add_media(1, "Show", "e1.mkv")
        house.library.own(7)
        house.library.owners[7]["monitored"] = False
        house.library.grab(HASH.hex, 1)
        assert found(house)[1] is True


@pytest.mark.parametrize(
    ("score", "quality", "better"),
    [
        (50, "WEBDL-1080p", True),
        (9, "WEBDL-1080p", False),
        (9, "WEBRip-1080p", False),  # one group: only the score counts
        (50, "WEBRip-1080p", True),
        (0, "Bluray-1080p", True),
        (50, "SDTV", False),
        (50, "Workprint", None),  # the profile does not have it
    ],
)
def test_a_file_of_another_release_supersedes_by_the_arrs_order_of_qualities_then_by_its_score(
    house, score, quality, better
):
    house.library.own(1 if house.library.product.owner == "movieId" else OWNER)
    house.library.grab(HASH.hex, 1, score=10)
    house.library.kept[31] = KeptFile("/media/Show/e1.mkv", (1,), score, quality)
    assert found(house)[2] is better


@pytest.mark.parametrize(
    ("grabbed", "kept", "score", "better"),
    [
        (1, {"version": 2, "real": 0, "isRepack": False}, 10, True),
        (1, {"version": 2, "real": 0, "isRepack": True}, 10, True),
        (1, {"version": 2, "real": 0, "isRepack": True}, 9, False),  # no upgrade to an Arr that does not prefer them
        (1, {"version": 1, "real": 1, "isRepack": False}, 10, True),  # a REAL counts before a PROPER
        (2, {"version": 1, "real": 1, "isRepack": False}, 10, True),
        (2, {"version": 2, "real": 0, "isRepack": True}, 10, False),
        (2, {"version": 1, "real": 0, "isRepack": False}, 50, False),
        (1, {}, 50, True),  # an answer without it: by the score
        (1, {}, 10, False),
    ],
)
def test_within_one_quality_a_later_revision_supersedes_where_its_score_is_no_lower(
    house, grabbed, kept, score, better
):
    house.library.grab(HASH.hex, 1, score=10, version=grabbed)
    house.library.kept[31] = KeptFile("/media/Show/e1.mkv", (1,), score, revision=kept)
    assert found(house)[2] is better


def test_without_a_profile_qualities_that_differ_say_nothing(house):
    house.library.grab(HASH.hex, 1, score=10)
    house.library.kept[31] = KeptFile("/media/Show/e1.mkv", (1,), 50, "Bluray-1080p")
    assert found(house)[2] is None


def test_a_torrent_is_not_superseded_by_the_file_that_came_from_it(house):
    keep(house.library, 31, "/media/Show/e1.mkv", 1, torrent=HASH.hex)
    house.library.kept[31].score = 50
    assert found(house)[2] is False


def test_what_was_never_grabbed_and_an_arr_of_music_say_nothing(house, tmp_path):
    assert found(house) == (False, False, False)
    with arr_house(tmp_path / "music", LIDARR) as music:
        music.library.grab(HASH.hex, 1)
        assert found(music) == (None, None, None)

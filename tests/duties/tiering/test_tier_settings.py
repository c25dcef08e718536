"""The settings of a tier: kinds, defaults, what does not go together, and the variables of the former programs."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.settings.kinds import Key, Surroundings
from torrent_mover.duties.tiering.amounts import (
    AMOUNT_OR_OFF,
    FOLDERS,
    LINK_ROOTS,
    RATE_OR_OFF,
    TARGETS,
    DiskAmount,
    LinkRoot,
    ScoreWeights,
    TierTarget,
    join_entries,
    names,
    split_entries,
)
from torrent_mover.duties.tiering.environment import LogLevel, from_environment
from torrent_mover.duties.tiering.settings import (
    GIB,
    EvictionCheck,
    EvictionOrder,
    TierLayout,
    TierMode,
    TierSettings,
    problems_of,
)

AROUND = Surroundings("/etc", "/root", "/var")
SSD, HDD = LocalPath("/ssd"), LocalPath("/hdd")
SETTINGS = TierSettings(client="rtorrent", ssd=(SSD,), targets=(TierTarget("*", HDD),))


def keys():
    hints = get_type_hints(TierSettings, include_extras=True)
    return {
        field.name: (field, next(extra for extra in get_args(hints[field.name]) if isinstance(extra, Key)))
        for field in fields(TierSettings)
    }


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("100G", 100 << 30), ("1.5T", 3 << 39), ("512m", 512 << 20), ("4 KiB", 4096), ("10GB", 10 << 30)],
)
def test_an_amount_is_binary(text, size):
    assert DiskAmount.parse(text) == DiskAmount(size)
    assert DiskAmount.parse(text).of(123) == size


def test_an_amount_may_be_a_part_of_the_disk():
    assert DiskAmount.parse("12.5%").of(1000) == 125
    assert str(DiskAmount.parse("10 %")) == "10%"


@pytest.mark.parametrize("text", ["100", "-1G", "101%", "G", "1e9G", "10X", "", "ten"])
def test_other_amounts_are_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        DiskAmount.parse(text)


@given(st.integers(0, 1 << 50))
def test_an_amount_is_read_back_as_it_is_written(size):
    assert DiskAmount.parse(str(DiskAmount(size))) == DiskAmount(size)


ENTRY = st.text(st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters='"'), min_size=1).filter(
    lambda text: text.strip() == text
)


@given(st.lists(ENTRY, max_size=5))
def test_entries_are_read_back_as_they_are_written(entries):
    assert split_entries(join_entries(entries)) == entries
    assert split_entries(join_entries(entries), commas=True) == entries


def test_entries_stand_between_blanks_or_lines_and_quotes_hold_blanks():
    assert split_entries('\n/a  "/b c"\n*:"/d e"/f') == ["/a", "/b c", "*:/d e/f"]
    assert split_entries("a, b c", commas=True) == ["a", "b", "c"]


@pytest.mark.parametrize("text", ['"/a', '""', "/a\x01", '/a ""'])
def test_broken_entries_are_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        split_entries(text)


def test_targets():
    assert TARGETS.read('films:/hdd2 "*:/my disk"', AROUND) == (
        TierTarget("films", LocalPath("/hdd2")),
        TierTarget("*", LocalPath("/my disk")),
    )


@pytest.mark.parametrize("text", ["/hdd", "films:hdd", ":/hdd", "a:/b/../c", "a:/b a:/b"])
def test_other_targets_are_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        TARGETS.read(text, AROUND)


def test_link_roots_folders_and_rates():
    assert LINK_ROOTS.read("/ssd/media=/hdd/media", AROUND) == (LinkRoot(SSD / "media", HDD / "media"),)
    assert FOLDERS.read("/a\n/b", AROUND) == (LocalPath("/a"), LocalPath("/b"))
    assert RATE_OR_OFF.read("1M/s", AROUND) == 1 << 20
    assert RATE_OR_OFF.read("off", AROUND) is None
    assert AMOUNT_OR_OFF.read("off", AROUND) is None
    with pytest.raises(ValueError, match="pause"):
        RATE_OR_OFF.read("pause", AROUND)
    with pytest.raises(ValueError, match="middle"):
        LINK_ROOTS.read("/ssd/media", AROUND)


def test_lists_of_names_have_a_word_for_empty():
    assert names("all").read("all", AROUND) == ()
    assert names("none").read('tv, "my films"', AROUND) == ("tv", "my films")
    assert names("none").write(()) == "none"


@pytest.mark.parametrize("text", ["", "age", "age:x", "speed:1", "age:0"])
def test_other_weights_are_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        ScoreWeights.parse(text)


def test_weights_are_read_back_as_they_are_written():
    weights = ScoreWeights.parse("age:1 idle:2 size:.5 ratio:.5")

    assert weights == ScoreWeights()
    assert ScoreWeights.parse(str(weights)) == weights
    assert ScoreWeights.parse("idle:3") == ScoreWeights(0, 3, 0, 0)


def test_the_defaults_are_those_of_the_documentation():
    said = {
        name: key.kind.write(field.default)
        for name, (field, key) in keys().items()
        if field.default is not MISSING and field.default is not None
    }

    assert said == {
        "layout": "label", "mode": "act", "free_low": "100G", "order": "oldest", "score": "age:1 idle:2 size:0.5 ratio:0.5",
        "min_age": "1h", "min_seed_time": "0", "min_ratio": "0", "keep_active": "1M", "labels": "all",
        "ignore_labels": "none", "pin_labels": "none", "pin_tags": "none", "workers": "3", "writers_per_target": "1",
        "attempts": "3", "verify": "true", "eviction_check": "client", "keep_free": "10G", "max_evictions_per_run": "100",
        "link_roots": "", "sweep_every": "5m", "heal": "true", "arr": "none",
    }  # fmt: skip


def test_each_key_is_documented_and_its_default_is_read_back():
    for name, (field, key) in keys().items():
        assert key.doc.endswith("."), name
        if field.default is MISSING:
            assert key.example, name
            assert key.kind.read(key.example, AROUND), name
        elif field.default is None:
            assert key.blank, name
        elif key.kind.write(field.default):
            assert key.kind.read(key.kind.write(field.default), AROUND) == field.default, name


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"ssd": ()}, "ssd"),
        ({"targets": ()}, "targets"),
        ({"ssd": (SSD, SSD / "a")}, "ssd"),
        ({"targets": (TierTarget("*", SSD / "hdd"),)}, "targets"),
        ({"ssd": (HDD / "ssd",)}, "targets"),
        ({"free_high": DiskAmount(GIB)}, "free_high"),
        ({"free_low": DiskAmount(percent=10), "free_high": DiskAmount(percent=5)}, "free_high"),
        ({"free_critical": DiskAmount(200 * GIB)}, "free_critical"),
        ({"eviction_check": EvictionCheck.UNCHANGED, "verify": False}, "eviction_check"),
        ({"labels": ("a",), "ignore_labels": ("a",)}, "ignore_labels"),
        ({"link_roots": (LinkRoot(HDD, HDD / "m"),)}, "link_roots"),
        ({"link_roots": (LinkRoot(SSD / "m", SSD / "m"),)}, "link_roots"),
    ],
)
def test_what_does_not_go_together_is_an_error_at_its_key(changes, key):
    problems = problems_of(replace(SETTINGS, **changes))

    assert [problem.key for problem in problems if not problem.warning] == [key]
    assert all(problem.what.endswith(".") and problem.remedy.endswith((".", "hdd", "ssd")) for problem in problems)


@pytest.mark.parametrize(
    ("changes", "key"), [({"union": ClientPath("/pool")}, "layout"), ({"score": ScoreWeights(3)}, "score")]
)
def test_what_is_without_effect_is_a_warning(changes, key):
    assert [(problem.key, problem.warning) for problem in problems_of(replace(SETTINGS, **changes))] == [(key, True)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"free_high": DiskAmount(percent=5)},  # a size and a part cannot be compared here
        {"union": ClientPath("/pool"), "layout": TierLayout.MIRROR},
        {"order": EvictionOrder.SCORE, "score": ScoreWeights(3)},
        {"link_roots": (LinkRoot(SSD / "media", HDD / "media"),)},
    ],
)
def test_what_goes_together_is_no_problem(changes):
    assert problems_of(replace(SETTINGS, **changes)) == ()


# The environment of the former programs


def test_without_its_variable_there_is_no_tier():
    assert from_environment({"FINAL_DEST_BASE_HDD": "/hdd", "SCGI_URL": "/sock"}) is None
    assert from_environment({"DOWNLOAD_PATH_SSD": "  "}) is None


def test_the_ssd_alone_is_enough_and_acts():
    made = from_environment({"DOWNLOAD_PATH_SSD": "/downloads/ssd"})

    assert made.tier == TierSettings(
        client="default", ssd=(LocalPath("/downloads/ssd"),), targets=(TierTarget("*", LocalPath("/downloads/hdd")),)
    )
    assert made.tier.mode is TierMode.ACT
    assert made.scgi_url == "/dev/shm/rtorrent.sock"
    assert (made.problems, made.log_level) == ((), LogLevel.INFO)


def test_each_variable_has_its_setting():
    made = from_environment(
        {
            "DOWNLOAD_PATH_SSD": "/my ssd",
            "FINAL_DEST_BASE_HDD": "/my hdd",
            "SCGI_URL": "http://box/RPC2",
            "MAX_CONCURRENT_PROCESSES": "5",
            "DISK_SPACE_THRESHOLD_GB": "50",
            "COPY_RETRY_ATTEMPTS": "7",
            "VERIFICATION_ENABLED": "False",
            "TIER_MODE": "report",
            "LOG_LEVEL": "debug",
            "LOG_FILE": "/config/log/x.log",
            "LOCK_DIR": "/config/locks",
        }
    )

    tier = made.tier
    assert (tier.ssd, tier.targets[0].path) == ((LocalPath("/my ssd"),), LocalPath("/my hdd"))
    assert (tier.workers, tier.attempts, tier.verify, tier.mode) == (5, 7, False, TierMode.REPORT)
    assert tier.free_low == DiskAmount(50 * GIB)
    assert (made.scgi_url, made.log_level, made.log_file, made.state_dir) == (
        "http://box/RPC2", LogLevel.DEBUG, "/config/log/x.log", "/config/locks",
    )  # fmt: skip


def test_every_other_key_may_be_given_as_in_a_config():
    made = from_environment(
        {
            "DOWNLOAD_PATH_SSD": "/ssd",
            "TORRENT_MOVER__TIER_DEFAULT__MIN_AGE": "2d",
            "TORRENT_MOVER__TIER_DEFAULT__FREE_LOW": "10%",
            "TORRENT_MOVER__TIER_DEFAULT__TARGETS": "tv:/a *:/b",
        }
    )
    wrong = from_environment({"DOWNLOAD_PATH_SSD": "/ssd", "TORRENT_MOVER__TIER_DEFAULT__MIN_AGE": "soon"})

    assert (made.tier.min_age, made.tier.free_low) == (172_800.0, DiskAmount(percent=10.0))
    assert [target.label for target in made.tier.targets] == ["tv", "*"]
    assert (wrong.tier, [problem.key for problem in wrong.problems]) == (
        None,
        ["$TORRENT_MOVER__TIER_DEFAULT__MIN_AGE"],
    )


def test_a_wrong_log_level_is_told_and_the_tier_runs():
    made = from_environment({"DOWNLOAD_PATH_SSD": "/ssd", "LOG_LEVEL": "loud"})

    assert (made.log_level, made.tier is not None) == (LogLevel.INFO, True)
    assert [(problem.key, problem.warning) for problem in made.problems] == [("$LOG_LEVEL", True)]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MAX_CONCURRENT_PROCESSES", "many"),
        ("DISK_SPACE_THRESHOLD_GB", "-5"),
        ("COPY_RETRY_ATTEMPTS", "0"),
        ("VERIFICATION_ENABLED", "perhaps"),
        ("TIER_MODE", "delete"),
        ("DOWNLOAD_PATH_SSD", "relative"),
        ("FINAL_DEST_BASE_HDD", "/ssd/below"),
        ("NOTIFY_ARR_ENABLED", "perhaps"),
    ],
)
def test_a_wrong_variable_is_named_and_makes_no_tier(variable, value):
    made = from_environment({"DOWNLOAD_PATH_SSD": "/ssd", variable: value})

    assert made.tier is None
    assert [problem.key for problem in made.problems] == [f"${variable}"]

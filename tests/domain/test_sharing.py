"""Share limits in words of no particular client: which counts, which is met, how a certificate keeps them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_mover.domain.torrent.attributes import DeferredAttributes
from torrent_mover.domain.torrent.sharing import AS_CLIENT, NoOwnLimit, ShareLimits, WhenMet

LIMIT = st.one_of(st.sampled_from(NoOwnLimit), st.floats(0, 1e6), st.integers(0, 10**9))
LIMITS = st.builds(ShareLimits, LIMIT, LIMIT, LIMIT, st.sampled_from(WhenMet))
NEVER, DEFAULT = NoOwnLimit.NEVER, NoOwnLimit.AS_CLIENT


@given(LIMITS)
def test_a_certificate_keeps_them(limits):
    later = DeferredAttributes(limits, super_seeding=True)
    assert DeferredAttributes.from_data(json.loads(json.dumps(later.to_data()))) == later


@pytest.mark.parametrize(
    ("said", "limits"),
    [
        ((-1, -1, -1, ""), ShareLimits()),
        ((-2.0, -2, -2, ""), AS_CLIENT),
        ((1.5, 3600, -2, "RemoveWithContent"), ShareLimits(1.5, 3600, DEFAULT, WhenMet.REMOVE_WITH_DATA)),
        ((0, -1, -1, "invented later"), ShareLimits(0, when_met=WhenMet.UNKNOWN)),
    ],
)
def test_certificates_of_earlier_versions_are_understood(said, limits):
    names = ("ratio", "seeding_time", "inactive_seeding_time", "action")
    assert ShareLimits.from_data(dict(zip(names, said, strict=True))) == limits


@pytest.mark.parametrize("ratio", [None, "sometimes", -3, True, []])
def test_what_is_no_limit_is_no_limit(ratio):
    data = ShareLimits().to_data() | {"ratio": ratio}
    with pytest.raises((TypeError, ValueError, KeyError)):
        ShareLimits.from_data(data)


def test_the_clients_own_count_only_where_the_torrent_has_none():
    defaults = ShareLimits(2.0, 7200, NEVER, WhenMet.REMOVE)
    assert AS_CLIENT.over(defaults) == defaults
    assert ShareLimits(NEVER, DEFAULT, 60).over(defaults) == ShareLimits(NEVER, 7200, 60, WhenMet.REMOVE)
    assert ShareLimits(when_met=WhenMet.STOP).over(defaults).when_met is WhenMet.STOP


@pytest.mark.parametrize(
    ("limits", "met"),
    [
        (ShareLimits(), ""),
        (AS_CLIENT, ""),
        (ShareLimits(ratio=2.5), ""),
        (ShareLimits(ratio=2.0), "the ratio limit of 2"),
        (ShareLimits(ratio=0), "the ratio limit of 0"),
        (ShareLimits(seeding_time=601), ""),
        (ShareLimits(seeding_time=600), "the seeding time limit of 10 min"),
        (ShareLimits(inactive_seeding_time=60), ""),
        (ShareLimits(inactive_seeding_time=0), "the limit of 0 min without anybody to seed to"),
    ],
)
def test_a_limit_is_met_from_its_value_on(limits, met):
    assert limits.met_by(2.0, 600) == met


def test_what_we_do_not_know_counts_as_the_worst():
    unknown = ShareLimits(when_met=WhenMet.UNKNOWN)
    assert (unknown.removes, unknown.deletes_data, unknown.own) == (True, True, True)
    assert [ShareLimits(when_met=met).deletes_data for met in WhenMet].count(True) == 2


@given(LIMITS)
def test_a_torrent_has_its_own_limits_or_not(limits):
    words = {limits.ratio, limits.seeding_time, limits.inactive_seeding_time}
    assert limits.never is (words == {NEVER})
    assert limits.own is (limits.when_met is not WhenMet.AS_CLIENT or not words <= set(NoOwnLimit))

"""What the overview of a process says where nothing is wrong with its duties."""

from __future__ import annotations

import pytest

from torrent_mover.domain.report.cards import debrid, health, tiers
from torrent_mover.domain.report.debrid import DebridAccountView, DebridFindingView, DebridPhase, DebridSnapshot
from torrent_mover.domain.report.health import (
    HealthFindingView,
    HealthLoopView,
    HealthPhase,
    HealthSnapshot,
    PatientView,
)
from torrent_mover.domain.report.overview import Need, a_card, overview_of
from torrent_mover.domain.report.serving import ServeReport, ServerReport
from torrent_mover.domain.report.tiers import TierPhase, TierSnapshot, TierView
from torrent_mover.domain.torrent.torrent import InfoHash

LEFT_ALONE = "open for 12:31 after 3 failures"


def overview(breaker, needs=()):
    process = ServeReport(1.0, "4.0.0", 0.0, servers=(ServerReport("tv", "arr", "Sonarr", breaker),))
    return overview_of(1.0, [a_card("health", "Health", "well", ("9 judged",), needs)], process)


@pytest.mark.parametrize("breaker", ["closed", "closed, 2 failures in a row"])
def test_a_server_that_is_asked_as_ever_needs_nobody(breaker):
    assert (overview(breaker).well, overview(breaker).verdict) == (True, "All is well.")


def test_all_is_not_well_while_a_server_is_left_alone():
    seen = overview(LEFT_ALONE)

    assert (seen.well, seen.count) == (False, 1)
    (need,) = seen.needs
    assert need.what == f"tv is left alone: {LEFT_ALONE}"
    assert "doctor" in need.helps


def test_a_server_that_its_duty_tells_of_is_told_once():
    seen = overview(LEFT_ALONE, [Need("health", "tv: Sonarr does not answer")])

    assert [need.what for need in seen.needs] == ["tv: Sonarr does not answer"]


@pytest.mark.parametrize("acts", [False, True])
def test_what_is_only_reported_is_not_called_well(acts):
    torrent = InfoHash("a" * 40)
    finding = HealthFindingView("stalled", 1.0, 9.0, 5.0, 3, due=True, evidence="no byte")
    patient = PatientView("tv", torrent, "Show", "stalledDL", 0.5, 1, "tv", (finding,))
    loop = HealthLoopView("tv", "qbit", acts, HealthPhase.WAITING, 1.0, patients=(patient,))
    broken = DebridFindingView("rd", torrent, "Show", "dead", 1.0, proof="the account says so")
    account = DebridAccountView("rd", "realdebrid", acts, DebridPhase.WAITING, 1.0, findings=(broken,))

    seen = overview_of(
        1.0,
        [health.card(HealthSnapshot(1.0, "4.0.0", (loop,))), debrid.card(DebridSnapshot(1.0, "4.0.0", (account,)))],
        ServeReport(1.0, "4.0.0", 0.0),
    )

    assert seen.count == 0
    assert seen.verdict == ("All is well." if acts else "Nothing has failed; health: 1 due, debrid: 1 broken.")


def test_what_somebody_has_paused_is_called_paused_and_not_well():
    loop = HealthLoopView("tv", "qbit", True, HealthPhase.PAUSED, 1.0)
    account = DebridAccountView("rd", "realdebrid", True, DebridPhase.PAUSED, 1.0)
    tier = TierView("ssd", "box", acts=True, phase=TierPhase.PAUSED, worker=None)

    seen = overview_of(
        1.0,
        [
            tiers.card(TierSnapshot(1.0, "4.0.0", (tier,))),
            health.card(HealthSnapshot(1.0, "4.0.0", (loop,))),
            debrid.card(DebridSnapshot(1.0, "4.0.0", (account,))),
        ],
    )

    assert seen.verdict == "Nothing has failed; tiers: paused, health: paused, debrid: paused."


def test_a_loop_that_is_paused_beside_others_is_named():
    loops = [
        HealthLoopView(name, "qbit", True, phase, 1.0)
        for name, phase in (("tv", HealthPhase.PAUSED), ("films", HealthPhase.WAITING))
    ]

    assert health.card(HealthSnapshot(1.0, "4.0.0", tuple(loops))).state == "nothing is wrong; tv paused"

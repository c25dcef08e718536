"""Accounts of all services are opened by their kind, and those with one token share one limiter."""

from __future__ import annotations

import pytest

from tests.doubles.debrid_house import place_of
from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from tests.fakes.clock import FakeClock
from torrent_mover.adapters.debrid.services import SERVICES, DebridServices
from torrent_mover.adapters.debrid.session import DebridPlace
from torrent_mover.adapters.store.unwritten import UnwrittenDocuments
from torrent_mover.domain.debrid.account import DebridKind, ListCursor
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.errors import DebridPaused
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.secret import Secret


@pytest.mark.parametrize("kind", DebridKind)
def test_every_service_is_opened_at_its_own_address_over_https(kind):
    account = DebridServices(FakeClock()).open(kind, DebridPlace("mine", "", Secret("a token")), 200 / 60, None)
    assert (account.name, SERVICES[kind][1][:8]) == ("mine", "https://")
    assert account.server.startswith(SERVICES[kind][1].removeprefix("https://").partition("/")[0])
    account.close()


def test_accounts_with_one_token_share_a_limiter_and_others_do_not():
    clock = FakeClock()
    with RealDebridDouble(DebridWorld(clock)) as double:
        heard = []
        services = DebridServices(clock, heard.append)
        places = (place_of(double, account="films"), place_of(double, account="series"))
        films, series = (
            services.open(DebridKind.REALDEBRID, place, 200 / 60, UnwrittenDocuments(None)) for place in places
        )
        stranger = services.open(
            DebridKind.REALDEBRID, place_of(double, account="other", token=Secret("ANOTHER")), 200 / 60, None
        )
        double.fault("*", 429, {"error": "slow_down", "error_code": 5}, headers={"Retry-After": "600"}, nth=1)
        with pytest.raises(DebridPaused):
            films.page(ListCursor())
        with pytest.raises(DebridPaused) as raised:
            series.page(ListCursor())
        assert not raised.value.sent
        assert raised.value.until - clock.now() == pytest.approx(600, abs=1)
        assert stranger.standing().good is False
        assert [(each.account, each.answer) for each in heard] == [
            ("films", AnswerClass.PAUSE),
            ("other", AnswerClass.STOP),
        ]
        for account in (films, series, stranger):
            account.close()


def test_no_setting_asks_more_than_the_service_takes():
    clock = FakeClock()
    with RealDebridDouble(DebridWorld(clock)) as double:
        account = DebridServices(clock).open(DebridKind.REALDEBRID, place_of(double), 100.0, None)
        began = clock.monotonic()
        for _ in range(4):
            account.standing()
        account.close()
        assert len(double.asked) == 8
        assert clock.monotonic() - began == pytest.approx(2.0)  # 240 a minute, from an empty bucket


def test_a_token_that_cannot_be_read_is_told_before_anything_is_asked():
    def unreadable():
        raise ConfigError("The file with the token is not there.")

    with pytest.raises(ConfigError, match="file with the token"):
        DebridServices(FakeClock()).open(DebridKind.TORBOX, DebridPlace("mine", "", Secret(unreadable)), 1.0, None)

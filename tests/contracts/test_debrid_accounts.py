"""The contract of debrid accounts, over each service's adapter and double, and over the account in memory."""

from __future__ import annotations

import pytest

from tests.contracts.debrid_contract import DebridContract, DebridWireContract, ReadOnlyContract
from tests.doubles.alldebrid import AllDebridDouble
from tests.doubles.debrid_house import FakeHouse, debrid_house
from tests.doubles.debrid_world import DebridWorld
from tests.doubles.premiumize import PremiumizeDouble
from tests.doubles.realdebrid import RealDebridDouble
from tests.doubles.torbox import TorBoxDouble
from tests.fakes.debrid import FakeDebridAccount
from torrent_mover.adapters.debrid.alldebrid import AllDebridAccount
from torrent_mover.adapters.debrid.premiumize import PremiumizeAccount
from torrent_mover.adapters.debrid.realdebrid import RealDebridAccount
from torrent_mover.adapters.debrid.torbox import TorBoxAccount


class OverHttp(DebridContract, DebridWireContract, ReadOnlyContract):
    """`service`: the double, the adapter, and whether files are chosen after the add."""

    service: tuple

    @pytest.fixture
    def house(self):
        double, account, selects = self.service
        with debrid_house(double, account, selects=selects) as made:
            yield made

    @pytest.fixture
    def reading(self):
        double, account, selects = self.service
        with debrid_house(double, account, selects=selects, read_only=True) as made:
            yield made


class TestRealDebrid(OverHttp):
    service = (RealDebridDouble, RealDebridAccount, True)


class TestTorBox(OverHttp):
    service = (TorBoxDouble, TorBoxAccount, False)


class TestAllDebrid(OverHttp):
    service = (AllDebridDouble, AllDebridAccount, False)


class TestPremiumize(OverHttp):
    service = (PremiumizeDouble, PremiumizeAccount, False)


class TestInMemory(DebridContract):
    @pytest.fixture
    def house(self):
        world = DebridWorld()
        return FakeHouse(FakeDebridAccount(world), world, world.clock)

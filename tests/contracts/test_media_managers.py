"""The Arr adapter against each product and version that it knows."""

from __future__ import annotations

import pytest

from tests.contracts.media_manager_contract import MediaManagerContract
from tests.doubles.arr.house import arr_house
from tests.doubles.arr.products import PRODUCTS


class TestArrManager(MediaManagerContract):
    @pytest.fixture(params=PRODUCTS)
    def house(self, request, tmp_path):
        with arr_house(tmp_path, PRODUCTS[request.param]) as house:
            yield house

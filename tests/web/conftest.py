"""Fixtures of the tests of API and page."""

from __future__ import annotations

import pytest

from tests.web.site import WebHouse, serving_site


@pytest.fixture
def web(tmp_path) -> WebHouse:
    """The fakes behind the site."""
    return WebHouse(tmp_path)


@pytest.fixture
def start(web):
    """Starts the site; returns its address."""
    servers = []

    def begin(**changes: object) -> str:
        server, address = serving_site(web.site(**changes))
        servers.append(server)
        return address

    yield begin
    for server in servers:
        server.close()

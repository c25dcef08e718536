"""HTTP over streams that somebody else opens (an SSH tunnel), in place of connections of our own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

Dial = Callable[[str, int], socket.socket]
"""Opens a stream to a host and port, as whoever opens it sees them."""


class TunnelledAdapter(HTTPAdapter):
    """A transport of requests whose connections are made by `dial`. Names are looked up where the streams end."""

    def __init__(self, dial: Dial, **options: Any) -> None:  # noqa: ANN401  requests' own options, passed on
        self._dial = dial
        super().__init__(**options)

    def init_poolmanager(self, *words: Any, **options: Any) -> None:  # noqa: ANN401  as above
        """As requests has it, with pools of our connections."""
        super().init_poolmanager(*words, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._dial)


def _pools(dial: Dial) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return dial(self.host, int(self.port or self.default_port))

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return dial(self.host, int(self.port or self.default_port))

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}

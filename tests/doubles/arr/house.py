"""An Arr double with folders, a scripted client, and the adapter that asks it: what tests of Arrs begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.doubles.arr.library import Library
from tests.doubles.arr.polled import PolledClient, PolledTorrent, ScriptedClient
from tests.doubles.arr.products import SONARR, DoubleProduct
from tests.doubles.arr.server import KEY, ArrDouble
from tests.fakes.clock import FakeClock
from torrent_mover.adapters.arr.manager import ArrManager
from torrent_mover.domain.paths import ArrPath, LocalPath, RelativePath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.arr import ArrSettings
from torrent_mover.domain.settings.kinds import HostAddress
from torrent_mover.domain.torrent.torrent import InfoHash

PACK = "Show.S01.1080p"
HASH = InfoHash("ab" * 20)
EPISODES = tuple(f"Show.S01E{number:02}.mkv" for number in range(1, 11))


@dataclass
class ArrHouse:
    """`data` is our folder, which the Arr sees as `arr_data`; `library_folder` is its library, on the same file system."""

    double: ArrDouble
    manager: ArrManager
    library: Library
    client: Any
    clock: FakeClock
    data: Path
    library_folder: Path
    arr_data: str = "/downloads"

    def settings(self, **changes: Any) -> ArrSettings:
        """How to reach the double."""
        return settings_of(self.double, **changes)

    def pack(self, count: int = 10, *, grabbed: bool = True, tracked: bool = True) -> LocalPath:
        """A season pack that lies complete in our folder; media 1 to `count`.

        `grabbed`: the Arr sent it to its client. `tracked`: its client has it under the Arr's category.
        """
        folder = self.data / PACK
        folder.mkdir()
        for number, name in enumerate(EPISODES[:count], 1):
            (folder / name).write_bytes(bytes([number]) * (1000 + number))
            self.library.add_media(number, f"Episode {number}", name)
        category = self.library.category if tracked else "of somebody else"
        self.client.have(PolledTorrent(HASH.hex, PACK, category, f"{self.arr_data}/{PACK}"))
        if grabbed:
            self.library.grab(HASH.hex, *range(1, count + 1), title=PACK)
        return LocalPath(str(folder))

    def largest(self, count: int = 10) -> tuple[RelativePath, int]:
        """The largest file of the pack."""
        return RelativePath((EPISODES[count - 1],)), 1000 + count

    @property
    def arr_path(self) -> ArrPath:
        """The pack, as the Arr sees it."""
        return ArrPath(f"{self.arr_data}/{PACK}")


def settings_of(double: ArrDouble, **changes: Any) -> ArrSettings:
    """How to reach a double."""
    address = HostAddress("127.0.0.1", "http", double.port, double.url_base)
    values = {"url": address, "api_key": Secret(KEY), "timeout": 5.0}
    return ArrSettings(**values | changes)


@contextmanager
def arr_house(
    folder: Path, product: DoubleProduct = SONARR, client: PolledClient | None = None, **double: Any
) -> Iterator[ArrHouse]:
    """From `with` to its end; a violation of the double's rules fails the test there."""
    data, library_folder = folder / "data", folder / "library"
    data.mkdir(parents=True)
    library_folder.mkdir()
    if product.extensions[0] != ".mkv":
        product = replace(product, extensions=(*product.extensions, ".mkv"))
    polled = client or ScriptedClient()
    library = Library(product, polled, {"/downloads": data, "/media": library_folder}, "/media")
    clock = FakeClock()
    with ArrDouble(library, **double) as server:
        manager = ArrManager("tv", settings_of(server), clock.wait, clock.monotonic)
        try:
            yield ArrHouse(server, manager, library, polled, clock, data, library_folder)
        finally:
            manager.close()
    assert server.violations == []

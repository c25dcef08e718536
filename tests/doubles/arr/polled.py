"""The torrent client that an Arr double polls: one that a test scripts, or a real qBittorrent by its Web API."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from torrent_mover.demo.web_api import WebApi


@dataclass(frozen=True)
class PolledTorrent:
    """A torrent as an Arr sees it in its client. `hash` in small letters; `path` is the file, or the folder that holds all."""

    hash: str
    name: str
    category: str
    path: str
    complete: bool = True
    at_its_limit: bool = False


class PolledClient(Protocol):
    """What an Arr asks of its client."""

    def torrents(self) -> list[PolledTorrent]:
        """All of them."""

    def remove(self, torrent: str) -> None:
        """Take a torrent out, with its data."""


@dataclass
class ScriptedClient:
    """A client that says what a test has told it. `removed`: what an Arr took out with its data."""

    listed: dict[str, PolledTorrent] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    def have(self, torrent: PolledTorrent) -> None:
        """List it, in place of one with the same hash."""
        self.listed[torrent.hash] = torrent

    def moved(self, torrent: str, path: str) -> None:
        """It has another path from now on."""
        self.listed[torrent] = replace(self.listed[torrent], path=path)

    def torrents(self) -> list[PolledTorrent]:
        """See PolledClient."""
        return list(self.listed.values())

    def remove(self, torrent: str) -> None:
        """See PolledClient."""
        del self.listed[torrent]
        self.removed.append(torrent)


class PolledQBittorrent:
    """A real one. States as an Arr reads them: complete at progress 1, at its limit where it is stopped and complete."""

    def __init__(self, api: WebApi) -> None:
        self._api = api

    def torrents(self) -> list[PolledTorrent]:
        """See PolledClient."""
        return [
            PolledTorrent(
                one["hash"],
                one["name"],
                one["category"],
                one["content_path"],
                one["progress"] == 1 and one["state"] not in ("checkingUP", "checkingDL", "moving"),
                one["state"] in ("pausedUP", "stoppedUP"),
            )
            for one in self._api.json("torrents/info")
        ]

    def remove(self, torrent: str) -> None:
        """See PolledClient."""
        self._api.post("torrents/delete", hashes=torrent, deleteFiles="true")

"""What ctrl+p finds: every action of the screen, every torrent."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.app import SystemCommand
from textual.command import DiscoveryHit, Hit, Hits, Provider

from torrent_mover.domain.text import safe
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.keys import grouped, key_name

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

_DISCOVERED = 20
_MOVEMENT = frozenset(binding.id for binding in bindings.LIST)


def action_commands(app: App[Any], screen: Screen[Any]) -> Iterable[SystemCommand]:
    """The actions that have keys here."""
    for binding, keys in grouped(screen.active_bindings):
        if not binding.id or binding.action == "command_palette" or binding.id in _MOVEMENT:
            continue
        title = f"{binding.description.capitalize()}  ({', '.join(key_name(key) for key in keys)})"
        namespace = screen.active_bindings[keys[0]].node
        yield SystemCommand(title, binding.tooltip, partial(app.run_action, binding.action, namespace))


class Torrents(Provider):
    """Each torrent of the run: choosing one opens its details. Names are data, so Content, never markup."""

    def _moves(self) -> Iterable[tuple[str, str]]:
        session = getattr(self.app, "session", None)
        return ((move.id.hex, safe(move.name)) for move in session.snapshot.moves) if session else ()

    def _open(self, hex_digits: str) -> None:
        self.app.open_torrent(hex_digits)  # type: ignore[attr-defined]

    async def discover(self) -> Hits:
        """The first few."""
        for index, (hex_digits, name) in enumerate(self._moves()):
            if index >= _DISCOVERED:
                return
            yield DiscoveryHit(Text(name), partial(self._open, hex_digits), text=name)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for hex_digits, name in self._moves():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, Text(name), partial(self._open, hex_digits), text=name)

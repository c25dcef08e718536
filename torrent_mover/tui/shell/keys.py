"""The last line: the keys that matter here, made from the bindings, each a click away."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from textual.app import App
from textual.binding import ActiveBinding, Binding
from textual.screen import Screen

from torrent_mover.tui.shell.ink import Line, Span, Tone, line, width
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.look import Look

_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "space": "space",
    "enter": "⏎",
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "equals_sign": "=",
    "full_stop": ".",
    "comma": ",",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "right": "→",
    "left": "←",
    "down": "↓",
    "up": "↑",
}
_ASCII_NAMES = {"enter": "enter", "right": "right", "left": "left", "down": "down", "up": "up"}


def key_name(key: str, *, ascii_only: bool = False) -> str:
    """How a key is written for people: `?`, `⏎`, `^p`, `R`."""
    if ascii_only and key in _ASCII_NAMES:
        return _ASCII_NAMES[key]
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+")
    return _NAMES.get(key, key)


def grouped(active: dict[str, ActiveBinding]) -> list[tuple[Binding, list[str]]]:
    """The bindings that hold now, each once, with all of its keys."""
    found: dict[str, tuple[Binding, list[str]]] = {}
    for key, one in active.items():
        if not one.enabled or not one.binding.description:
            continue
        name = one.binding.id or one.binding.action
        found.setdefault(name, (one.binding, []))[1].append(key)
    return list(found.values())


def _from_anywhere(one: ActiveBinding) -> str:
    """The action with the name of whoever has it, so that a click on the footer finds it."""
    owner = "app" if isinstance(one.node, App) else "screen" if isinstance(one.node, Screen) else "focused"
    return f"{owner}.{one.binding.action}"


def key_line(active: dict[str, ActiveBinding], order: tuple[str, ...], size: int, look: Look) -> Line:
    """Those of `order` (binding ids) that hold now, as many as fit."""
    found = {binding.id: (binding, keys) for binding, keys in grouped(active)}
    spans: Line = (Span(" "),)
    for name in order:
        if name not in found:
            continue
        binding, keys = found[name]
        action = _from_anywhere(active[keys[0]])
        key = key_name(keys[0], ascii_only=look.ascii)
        part = line(Span(key, Tone.KEY, action), Span(f" {binding.description}  ", Tone.DIM, action))
        if width(spans) + width(part) - 2 > size:
            break
        spans += part
    return spans


@runtime_checkable
class HasIdleKeys(Protocol):
    """A screen that knows which of its keys would do nothing now."""

    def idle_keys(self) -> frozenset[str]:
        """Ids of bindings. Pressed nevertheless, they say why."""


class Keys(Lines):
    """The footer."""

    def __init__(self, look: Look, order: tuple[str, ...]) -> None:
        super().__init__(look, classes="keys")
        self._order = order
        self._holding: tuple[str, ...] = ()
        self._active: dict[str, ActiveBinding] = {}

    def on_mount(self) -> None:
        """Redraw when focus changes what keys do."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _: object) -> None:
        self.show()

    def on_resize(self) -> None:
        """Another width, other keys."""
        self.show()

    def show(self) -> None:
        """Draw the keys that hold now."""
        if not self.is_mounted:
            return
        app: App[object] = self.app
        if (
            app.screen is self.screen
        ):  # else the keys of what lies over it hold, and it keeps its own for when that goes
            idle = self.screen.idle_keys() if isinstance(self.screen, HasIdleKeys) else frozenset()
            self._holding = tuple(name for name in self._order if name not in idle)
            self._active = self.screen.active_bindings
        self.show_lines([key_line(self._active, self._holding, self.size.width, self.look)])

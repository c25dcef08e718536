"""Every key of the overview, once. Those that the dashboard has too are the dashboard's own."""

from __future__ import annotations

from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.bindings import duty_key

APP = (
    *(binding for binding in bindings.APP if binding.id in bindings.SHARED_IDS),
    duty_key("1", "view('all')", "all", "overview.all", "Every duty, what needs you, every loop", show=False),
    duty_key("2", "view('needs')", "needs you", "overview.needs", "Only what needs you", show=False),
    duty_key("3", "view('loops')", "loops", "overview.loops", "The loops of the process that serves", show=False),
    duty_key("4", "view('log')", "log", "overview.log", "The log of all duties, full screen", show=False),
)
"""Keys that work on both screens of the overview."""

ROW = (
    duty_key("e", "explain", "read", "overview.read", "All that is known of the chosen row, in full"),
    duty_key("R", "restart", "begin again", "overview.restart", "Forget a loop's failures, and have it look now"),
    duty_key("space", "pause", "pause loop", "overview.pause", "Pause or resume the chosen loop"),
    duty_key("y", "copy", "copy", "overview.copy", "Copy what needs you, or what helps", show=False),
)
"""What can be done with the chosen row."""

GROUPS = (
    ("Overview: everywhere", tuple(each for each in APP if each not in bindings.APP)),
    ("Overview: the chosen row", ROW),
)
"""For documents: heading and keys that the dashboard has not."""

HELP = (
    ("Everywhere", APP),
    ("The chosen row", ROW),
    ("Lists", bindings.LIST + bindings.FILTER),
    ("Log", bindings.LOG),
)
"""For the help of these screens."""

FOOT = (
    "app.quit", "app.help", "list.open", "overview.read", "overview.restart", "overview.pause", "app.duty", "list.filter",
    "overview.copy", "log.open", "app.theme", "log.level", "log.wrap",
)  # fmt: skip
"""The footer, the keys that matter most first."""

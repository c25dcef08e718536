"""Every key of the screens of health, once. Those that the dashboard has too are the dashboard's own."""

from __future__ import annotations

from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.bindings import duty_key

APP = (
    *(binding for binding in bindings.APP if binding.id in bindings.SHARED_IDS),
    duty_key(
        "1",
        "view('found')",
        "found",
        "health.found",
        "Torrents with something wrong, those that are due first",
        show=False,
    ),
    duty_key("2", "view('due')", "due", "health.due", "What would be done now, or is held back", show=False),
    duty_key("3", "view('held')", "held", "health.held", "Torrents that a person wants left alone", show=False),
    duty_key(
        "4",
        "view('actions')",
        "actions",
        "health.actions",
        "What was done, why, and what can be taken back",
        show=False,
    ),
    duty_key("5", "view('log')", "log", "health.log", "The log, full screen", show=False),
    duty_key("T", "next_loop", "next loop", "health.next", "One loop after the other, then all again", show=False),
    duty_key("R", "look_now", "look now", "health.look", "Look now; a loop that is parked begins again"),
    duty_key("A", "alarms", "alarms", "health.alarms", "Why clocks stand or a loop is parked, and what helps"),
)
"""Keys that work on both screens of health."""

TORRENT = (
    duty_key("e", "explain", "explain", "health.explain", "Every rule, every reason, and what would be done"),
    duty_key("space,H", "hold", "hold", "health.hold", "Leave it alone for 7 days or for good, or judge it again"),
    duty_key("x", "act", "act now", "health.act", "Do what is due with it, now; obligations and caps hold; asks first"),
    duty_key("z", "undo", "undo", "health.undo", "Take the chosen action back: files and torrent; asks first"),
    duty_key("0", "reset", "reset", "health.reset", "Forget what was found: its clocks begin anew", show=False),
    duty_key("y", "copy", "copy", "health.copy", "Copy its hash, name or reason", show=False),
)
"""What can be done with the chosen torrent or action."""

GROUPS = (
    ("Health: everywhere", tuple(each for each in APP if each not in bindings.APP)),
    ("Health: the chosen torrent", TORRENT),
)
"""For documents: heading and keys that the dashboard has not."""

HELP = (
    ("Everywhere", APP),
    ("The chosen torrent", TORRENT),
    ("Lists", bindings.LIST + bindings.FILTER),
    ("Log", bindings.LOG),
)
"""For the help of these screens."""

FOOT = (
    "app.quit", "app.help", "health.explain", "health.hold", "health.act", "health.undo", "list.filter", "health.look",
    "health.alarms", "health.next", "health.reset", "health.copy", "log.open", "app.theme", "log.level", "log.wrap",
)  # fmt: skip
"""The footer, the keys that matter most first."""

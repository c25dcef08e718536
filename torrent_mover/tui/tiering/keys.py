"""Every key of the tiers' screens, once. Those that the dashboard has too are the dashboard's own."""

from __future__ import annotations

from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.bindings import duty_key as _key

APP = (
    *(binding for binding in bindings.APP if binding.id in bindings.SHARED_IDS),
    _key("1", "view('all')", "all", "tier.all", "What is done now, what waits, what leaves and what stays", show=False),
    _key("2", "view('queue')", "queue", "tier.waiting", "What is copied now, and what waits to be copied", show=False),
    _key(
        "3", "view('candidates')", "candidates", "tier.candidates", "In which order torrents leave the SSD", show=False
    ),
    _key("4", "view('pins')", "pins", "tier.pins", "What is kept on the SSD", show=False),
    _key("5", "view('log')", "log", "tier.log", "The log, full screen", show=False),
    _key("T", "next_tier", "next tier", "tier.next", "The next tier, where there are several", show=False),
    _key("R", "round", "round", "tier.round", "Look for finished torrents and free space now"),
    _key("A", "alarms", "alarms", "tier.alarms", "All that needs somebody: what happened, what is kept, what helps"),
)
"""Keys that work on both screens of the tiers."""

TORRENT = (
    _key("p,space", "pin", "pin", "tier.pin", "Keep the chosen torrent on the SSD, or let it leave again"),
    _key("x", "evict", "evict now", "tier.evict", "Evict it now, whether or not room is short; asks first"),
    _key("c", "recopy", "copy afresh", "tier.recopy", "Make a fresh copy, the old one is kept aside; asks first"),
    _key("e", "explain", "explain", "tier.explain", "Why it is where it is, and what it would take to leave"),
    _key("u", "queue", "queue", "tier.queue", "Queue it to be copied; one that rests is tried at once"),
    _key("y", "copy", "copy", "tier.copy", "Copy its hash, name, path or reason", show=False),
)
"""What can be done with the chosen torrent."""

GROUPS = (
    ("Tiers: everywhere", tuple(each for each in APP if each not in bindings.APP)),
    ("Tiers: the chosen torrent", TORRENT),
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
    "app.quit", "app.help", "tier.explain", "tier.pin", "tier.evict", "list.filter", "tier.round", "tier.queue", "tier.recopy",
    "tier.alarms", "tier.next", "tier.copy", "log.open", "app.theme", "log.level", "log.wrap",
)  # fmt: skip
"""The footer, the keys that matter most first."""

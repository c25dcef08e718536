"""Every key of the screens of debrid accounts, once. Those that the dashboard has too are the dashboard's own."""

from __future__ import annotations

from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.bindings import duty_key

APP = (
    *(binding for binding in bindings.APP if binding.id in bindings.SHARED_IDS),
    duty_key("1", "view('found')", "found", "debrid.found", "What failed or died, what is proven first", show=False),
    duty_key("2", "view('plan')", "plan", "debrid.plan", "What acting would work on now", show=False),
    duty_key(
        "3", "view('repairs')", "repairs", "debrid.repairs", "How far repairs are, and how they ended", show=False
    ),
    duty_key("4", "view('retries')", "retries", "debrid.retries", "What is tried again, and when", show=False),
    duty_key("5", "view('aside')", "set aside", "debrid.aside", "Links that were set aside", show=False),
    duty_key("6", "view('log')", "log", "debrid.log", "The log, full screen", show=False),
    duty_key("T", "next_account", "next account", "debrid.next", "One account after the other, then all", show=False),
    duty_key("R", "scan_now", "scan now", "debrid.scan", "Begin a round now: look, and in mode = act repair"),
    duty_key(
        "a", "act", "act", "debrid.act", "Show the plan; acts on it once its count is typed, in mode = report too"
    ),
    duty_key("A", "alarms", "alarms", "debrid.alarms", "What needs somebody, and what helps"),
)
"""Keys that work on both screens of debrid accounts."""

TORRENT = (
    duty_key("e", "explain", "explain", "debrid.explain", "Why something is done about it, or is not"),
    duty_key("r", "retry", "retry", "debrid.retry", "Try it again in the next round, without waiting"),
    duty_key("u", "restore", "put back", "debrid.restore", "Put the chosen link back; overwrites nothing; asks first"),
    duty_key("y", "copy", "copy", "debrid.copy", "Copy its hash, name or reason", show=False),
)
"""What can be done with the chosen row."""

GROUPS = (
    ("Debrid: everywhere", tuple(each for each in APP if each not in bindings.APP)),
    ("Debrid: the chosen row", TORRENT),
)
"""For documents: heading and keys that the dashboard has not."""

HELP = (
    ("Everywhere", APP),
    ("The chosen row", TORRENT),
    ("Lists", bindings.LIST + bindings.FILTER),
    ("Log", bindings.LOG),
)
"""For the help of these screens."""

FOOT = (
    "app.quit", "app.help", "debrid.explain", "debrid.act", "debrid.retry", "debrid.restore", "list.filter", "debrid.scan",
    "debrid.alarms", "debrid.next", "debrid.copy", "log.open", "app.theme", "log.level", "log.wrap",
)  # fmt: skip
"""The footer, the keys that matter most first."""

"""Every key of the dashboard, once: the screens, `?`, the palette, keymap.toml and docs/keys.md all read this list."""

from __future__ import annotations

from textual.binding import Binding


def _key(
    key: str, action: str, word: str, name: str, tooltip: str, *, show: bool = False, priority: bool = False
) -> Binding:
    return Binding(key, action, word, show=show, tooltip=tooltip, id=name, priority=priority)


APP = (
    _key("q", "leave", "quit", "app.quit", "Quit; asks only during transfers", show=True),
    _key("ctrl+c", "interrupt", "stop", "app.stop", "Save progress, stop and quit; twice: do not wait", priority=True),
    _key("question_mark", "help", "help", "app.help", "All keys of this screen", show=True),
    _key("ctrl+p", "command_palette", "commands", "app.palette", "Find an action or a torrent by name", show=True),
    _key("escape", "back", "back", "app.back", "Go back one level"),
    _key("1", "view('dashboard')", "dashboard", "view.dashboard", "What moves, how fast, the latest log lines"),
    _key("2", "view('queue')", "queue", "view.queue", "What waits, why, and what is not moved"),
    _key("3", "view('history')", "history", "view.history", "What was moved before"),
    _key("4", "view('health')", "servers", "view.health", "Servers, space, cache, watchdog, this machine"),
    _key("5", "view('log')", "log", "view.log", "The log, full screen"),
    _key("0", "preflight", "pre-flight", "view.preflight", "The checks before the run, with remedies"),
    _key("right,l", "turn(1)", "next view", "view.next", "The next view, or the next tab"),
    _key("left,h", "turn(-1)", "previous view", "view.previous", "The previous view, or the previous tab"),
    _key("p", "pause_all", "pause all", "run.pause", "Pause or resume every torrent", show=True),
    _key("b", "bandwidth", "bandwidth", "run.bandwidth", "Limit the bandwidth of all torrents together, from now on"),
    _key("R", "rescan", "rescan", "run.rescan", "Look for torrents now; what failed is tried again"),
    _key("D", "next_duty", "next duty", "app.duty", "The next duty that runs with this config, then the overview"),
    _key("O", "overview", "overview", "app.overview", "The overview of all duties: is all well, what needs you"),
    _key("o", "open_log", "open log", "log.open", "Open the log file in $PAGER; transfers go on"),
    _key("ctrl+z", "lend_shell", "shell", "app.shell", "Open a shell; transfers go on, exit returns"),
    _key("t", "next_theme", "theme", "app.theme", "Next theme: dark, light, contrast, mono"),
)
"""Keys that work on every screen."""

MOVE = (
    _key("space", "pause", "pause", "torrent.pause", "Pause or resume the chosen torrent", show=True),
    _key("r", "retry", "retry", "torrent.retry", "Try again now, without waiting", show=True),
    _key("s", "skip", "skip", "torrent.skip", "Skip it until a later run; what arrived is kept"),
    _key("x", "cancel", "cancel", "torrent.cancel", "Cancel it and delete what arrived; asks first"),
    _key("P", "reorder(-1)", "earlier", "torrent.earlier", "Move it up in the queue"),
    _key("N", "reorder(1)", "later", "torrent.later", "Move it down in the queue"),
    _key("y", "copy", "copy", "torrent.copy", "Copy its hash, name, a path or the remedy"),
    _key("e", "trouble", "problem", "torrent.problem", "What went wrong, what is kept, what helps"),
)
"""What can be done with the chosen torrent."""

MARKING = (
    _key("space", "mark", "mark", "queue.mark", "Mark or unmark; keys then act on all marked ones", show=True),
    _key("a", "mark_all", "mark all", "queue.mark_all", "Mark or unmark everything shown"),
    _key("S", "sort", "sort", "queue.sort", "Sort by queue place, size, age or name; moves keep their order"),
    _key("c", "retry", "clear failure", "queue.clear", "Clear its failure and try it again"),
)
"""The queue's own."""

LIST = (
    _key("down,j", "down", "down", "list.down", "One row down"),
    _key("up,k", "up", "up", "list.up", "One row up"),
    _key("pagedown", "page_down", "page down", "list.page_down", "A page down"),
    _key("pageup", "page_up", "page up", "list.page_up", "A page up"),
    _key("home", "first", "first", "list.first", "To the first row"),
    _key("end", "last", "last", "list.last", "To the last row"),
    _key("enter", "open", "open", "list.open", "Open the chosen row", show=True),
)
"""Moving about in a list."""

FILTER = (
    _key("slash", "filter", "filter", "list.filter", "Show only what matches; ! excludes; escape ends it", show=True),
)
"""Wherever there is a list or a log."""

GRAPH = (
    _key("left_square_bracket", "zoom(-1)", "zoom in", "graph.in", "Zoom in: one dot is 1 s, 5 s or 30 s"),
    _key("right_square_bracket", "zoom(1)", "zoom out", "graph.out", "Zoom out: one dot is 1 s, 5 s or 30 s"),
    _key("equals_sign", "sync", "same scale", "graph.sync", "Same scale for both directions, or one for each"),
)
"""The network graphs."""

LOG = (
    _key("f", "level", "level", "log.level", "Lowest level shown: debug, info, warnings, errors"),
    _key("F", "follow", "follow", "log.follow", "Follow new lines again"),
    _key("w", "wrap", "wrap", "log.wrap", "Break long lines, or cut them"),
    _key("L", "only", "this torrent", "log.only", "Lines of the chosen torrent only, or all"),
)
"""The log."""

DETAIL = (
    _key("right,l,full_stop", "turn(1)", "next tab", "detail.next", "The next tab", show=True),
    _key("left,h,comma", "turn(-1)", "previous tab", "detail.previous", "The previous tab"),
)
"""The detail screen."""

HISTORY = (
    _key("c", "again", "try again", "history.again", "Clear the failure and try this torrent again", show=True),
    _key("m", "handled", "handled", "history.handled", "Mark this failure as handled and hide it", show=True),
    _key("e", "export", "export", "history.export", "Write the history to a file, as CSV or JSON", show=True),
    _key("y", "copy", "copy", "history.copy", "Copy the hash, the name or how it ended", show=True),
    _key("g", "graph", "graph", "history.graph", "Show or hide the graph of past runs", show=True),
)
"""The history."""

PREFLIGHT = (
    _key("c", "check", "check again", "preflight.check", "Run the checks again", show=True),
    _key(
        "w",
        "accept",
        "do the fix",
        "preflight.fix",
        "Apply the fix of the chosen check: write the line, trust the key",
        show=True,
    ),
    _key("y", "copy", "copy remedy", "preflight.copy", "Copy the remedy of the chosen check", show=True),
    _key("d", "dashboard", "dashboard", "preflight.go", "To the dashboard", show=True),
)
"""The pre-flight screen."""

ERROR = (
    _key("c", "again", "try again", "error.again", "Try the torrent again now", show=True),
    _key("y", "copy", "copy remedy", "error.copy", "Copy the remedy", show=True),
    _key("s", "skip", "skip", "error.skip", "Skip the torrent until a later run", show=True),
    _key("l", "log", "log", "error.log", "The log lines of this torrent", show=True),
    _key("d", "details", "details", "error.details", "Files, pieces, stages and attempts", show=True),
    _key("escape,q", "later", "later", "error.later", "Close this and decide later", show=True),
)
"""The error dialog."""

GROUPS = (
    ("Everywhere", APP),
    ("The chosen torrent", MOVE),
    ("Lists", LIST + FILTER),
    ("Queue", MARKING),
    ("Graphs", GRAPH),
    ("Log", LOG),
    ("Details", DETAIL),
    ("History", HISTORY),
    ("Pre-flight", PREFLIGHT),
    ("A problem", ERROR),
)
"""For documents: heading and keys."""

SHARED_IDS = (
    "app.quit",
    "app.stop",
    "app.help",
    "app.back",
    "app.duty",
    "app.overview",
    "view.next",
    "view.previous",
    "log.open",
    "app.shell",
    "app.theme",
)
"""Keys of the dashboard that the screens of other duties have too."""


def duty_key(key: str, action: str, word: str, name: str, tooltip: str, *, show: bool = True) -> Binding:
    """A key of another duty's screens: `word` in the footer, `tooltip` in the help, `name` in keymap.toml."""
    return _key(key, action, word, name, tooltip, show=show)

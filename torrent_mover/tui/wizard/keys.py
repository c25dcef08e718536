"""Every key of the wizard, once."""

from __future__ import annotations

from textual.binding import Binding


def _key(key: str, action: str, word: str, name: str, tooltip: str, *, priority: bool = False) -> Binding:
    return Binding(key, action, word, show=True, tooltip=tooltip, id=name, priority=priority)


APP = (
    _key("q", "leave", "save+quit", "wizard.quit", "Show what was decided, write it, and leave"),
    Binding("ctrl+q", "leave", show=False),
    _key("question_mark", "keys", "help", "wizard.help", "The keys of this screen"),
    _key("ctrl+c", "give_up", "give up", "wizard.stop", "Leave at once and write nothing", priority=True),
)

SORT = (
    _key("s", "skip", "skip", "sort.skip", "Leave this torrent as it is"),
    _key("u", "undo", "undo", "sort.undo", "Take back the last step, as often as there are steps"),
    _key("n", "new", "new", "sort.new", "Make up a category"),
    _key("r", "remember", "remember", "sort.remember", "Always for this tracker, only this torrent, or ignore it"),
    _key("t", "tracker", "tracker", "sort.tracker", "Another of its trackers, or the domain above"),
    _key("a", "review", "review", "sort.apply", "Show every rule and torrent that would change; w writes"),
    _key("c", "covered", "covered", "sort.covered", "All torrents that the choice would decide"),
    _key("l", "rules", "rules", "sort.rules", "The tracker rules: add, change, delete"),
    _key("slash", "filter", "filter", "sort.filter", "Type a part of the category's name"),
    _key("1", "pick(1)", "pick", "sort.pick", "1 to 9: choose that category"),
    *(Binding(str(number), f"pick({number})", show=False) for number in range(2, 10)),
    _key("y", "suggested", "suggestion", "sort.suggested", "Choose the category that is suggested"),
)

PUT = (_key("enter", "open", "apply", "sort.put", "Put it into the chosen category, and remember as said"),)

RULES = (
    _key("a", "add", "add", "rules.add", "Add a rule"),
    _key("e", "edit", "edit", "rules.edit", "Give the chosen rule another category"),
    _key("d", "delete", "delete", "rules.delete", "Delete the chosen rule"),
    _key("c", "covered", "covered", "rules.covered", "The torrents that the chosen rule covers"),
    _key("u", "undo", "undo", "rules.undo", "Take back the last step"),
    _key("escape", "back", "back", "rules.back", "Back to the torrents"),
)

COVERED = (_key("escape,c", "back", "back", "covered.back", "Back; nothing is decided by looking"),)

PREVIEW = (
    _key("w", "write", "write", "preview.write", "Write all of this"),
    _key("x", "discard", "discard", "preview.discard", "Leave and write nothing"),
    _key("escape", "back", "back", "preview.back", "Back; nothing is written yet"),
)

GROUPS = (
    ("Sorting: everywhere", APP),
    ("Sorting: the torrent", SORT + PUT),
    ("Sorting: tracker rules", RULES),
    ("Sorting: the torrents of a rule", COVERED),
    ("Sorting: before writing", PREVIEW),
)
"""For documents: heading and keys. Those without a name are others of the same action."""

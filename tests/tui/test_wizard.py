"""The wizard by its keys: what is decided, what is written, and what is not."""

from __future__ import annotations

import signal
import threading

import pytest

from tests.tui.pilot import NARROW, rows_of
from tests.tui.wizard_case import FakeCategorizer, a_candidate, drive, hostile, picture, press, usual
from torrent_mover.domain.categorizing import Draft, Placed, RuleSet, Shelf, Standing
from torrent_mover.domain.errors import ConfigError, Unreachable
from torrent_mover.domain.rules import TrackerRules
from torrent_mover.tui.look import ASCII_GLYPHS, GraphKind, Look
from torrent_mover.tui.wizard.app import WizardApp

pytestmark = pytest.mark.thorough


def session(categorizer: FakeCategorizer, *keys: str) -> WizardApp:
    """Press keys; the application as it is after them."""

    async def act(app, pilot):
        await press(app, pilot, *keys)

    return drive(categorizer, act)


def written(categorizer: FakeCategorizer) -> tuple[dict[str, str], tuple[RuleSet, ...]]:
    (draft,) = categorizer.writes
    return {change.torrent.name: change.category for change in draft.changes()}, draft.rule_changes()


def small(*hosts: str) -> FakeCategorizer:
    candidates = tuple(a_candidate(number, f"T{number}", host, category="in") for number, host in enumerate(hosts, 1))
    return FakeCategorizer(Draft("in", candidates, TrackerRules(), (Shelf("films", 3), Shelf("tv", 2), Shelf("in", 9))))


def test_enter_takes_the_suggestion_always_for_this_tracker_and_quit_writes_it():
    fake = FakeCategorizer(usual())

    app = session(fake, "enter", "q", "w")

    names, rules = written(fake)
    assert rules == (RuleSet("nyaa.tracker.example", "anime"),)
    assert sum(category == "anime" for category in names.values()) == 5
    assert app.return_value is None
    assert len(app.written.made) == 11


@pytest.mark.parametrize(
    ("keys", "names", "rules"),
    [
        (["enter"], {"T1": "films"}, (RuleSet("a.example", "films"),)),
        (["2", "enter"], {"T1": "tv"}, (RuleSet("a.example", "tv"),)),
        (["j", "enter"], {"T1": "tv"}, (RuleSet("a.example", "tv"),)),
        (["r", "enter"], {"T1": "films"}, ()),
        (["r", "r", "enter", "enter"], {"T2": "films"}, (RuleSet("a.example", "Ignore"), RuleSet("b.x.example", "films"))),
        (["s", "enter"], {"T2": "films"}, (RuleSet("b.x.example", "films"),)),
        (["s", "t", "enter"], {"T2": "films"}, (RuleSet("x.example", "films"),)),
        (["slash", "t", "v", "enter", "enter"], {"T1": "tv"}, (RuleSet("a.example", "tv"),)),
        (["n", *"new", "enter", "enter"], {"T1": "new"}, (RuleSet("a.example", "new"),)),
        (["enter", "u", "2", "enter"], {"T1": "tv"}, (RuleSet("a.example", "tv"),)),
        (["enter", "enter", "u"], {"T1": "films"}, (RuleSet("a.example", "films"),)),
    ],
)  # fmt: skip
def test_keys_decide(keys, names, rules):
    fake = small("a.example", "b.x.example")

    session(fake, *keys, "a", "w")

    assert written(fake) == (names, rules)


def test_nothing_is_written_before_it_is_confirmed():
    for keys in (["enter"], ["enter", "a"], ["enter", "a", "escape"], ["enter", "q", "escape"], ["enter", "q", "x"]):
        fake = small("a.example")
        session(fake, *keys)
        assert fake.writes == []


def test_ctrl_c_leaves_at_once_and_writes_nothing():
    fake = small("a.example")

    app = session(fake, "enter", "ctrl+c")

    assert app.return_value == 128 + signal.SIGINT
    assert fake.writes == []


def test_leaving_without_a_decision_asks_nothing():
    app = session(small("a.example"), "q")

    assert not app.is_running


def test_all_that_a_rule_covers_leaves_the_list_and_comes_back_with_undo():
    counts: list[int] = []

    async def act(app, pilot):
        for key in ("enter", "u", "u"):
            await press(app, pilot, key)
            counts.append(app.desk.count(Standing.OPEN))

    drive(FakeCategorizer(usual()), act)

    assert counts == [8, 13, 13]


def test_keys_go_to_the_categories_again_after_the_last_decision_was_taken_back():
    fake = small("a.example")

    session(fake, "enter", "u", "2", "enter", "a", "w")

    assert written(fake) == ({"T1": "tv"}, (RuleSet("a.example", "tv"),))


def test_keys_go_to_the_categories_also_where_the_client_answers_late():
    answered = threading.Event()
    fake = small("a.example")
    look = fake.look
    fake.look = lambda told: answered.wait(10) and look(told)

    async def act(app, pilot):
        answered.set()
        await press(app, pilot, "question_mark", "space", "enter")
        assert app.desk.pending

    drive(fake, act, wait=False)


def test_a_torrent_without_a_tracker_is_remembered_once_only():
    fake = FakeCategorizer(Draft("in", (a_candidate(1, "Bare", category="in"),), TrackerRules(), (Shelf("films", 3),)))

    session(fake, "r", "r", "enter", "a", "w")

    assert written(fake) == ({"Bare": "films"}, ())


def test_rules_are_added_changed_and_deleted_in_their_list_and_that_is_undone_too():
    fake = FakeCategorizer(usual())

    session(fake, "l", "a", *"udp://New.example:80/secret", "enter", *"tv", "enter", "home", "d", "u", "q", "w")

    assert written(fake)[1] == (RuleSet("new.example", "tv"),)
    fake = FakeCategorizer(usual())
    session(fake, "l", "d", "e", "ctrl+u", *"films", "enter", "q", "w")
    assert written(fake)[1] == (RuleSet("films.example", None), RuleSet("private.example", "films"))


def test_names_that_cannot_be_used_are_said_and_nothing_follows_from_them():
    assert "It cannot be used" in picture(small("a.example"), NARROW, "n", *"a//b", "enter")
    assert "It cannot be used" in picture(small("a.example"), NARROW, "l", "a", *"not a domain", "enter")


def test_a_category_that_no_rule_can_name_still_takes_one_torrent():
    fake = FakeCategorizer(hostile())
    shown = picture(fake, NARROW, "enter")
    assert "No rule can be made" in shown

    fake = FakeCategorizer(hostile())
    session(fake, "r", "enter", "a", "w")

    (draft,) = fake.writes
    assert [step for decision in draft.decisions for step in decision] == [
        Placed(draft.candidates[0], "line\nbreak\r\tand tab")
    ]


def test_a_rules_file_that_cannot_be_written_loses_no_decision():
    fake = small("a.example")
    fake.refuse = ConfigError("The rules file /r.json is damaged in line 2.", remedy="Mend that line.")
    screens: list[str] = []

    async def act(app, pilot):
        await press(app, pilot, "enter", "a", "w")
        screens.append("\n".join(rows_of(app)))
        fake.refuse = None
        await press(app, pilot, "space", "w")

    drive(fake, act)

    assert "damaged in line 2" in screens[0]
    assert "Mend that line" in screens[0]
    assert written(fake) == ({"T1": "films"}, (RuleSet("a.example", "films"),))


def test_torrents_that_the_client_refuses_are_named_and_leaving_waits_for_that():
    fake = small("a.example", "b.example")
    fake.refuse_torrents = 1

    shown = picture(fake, NARROW, "enter", "enter", "q", "w")

    assert "1 torrent left as before" in shown
    assert "T2: nas:8080 does not answer." in shown


def test_after_writing_the_client_is_asked_again():
    fake = small("a.example", "b.example")
    fake.later = small("z.example").draft

    async def act(app, pilot):
        await press(app, pilot, "enter", "a", "w")
        assert [one.torrent.name for one in app.desk.draft.candidates] == ["T1"]
        assert not app.desk.pending

    drive(fake, act)


def test_a_client_that_cannot_be_asked_ends_the_wizard_with_its_error():
    fake = small("a.example")
    fake.unreachable = Unreachable("nas:8080 does not answer.")

    app = session(fake)

    assert app.failure is fake.unreachable


def test_no_passkey_and_no_escape_reaches_the_screen():
    for keys in ([], ["l"], ["r", "enter", "a"], ["n"], ["question_mark"]):
        shown = picture(FakeCategorizer(hostile()), NARROW, *keys)
        assert not [
            one for one in shown if (one < " " and one != "\n") or "\x7f" <= one <= "\x9f" or one in "\u202e\u2066"
        ]


def test_a_terminal_without_unicode_gets_ascii():
    shown = picture(FakeCategorizer(hostile()), NARROW, look=Look(ASCII_GLYPHS, GraphKind.ASCII))

    assert shown.isascii()


def test_a_terminal_that_is_too_small_says_so_and_loses_nothing():
    assert "too small" in picture(FakeCategorizer(usual()), (50, 12))


def test_thousands_of_torrents_are_drawn_from_one_reckoning(monkeypatch):
    reckoned = []
    real = Draft.fates
    monkeypatch.setattr(Draft, "fates", lambda self: reckoned.append(1) or real(self))
    candidates = tuple(a_candidate(number % 90 + 1, f"T{number}", f"h{number}.example") for number in range(2000))

    async def act(app, pilot):
        before = len(reckoned)
        await press(app, pilot, "j", "j", "j", "k")
        assert len(reckoned) == before

    drive(FakeCategorizer(Draft("in", candidates, TrackerRules(), (Shelf("a", 1), Shelf("b", 1), Shelf("c", 1)))), act)

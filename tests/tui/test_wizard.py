"""The wizard by its keys: what is decided, what is written, and what is not."""

from __future__ import annotations

import signal
import threading

import pytest
from textual.events import Key

from tests.tui.pilot import MIDDLE, NARROW, WIDE, rows_of
from tests.tui.wizard_case import FakeCategorizer, a_candidate, crowd, drive, hostile, picture, press, ready, usual
from torrent_mover.domain.categorizing import CategoryShelf, Draft, Placed, RuleSet, SortState
from torrent_mover.domain.errors import ConfigError, Unreachable
from torrent_mover.domain.rules import TrackerRules
from torrent_mover.tui.shell.look import ASCII_GLYPHS, GraphKind, Look
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
    return FakeCategorizer(
        Draft(
            "in",
            candidates,
            TrackerRules(),
            (CategoryShelf("films", 3), CategoryShelf("tv", 2), CategoryShelf("in", 9)),
        )
    )


def test_the_suggestion_is_taken_by_its_key_always_for_this_tracker_and_quit_writes_it():
    fake = FakeCategorizer(usual())

    app = session(fake, "y", "enter", "q", "w")

    names, rules = written(fake)
    assert rules == (RuleSet("nyaa.tracker.example", "anime"),)
    assert sum(category == "anime" for category in names.values()) == 5
    assert app.return_value is None
    assert len(app.written.made) == 11


@pytest.mark.parametrize(
    ("keys", "names", "rules"),
    [
        (["1", "enter"], {"T1": "films"}, (RuleSet("a.example", "films"),)),
        (["2", "enter"], {"T1": "tv"}, (RuleSet("a.example", "tv"),)),
        (["j", "enter"], {"T1": "films"}, (RuleSet("a.example", "films"),)),
        (["j", "j", "enter"], {"T1": "tv"}, (RuleSet("a.example", "tv"),)),
        (["r", "1", "enter"], {"T1": "films"}, ()),
        (["r", "r", "enter", "1", "enter"], {"T2": "films"}, (RuleSet("a.example", "Ignore"), RuleSet("b.x.example", "films"))),
        (["s", "1", "enter"], {"T2": "films"}, (RuleSet("b.x.example", "films"),)),
        (["s", "t", "1", "enter"], {"T2": "films"}, (RuleSet("x.example", "films"),)),
        (["slash", "t", "v", "enter", "1", "enter"], {"T1": "tv"}, (RuleSet("a.example", "tv"),)),
        (["n", *"new", "enter", "enter"], {"T1": "new"}, (RuleSet("a.example", "new"),)),
        (["1", "enter", "u", "2", "enter"], {"T1": "tv"}, (RuleSet("a.example", "tv"),)),
        (["1", "enter", "1", "enter", "u"], {"T1": "films"}, (RuleSet("a.example", "films"),)),
    ],
)  # fmt: skip
def test_keys_decide(keys, names, rules):
    fake = small("a.example", "b.x.example")

    session(fake, *keys, "a", "w")

    assert written(fake) == (names, rules)


@pytest.mark.parametrize(
    "before",
    [
        [],
        ["r"],
        ["t"],
        ["slash", "t", "v", "enter"],
        ["1", "slash", "t", "v", "enter"],
        ["c", "escape"],
        ["1", "enter", "u"],
        ["1", "s", "u"],
        ["l", "escape"],
    ],
)
def test_enter_without_a_choice_says_what_to_do_and_decides_nothing(before):
    fake = small("a.example", "b.example")

    async def act(app, pilot):
        await press(app, pilot, *before, "enter", "enter")
        assert "Nothing is chosen: 1 to 9 or an arrow chooses" in "\n".join(rows_of(app))
        assert not app.desk.pending

    drive(fake, act)


@pytest.mark.parametrize(("typed", "decided"), [(["enter", "1"], 0), (["1", "enter", "enter"], 1)])
def test_enter_is_about_what_was_chosen_when_it_was_pressed_however_fast_one_types(typed, decided):
    fake = small("a.example", "b.example")

    async def act(app, pilot):
        for key in typed:  # all of them are there before the first one is heard
            app._driver.send_message(Key(key, key if len(key) == 1 else None))
        await ready(app, pilot)
        assert len(app.desk.draft.decisions) == decided

    drive(fake, act)


def test_what_was_chosen_for_one_torrent_is_not_chosen_for_the_next():
    fake = small("a.example", "b.example")

    session(fake, "2", "enter", "enter", "enter", "a", "w")

    assert written(fake) == ({"T1": "tv"}, (RuleSet("a.example", "tv"),))


def test_nothing_is_chosen_anew_after_all_was_written():
    fake = small("a.example")

    async def act(app, pilot):
        await press(app, pilot, "1", "enter", "a", "w", "enter")
        assert not app.desk.pending

    drive(fake, act)


def test_the_third_and_fourth_click_decide_nothing_about_the_torrent_that_came_up():
    fake = small("a.example", "b.example")

    async def act(app, pilot):
        await pilot.click("#choices", offset=(10, 0), times=4)
        await ready(app, pilot)
        assert app.desk.draft.rule_changes() == (RuleSet("a.example", "films"),)

    drive(fake, act)


def test_a_suggestion_is_only_shown_until_its_key_is_pressed():
    app = session(FakeCategorizer(usual()), "enter")
    assert not app.desk.draft.decisions

    shown = picture(FakeCategorizer(usual()), NARROW)
    assert "suggested: 9 of 9 from this tracker" in shown
    assert "→ anime" not in shown

    assert "There is no suggestion" in picture(small("a.example"), NARROW, "y")
    assert "suggested" not in picture(FakeCategorizer(crowd()), NARROW)  # 3 of 5 are no strong majority


def test_the_torrents_that_a_choice_decides_are_shown_before_it_is_made():
    shown = picture(FakeCategorizer(usual()), NARROW)
    assert "This rule covers 5 torrents, 7.0 GiB" in shown
    assert "and 2 more: c shows all" in shown

    everything = picture(FakeCategorizer(usual()), NARROW, "c")
    assert all(f"Some Show - {number:02}" in everything for number in range(7, 12))
    assert everything.count("1.4 GiB") == 5
    assert everything.count("(none)") == 5 + 1

    assert "This choice covers 1 torrent" in picture(FakeCategorizer(usual()), NARROW, "r")


def test_many_torrents_are_counted_on_the_page_and_scrolled_in_their_list():
    assert "and 37 more: c shows all" in picture(FakeCategorizer(crowd()), NARROW)
    assert "Episode 41" in picture(FakeCategorizer(crowd()), NARROW, "c", "end")
    assert "by hand → films" in picture(FakeCategorizer(crowd()), WIDE, "r", "r", "c")  # ignoring comes before a hand


def test_the_torrents_of_a_saved_rule_are_shown_from_the_list_of_rules():
    shown = picture(FakeCategorizer(usual()), NARROW, "l", "c")

    assert "films.example covers 6 torrents" in shown
    assert all(f"Film {number}" in shown for number in range(20, 26))


def test_the_last_page_shows_every_rule_and_every_torrent_with_the_category_it_has_now():
    hosts = tuple(f"t{number:02}.example" for number in range(1, 15))

    shown = picture(small(*hosts), MIDDLE, *("1", "enter") * len(hosts), "a")

    assert "14 rules, 14 torrents" in shown
    assert all(f"rule {host}" in shown for host in hosts)
    torrents = [row.split() for row in shown.splitlines() if "GiB" in row]
    assert torrents == [[f"T{n}", "1.4", "GiB", "in", "→", "films", host] for n, host in enumerate(hosts, 1)]


def test_enter_on_the_last_page_writes_nothing_and_says_which_key_does():
    fake = small("a.example")

    shown = picture(fake, NARROW, "1", "enter", "a", "enter")

    assert "Nothing is written yet. w writes" in shown
    assert fake.writes == []


def test_nothing_is_written_before_it_is_confirmed():
    for keys in ([], ["a"], ["a", "enter", "enter"], ["a", "escape"], ["q", "escape"], ["q", "x"]):
        fake = small("a.example")
        session(fake, "1", "enter", *keys)
        assert fake.writes == []


def test_ctrl_c_leaves_at_once_and_writes_nothing():
    fake = small("a.example")

    app = session(fake, "1", "enter", "ctrl+c")

    assert app.return_value == 128 + signal.SIGINT
    assert fake.writes == []


def test_leaving_without_a_decision_asks_nothing():
    app = session(small("a.example"), "q")

    assert not app.is_running


def test_all_that_a_rule_covers_leaves_the_list_and_comes_back_with_undo():
    counts: list[int] = []

    async def act(app, pilot):
        await press(app, pilot, "y")
        for key in ("enter", "u", "u"):
            await press(app, pilot, key)
            counts.append(app.desk.count(SortState.OPEN))

    drive(FakeCategorizer(usual()), act)

    assert counts == [8, 13, 13]


def test_keys_go_to_the_categories_again_after_the_last_decision_was_taken_back():
    fake = small("a.example")

    session(fake, "1", "enter", "u", "2", "enter", "a", "w")

    assert written(fake) == ({"T1": "tv"}, (RuleSet("a.example", "tv"),))


def test_keys_go_to_the_categories_also_where_the_client_answers_late():
    answered = threading.Event()
    fake = small("a.example")
    look = fake.look
    fake.look = lambda told: answered.wait(60) and look(told)

    async def act(app, pilot):
        answered.set()
        await press(app, pilot, "question_mark", "space", "1", "enter")
        assert app.desk.pending

    drive(fake, act, wait=False)


def test_a_torrent_without_a_tracker_is_remembered_once_only():
    fake = FakeCategorizer(
        Draft("in", (a_candidate(1, "Bare", category="in"),), TrackerRules(), (CategoryShelf("films", 3),))
    )

    session(fake, "r", "r", "1", "enter", "a", "w")

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
    shown = picture(fake, NARROW, "1", "enter")
    assert "No rule can be made" in shown

    fake = FakeCategorizer(hostile())
    session(fake, "r", "1", "enter", "a", "w")

    (draft,) = fake.writes
    assert [step for decision in draft.decisions for step in decision] == [
        Placed(draft.candidates[0], "line\nbreak\r\tand tab")
    ]


def test_a_rules_file_that_cannot_be_written_loses_no_decision():
    fake = small("a.example")
    fake.refuse = ConfigError("The rules file /r.json is damaged in line 2.", remedy="Mend that line.")
    screens: list[str] = []

    async def act(app, pilot):
        await press(app, pilot, "1", "enter", "a", "w")
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

    shown = picture(fake, NARROW, "1", "enter", "1", "enter", "q", "w")

    assert "1 torrent left as before" in shown
    assert "T2: nas:8080 does not answer." in shown


def test_after_writing_the_client_is_asked_again():
    fake = small("a.example", "b.example")
    fake.later = small("z.example").draft

    async def act(app, pilot):
        await press(app, pilot, "1", "enter", "a", "w")
        assert [one.torrent.name for one in app.desk.draft.candidates] == ["T1"]
        assert not app.desk.pending

    drive(fake, act)


def test_a_client_that_cannot_be_asked_ends_the_wizard_with_its_error():
    fake = small("a.example")
    fake.unreachable = Unreachable("nas:8080 does not answer.")

    app = session(fake)

    assert app.failure is fake.unreachable


def test_no_passkey_and_no_escape_reaches_the_screen():
    for keys in ([], ["l"], ["c"], ["r", "1", "enter", "a"], ["n"], ["question_mark"]):
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

    drive(
        FakeCategorizer(
            Draft(
                "in", candidates, TrackerRules(), (CategoryShelf("a", 1), CategoryShelf("b", 1), CategoryShelf("c", 1))
            )
        ),
        act,
    )

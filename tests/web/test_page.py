"""The page in a real browser: every view, orders, keys, a phone, dark and light; the console stays empty."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.fakes.snapshots import a_hash
from tests.servers import eventually
from tests.tui import debrid_case, health_case
from tests.web.chromium import find_chromium
from tests.web.site import TOKEN
from torrent_mover.commands.debrid.dashboard import debrid_panel
from torrent_mover.commands.health.dashboard import health_panel
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.snapshot import LogLine, MoveStatus
from torrent_mover.domain.report.tiers import TierPhase
from torrent_mover.domain.report.words import WORDS
from torrent_mover.domain.text import clauses
from torrent_mover.web.debrid import DebridNumber

FIRST = a_hash(1)
VIEWS = ("overview", "moves", "tiers", "log", "settings")

AUDIT, CONTRAST = ((Path(__file__).parent / name).read_text() for name in ("audit.js", "contrast.js"))


def faults(page: Page) -> list[str]:
    """What keeps somebody from reading or using the view that is shown: by axe, and by what we ask beside it."""
    said = Axe().run(page).response
    assert said["passes"]  # it has looked
    found = said["violations"]
    told = [f"{each['id']}: {each['help']}: {[node['html'] for node in each['nodes']]}" for each in found]
    return [*told, *page.evaluate(AUDIT), *page.evaluate(CONTRAST)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    program = find_chromium()
    assert program, "Chromium is not installed: apt-get install chromium-headless-shell"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        expect.set_options(timeout=60_000)
        yield browser
        browser.close()


@pytest.fixture
def look(browser, start, web):
    """Opens the page; knows the token unless told otherwise. Nothing may be complained of on the console."""
    web.serve.lines.append(LogLine(1, 1_795_143_663.0, Level.WARN, FIRST, "something <b>happened</b>"))
    contexts, complaints, elsewhere = [], [], []

    def open_page(view: str = "overview", *, token: str = TOKEN, site: dict | None = None, **how: object) -> Page:
        address = start(**(site or {}))
        context = browser.new_context(**how)
        contexts.append(context)
        context.set_default_timeout(60_000)
        if token:
            context.add_init_script(f"sessionStorage.setItem('token', '{token}')")
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda asked: elsewhere.append(asked.url) if not asked.url.startswith((address, "data:")) else None,
        )
        page.goto(f"{address}/#{view}")
        return page

    open_page.complaints = complaints
    yield open_page
    for context in contexts:
        context.close()
    assert elsewhere == []
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_is_drawn_readable_and_named(look, scheme):
    page = look(color_scheme=scheme)
    expect(page.locator("#verdict")).not_to_be_empty()
    for number, view in enumerate(VIEWS, 1):
        page.keyboard.press(str(number))
        expect(page.locator("nav a[aria-current=page]")).to_have_attribute("href", f"#{view}")
        expect(page.locator("main h2").first).to_be_visible()
        if view == "settings":
            expect(page.locator("#problems")).not_to_be_empty()
            page.locator("#config").blur()
        assert faults(page) == [], view


def test_texts_that_follow_one_another_are_joined_as_in_the_terminal(look):
    page = look()
    for said in (("It is away.", "", None, "only reports"), ("waiting ...", "It is away. "), ("a:", "b,;", "c...")):
        joined = page.evaluate(
            "said => import(`${document.querySelector('meta[name=base]').content}/page/kit.js`).then(kit => kit.clauses(said))",
            list(said),
        )
        assert joined == clauses(*(text or "" for text in said))


def test_a_phone_needs_no_sideways_scrolling(look):
    page = look("moves", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    expect(page.locator("main tbody tr").first).to_be_visible()
    for view in VIEWS:
        page.goto(f"{page.url.partition('#')[0]}#{view}")
        expect(page.locator("nav a[aria-current=page]")).to_have_attribute("href", f"#{view}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, view


def test_moves_show_what_the_picture_says_and_follow_it(look, web):
    page = look("moves")
    row = page.locator("main tbody tr").first
    expect(row).to_contain_text(web.moves.current.moves[0].name)
    page.evaluate("document.querySelector('main tbody tr').dataset.mine = 'yes'")
    web.moves.change_move(web.moves.current.moves[0].id, fraction=0.77, doing="repairing two pieces")

    expect(row).to_contain_text("77 %")
    expect(row).to_contain_text("repairing two pieces")
    expect(row.locator("[role=progressbar]")).to_have_attribute("aria-valuenow", "77")
    assert page.evaluate("document.querySelector('main tbody tr').dataset.mine") == "yes"


def test_buttons_give_orders_and_what_removes_asks_first(look, web):
    page = look("moves")
    row = page.locator("main tbody tr").first
    row.get_by_role("button", name="Pause").click()
    eventually(lambda: ("pause", FIRST) in web.moves.calls)
    row.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Stay as it is").click()
    row.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel it").click()
    eventually(lambda: ("cancel", FIRST) in web.moves.calls)
    page.get_by_label("Bandwidth of all moves").fill("5")
    page.get_by_role("button", name="Limit").click()
    expect(page.locator("#told")).to_contain_text("Write 5K or 5M")
    page.get_by_label("Bandwidth of all moves").fill("5M")
    page.get_by_role("button", name="Limit").click()
    eventually(lambda: ("limit", 5.0 * 1024**2) in web.moves.calls)

    assert [call[0] for call in web.moves.calls] == ["pause", "cancel", "limit"]
    assert look.complaints.pop().startswith("Failed to load resource: the server responded with a status of 400")


def test_a_tier_that_is_paused_is_called_so_and_not_in_the_colour_of_what_is_well(look, web):
    tier = web.tiers.current.tiers[0]
    web.tiers.show(phase=TierPhase.PAUSED, worker=replace(tier.worker, paused=True, next_round_at=None))
    page = look("tiers")

    state = page.locator(f"section[aria-label='Tier {tier.name}'] .big")
    expect(state).to_have_text("paused, acts")
    expect(state).to_have_class("big warn")
    page.keyboard.press("1")
    expect(page.locator("section[aria-label=Tiers] .big")).to_have_text("paused")


def test_tiers_show_marks_and_explain(look, web):
    web.tiers.explanation = ("It stays:", "  it is too young")
    page = look("tiers")
    tier = web.tiers.current.tiers[0]
    expect(page.locator(f"section[aria-label='{tier.disks[0].path}'] .bar i")).to_have_count(
        sum(mark is not None for mark in (tier.disks[0].low, tier.disks[0].high, tier.disks[0].critical))
    )
    page.get_by_role("button", name=f"Explain: {tier.candidates[0].name}").click()
    expect(page.locator("#help")).to_contain_text("it is too young")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name=f"Pin: {next(each for each in tier.candidates if not each.pinned).name}").click()
    eventually(lambda: any(call[0] == "pin" for call in web.tiers.calls))


def test_names_are_never_markup(look, web):
    web.moves.change_move(FIRST, name="<img src=x onerror=alert(1)>\u202egpj.exe")
    page = look("moves")

    expect(page.locator("main tbody tr").first).to_contain_text("<img src=x onerror=alert(1)>\ufffdgpj.exe")
    assert page.locator("main img").count() == 0
    page.keyboard.press("4")
    expect(page.locator("#lines")).to_contain_text("something <b>happened</b>")


def test_the_token_is_asked_for_and_stays_out_of_every_address(look):
    page = look(token="")
    expect(page.locator("#login")).to_be_visible()
    page.locator("#token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#login-wrong")).to_contain_text("missing or wrong")
    page.locator("#token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).not_to_be_empty()

    assert TOKEN not in page.url
    assert page.context.cookies() == []
    assert all("401" in complaint for complaint in look.complaints)
    look.complaints.clear()


def test_a_loop_that_is_parked_is_told_on_every_view_and_restarted_here(look, web):
    loops = (
        replace(web.serve.current.loops[0], state="parked", error="The server is away."),
        web.serve.current.loops[1],
    )
    web.serve.current = replace(web.serve.current, loops=loops)
    page = look("log")
    expect(page.get_by_role("alert").first).to_contain_text("moves is parked: The server is away.")
    page.keyboard.press("1")
    page.get_by_role("button", name="Restart: moves").click()
    eventually(lambda: ("restart", "moves") in web.serve.calls)


def test_settings_are_checked_while_somebody_types_and_saved(look, web):
    page = look("settings")
    text = page.locator("#config")
    plain = web_text(web)
    expect(text).to_have_value(plain)
    text.fill(plain.replace("category_to_move", "categorie_to_move"))
    expect(page.locator("main li").first).to_contain_text("categorie_to_move")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    text.fill(plain.replace("films\n", "series\n"))
    expect(page.get_by_role("button", name="Save")).to_be_enabled()
    page.get_by_role("button", name="Save").click()
    eventually(lambda: "category_to_move = series" in web.config.read_text())
    assert "hunter2-hunter2" in web.config.read_text()


def web_text(web) -> str:
    """The config as it is shown."""
    return web.config.read_text().replace("hunter2-hunter2", "********").replace("correct horse", "********")


def test_keys_lead_through_rows_to_their_buttons(look, web):
    page = look("moves")
    expect(page.locator("main tbody tr").nth(1)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 1
    page.keyboard.press("Enter")
    eventually(lambda: web.moves.calls)
    page.keyboard.press("/")
    page.keyboard.type("no such torrent")
    expect(page.locator("main tbody tr").first).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()


@pytest.mark.parametrize("view", WORDS)
def test_every_word_of_a_view_is_explained_by_its_help_and_at_the_head_of_its_column(look, web, view):
    web.panels += [health_panel(web.health), debrid_panel(web.debrid)]
    web.serve.current = replace(web.serve.current, duties=("moves", "tiers", "health", "debrid"))
    page = look(view)
    expect(page.locator("nav a[aria-current=page]")).to_have_attribute("href", f"#{view}")
    expect(page.locator("main tbody tr").first).to_be_attached()
    heads = dict(page.locator("main th").evaluate_all("all => all.map((each) => [each.textContent, each.title])"))
    page.keyboard.press("?")
    told = dict(
        zip(page.locator("#help dt").all_text_contents(), page.locator("#help dd").all_text_contents(), strict=True)
    )

    assert {word: told.get(word) for word, _ in WORDS[view]} == dict(WORDS[view])
    assert page.evaluate("document.getElementById('help').scrollTop") == 0
    assert {word: heads[word] for word, _ in WORDS[view] if word in heads} == {
        word: means for word, means in WORDS[view] if word in heads
    }
    assert any(heads.values())


def test_a_loop_that_is_parked_and_a_server_that_is_left_alone_are_explained_beside_them(look, web):
    page = look()
    expect(page.locator("main .means").first).to_have_text(dict(WORDS["overview"])["Loop"])
    expect(page.get_by_text("It closes by itself when the server answers")).to_be_hidden()
    serve = web.serve.current
    away = replace(serve.servers[0], breaker="open for 12:31 after 3 failures")
    parked = replace(serve.loops[0], state="parked", error="The disk is away.")
    web.serve.current = replace(serve, loops=(parked, *serve.loops[1:]), servers=(away,))

    expect(page.get_by_text(f"parked: {dict(WORDS['overview'])['parked']}")).to_be_visible()
    expect(page.get_by_text(dict(WORDS["overview"])["Breaker"])).to_be_visible()
    assert faults(page) == []


def test_what_has_failed_is_red_and_can_be_tried_again(look, web):
    web.moves.change_move(FIRST, standing=MoveStatus.FAILED, why="it failed")
    page = look()
    expect(page.locator("#verdict")).to_have_text("1 thing needs you: moves.")
    page.keyboard.press("2")
    page.get_by_role("button", name="Retry").first.click()
    eventually(lambda: ("retry", FIRST) in web.moves.calls)


def test_the_overview_draws_each_word_that_it_is_given(look, web):
    web.panels.append(health_panel(health_case.blind()))
    web.serve.current = replace(web.serve.current, duties=("moves", "tiers", "health"))
    web.moves.change_move(FIRST, standing=MoveStatus.FAILED, why="it failed")
    page = look()
    overview = web.overview()
    expect(page.locator("#verdict")).to_have_text(overview.verdict)
    assert page.locator(".card").all_inner_texts() == [
        "\n\n".join((card.title, card.state, *card.now)) for card in overview.cards
    ]
    assert [text.removesuffix(" look") for text in page.locator("#needs li").all_inner_texts()] == [
        f"{need.what} {need.helps}".strip() for need in overview.needs
    ]
    page.get_by_role("link", name="Look at health").first.click()
    expect(page.locator("nav a[aria-current=page]")).to_have_attribute("href", "#health")


def test_below_a_prefix_it_works_the_same(look):
    page = look(site={"base": "/mover"}, token=TOKEN)
    page.goto(page.url.replace("/#", "/mover/#"))

    expect(page.locator("#verdict")).not_to_be_empty()


@pytest.mark.parametrize("scene", health_case.SCENES)
def test_the_health_of_downloads_is_a_view_where_it_is_configured(look, web, scene):
    health = health_case.SCENES[scene]()
    web.panels.append(health_panel(health))
    web.serve.current = replace(web.serve.current, duties=("moves", "tiers", "health"))
    page = look("health")
    found = [one for loop in health.current.loops for one in loop.patients if one.findings]

    expect(page.locator("main .big").first).to_contain_text("with findings" if found else "No torrent has a finding.")
    assert faults(page) == []


def test_orders_about_health_reach_its_loop_and_what_takes_out_asks_first(look, web):
    web.panels.append(health_panel(web.health))
    web.serve.current = replace(web.serve.current, duties=("moves", "tiers", "health"))
    page = look("health")
    page.get_by_role("button", name="Hold: Show.S02E05").click()
    eventually(lambda: ("hold", "tv", FIRST, None) in web.health.calls)
    page.get_by_role("button", name="Release: Kept.2020").click()
    page.get_by_role("button", name="Explain: Show.S02E05").click()
    expect(page.locator("#help")).to_contain_text("strikes 3 of 3")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Act: Show.S02E05").click()
    page.get_by_role("button", name="Do it").click()
    eventually(lambda: ("act", "tv", FIRST) in web.health.calls)
    page.get_by_role("button", name="Undo: Old.S01E01").click()
    page.get_by_role("button", name="Bring it back").click()
    eventually(lambda: ("undo", "tv", 12) in web.health.calls)

    assert ("release", "tv", health_case.HELD) in web.health.calls


def with_debrid(web) -> None:
    """Debrid is configured too."""
    web.panels.append(debrid_panel(web.debrid))
    web.serve.current = replace(web.serve.current, duties=("moves", "tiers", "debrid"))


@pytest.mark.parametrize("scene", debrid_case.SCENES)
def test_debrid_accounts_are_a_view_where_they_are_configured(look, web, scene):
    web.debrid = debrid_case.SCENES[scene]()
    web.numbers = [DebridNumber("rd", debrid_case.AT - at, "scan", "duration", 3.0 + at, {}) for at in range(9)]
    with_debrid(web)
    page = look("debrid")
    first = web.debrid.current.accounts[0]

    expect(page.locator("main .big").first).to_contain_text("wrong")
    expect(page.locator("main tbody tr").first).to_contain_text("acts" if first.acts else "reports only")
    expect(page.get_by_role("button", name=f"Act: {first.name}")).to_have_count(1 if first.plan else 0)
    assert faults(page) == []


def test_debrid_needs_no_sideways_scrolling_on_a_phone_and_says_on_the_overview_who_is_needed(look, web):
    web.debrid = debrid_case.stopped()
    with_debrid(web)
    page = look("debrid", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    expect(page.locator("main tbody tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto(f"{page.url.partition('#')[0]}#overview")
    expect(page.locator("#needs")).to_contain_text("debrid accept refused 7")


def test_the_plan_of_a_debrid_account_is_acted_on_once_its_count_is_typed(look, web):
    with_debrid(web)
    page = look("debrid")
    expect(page.get_by_role("region", name="Debrid accounts")).to_contain_text("4,000 of 12,004")
    count = page.get_by_label("How many torrents the plan of rd has")
    for wrong, said in (("", "Type how many"), ("7", "The plan has 2 torrents now, not 7.")):
        count.fill(wrong)
        page.get_by_role("button", name="Act: rd").click()
        expect(page.locator("#told")).to_contain_text(said)
    count.fill("2")
    page.keyboard.press("Enter")
    expect(page.locator("#told")).to_contain_text("asked for")

    assert web.debrid.calls == [("act", "rd", (debrid_case.BEGUN, debrid_case.DEAD))]
    assert look.complaints.pop().startswith("Failed to load resource: the server responded with a status of 400")


def test_orders_about_debrid_reach_the_account_and_a_link_is_put_back_after_a_question(look, web):
    with_debrid(web)
    page = look("debrid")
    page.get_by_role("button", name="Explain: Show.S01").click()
    expect(page.locator("#help")).to_contain_text("not now: mode = report")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Scan now: rd").click()
    page.get_by_role("button", name="Retry: Uncached.2020").click()
    page.get_by_role("button", name=f"Put back: {debrid_case.ASIDE[0].path}").click()
    page.get_by_role("button", name="Put it back").click()
    eventually(lambda: len(web.debrid.calls) == 4)
    page.keyboard.press("/")
    page.keyboard.type("docu")
    expect(page.get_by_role("button", name="Explain: Show.S01")).to_have_count(0)
    expect(page.get_by_role("button", name="Explain: Docu.2019")).to_be_visible()

    assert web.debrid.calls == [
        ("explain", "rd", debrid_case.DEAD),
        ("scan", "rd"),
        ("retry", "rd", debrid_case.WAITS),
        ("restore", "rd", debrid_case.ASIDE[0].key),
    ]

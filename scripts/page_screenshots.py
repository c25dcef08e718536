"""Draws docs/screenshots/page-*.png: the page of `serve` over the scenes of the tests, in the system's Chromium."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402 - the path comes first

from tests.tui import overview_case  # noqa: E402
from tests.web.chromium import find_chromium  # noqa: E402
from tests.web.site import WebHouse, serving_site  # noqa: E402
from torrent_mover.commands.debrid.dashboard import debrid_panel  # noqa: E402
from torrent_mover.commands.health.dashboard import health_panel  # noqa: E402

SHOTS = (
    ("overview", "overview", {"color_scheme": "dark"}),
    ("moves", "moves", {"color_scheme": "dark"}),
    ("tiers", "tiers", {"color_scheme": "light"}),
    ("health", "health", {"color_scheme": "light"}),
    ("debrid", "debrid", {"color_scheme": "dark"}),
    ("phone", "overview", {"color_scheme": "light", "viewport": {"width": 390, "height": 844}}),
)


def main() -> int:
    """Draw all of them."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        serve = overview_case.serving()
        # All that is drawn stands for one process: what its overview says is what the views say.
        moves, tier, health, debrid = serve.current.loops
        debrid = replace(debrid, state="waiting", mode="act", next_at=tier.next_at)
        serve.current = replace(serve.current, loops=(moves, tier, health, debrid))
        web = WebHouse(Path(folder), serve=serve)
        web.panels += [health_panel(web.health), debrid_panel(web.debrid)]
        server, address = serving_site(web.site(token=""))
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        for name, view, how in SHOTS:
            page = browser.new_page(**{"viewport": {"width": 1200, "height": 800}, **how})
            page.goto(f"{address}/#{view}")
            page.wait_for_selector("main tbody tr")
            page.screenshot(path=target / f"page-{name}.png")
        browser.close()
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Writes docs/keys.md from the dashboard's bindings."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from torrent_mover.tui.keymap import keys_page


def main() -> int:
    """Write the page."""
    Path(__file__).resolve().parent.parent.joinpath("docs", "keys.md").write_text(keys_page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

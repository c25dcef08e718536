"""The packages that the page of serve needs beyond the program's own, and how they are installed."""

from __future__ import annotations

import importlib.util
from typing import Final

from torrent_mover.domain.errors import MissingProgram

PACKAGES: Final = ("starlette", "uvicorn")
INSTALL: Final = "In your clone: pipx install --force '.[web]' (in a virtual environment: pip install '.[web]')"


def require_packages(*, kept: str = "Nothing was started.", otherwise: str = "") -> str:
    """Their names. Raises MissingProgram where one is not installed; `otherwise`: how to do without the page."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingProgram(
            f"The page needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed.",
            kept=kept,
            remedy=INSTALL + otherwise,
        )
    return ", ".join(PACKAGES)

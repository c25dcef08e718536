"""Who runs this program: also one who is only a number, without an entry in passwd (a container started with --user)."""

from __future__ import annotations

import getpass
import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def has_account() -> bool:
    """Whether passwd names this user. The ssh program works for nobody else ("No user exists for uid 54321")."""
    with suppress(KeyError):
        pwd.getpwuid(os.getuid())
        return True
    return False


def login_name() -> str:
    """The name by which a server would be asked, as ssh takes it; empty where there is none."""
    # What is raised for a user without a name is KeyError before Python 3.13, OSError from there on.
    with suppress(KeyError, OSError):
        return getpass.getuser()
    return ""


def home_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """$HOME, else what passwd says, else the root folder."""
    home = environ.get("HOME", "")
    if home.startswith("/"):
        return Path(home)
    with suppress(KeyError):
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    return Path("/")


def account_home() -> Path | None:
    """The home that passwd names, which is where ssh looks for files; None for a user without an entry."""
    with suppress(KeyError):
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    return None

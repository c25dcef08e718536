"""What servers ask at a login: which question the password answers, and which only a person can."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

CODES: Final = ("one-time", "onetime", "otp", "verification", "passcode")
"""Words, in small letters, by which a question is none for the password, whatever else it says."""

PASSWORDS: Final = (
    "passwor",
    "kennwort",
    "mot de passe",
    "contrase",
    "senha",
    "wachtwoord",
    "парол",
    "密码",
    "パスワード",
)
MORE_CODES: Final = ("code", "token", "factor", "challenge", "option", "authenticator")
"""Words by which a question is none for the password if none of PASSWORDS is in it."""

_WHO: Final = re.compile(r"^\([^()]*\) |^\S+@\S+'s ")
"""What ssh puts before a question: `(alice@nas) Password: `, `alice@nas's password: `."""


def bare(question: str) -> str:
    """The server's own words, in small letters."""
    return _WHO.sub("", question).strip().rstrip(":").strip().lower()


def is_for_a_person(question: str) -> bool:
    """Whether it wants a code, and not the password. Words that we do not know are taken for the password's."""
    text = bare(question)
    if any(word in text for word in CODES):
        return True
    return not is_for_the_password(question) and any(word in text for word in MORE_CODES)


def is_for_the_password(question: str) -> bool:
    """Whether it says that it wants the password."""
    text = bare(question)
    return any(word in text for word in PASSWORDS) and not any(word in text for word in CODES)


def unanswered(questions: Sequence[str]) -> str:
    """The question that only a person can answer, of those that were asked in this order; empty where there was none.

    The password answered the first. To be asked for it again means that it was wrong; to be asked something else, that it was
    right and is not enough.
    """
    if not questions:
        return ""
    last = questions[-1]
    again = bare(last) == bare(questions[0]) or is_for_the_password(last)
    other = len(questions) > 1 and not again
    return _WHO.sub("", last).strip() if is_for_a_person(last) or other else ""

"""Runs a function as somebody who is not root, in a child process: to root everything is writable."""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

NOBODY_IN_PARTICULAR = 54321
"""A uid and gid that no account has; our own where the tests do not run as root."""


def other_uid() -> int:
    """As whom `as_user` runs."""
    return NOBODY_IN_PARTICULAR if os.getuid() == 0 else os.getuid()


def as_user(act: Callable[[], T]) -> T:
    """What `act` returns or raises, both of which must be picklable, when that user runs it."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(act, sending)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        raw = pipe.read()
    os.waitpid(child, 0)
    told, answer = pickle.loads(raw)  # noqa: S301  our own child's
    if told == "returned":
        return answer
    raise AssertionError(answer)


def _answer(act: Callable[[], object], sending: int) -> None:
    try:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY_IN_PARTICULAR)
            os.setuid(NOBODY_IN_PARTICULAR)
        answer = ("returned", act())
        raw = pickle.dumps(answer)
    except BaseException:  # noqa: BLE001  whatever it is, the parent tells it
        raw = pickle.dumps(("raised", traceback.format_exc()))
    with os.fdopen(sending, "wb") as pipe:
        pipe.write(raw)
    os._exit(0)

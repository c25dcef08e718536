"""A parser of arguments that says in few lines what is wrong with a command, and what was probably meant."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final, NoReturn

_USAGE: Final = 2  # the exit code
_CHOICE: Final = re.compile(r"invalid choice: ['\"](.+?)['\"] \(")
_UNKNOWN: Final = re.compile(r"unrecognized arguments: (\S+)")


class CommandParser(argparse.ArgumentParser):
    """As argparse's, but for `error`: no wall of usage."""

    def error(self, message: str) -> NoReturn:
        """Tell it on standard error, and end with exit code 2."""
        lines = [f"{self.prog}: {message}"]
        near = self._near(message)
        if near:
            lines.append(f"  Did you mean {near}?")
        lines.append(f"  All of it: {self.prog} --help")
        self.exit(_USAGE, "".join(f"{line}\n" for line in lines))

    def _near(self, message: str) -> str:
        choice, unknown = _CHOICE.search(message), _UNKNOWN.search(message)
        if choice:
            known = [str(each) for action in self._actions for each in action.choices or ()]
            found = get_close_matches(choice[1], known, 1)
        elif unknown:
            found = get_close_matches(unknown[1].partition("=")[0], list(self._options(sys.argv[1:])), 1)
        else:
            found = []
        return found[0] if found else ""

    def _options(self, words: list[str]) -> Iterator[str]:
        """Those of this parser, and of the command that was typed: what it does not know is told by the one above it."""
        for action in self._actions:
            yield from action.option_strings
            if isinstance(action, argparse._SubParsersAction):
                for name, parser in action.choices.items():
                    if name in words:
                        yield from parser._options(words)

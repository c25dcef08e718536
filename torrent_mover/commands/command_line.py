"""A parser of arguments that says in few lines what is wrong with a command, and what was probably meant."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Final, NoReturn

_USAGE: Final = 2  # the exit code
_NEAR: Final = 0.8
"""How alike two words are of which one is a slip of the other: `--watchh` and `--watch` are 0.93, `--jobs` and `--json` 0.67."""
_TELLING: Final = 4
"""So many first characters of a word (`--dr`) are enough to tell it by."""
_CHOICE: Final = re.compile(r"invalid choice: ['\"](.+?)['\"] \(")
_UNKNOWN: Final = re.compile(r"unrecognized arguments: (\S+)")


class CommandParser(argparse.ArgumentParser):
    """As argparse's, but for `error`: no wall of usage."""

    def error(self, message: str) -> NoReturn:
        """Tell it on standard error, and end with exit code 2."""
        choice, unknown = _CHOICE.search(message), _UNKNOWN.search(message)
        about: argparse.ArgumentParser = self
        near = ""
        if choice:
            near = _near(choice[1], [str(each) for action in self._actions for each in action.choices or ()])
        elif unknown:
            about = self._typed(sys.argv[1:], unknown[1])
            near = _near(unknown[1].partition("=")[0], list(about._option_string_actions))
        lines = [f"{about.prog}: {message}"]
        if near:
            lines.append(f"  Did you mean {near}?")
        lines.append(f"  See {about.prog} --help")
        self.exit(_USAGE, "".join(f"{line}\n" for line in lines))

    def _typed(self, words: list[str], unknown: str) -> argparse.ArgumentParser:
        """That of the command that `unknown` was typed for: what it does not know is told by the one above it."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for at, word in enumerate(words):
                    if word in action.choices and unknown in words[at:]:
                        found = action.choices[word]
                        return found._typed(words[at + 1 :], unknown) if isinstance(found, CommandParser) else found
        return self


def _near(typed: str, known: list[str]) -> str:
    """The word that was probably meant: the only one that goes on as it does, or one that is nearly the same; blank: none."""
    from difflib import get_close_matches  # only where something is wrong: it costs each start

    longer = [each for each in known if len(typed) >= _TELLING and each.startswith(typed)]
    found = longer if len(longer) == 1 else get_close_matches(typed, known, 1, _NEAR)
    return found[0] if found else ""

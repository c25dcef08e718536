"""Questions of init, step after step: each answer is tried before the next question, and one may go back."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import Final

from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.config.places import discover
from torrent_mover.adapters.process.this_user import expanded
from torrent_mover.commands.init import target_of
from torrent_mover.commands.init_draft import ConfigDraft
from torrent_mover.commands.init_prompts import BACK, Console, GoBack, remedy_for
from torrent_mover.domain.errors import ConfigError, ExitCode, MoverError, UsageError
from torrent_mover.engine.preflight.examination import Check, Doubt, Examination

_TRIES: Final = 4

Step = tuple[str, Callable[[], None]]
"""A heading, and what asks and tries."""


class Conversation:
    """One conversation. `given`: answers by flags or the environment, each used once: whoever is asked again types another."""

    def __init__(self, arguments: argparse.Namespace, given: Mapping[str, str | None]) -> None:
        self.flags: Final = arguments
        self.console: Final = Console(asks=not arguments.yes and sys.stdin.isatty() and sys.stdout.isatty())
        self.draft: Final = ConfigDraft(target_of(arguments.config), overwrite=arguments.overwrite)
        self._given = {name: text for name, text in given.items() if text}

    def hold(self, what: str, steps: Sequence[Step], write: Callable[[], None]) -> ExitCode:
        """All steps in order, back where somebody wants to, then `write`. `what` is set up. Raises MoverError."""
        does = "adds to" if self.draft.adds else "writes"
        self.console.tell(f"This sets up {what}. It tests each answer first, and then {does} {self.draft.path}.")
        if self.console.asks:
            self.console.tell(f"{BACK} goes back to the previous question; Ctrl-C leaves.")
        try:
            with self.console.conversation():
                self._go(steps)
                write()
        except KeyboardInterrupt:
            self.console.say("\n\nStopped.")
            raise
        return ExitCode.DONE

    def _go(self, steps: Sequence[Step]) -> None:
        at = 0
        while at < len(steps):
            heading, step = steps[at]
            self.console.say()
            self.console.say(heading)
            try:
                step()
            except GoBack:
                at = max(at - 1, 0)
            else:
                at += 1

    def is_given(self, name: str) -> bool:
        """Whether a flag still answers this."""
        return name in self._given

    def answer(self, name: str, question: str, usual: str, flag: str, *, needed: bool = True) -> str:
        """By its flag, or by somebody. Where nobody can be asked, `usual` counts only if not `needed`."""
        if name in self._given:
            return self._given.pop(name)
        if not self.console.asks and not needed:
            return usual
        return self.console.ask(question, usual if self.console.asks else "", flag)

    def secret(self, keys: dict[str, str], key: str, question: str, file: str | None, flag: str = "") -> None:
        """Put `key`, or `key_file` where a file is named, into `keys`; `given[key]` is what the environment says.

        `flag` names that file where it may not be blank; UsageError names it where nobody can be asked.
        """
        if file:
            keys[f"{key}_file"] = str(expanded(file).absolute())
            return
        keys[key] = self._given.pop(key, "") or self.console.ask_secret(question, keys.get(key, ""))
        if flag and not keys[key] and not self.console.asks:
            raise UsageError(
                f"Not given: {question}.",
                kept="Nothing was written.",
                remedy=f"Give it in a file with {flag}, or run it in a terminal.",
            )

    def choose(self, question: str, choices: Sequence[str], flag: str) -> str:
        """One of these, by its number or its name; the first where nobody can be asked."""
        if len(choices) == 1 or not self.console.asks:
            return choices[0]
        for number, each in enumerate(choices, 1):
            self.console.say(f"   {number}  {each}")
        while True:
            told = self.console.ask(question, choices[0], flag)
            if told.isdecimal() and 1 <= int(told) <= len(choices):
                return choices[int(told) - 1]
            if told in choices:
                return told

    def until_right(self, ask: Callable[[], None], test: Callable[[], str], refused: str = "", away: str = "") -> None:
        """Ask and try, until it works or somebody gives up. Without somebody to ask, the first trouble is the end.

        For somebody who is asked again at once: `refused` is the remedy of a refused login, `away` that of a server that is not
        reached. Those of the errors themselves name sections of a config, and there is none yet.
        """
        for tries in count(1):
            try:
                ask()
                self.console.good(test())
            except Doubt as error:
                self.console.doubt(error)
                return
            except MoverError as error:
                wrong_answer = not isinstance(error, UsageError) or isinstance(error, ConfigError)
                if not (wrong_answer and self.console.asks):
                    raise
                self.console.bad(error, remedy_for(error, refused, away))
                question = "Answer this once more? What was right so far is kept"
                if tries % _TRIES == 0 and not self.console.agree(question, default=True):
                    raise
            else:
                return

    def examine(self, checks: AbstractContextManager[Sequence[Check]]) -> None:
        """Ask what doctor asks. Raises the refusal, unless somebody wants the config all the same."""
        with checks as asked:
            examination = Examination(SystemClock(), lambda _event: None)
            results = list(examination.ask(asked))
        for result in results:
            if result.error is None:
                self.console.good(f"{result.view.name}: {result.view.result}")
            elif result.view.fatal:
                self.console.bad(result.error)
            else:
                self.console.doubt(result.error)
        refusal = examination.verdict()
        if refusal is not None and not self.console.agree("Write the config all the same?", default=False):
            raise refusal

    def next(self, commands: Sequence[tuple[str, str, str]]) -> None:
        """What comes next: a title, the words after torrent-mover, and what that does."""
        config = self.config_words()
        self.console.say()
        for title, words, what in commands:
            self.console.say(f"{title:<9}torrent-mover{config} {words}   ({what})")

    def config_words(self) -> str:
        """` --config PATH`, quoted for a shell; blank where the config is found without."""
        path = self.draft.path
        found = next((place for place, _ in discover(None) if place.exists()), None)
        return "" if found == path else f" --config {shlex.quote(str(path.absolute()))}"


def of_environment(name: str) -> str:
    """A secret by a variable of the environment; blank: none."""
    return os.environ.get(name, "")

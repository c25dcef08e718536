"""The command that tests start: letting go of it ends it, also where it leads no group of its own yet."""

from __future__ import annotations

import os

from tests.e2e.command import Command
from tests.e2e.warm import Warm


def test_a_process_without_a_group_of_its_own_is_ended_by_its_id(tmp_path, monkeypatch):
    def no_group(_pid, _number):
        raise ProcessLookupError

    command = Command("0", "--bind", "127.0.0.1", home=tmp_path, module="http.server")
    monkeypatch.setattr(os, "killpg", no_group)

    with command:
        assert command.running
    assert not command.running


def test_so_is_one_of_the_warm_interpreter(tmp_path, monkeypatch):
    class AnyModule(Warm):
        def start(self, _module, arguments, folder, environment):
            return super().start("http.server", arguments, folder, environment)

    def no_group(_pid, _number):
        raise ProcessLookupError

    warm = AnyModule()
    monkeypatch.setattr("tests.e2e.command._warm", lambda: warm)
    monkeypatch.setattr("tests.e2e.command.long_form", lambda: False)
    try:
        command = Command("0", "--bind", "127.0.0.1", home=tmp_path)
        monkeypatch.setattr(os, "killpg", no_group)
        with command:
            assert command.running
        assert not command.running
    finally:
        warm.close()

"""keymap.toml changes keys by name, and says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui import wizard_case
from tests.tui.pilot import drive, dump, settle
from tests.tui.scenes import SCENES
from torrent_mover.domain.errors import ConfigError
from torrent_mover.tui.shell.app import MoverApp
from torrent_mover.tui.shell.keymap import load_keymap
from torrent_mover.tui.wizard.app import WizardApp


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "keymap.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_both_shapes_are_read(tmp_path: Path):
    path = written(tmp_path, '"run.pause" = "ctrl+s"\n[torrent]\nretry = "T,ctrl+r"\n')

    assert load_keymap(path) == {"run.pause": "ctrl+s", "torrent.retry": "T,ctrl+r"}


def test_an_unknown_name_is_refused_with_the_nearest_one(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"no action is called 'run\.pauze', did you mean 'run\.pause'"):
        load_keymap(written(tmp_path, '"run.pauze" = "ctrl+s"\n"app.quit" = 3\n'))


def test_every_problem_is_told_at_once(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        load_keymap(written(tmp_path, '"run.pauze" = "ctrl+s"\n"app.quit" = 3\n'))

    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("text", ["not toml", "a = ["])
def test_what_is_no_toml_is_refused(tmp_path: Path, text: str):
    with pytest.raises(ConfigError, match="no TOML"):
        load_keymap(written(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_keymap(tmp_path / "nowhere.toml")


def test_a_changed_key_works_is_shown_and_the_old_one_is_free(tmp_path: Path):
    control = SCENES["running"]()
    path = written(tmp_path, '"run.pause" = "z"\n')
    seen: list[str] = []

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("p")
        assert control.calls == []
        await pilot.press("z")
        await settle(pilot)
        seen.append(dump(app))

    drive(control, act, keymap=path)

    assert control.calls == [("pause", None)]
    assert " z pause all" in seen[0]


def test_the_wizard_takes_its_keys_from_the_same_file(tmp_path: Path):
    keymap = load_keymap(written(tmp_path, '"sort.skip" = "z"\n"run.pause" = "ctrl+s"\n'))
    seen: list[str] = []

    async def act(app: WizardApp, pilot) -> None:
        for key in ("s", "z"):
            await wizard_case.press(app, pilot, key)
            seen.append(dump(app))

    wizard_case.drive(wizard_case.FakeCategorizer(wizard_case.usual()), act, keymap=keymap)

    assert " z skip" in seen[0]
    assert seen[0].splitlines()[0] != seen[1].splitlines()[0]  # one torrent less to decide about

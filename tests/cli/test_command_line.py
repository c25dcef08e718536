"""What somebody is told who mistypes a command: what is wrong, what was probably meant, and not all that there is."""

from __future__ import annotations

import pytest

from torrent_mover.cli import main


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["intit"], "init"),
        (["init", "helth"], "health"),
        (["--dryrun"], "--dry-run"),
        (["--tst-run"], "--test-run"),
        (["debrid", "run", "--dry"], "--dry-run"),
        (["tier", "--watchh"], "--watch"),
        (["health", "--undo=3", "--explane=abcd"], "--explain"),
        (["debrid", "stauts"], "status"),
    ],
)
def test_a_mistyped_word_is_told_with_the_one_that_was_meant(capsys, monkeypatch, words, meant):
    monkeypatch.setattr("sys.argv", ["torrent-mover", *words])

    with pytest.raises(SystemExit) as ended:
        main(words)

    said = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert f"  Did you mean {meant}?" in said
    assert len(said) == 3


def test_what_is_like_nothing_is_told_with_where_all_of_it_stands(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["debrid"])

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "Did you mean" not in said
    assert said.endswith("  See torrent-mover debrid --help\n")


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["debrid", "run", "--jobs=x"], "torrent-mover debrid"),
        (["debrid", "run", "--nope"], "torrent-mover debrid"),
        (["tier", "--jobs=x"], "torrent-mover tier"),
        (["--jobs=x"], "torrent-mover"),
        (["--jobs=x", "tier"], "torrent-mover"),
    ],
)
def test_an_option_that_is_like_none_of_its_command_is_told_with_the_help_of_that_command(
    capsys, monkeypatch, words, where
):
    monkeypatch.setattr("sys.argv", ["torrent-mover", *words])

    with pytest.raises(SystemExit):
        main(words)

    wrong = next(word for word in words if word.startswith("--"))
    assert capsys.readouterr().err == f"{where}: unrecognized arguments: {wrong}\n  See {where} --help\n"

"""There is one way to remove an entry of a debrid account, and it takes a removal that one module makes."""

from __future__ import annotations

import ast
import inspect
import typing

import pytest

from tests.architecture.calls import modules_that_call, sources
from torrent_mover.domain.debrid.removal import Removal, RemovalReason
from torrent_mover.ports.debrid import DebridAccount

DESTRUCTIVE = ("torrents/delete/", "magnet/delete", "transfer/delete", "torrents/controltorrent", "downloads/delete/")
"""What the calls are named that take something away."""


def test_a_removal_is_made_in_one_module_alone():
    assert set(modules_that_call("Removal")) <= {"domain/debrid/removal.py"}


def test_nobody_else_can_make_a_removal():
    with pytest.raises(TypeError, match="alone"):
        Removal(object(), None, None, RemovalReason.REPLACED, 0.0)  # type: ignore[arg-type]


def test_an_account_deletes_by_removal_and_in_no_other_way():
    _, argument = inspect.signature(DebridAccount.delete).parameters.values()
    assert typing.get_type_hints(DebridAccount.delete)[argument.name] is Removal
    destructive = {name for name in vars(DebridAccount) if any(word in name for word in ("delete", "remove", "drop"))}
    assert destructive == {"delete"}


def names(function: ast.FunctionDef) -> bool:
    """Whether a function names a destructive call."""
    texts = [
        node.value for node in ast.walk(function) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return any(text.removeprefix("v4/").startswith(DESTRUCTIVE) for text in texts)


def test_each_adapter_names_its_destructive_call_within_delete_alone():
    found: dict[str, set[str]] = {}
    for module, tree in sources():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and names(function):
                found.setdefault(module, set()).add(function.name)
    folder = "adapters/debrid/"
    assert {module: each for module, each in found.items() if module.startswith(folder)} == {
        f"{folder}realdebrid.py": {
            "delete",
            "_forget_download",
        },  # what resolving a link has left in its list of downloads
        f"{folder}torbox.py": {"delete"},
        f"{folder}alldebrid.py": {"delete"},
        f"{folder}premiumize.py": {"delete"},
    }
    assert not any(module.startswith(("duties/", "engine/", "bootstrap/", "commands/")) for module in found)

"""Every setting has an effect: what the config offers, the package reads."""

from __future__ import annotations

import ast

from tests.architecture.calls import sources
from torrent_mover.bootstrap.sections import SCHEMA

ACCEPTED_WITHOUT_EFFECT = {"add_torrents_paused"}
"""Of older files: a torrent is always added stopped."""


def read_in(tree: ast.AST) -> set[str]:
    """Names of the attributes that are read there."""
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_every_setting_is_read_outside_of_the_schema_or_by_a_property_that_is():
    used, derived = {section.named_by for section in SCHEMA.every} | {"machine"}, {}  # they name other sections
    for module, tree in sources():
        if not module.startswith("domain/settings"):
            used |= read_in(tree)
            continue
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.decorator_list]
        derived |= {function.name: read_in(function) for function in functions}
    for _ in derived:  # properties that are made of properties
        used |= set().union(*(derived[name] for name in used & set(derived)))

    without = {key for section in SCHEMA.every for key in section.keys} - used
    assert without == ACCEPTED_WITHOUT_EFFECT

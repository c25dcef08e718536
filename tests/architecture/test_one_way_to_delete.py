"""There is one way to delete a torrent at the source, and it takes a certificate that one function makes."""

from __future__ import annotations

import ast
import inspect
import typing

import pytest

from tests.architecture.calls import calls, modules_that_call, sources
from torrent_mover.domain.torrent.certificate import Certificate
from torrent_mover.domain.torrent.warrant import Warrant
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.roles import Retires


def test_a_certificate_is_made_by_certify_alone():
    assert modules_that_call("Certificate") == ["domain/torrent/certificate.py"]
    assert _functions_that_call("Certificate") == ["certify"]


def test_nobody_else_can_make_a_certificate():
    with pytest.raises(TypeError, match=r"certify\(\) alone"):
        Certificate(object(), None, 0.0)  # type: ignore[arg-type]


def test_the_engine_certifies_in_one_place():
    assert modules_that_call("certify") == ["duties/moving/handover.py"]
    assert modules_that_call("evidence") == []


def test_a_client_removes_by_certificate_and_in_no_other_way():
    (_, argument) = inspect.signature(TorrentClient.remove).parameters.values()

    assert typing.get_type_hints(TorrentClient.remove)[argument.name] is Certificate
    destructive = {name for name in vars(TorrentClient) if "remove" in name or "delete" in name}
    assert destructive == {"remove"}


def test_the_clients_remove_is_called_in_one_place():
    removing = [
        (module, called) for module, called, node in calls() if called.endswith("client.remove") and len(node.args) == 1
    ]

    assert removing == [("duties/moving/removal.py", "source.client.remove")]
    assert [module for module, called, _ in calls() if called == "removal.remove"] == ["duties/moving/handover.py"]


def test_a_warrant_is_made_by_one_function():
    assert modules_that_call("Warrant") == ["domain/torrent/warrant.py"]
    assert _functions_that_call("Warrant") == ["issue_warrant"]
    with pytest.raises(TypeError, match=r"issue_warrant\(\) alone"):
        Warrant(object(), None)  # type: ignore[arg-type]


def test_a_torrent_is_taken_out_without_its_data_by_a_warrant_alone():
    (_, argument) = inspect.signature(Retires.retire).parameters.values()

    assert typing.get_type_hints(Retires.retire)[argument.name] is Warrant
    (request,) = [
        node
        for _, tree in sources()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name == "retire"
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".torrents_delete")
    ]
    assert {word.arg: ast.unparse(word.value) for word in request.keywords}["delete_files"] == "False"


def test_only_one_delete_request_can_delete_data():
    requests = [(module, node) for module, called, node in calls() if called.endswith(".torrents_delete")]
    deleting = [
        module
        for module, node in requests
        for word in node.keywords
        if word.arg == "delete_files" and ast.unparse(word.value) != "False"
    ]

    assert deleting == ["adapters/clients/qbittorrent/client.py"]
    assert all({word.arg for word in node.keywords} == {"delete_files", "torrent_hashes"} for _, node in requests)
    # One takes a torrent out by a warrant, and leaves its data.
    # The other one takes back a torrent of a few bytes that was made and added, to learn how the client sees a folder.
    assert {module.rpartition("/")[0] for module, _ in requests} == {"adapters/clients/qbittorrent"}
    assert set(_functions_that_call("torrents_delete")) <= {"remove", "retire", "_delete"}


def test_no_delete_request_is_made_past_the_library():
    naming = [
        module
        for module, tree in sources()
        if not module.startswith("demo/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "torrents/delete" in node.value
    ]
    # A debrid service has a call of that name too: see test_debrid_deletes.py.
    assert set(naming) <= {"adapters/debrid/realdebrid.py"}


def test_rtorrent_is_told_to_erase_by_the_certified_removal_alone():
    naming = [
        module
        for module, tree in sources()
        if not module.startswith("demo/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value == "d.erase"
    ]
    # hooks.py looks for the word in a configuration, session.py in the list of commands.
    folder = "adapters/clients/rtorrent"
    assert sorted(naming) == [f"{folder}/{module}.py" for module in ("erasing", "hooks", "session")]
    assert _functions_that_call("take_out") == ["remove"]
    assert _functions_that_call("take_out_alone") == ["retire"]
    assert _functions_that_call("_erase") == ["take_out", "take_out_alone"]


def test_whole_trees_are_removed_only_where_they_are_throw_away_folders_of_our_own():
    tools = {"rmtree", "removedirs"}

    found = {module for module, called, _ in calls() if called.rpartition(".")[2] in tools}

    assert found <= {
        "demo/world.py",
        "demo/qbittorrent_server.py",
        "demo/rtorrent_server.py",
        "adapters/process/scratch.py",
    }


def _functions_that_call(name: str) -> list[str]:
    return [
        function.name
        for _, tree in sources()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name
    ]

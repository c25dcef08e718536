"""The checks before a run, one by one: what they find, what they advise, and that they leave nothing behind."""

from __future__ import annotations

import dataclasses
import shlex

import pytest

from tests.engine.story import CATEGORY, SAVE, TARGET, FsDisk, Story, path
from tests.fakes.client import FakeClient
from tests.fakes.clock import FakeClock
from tests.fakes.filesystem import MemoryFileSystem
from torrent_mover.domain.errors import ExitCode, LoginRefused, NotWritable, PathNotSeen, PreflightRefused, Unreachable
from torrent_mover.domain.paths import ROOT, ClientPath, HostPath
from torrent_mover.domain.report.events import CheckFailed, CheckPassed
from torrent_mover.domain.settings.choices import Unlock
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.engine.delivery.access import Access
from torrent_mover.engine.delivery.places import Destination, MovePolicy, Source
from torrent_mover.engine.preflight.destination import DestinationFolder
from torrent_mover.engine.preflight.examination import Check, Doubt, Examination, NotChecked
from torrent_mover.engine.preflight.source import SourceFiles, SourceTree
from torrent_mover.engine.proof.recheck import RecheckPatience
from torrent_mover.ports.accounts import Account

POLICY = MovePolicy(True, True, "manual-review", "", "", RecheckPatience(60, 15, 90))


class Nas:
    """Accounts of a server on which we are `media`."""

    place = "nas"

    def __init__(self, account: Account = Account("media", 1001, ("media",))):  # noqa: B008  it is frozen
        self.account = account

    def ours(self):
        return self.account

    def names(self, uid, gid):
        known = {0: "root", 1001: "media"}
        return known.get(uid, str(uid)), known.get(gid, str(gid))


class Closed(MemoryFileSystem):
    """A server whose root folder does not let us write."""

    def create(self, at, size):
        if at.parent == ROOT and not self.nodes[ROOT].mode & 0o200:
            raise NotWritable(f"Cannot create {at}: permission denied.")
        super().create(at, size)


def folder_of(
    files, client_root=TARGET, *, save_path=TARGET, policy=POLICY, clock=None, local=False
) -> DestinationFolder:
    clock = clock or FakeClock()
    client = FakeClient(clock, FsDisk(files, client_root), name="nas:8080")
    destination = Destination(
        "nas", client, files, save_path, local=local, accounts=Nas(), section="DESTINATION_SERVER"
    )
    return DestinationFolder(destination, policy, clock)


@pytest.fixture
def policy(tmp_path):
    return Story(tmp_path).policy


@pytest.fixture
def files():
    return Closed("nas:/nas/data")


# -- asking ------------------------------------------------------------------------------------------------------------


def fail(error):
    def ask():
        raise error

    return ask


def examined(*checks):
    events = []
    examination = Examination(FakeClock(), events.append)
    return list(examination.ask(checks)), examination, events


def test_every_check_is_asked_even_when_an_early_one_fails():
    results, examination, events = examined(
        Check("one", fail(Unreachable("Nobody answers."))), Check("two", lambda: "well")
    )

    assert [result.view.passed for result in results] == [False, True]
    assert [type(event) for event in events] == [CheckFailed, CheckPassed]
    assert isinstance(examination.verdict(), Unreachable)


def test_a_check_that_needs_a_failed_one_is_not_asked_and_says_which():
    results, _, _ = examined(
        Check("login", fail(LoginRefused("Wrong password."))),
        Check("files", lambda: pytest.fail("asked"), needs=("login",)),
        Check("more files", lambda: pytest.fail("asked"), needs=("files",)),
    )

    assert [type(result.error) for result in results] == [LoginRefused, NotChecked, NotChecked]
    assert results[1].view.fatal is False
    assert "login" in results[1].view.result
    assert "files" in results[2].view.result


def test_a_doubt_does_not_stop_a_run():
    _, examination, _ = examined(Check("clock", fail(Doubt("It is late."))))

    assert examination.verdict() is None


def test_a_server_that_cannot_be_reached_counts_before_what_is_wrong():
    _, examination, _ = examined(
        Check("folder", fail(NotWritable("closed", remedy="open it"))), Check("ssh", fail(Unreachable("gone")))
    )

    assert examination.verdict().exit_code is ExitCode.UNREACHABLE


def test_what_is_wrong_refuses_the_run_with_the_first_remedy():
    _, examination, _ = examined(
        Check("folder", fail(NotWritable("It is closed.", remedy="open it"))),
        Check("path", fail(PathNotSeen("Where?"))),
    )

    verdict = examination.verdict()
    assert isinstance(verdict, PreflightRefused)
    assert (verdict.exit_code, verdict.remedy) == (ExitCode.PREFLIGHT_REFUSED, "open it")
    assert "1 other" in verdict.what


# -- destination -------------------------------------------------------------------------------------------------------


def test_writing_is_tried_and_leaves_nothing(files, policy):
    answer = folder_of(files, policy=policy).write()

    assert answer == "/nas/data is writable as media (uid 1001, groups media)"
    assert list(files.nodes) == [ROOT]


def test_a_server_that_cannot_be_told_to_sync_is_doubted(files, policy):
    files.syncs = False

    with pytest.raises(Doubt, match="cannot force files"):
        folder_of(files, policy=policy).lasts()


def test_a_missing_folder_is_told_with_how_to_make_it(files, policy):
    del files.nodes[ROOT]

    with pytest.raises(NotWritable, match="/nas/data does not exist on nas") as caught:
        folder_of(files, policy=policy).write()

    assert "mkdir -p /nas/data" in caught.value.remedy


def test_a_folder_of_somebody_else_is_told_with_the_command_that_gives_access(files, policy):
    files.nodes[ROOT].mode = 0o555

    with pytest.raises(NotWritable) as caught:
        folder_of(files, policy=policy).write()

    assert caught.value.what == (
        "Cannot write in /nas/data on nas: permission denied for media (uid 1001, groups media);"
        " the folder belongs to root:root, mode 0555."
    )
    assert caught.value.remedy == (
        "On nas, run: sudo setfacl -m u:media:rwx /nas/data   (or change username in [DESTINATION_SERVER])"
    )


def test_a_closed_folder_of_our_own_is_no_problem_where_moves_open_it(files, policy):
    files.nodes[ROOT].mode, files.nodes[ROOT].uid = 0o555, 1001

    assert "each move opens it" in folder_of(files, policy=policy).write()
    with pytest.raises(NotWritable) as caught:
        folder_of(files, policy=dataclasses.replace(policy, unlock=Unlock.OFF)).write()

    assert caught.value.remedy == "On nas, run: chmod u+rwx /nas/data"
    assert files.nodes[ROOT].mode == 0o555


def test_a_server_that_does_not_say_who_we_are_still_gets_its_command(files, policy):
    files.nodes[ROOT].mode = 0o555
    folder = folder_of(files, policy=dataclasses.replace(policy, unlock=Unlock.OFF))
    folder._destination.accounts.account = Account("media")

    with pytest.raises(NotWritable, match="permission denied for media;") as caught:
        folder.write()

    assert "setfacl -m u:media:rwx /nas/data" in caught.value.remedy


def test_a_client_that_sees_the_folder_finds_the_canary_and_nothing_is_left(files, policy):
    answer = folder_of(files, policy=policy).seen_by_client()

    assert answer == "nas:8080 sees it as /nas/data"
    assert list(files.nodes) == [ROOT]


def test_the_line_to_write_is_found_for_a_client_in_a_container(files, policy):
    folder = folder_of(files, ClientPath("/downloads/complete"), policy=policy)
    folder._destination.client.folders = lambda: (
        ClientPath("/downloads/incomplete"),
        ClientPath("/downloads/complete"),
    )

    with pytest.raises(PathNotSeen) as caught:
        folder.seen_by_client()

    assert caught.value.code == "TM-E107"
    assert "does not see that folder as /nas/data. It sees it as /downloads/complete" in caught.value.what
    assert caught.value.remedy == "Set in [DESTINATION_PATHS]: remote_destination_path = /downloads/complete"
    assert list(files.nodes) == [ROOT]


def test_a_mapping_that_nobody_needs_is_told_to_be_removed(files, policy):
    with pytest.raises(PathNotSeen, match="under the same path") as caught:
        folder_of(files, save_path=ClientPath("/downloads"), policy=policy).seen_by_client()

    assert caught.value.remedy.startswith("Remove remote_destination_path")


def test_a_client_that_sees_it_nowhere_is_told_with_what_it_saves_to(files, policy):
    folder = folder_of(files, ClientPath("/somewhere/unknown"), policy=policy, local=True)
    folder._destination.client.folders = lambda: (ClientPath("/downloads"),)

    with pytest.raises(PathNotSeen, match="By default that client saves to /downloads") as caught:
        folder.seen_by_client()

    assert "docker inspect -f '{{json .Mounts}}'" in caught.value.remedy
    assert "transfer_mode = sftp_upload" in caught.value.remedy


def test_canaries_and_probes_of_killed_runs_are_removed_and_nothing_else(files, policy):
    clock = FakeClock()
    old = Canary.hatch(b"old")
    names = (
        old.name,
        ".torrent-mover-probe-0123456789ab-renamed",
        "torrent-mover-canary-x",
        "Show",
        old.name + ".mkv",
    )
    for name in names:
        files.plant_file(path(name), b"x")
    fresh = Canary.hatch(b"fresh")
    files.plant_file(path(fresh.name), fresh.content)
    files.nodes[path(fresh.name)].mtime = clock.now()

    folder_of(files, policy=policy, clock=clock).seen_by_client()

    left = {str(each) for each in files.nodes if each != ROOT}
    assert left == {"torrent-mover-canary-x", "Show", old.name + ".mkv", fresh.name}


def test_bits_of_the_group_count_for_members(files):
    access = Access(files, Nas(Account("alice", 7, ("users", "media"))))
    files.nodes[ROOT].mode, files.nodes[ROOT].gid = 0o775, 1001

    assert access.allows(files.stat(ROOT))
    assert not Access(files, Nas(Account("bob", 8, ("users",)))).allows(files.stat(ROOT))


# -- source ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def story(tmp_path):
    return Story(tmp_path)


def source_files(story, host_root: str, *, home="/home/u", configured=None) -> SourceFiles:
    """The login sees the client's SAVE folder at `host_root`; the config maps it to `configured` (default: the same path)."""

    class Below(MemoryFileSystem):
        def __init__(self, root: HostPath):
            super().__init__(f"seedbox:{root}")
            top = HostPath(host_root)
            if top == root:
                self.nodes = story.here.nodes
            elif top.is_within(root):
                self.plant_folder(top.relative_to(root))
                prefix = top.relative_to(root)
                self.nodes |= {prefix / each: node for each, node in story.here.nodes.items() if each != ROOT}

    expected = HostPath(configured or str(SAVE))
    source = Source("seedbox", story.source, lambda _save_path: Below(expected))
    tree = SourceTree(Below, lambda: HostPath(home), lambda _theirs: expected)
    return SourceFiles(source, tree, CATEGORY)


def test_source_files_are_found_where_the_client_says(story):
    story.seed()

    assert source_files(story, str(SAVE)).ask() == f"{SAVE} can be read"


def test_an_empty_category_has_nothing_to_look_for(story):
    assert "the category has no file" in source_files(story, str(SAVE)).ask()


@pytest.mark.parametrize(
    ("host_root", "line"),
    [
        ("/home/u/seed/data", "path_map = /seed = /home/u/seed"),
        ("/home/u/data", "path_map = /seed/data = /home/u/data"),
        ("/data", "path_map = /seed/data = /data"),
        ("/mnt/seed/data", "path_map = /seed = /mnt/seed"),
    ],
)
def test_the_pair_to_write_is_found_where_ssh_sees_the_files_elsewhere(story, host_root, line):
    story.seed()

    with pytest.raises(PathNotSeen) as caught:
        source_files(story, host_root).ask()

    assert f"It is in {host_root}." in caught.value.what
    assert caught.value.remedy == f"Set in [SOURCE_CLIENT]: {line}"


def test_files_that_are_nowhere_are_told_with_how_to_look_for_them(story):
    story.seed()

    with pytest.raises(PathNotSeen) as caught:
        source_files(story, "/quite/elsewhere/deep").ask()

    command = shlex.split(caught.value.remedy.partition("(")[2].partition("), and")[0])
    assert command[:2] == ["ssh", "seedbox"]  # and one word more, which the shell there takes to pieces
    assert shlex.split(command[2])[:3] == ["find", "/", "-name"]
    assert len(command) == 3
    assert "path_map = /seed/data = /where/ssh/sees/it" in caught.value.remedy


def test_a_pair_that_leads_astray_is_told_to_be_removed(story):
    story.seed()

    with pytest.raises(PathNotSeen) as caught:
        source_files(story, str(SAVE), configured="/wrong").ask()

    assert "path_map without the pair that leads to /wrong" in caught.value.remedy

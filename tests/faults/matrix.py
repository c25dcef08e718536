"""The faults that the program is to survive, one a row, and which tests beside the scenarios of this folder hold them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`fault`: what happens. `held_by`: files of tests, or `file::test`, that `make faults` runs for it besides."""

    fault: str
    held_by: tuple[str, ...] = ()
    gap: str = ""


POWER_CUT = (
    "not cut here: no disk of this machine can be stopped between a write and its arrival. In its place the file systems of the "
    "fakes forget every byte that was not synced, before and after every write to the journal"
)

ROWS = {
    1: Row("kill -9 at any instant, at every write to the journal, at system calls", ("tests/e2e/test_stopping.py",)),
    2: Row("its ssh and rsync children are killed", ("tests/transfer/test_rsyncing.py",)),
    3: Row("asked to stop: SIGTERM, SIGINT, SIGHUP", ("tests/e2e/test_stopping.py",)),
    4: Row("connections are reset or closed", ("tests/adapters/test_ssh_loss.py",)),
    5: Row("a connection falls silent, both ends open"),
    6: Row("the process that serves files stands still, keep-alives are answered", ("tests/engine/test_watchdog.py",)),
    7: Row(
        "silence before the login", ("tests/adapters/test_ssh_login.py::test_a_silent_listener_is_given_up_in_time",)
    ),
    8: Row("a slow line is no stall"),
    9: Row("a disk is full: destination, cache, state", ("tests/engine/test_room.py", "tests/engine/test_outages.py")),
    10: Row("a quota is used up"),
    11: Row("reading, writing, syncing or renaming fails"),
    12: Row("folders and files are closed to us", ("tests/e2e/test_permissions.py", "tests/engine/test_unlock.py")),
    13: Row("a file system is read-only", ("tests/e2e/test_refusals.py::test_a_read_only_destination_is_named",)),
    14: Row("a client is killed and starts again"),
    15: Row(
        "wrong password, ban, session that ends",
        (
            "tests/adapters/test_qbittorrent.py::TestRealServers::test_a_wrong_password_never_leads_to_a_ban",
            "tests/adapters/test_qbittorrent.py::TestRealServers::test_a_ban_is_recognised_and_ends_with_a_restart",
            "tests/adapters/test_qbittorrent.py::TestRealServers::test_a_session_that_expires_is_renewed",
        ),
    ),
    16: Row("a client answers with errors, pages of others, half an answer, an empty list"),
    17: Row(
        "somebody removes the torrent midway",
        ("tests/e2e/test_damage_at_the_destination.py", "tests/engine/test_release.py"),
    ),
    18: Row("its category or path is changed midway", ("tests/engine/test_release.py",)),
    19: Row("its files are renamed in the client", ("tests/e2e/test_handover_layout.py",)),
    20: Row("the client's automatic management moves its data midway"),
    21: Row("a share limit of the destination removes torrents with their files"),
    22: Row("the wall clock jumps"),
    23: Row("a bit flips on the line"),
    24: Row(
        "a bit flips at rest, on either side, before and after it was proven",
        ("tests/e2e/test_damage_at_the_destination.py", "tests/engine/test_repair.py"),
    ),
    25: Row("partial, wrong and whole files of former runs lie there", ("tests/engine/test_landing.py",)),
    26: Row("several runs are started at the same instant", ("tests/adapters/test_lockfile.py",)),
    27: Row(
        "the journal is damaged, lost, or of a newer version",
        (
            "tests/adapters/store/test_sqlite_journal.py",
            "tests/cli/test_looking_on.py::test_the_journal_of_a_newer_version_is_left_alone",
        ),
    ),
    28: Row(
        "5,000 torrents",
        ("tests/domain/test_selection.py::test_ten_times_as_many_torrents_are_about_ten_times_the_work",),
    ),
    29: Row("hostile paths in a .torrent", ("tests/domain/test_manifest.py", "tests/domain/test_filenames.py")),
    30: Row(
        "a file renamed to a path outside",
        ("tests/e2e/test_torrent_trouble.py::test_a_path_that_leaves_the_folder_is_refused",),
    ),
    31: Row("hostile categories and rules", ("tests/domain/test_rules.py", "tests/adapters/test_rules_json.py")),
    32: Row(
        "names that try to act on a terminal",
        ("tests/domain/test_text.py", "tests/tui/test_safety.py", "tests/e2e/test_torrent_trouble.py"),
    ),
    33: Row("another file of that name lies at the destination", ("tests/engine/test_landing.py",)),
    34: Row("another torrent of the source uses the same files", ("tests/e2e/test_cross_seeds.py",)),
    35: Row("rsync ends with any of its codes", ("tests/domain/test_rsync_exit.py",)),
    36: Row("rsync or ssh is not installed, here or there", ("tests/adapters/test_rsync_process.py",)),
    37: Row(
        "a login script that prints",
        (
            "tests/adapters/test_rsync_process.py::test_a_shell_that_prints_is_named",
            "tests/adapters/test_ssh_login.py::test_a_login_script_that_prints_is_told",
        ),
    ),
    38: Row(
        "an account with SFTP alone",
        ("tests/adapters/test_rsync_process.py::test_an_account_without_a_shell_is_named_and_sftp_offered",),
    ),
    39: Row("names that are not UTF-8", ("tests/contracts/test_filesystems.py", "tests/transfer/test_rsyncing.py")),
    40: Row(
        "names with dashes, quotes, line breaks, wildcards",
        ("tests/contracts/test_filesystems.py", "tests/transfer/test_rsyncing.py"),
    ),
    41: Row("links are planted", ("tests/contracts/test_filesystems.py", "tests/engine/test_landing.py")),
    42: Row("a source file shrinks, grows or vanishes while it is read", ("tests/engine/test_release.py",)),
    43: Row("files that are not selected", ("tests/e2e/test_handover_partial.py",)),
    44: Row("sparse files"),
    45: Row(
        "the host key is another one",
        (
            "tests/e2e/test_refusals.py::test_a_host_key_that_changed_is_a_hard_stop",
            "tests/adapters/test_ssh_login.py::"
            "test_a_changed_host_key_is_a_hard_stop_and_the_impostor_hears_no_password",
        ),
    ),
    46: Row("the power goes", ("tests/engine/test_faults_everywhere.py",), POWER_CUT),
}


def numbers(row: str) -> list[int]:
    """The rows that an entry of the ledger is about: `33, 41`."""
    return [int(part) for part in row.split(", ") if part.isdigit()]

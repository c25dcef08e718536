import pytest

from torrent_mover.domain import errors
from torrent_mover.domain.errors import Retry
from torrent_mover.domain.rsync_exit import RsyncRoute, explain
from torrent_mover.engine.progress.outages import is_full

ROUTE = RsyncRoute("/data on seedbox:22", "/srv/new", "seedbox:22")
CUT = "rsync: connection unexpectedly closed (123456 bytes received so far) [receiver]\nrsync error: (code 12)"
NO_START = "rsync: connection unexpectedly closed (0 bytes received so far) [Receiver]\nrsync error: unexplained error (code 255)"


@pytest.mark.parametrize(
    ("code", "complaints", "expected"),
    [
        (1, "rsync: --frobnicate: unknown option", errors.ConfigError),
        (2, "protocol version mismatch -- is your shell clean?", errors.ConfigError),
        (2, "rsync: protocol incompatibility", errors.ServerTooOld),
        (3, 'rsync: [sender] change_dir "/data" failed: No such file or directory (2)', errors.SourceUnreadable),
        (3, 'rsync: [Receiver] change_dir#3 "/srv/new" failed: No such file or directory (2)', errors.NotWritable),
        (4, "rsync: the --frob option is not understood", errors.ServerTooOld),
        (5, "Permission denied, please try again.", errors.LoginRefused),
        (6, "", errors.HostKeyUnknown),
        (10, "rsync: read error: Connection reset by peer", errors.ConnectionLost),
        (11, 'rsync: [receiver] write failed on "/srv/new/a": No space left on device (28)', errors.DiskFull),
        (11, 'rsync: [receiver] write failed on "/srv/new/a": Disk quota exceeded (122)', errors.DiskFull),
        (11, 'rsync: [receiver] write failed on "/srv/new/a": Input/output error (5)', errors.TransferError),
        (11, 'rsync: [receiver] write failed on "/srv/new/a": File too large (27)', errors.FileTooLarge),
        (11, 'rsync: [receiver] write failed on "/srv/new/a": Stale file handle (116)', errors.StorageAway),
        (11, 'rsync: [receiver] write failed on "/srv/new/a": Quota exceeded (122)', errors.DiskFull),
        (23, 'rsync: [sender] link_stat "/data/a": Transport endpoint is not connected (107)', errors.SourceAway),
        (23, 'rsync: [receiver] mkstemp "/srv/new/.a.x" failed: File name too long (36)', errors.NotWritable),
        (14, "rsync: pipe: Too many open files (24)", errors.TooManyOpenFiles),
        (12, "rsync: [sender] read error: Connection timed out (110)", errors.ConnectionLost),
        (
            23,
            'rsync: [sender] send_files failed to open "/data/No space left": Permission denied (13)',
            errors.SourceUnreadable,
        ),
        (-25, "", errors.FileTooLarge),
        (12, CUT, errors.ConnectionLost),
        (12, NO_START, errors.BadAnswer),
        (12, "This service allows sftp connections only.\n" + NO_START, errors.MissingProgram),
        (12, "bash: rsync: command not found\n" + NO_START, errors.MissingProgram),
        (12, "sh: 1: /opt/rsync: not found\n" + NO_START, errors.MissingProgram),
        (12, "bash: line 1: /opt/rsync: No such file or directory\n" + NO_START, errors.MissingProgram),
        (12, "zsh:1: command not found: rsync\n" + NO_START, errors.MissingProgram),
        (126, "bash: line 1: /opt/rsync: Permission denied\n" + NO_START, errors.MissingProgram),
        (13, "", errors.ConnectionLost),
        (14, "", errors.ConnectionLost),
        (20, "rsync error: received SIGINT, SIGTERM, or SIGHUP (code 20)", errors.ConnectionLost),
        (22, "rsync: out of memory", errors.TransferError),
        (23, 'rsync: [sender] send_files failed to open "/data/a": Permission denied (13)', errors.SourceUnreadable),
        (23, 'rsync: send_files failed to open "/data/a": Permission denied (13)', errors.SourceUnreadable),
        (
            23,
            'rsync: [generator] recv_generator: mkdir "/srv/new/T" failed: Permission denied (13)',
            errors.NotWritable,
        ),
        (23, 'rsync: mkstemp "/srv/new/.a.x" failed: Permission denied (13)', errors.NotWritable),
        (23, 'rsync: [receiver] open "/srv/new/a" failed: Read-only file system (30)', errors.NotWritable),
        (23, 'rsync: [sender] link_stat "/data/a" failed: No such file or directory (2)', errors.SourceUnreadable),
        (23, "rsync error: some files/attrs were not transferred", errors.TransferError),
        (24, 'file has vanished: "/data/a"', errors.SourceUnreadable),
        (30, "rsync error: timeout in data send/receive (code 30)", errors.Stalled),
        (35, "rsync error: timeout waiting for daemon connection", errors.Unreachable),
        (127, "sh: 1: rsync: not found", errors.MissingProgram),
        (255, "", errors.ConnectionLost),
        (-9, "", errors.ConnectionLost),
        (-15, "", errors.ConnectionLost),
        (99, "what is this", errors.TransferError),
    ],
)
def test_each_end_has_its_error_and_its_remedy(code, complaints, expected):
    error = explain(code, complaints, ROUTE)

    assert type(error) is expected
    assert error.what
    assert error.remedy
    assert error.kept


def test_a_name_that_speaks_of_a_full_disk_does_not_hold_the_queue():
    said = 'rsync: [sender] send_files failed to open "/data/No space left on device": Permission denied (13)'

    assert not is_full(explain(23, said, ROUTE))


def test_a_file_too_large_for_a_fat_disk_does_not_hold_the_queue():
    error = explain(11, 'rsync: [receiver] write failed on "/srv/new/a": File too large (27)', ROUTE)

    assert not is_full(error)
    assert "4 GiB" in error.remedy
    assert error.retry is Retry.NEVER


@pytest.mark.parametrize("code", [10, 12, 20, 255, -9])
def test_a_cut_connection_is_tried_again_at_once(code):
    assert explain(code, CUT, ROUTE).retry is Retry.NOW


@pytest.mark.parametrize(
    ("code", "complaints"),
    [(1, "unknown option"), (2, "is your shell clean?"), (5, ""), (11, "No space left on device"), (127, "")],
)
def test_what_a_person_must_mend_is_not_tried_again(code, complaints):
    assert explain(code, complaints, ROUTE).retry is Retry.NEVER


def test_the_telling_line_is_quoted_and_not_the_summary():
    error = explain(
        23, "rsync error: some files (code 23)\nrsync: [sender] read errors mapping: Input/output error (5)", ROUTE
    )

    assert "read errors mapping" in error.what
    assert "/data on seedbox:22" in error.what


def test_other_modes_are_offered_where_rsync_cannot_work():
    assert "transfer_mode = sftp" in explain(127, "rsync: not found", ROUTE).remedy
    assert "transfer_mode = sftp" in explain(2, "is your shell clean?", ROUTE).remedy


def test_complaints_cannot_act_on_the_terminal():
    error = explain(23, "rsync: [sender] \x1b]0;owned\x07 \udcff failed: Permission denied (13)", ROUTE)

    assert "\x1b" not in str(error)
    str(error).encode()


@pytest.mark.parametrize(
    ("server", "command"),
    [("nas:2222", "ssh -p 2222 nas true"), ("[::1]:22", "ssh ::1 true"), ("nas", "ssh nas true")],
)
def test_the_command_that_shows_what_a_shell_prints_goes_to_its_port(server, command):
    assert command in explain(2, "is your shell clean?", RsyncRoute("from", "to", server)).remedy

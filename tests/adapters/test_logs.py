import io
import logging
import stat
import threading

import pytest

from tests.cli.conftest import CONFIG
from torrent_mover.adapters.config.secrets import redactor_of
from torrent_mover.adapters.outlets.logs import FILE_NAME, QuietFileHandler, SafeFormatter, start_log
from torrent_mover.bootstrap.configs import load
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.redact import HIDDEN, Redactor

logger = logging.getLogger("torrent_mover.tests")


@pytest.fixture
def log(tmp_path):
    redactor = Redactor()
    ends = []

    def start(**options):
        ends.append(start_log(tmp_path / "logs", redactor, **options))
        return tmp_path / "logs" / FILE_NAME, redactor

    yield start
    for end in ends:
        end()


@pytest.fixture
def settings_with(tmp_path):
    """Settings of a config that says this in [General]."""

    def read(**general):
        text = CONFIG.format(folder=tmp_path) + "".join(f"{key} = {value}\n" for key, value in general.items())
        (tmp_path / "config.ini").write_text(text)
        return load(tmp_path / "config.ini")[0]

    return read


def fail(text):
    raise RuntimeError(text)


def test_lines_reach_a_private_file(log):
    path, _ = log()
    logger.info("moved %s", "a torrent")
    assert "INFO    [MainThread] torrent_mover.tests: moved a torrent\n" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_debug_lines_are_there_only_when_asked_for(log):
    path, _ = log()
    logger.debug("quiet detail")
    logging.getLogger("paramiko.transport").info("chatter")
    logging.getLogger("paramiko.transport").warning("trouble")
    assert "quiet detail" not in path.read_text()
    assert "chatter" not in path.read_text()
    assert "trouble" in path.read_text()


def test_with_debug_libraries_speak_too(log):
    path, _ = log(debug=True)
    logger.debug("quiet detail")
    logging.getLogger("paramiko.transport").debug("chatter")
    assert "quiet detail" in path.read_text()
    assert "chatter" in path.read_text()


def test_ending_the_log_gives_logging_back(tmp_path):
    before = list(logging.getLogger().handlers)
    end = start_log(tmp_path / "other", Redactor())
    end()
    assert logging.getLogger().handlers == before


def test_registered_secrets_and_passkeys_are_hidden_in_lines_and_tracebacks(log):
    path, redactor = log()
    redactor.add("hunter2 & co")
    try:
        fail("login with hunter2 & co refused")
    except RuntimeError:
        logger.exception("POST password=hunter2+%%26+co to %s", "https://t.example.org/a1b2c3d4e5f6a7b8c9d0/announce")
    text = path.read_text()
    assert "RuntimeError: login with ••• refused" in text
    assert "https://t.example.org/•••" in text
    assert "hunter2" not in text
    assert "a1b2c3d4e5f6" not in text


def test_a_traceback_that_another_handler_formatted_is_not_reused():
    try:
        fail("token=abcdef")
    except RuntimeError as error:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "m", (), (type(error), error, None))
    logging.Formatter().format(record)
    assert "abcdef" not in SafeFormatter(Redactor()).format(record)


def test_names_cannot_forge_lines_or_act_on_a_terminal(log):
    path, _ = log()
    logger.info("start %s", "x\n2026-11-20 INFO all is well\x1b[2J\udcff")
    (line,) = path.read_text().splitlines()
    assert r"start x\x0a2026-11-20 INFO all is well\x1b[2J\xff" in line


def test_the_log_is_bounded(tmp_path):
    handler = QuietFileHandler(tmp_path / "log", max_bytes=2000, kept=2)
    for number in range(500):
        handler.emit(logging.LogRecord("x", logging.INFO, "f", 1, f"line {number} {'.' * 80}", (), None))
    handler.close()
    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == ["log", "log.1", "log.2"]
    assert all(file.stat().st_size <= 2000 for file in tmp_path.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    assert "line 499" in (tmp_path / "log").read_text()


def test_a_log_that_cannot_be_written_never_disturbs_the_run(tmp_path, capsys):
    handler = QuietFileHandler(tmp_path / "log")
    handler.stream.close()
    handler.stream = io.TextIOWrapper(FullDisk())
    handler.emit(logging.LogRecord("x", logging.INFO, "f", 1, "a line", (), None))
    handler.emit(logging.LogRecord("x", logging.INFO, "f", 1, "wrong %d %d", ("arguments",), None))
    handler.stream = None
    handler.close()
    assert capsys.readouterr() == ("", "")


class FullDisk(io.RawIOBase):
    def writable(self):
        return True

    def write(self, data):
        if self.closed:
            return len(data)
        raise OSError(28, "No space left on device")

    def close(self):
        """Nothing to flush."""


def test_a_folder_that_cannot_be_made_is_named_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritable, match="log_dir"):
        start_log(tmp_path / "file" / "logs", Redactor())


def test_what_sends_notifications_never_tells_its_tokens(log, settings_with):
    settings = settings_with(
        notify_urls="tgram://123456789:AAbb-token-of-a-bot/42 json://me:pass-of-the-hook@ntfy.example.org/x"
    )
    redact = redactor_of(settings)

    assert redact("could not send to AAbb-token-of-a-bot") == f"could not send to {HIDDEN}"
    assert redact("me pass-of-the-hook ntfy.example.org") == f"me {HIDDEN} ntfy.example.org"
    path, _ = log(debug=True)
    logging.getLogger("apprise").debug("POST to anything")
    assert "POST" not in path.read_text()


def test_what_ends_a_thread_is_kept_and_no_screen_is_written_over(log, capsys):
    path, redactor = log()
    redactor.add("kept-secret")

    def work():
        raise LookupError("about kept-secret")

    thread = threading.Thread(target=work, name="some thread")
    thread.start()
    thread.join()

    text = path.read_text()
    assert "some thread ended" in text
    assert "LookupError: about" in text
    assert "kept-secret" not in text
    assert capsys.readouterr().err == ""

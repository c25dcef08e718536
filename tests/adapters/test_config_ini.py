"""Finding and reading a config file, with the environment, and everything that may be wrong with it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from torrent_mover.adapters.config.places import discover
from torrent_mover.adapters.config.reading import find
from torrent_mover.bootstrap.configs import check, examine, load
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.domain.errors import ConfigError, NoLogin
from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath
from torrent_mover.domain.quantities import Timetable
from torrent_mover.domain.settings.problems import Severity
from torrent_mover.domain.settings.text import config_text, template
from torrent_mover.duties.moving.settings import TransferMode

ROOT = Path(__file__).resolve().parents[2]
SPECIFIED = Path(__file__).with_name("specified_config.ini")
HOME = {"HOME": "/home/me"}

GOOD = """\
[SOURCE_CLIENT]
host = http://box.lan
port = 8080
username = me
password = 100%#;

[DESTINATION_CLIENT]
host = http://nas.lan
port = 8080
username = me
password = x

[SOURCE_SERVER]
host = box.lan
username = me

[DESTINATION_PATHS]
destination_path = /srv/media

[SETTINGS]
category_to_move = done
"""

TOML = """\
[SOURCE_CLIENT]
host = "http://box.lan"
port = 8080
username = "me"
password = "100%#;"
path_map = { "/downloads" = "/home/me/dl" }

[DESTINATION_CLIENT]
host = "http://nas.lan"
port = 8080
username = "me"
password = "x"
verify_cert = false

[SOURCE_SERVER]
host = "box.lan"
username = "me"

[DESTINATION_PATHS]
destination_path = "/srv/media"

[SETTINGS]
category_to_move = "done"
rsync_options = ["-a", "--partial", "--exclude=a b"]
size_threshold_gb = 1.5

[General]
bandwidth = ["08:00,5M", "23:00,off"]
"""


@pytest.fixture
def config(tmp_path):
    """Writes a private config file and returns its path."""

    def write(text, name="config.ini"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o600)
        return path

    return write


def errors_of(problems):
    return [problem for problem in problems if problem.severity is Severity.ERROR]


# Files of the specification and our own


def test_a_config_of_the_specification_works_unchanged(tmp_path):
    path = tmp_path / "config.ini"
    shutil.copy(SPECIFIED, path)
    path.chmod(0o600)
    settings, problems = load(path, HOME)
    assert settings.source_client.url == "http://192.0.2.10:8080"
    assert settings.source_client.password is not None
    assert settings.source_client.password.reveal() == "50%off%(now)s#1;x"
    assert settings.destination_client.password is not None
    assert settings.destination_client.password.reveal() == "%%adminadmin"
    assert settings.source_server.password is not None
    assert settings.source_server.password.reveal() == "p@ss:w=rd"
    assert settings.destination_server is None
    assert settings.local_destination == LocalPath("/mnt/media/torrents")
    assert settings.moving.transfer_mode is TransferMode.RSYNC
    assert settings.moving.rsync_options == ("-ahHSP", "--partial", "--inplace")
    assert settings.moving.local_cache_path is None
    assert (settings.moving.chown_user, settings.moving.chown_group) == ("", "media")
    assert settings.general.pool_wait_timeout == 60
    assert settings.general.sftp_request_size == 64 * 1024
    assert settings.general.recheck_stopped_timeout == 5
    assert {problem.severity for problem in problems} == {Severity.NOTICE}
    assert [problem.key for problem in problems] == [
        "",  # [DESTINATION_SERVER] in a pulling mode
        "sftp_download_limit_mbps",
        "sftp_chunk_size_kb",
        "pool_wait_timeout",
    ]


def test_reading_a_config_never_changes_it(config):
    path = config(GOOD + "nonsense\n")
    before = (path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir()))
    check(path, HOME)
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir())) == before


def test_the_template_as_it_is_has_placeholders_and_no_other_problem(config):
    problems = check(config(template(SCHEMA)), HOME)
    assert {problem.key for problem in problems} == {
        "host", "username", "password", "destination_path", "category_to_move",
    }  # fmt: skip
    assert all("template" in problem.what or "placeholder" in problem.what for problem in problems)


def test_the_template_filled_in_means_the_same_as_only_what_is_needed(config):
    filled = (
        template(SCHEMA)
        .replace("http://client.example.com", "http://box.lan", 1)
        .replace("http://client.example.com", "http://nas.lan", 1)
        .replace("your-username", "me")
        .replace("password = your-password", "password = 100%#;", 1)
        .replace("password = your-password", "password = x", 1)
        .replace("server.example.com", "box.lan")
        .replace("/path/to/library", "/srv/media")
        .replace("your-category", "done")
    )
    assert load(config(filled), HOME) == load(config(GOOD, "other.ini"), HOME)


def test_toml_has_the_same_keys(config):
    settings, problems = load(config(TOML, "config.toml"), HOME)
    assert problems == ()
    assert settings.source_client.url == "http://box.lan:8080"
    assert not settings.destination_client.verify_cert
    assert settings.moving.rsync_options == ("-a", "--partial", "--exclude=a b")
    assert settings.moving.size_threshold == 3 << 29
    assert settings.general.bandwidth == Timetable.parse("08:00,5M 23:00,off")
    assert settings.source_map.to_host(ClientPath("/downloads/x")) == HostPath("/home/me/dl/x")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (TOML.replace('"done"', "done"), 23, "not TOML"),
        (TOML.replace("verify_cert = false", "verify_cert = 3"), 13, "yes or no"),
        (TOML.replace("port = 8080", "prot = 8080", 1), 3, "no such key"),
        (TOML.replace("verify_cert = false", "verify_cert = [[1]]"), 13, "list of lists"),
        ("port = 1\n" + TOML, 1, "before the first"),
        ("x = " + "[" * 5000, None, "nested more than"),
    ],
    ids=["no quotes", "wrong type", "unknown key", "nested list", "no section", "endless brackets"],
)
def test_what_is_wrong_in_toml_has_its_line(config, text, line, says):
    problems = errors_of(check(config(text, "config.toml"), HOME))
    assert (line, True) in [(problem.line, says in problem.what) for problem in problems]


# What is wrong with a file


def test_ten_mistakes_are_told_at_once_each_with_its_line(config):
    text = """\
[SOURCE_CLIENT]
host = http://seedbox.example.com
prot = 8080
username = me
password = p%ss
max_concurrent_ssh_sessions = 4
[DESTINATION_CLIENT]
host = https://nas.lan
username = me
password = x
verify_cert = maybe
verify_cert = no
[SOURCE_SERVERS]
host = box.lan
username = me
[DESTINATION_PATHS]
destination_path = media/tv
[SETTINGS]
category_to_move = done
transfer_mode = scp
source_client_section = SEEDBX
this is broken
[General]
bandwith = 5M
"""
    assert [problem.line for problem in errors_of(check(config(text), HOME))] == [
        2, 3, 6, 11, 12, 13, 17, 20, 21, 22, 24,
    ]  # fmt: skip


def test_load_refuses_a_config_with_an_error_and_hands_over_every_line(config):
    path = config(GOOD.replace("port = 8080", "port = x").replace("done", "../x"))
    with pytest.raises(ConfigError, match="3 errors") as caught:
        load(path, HOME)
    assert len(caught.value.problems) == 3
    assert caught.value.problems[0].startswith(f"{path}:3: error: [SOURCE_CLIENT] port: 'x' is not")
    assert "--check-config" in caught.value.remedy


def test_a_key_that_stands_twice_names_both_lines(config):
    problems = check(config(GOOD + "category_to_move = other\n"), HOME)
    assert [(problem.line, "line 21" in problem.what) for problem in problems] == [(22, True)]


def test_a_section_that_stands_twice_names_both_lines(config):
    problems = check(config(GOOD + "[source_server]\nport = 23\n"), HOME)
    assert [(problem.line, "line 13" in problem.what) for problem in problems] == [(22, True)]


@pytest.mark.parametrize("line", ["broken", "= value", "[SETTINGS", "[]", ": x"])
def test_a_broken_line_is_told_with_its_number(config, line):
    assert 22 in [problem.line for problem in errors_of(check(config(f"{GOOD}{line}\n"), HOME))]


def test_a_broken_line_is_not_shown_for_it_may_hold_a_password(config):
    problems = check(config(GOOD.replace("password = x", "password hunter2")), HOME)
    assert "hunter2" not in " ".join(map(str, problems))


def test_a_line_before_the_first_section_is_told(config):
    assert errors_of(check(config("port = 1\n" + GOOD), HOME))[0].line == 1


@pytest.mark.parametrize(
    ("prefix", "suffix"), [(b"\xef\xbb\xbf", b""), (b"\r\n", b""), (b"", b"; x\n# y\n\n  # z\n"), (b"", b"[General]")]
)
def test_a_byte_order_mark_comments_and_empty_sections_do_no_harm(config, prefix, suffix):
    assert check(config(prefix + GOOD.encode() + suffix), HOME) == ()


def test_windows_line_ends_do_no_harm(config):
    assert load(config(GOOD.replace("\n", "\r\n")), HOME) == load(config(GOOD, "other.ini"), HOME)


def test_text_that_is_not_utf_8_is_told_with_its_line(config):
    [problem] = check(config(GOOD.encode() + "chown_user = Jürgen\n".encode("latin1")), HOME)
    assert "line 22 is not UTF-8" in problem.what
    assert "iconv" in problem.remedy


def test_a_missing_file_says_what_to_copy(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.ini", HOME)
    assert "there is no such file" in caught.value.problems[0]
    assert "config.ini.template" in caught.value.problems[0]


def test_a_folder_in_place_of_the_file_is_told(tmp_path):
    assert "Is a directory" in check(tmp_path, HOME)[0].what


def test_an_endless_file_is_not_read_to_its_end():
    assert "larger than 1 MiB" in check("/dev/zero", HOME)[0].what


@pytest.mark.parametrize(
    ("mode", "who"), [(0o644, "its group and everybody"), (0o640, "its group"), (0o604, "everybody"), (0o600, None)]
)
def test_a_password_that_others_may_read_is_a_warning_with_the_chmod_to_type(config, mode, who):
    path = config(GOOD)
    path.chmod(mode)
    problems = check(path, HOME)
    assert [problem.severity for problem in problems] == ([Severity.WARNING] if who else [])
    if who:
        assert f"{who} may read it" in problems[0].what
        assert f"chmod 600 {path}" in problems[0].remedy


def test_a_readable_file_without_a_password_is_fine(config, tmp_path):
    (tmp_path / "pw").write_text("x\n")
    path = config(GOOD.replace("password = 100%#;", "password_file = pw").replace("password = x", "password_file = pw"))
    path.chmod(0o644)
    assert check(path, HOME) == ()


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin1")), st.sampled_from(["c.ini", "c.toml"]))
@example("[", "c.ini")
@example("[SETTINGS]\ntransfer_mode = rsync_upload", "c.ini")
@example("a = 1" + "0" * 5000, "c.toml")
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_garbage_never_raises_anything_but_config_error(tmp_path, text, name):
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError) as caught:
        load(path, HOME)
    assert caught.value.problems
    assert all(line.isprintable() for line in caught.value.problems)


_SECTIONS = [line for line in GOOD.split("\n") if line.startswith("[")]
_LINES = st.sampled_from([line for line in (GOOD + template(SCHEMA)).split("\n") if line]) | st.text(max_size=20)


@given(st.lists(st.sampled_from(_SECTIONS) | _LINES, max_size=30))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_shuffled_config_is_read_or_refused(tmp_path, lines):
    path = tmp_path / "config.ini"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    settings, problems = examine(path, HOME)
    assert (settings is None) == bool(errors_of(problems))


# Written and read back

_TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["C", "Z"]), min_size=1)
_PATH = st.lists(_TEXT.map(lambda part: part.replace("/", "x")), min_size=1, max_size=3).filter(
    lambda parts: not {".", ".."} & set(parts) and "=" not in "".join(parts)
).map(lambda parts: "/" + "/".join(parts))  # fmt: skip
_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        ("SOURCE_CLIENT", "password"): _TEXT,
        ("SOURCE_CLIENT", "api_key"): _TEXT,
        ("SOURCE_CLIENT", "verify_cert"): st.sampled_from(["yes", "no"]),
        ("SOURCE_CLIENT", "path_map"): st.dictionaries(_PATH, _PATH).map(
            lambda pairs: "".join(f"\n  {left} = {right}" for left, right in pairs.items())
        ),
        ("DESTINATION_CLIENT", "path_map"): st.tuples(_PATH, _PATH).map(" = ".join).map(lambda pair: f"\n  {pair}"),
        ("SOURCE_SERVER", "proxy_jump"): _TEXT,
        ("SETTINGS", "transfer_mode"): st.sampled_from([mode.value for mode in TransferMode]),
        ("SETTINGS", "size_threshold_gb"): st.integers(0, 10**6).map(lambda thousandths: f"{thousandths / 1000:.3f}"),
        ("SETTINGS", "chown_user"): _TEXT,
        ("SETTINGS", "max_concurrent_uploads"): st.integers(1, 64).map(str),
        ("SETTINGS", "min_seed_time"): st.integers(0, 10**6).map(str),
        ("SETTINGS", "rules_file"): _PATH,
        ("General", "bandwidth"): st.sampled_from(["5M", "off", "08:00,5M 23:00,off", "23:59,1B"]),
        ("General", "state_dir"): _PATH,
        ("General", "watchdog_timeout"): st.integers(1, 10**7).map(lambda tenths: f"{tenths / 10 + 1:.1f}"),
    },
)


def a_config(changes):
    sections = {}
    section = ""
    for line in GOOD.split("\n"):
        if line.startswith("["):
            section = line[1:-1]
        elif line:
            key, _, text = line.partition(" = ")
            sections.setdefault(section, {})[key] = text
    if changes.get(("SETTINGS", "transfer_mode"), "").endswith("_upload"):
        sections["DESTINATION_SERVER"] = {"host": "nas.lan", "username": "me", "password": "%"}
    for (name, key), text in changes.items():
        sections.setdefault(name, {})[key] = text
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {text}\n" for key, text in keys.items()) for name, keys in sections.items()
    )


@given(_CHANGES)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_settings_written_as_a_config_read_back_the_same(config, changes):
    settings, _ = load(config(a_config(changes)), HOME)
    again, _ = load(config(config_text(settings, SCHEMA.plain), "again.ini"), HOME)
    assert again == settings


# The environment


def test_the_environment_takes_the_place_of_the_file(config):
    environ = {
        **HOME,
        "TORRENT_MOVER__SOURCE_CLIENT__PASSWORD": "%fromenv",
        "torrent_mover__settings__category_to_move": "other",
        "TORRENT_MOVER__GENERAL__RSYNC_TIMEOUT": "2m",
        "TORRENT_MOVER__DESTINATION_PATHS__REMOTE_DESTINATION_PATH": "/data",
    }
    settings, problems = load(config(GOOD), environ)
    assert problems == ()
    assert settings.source_client.password is not None
    assert settings.source_client.password.reveal() == "%fromenv"
    assert settings.moving.category_to_move == "other"
    assert settings.general.rsync_timeout == 120
    assert settings.paths.remote_destination_path == ClientPath("/data")


def test_a_wrong_value_in_the_file_does_not_matter_where_the_environment_replaces_it(config):
    path = config(GOOD.replace("port = 8080", "port = x", 1))
    settings, _ = load(path, {**HOME, "TORRENT_MOVER__SOURCE_CLIENT__PORT": "9090"})
    assert settings.source_client.port == 9090


def test_sections_with_names_of_their_own_are_found_from_the_environment(config):
    text = GOOD.replace("[SOURCE_CLIENT]", "[My Box]") + "source_client_section = My Box\n"
    settings, _ = load(config(text), {**HOME, "TORRENT_MOVER__MY_BOX__PORT": "1"})
    assert settings.source_client.port == 1


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("TORRENT_MOVER__SOURCE_CLIENT__PORT", "x", "'x' is not a whole number"),
        ("TORRENT_MOVER__SOURCE_CLIENT__PROT", "1", "no such key"),
        ("TORRENT_MOVER__FOO__BAR", "1", "names no section"),
        ("TORRENT_MOVER__", "1", "names no section"),
        ("TM_SSH_CONNECT_TIMEOUT", "soon", "duration"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(config, variable, text, says):
    [problem] = check(config(GOOD), {**HOME, variable: text})
    assert problem.file == f"${variable}"
    assert says in problem.what


def test_the_older_name_of_the_connect_timeout_still_counts(config):
    old = {**HOME, "TM_SSH_CONNECT_TIMEOUT": "25"}
    assert load(config(GOOD), old)[0].general.connect_timeout == 25
    both = {**old, "TORRENT_MOVER__GENERAL__CONNECT_TIMEOUT": "30"}
    assert load(config(GOOD), both)[0].general.connect_timeout == 30


def test_state_goes_where_the_environment_says(config):
    settings, _ = load(config(GOOD), {"HOME": "/home/me", "XDG_STATE_HOME": "/var/lib/x/../y"})
    assert settings.state_dir == LocalPath("/var/lib/y/torrent-mover")


# Where the file is


def test_a_file_that_was_named_is_the_only_place_to_look():
    assert discover("x.ini", {"TORRENT_MOVER_CONFIG": "/y.ini"}) == [(Path("x.ini"), "--config")]
    assert discover(None, {"TORRENT_MOVER_CONFIG": "/y.ini"}) == [(Path("/y.ini"), "$TORRENT_MOVER_CONFIG")]


def test_without_a_name_the_usual_places_are_looked_at_in_order():
    places = [str(path) for path, _ in discover(None, {"HOME": "/home/me"})]
    assert places == ["config.ini", "/home/me/.config/torrent-mover/config.ini", "/etc/torrent-mover/config.ini"]
    assert str(discover(None, {"XDG_CONFIG_HOME": "/conf"})[1][0]) == "/conf/torrent-mover/config.ini"


def test_the_first_place_with_a_file_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there = tmp_path / "conf" / "torrent-mover" / "config.ini"
    there.parent.mkdir(parents=True)
    there.write_text(GOOD)
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "conf")}
    assert find(None, environ) == there
    (tmp_path / "config.ini").write_text(GOOD)
    assert find(None, environ) == Path("config.ini")


def test_no_file_anywhere_names_every_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        find(str(tmp_path / "none.ini"), {})
    assert f"{tmp_path}/none.ini (--config)" in caught.value.what
    init, template = (caught.value.remedy.index(word) for word in ("none.ini init", "copy config.ini.template"))
    assert init < template


# Passwords that stand elsewhere


def a_password(config, line, environ=None):
    settings, _ = load(config(GOOD.replace("password = x", line)), environ or HOME)
    assert settings.destination_client.password is not None
    return settings.destination_client.password


def test_a_password_file_gives_its_first_line_as_it_is(config, tmp_path):
    (tmp_path / "pw").write_bytes(b"  p%ss word \r\nsecond line\n")
    assert a_password(config, "password_file = pw").reveal() == "  p%ss word "


def test_a_password_file_is_read_when_the_password_is_needed_and_only_once(config, tmp_path):
    (tmp_path / "pw").write_text("first\n")
    password = a_password(config, "password_file = pw")
    (tmp_path / "pw").write_text("second\n")
    assert password.reveal() == "second"
    (tmp_path / "pw").unlink()
    assert password.reveal() == "second"


@pytest.mark.parametrize(("raw", "says"), [(b"", "no password"), (b"\nx", "no password"), (b"\xff\n", "UTF-8")])
def test_a_password_file_without_a_password_is_told_without_showing_it(config, tmp_path, raw, says):
    (tmp_path / "pw").write_bytes(raw)
    with pytest.raises(NoLogin, match=says):
        a_password(config, "password_file = pw").reveal()


def test_a_password_file_that_is_gone_by_then_is_told(config, tmp_path):
    (tmp_path / "pw").write_text("x")
    password = a_password(config, "password_file = pw")
    (tmp_path / "pw").unlink()
    with pytest.raises(NoLogin, match="cannot be read"):
        password.reveal()


def test_a_password_file_that_is_not_there_is_told_and_stops_nothing_else(config, tmp_path):
    [problem] = check(config(GOOD.replace("password = x", "password_file = pw")), HOME)
    assert f"there is no file {tmp_path}/pw" in problem.what
    assert problem.severity is Severity.WARNING


def test_a_password_command_runs_without_a_shell_and_only_when_needed(config, tmp_path):
    code = f"open({str(tmp_path / 'ran')!r}, 'a').write('x'); print('$(id)', '%;')"
    password = a_password(config, f'password_command = {sys.executable} -c "{code}"')
    assert not (tmp_path / "ran").exists()
    assert password.reveal() == "$(id) %;"
    assert password.reveal() == "$(id) %;"
    assert (tmp_path / "ran").read_text() == "x"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("false", "exit code 1"),
        ("sh -c 'echo locked >&2; exit 3'", "exit code 3: locked"),
        ("no-such-program-here", "cannot be run"),
        ("true", "no password"),
    ],
)
def test_a_password_command_that_fails_says_how(config, command, says):
    with pytest.raises(NoLogin, match=says):
        a_password(config, f"password_command = {command}").reveal()


def test_a_config_that_cannot_be_reached_is_told(config):
    assert "Not a directory" in check(config(GOOD) / "config.ini", HOME)[0].what

"""What a config means, and what is said about one that means nothing."""

from __future__ import annotations

import dataclasses

import pytest

from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.clients import ClientSettings
from torrent_mover.domain.settings.document import ConfigDocument, ConfigEntry
from torrent_mover.domain.settings.kinds import Surroundings
from torrent_mover.domain.settings.problems import ConfigPlace, Severity
from torrent_mover.domain.settings.reading import read_configuration
from torrent_mover.domain.settings.servers import HostKeyPolicy
from torrent_mover.domain.settings.text import reference_markdown, template
from torrent_mover.duties.moving.settings import Order, Settings, TransferMode

AROUND = Surroundings("/etc/tm", "/home/me", "/home/me/.local/state")

GOOD = {
    "SOURCE_CLIENT": {"host": "http://box.lan", "port": "8080", "username": "me", "password": "100%#;"},
    "DESTINATION_CLIENT": {"host": "nas.lan", "port": "8081", "username": "me", "password": "x"},
    "SOURCE_SERVER": {"host": "box.lan", "username": "me"},
    "DESTINATION_PATHS": {"destination_path": "/srv/media"},
    "SETTINGS": {"category_to_move": "done"},
}


def a_document(changes=None):
    """GOOD with `changes`: {(section, key): text, None to take it away}, numbered like the lines of a file."""
    sections = {name: dict(keys) for name, keys in GOOD.items()}
    for (section, key), text in (changes or {}).items():
        sections.setdefault(section, {})[key] = text
    line, headings, entries = 0, [], []
    for section, keys in sections.items():
        line += 1
        headings.append((section, ConfigPlace("config.ini", line)))
        for key, text in keys.items():
            line += 1
            if text is not None:
                entries.append(ConfigEntry(section, key, text, ConfigPlace("config.ini", line)))
    return ConfigDocument("config.ini", tuple(headings), tuple(entries))


def without_section(name):
    document = a_document()
    return ConfigDocument(
        document.file,
        tuple(heading for heading in document.headings if heading[0] != name),
        tuple(entry for entry in document.entries if entry.section != name),
    )


def read_settings(document, around):
    """The first route, None where there is an error, and all problems."""
    configuration, problems = read_configuration(document, around, SCHEMA)
    return configuration and configuration.routes[0], problems


def read(changes=None, around=AROUND):
    settings, problems = read_settings(a_document(changes), around)
    assert settings is not None, [str(problem) for problem in problems]
    return settings


def problems_of(changes=None, around=AROUND):
    return read_settings(a_document(changes), around)[1]


def the_problem(changes, around=AROUND):
    problems = problems_of(changes, around)
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def test_what_is_not_said_has_its_documented_default():
    settings = read()
    assert settings.moving.transfer_mode is TransferMode.SFTP
    assert settings.moving.rsync_options == ("-a", "--partial")
    assert settings.moving.manual_review_category == "review-failed"
    assert settings.moving.size_threshold is None
    assert settings.source_server.port == 22
    assert settings.source_server.max_concurrent_ssh_sessions == 8
    assert settings.source_server.host_key_policy is HostKeyPolicy.STRICT
    assert settings.general.watchdog_timeout == 1500
    assert settings.general.recheck_stopped_timeout == 15
    assert settings.general.download_limit is None
    assert settings.general.bandwidth.limit_at(0) is None
    assert settings.source_client.delete_after_transfer
    assert settings.source_client.verify_cert
    assert settings.destination_server is None
    assert problems_of() == ()


def test_our_own_files_have_their_usual_places():
    settings = read()
    assert settings.rules_file == LocalPath("/etc/tm/tracker_rules.json")
    assert settings.state_dir == LocalPath("/home/me/.local/state/torrent-mover")
    assert settings.log_dir == LocalPath("/home/me/.local/state/torrent-mover/logs")


def test_relative_and_home_paths_start_from_the_config_and_from_home():
    settings = read({("SETTINGS", "rules_file"): "../rules.json", ("General", "state_dir"): "~/state"})
    assert settings.rules_file == LocalPath("/etc/rules.json")
    assert settings.state_dir == LocalPath("/home/me/state")
    assert settings.log_dir == LocalPath("/home/me/state/logs")


def test_settings_cannot_be_changed():
    settings = read()
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.moving.category_to_move = "other"


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("http://box.lan", "8080", "http://box.lan:8080"),
        ("https://box.lan/qbt/", "443", "https://box.lan:443/qbt"),
        ("https://box.lan", None, "https://box.lan:443"),
        ("http://box.lan:8080", None, "http://box.lan:8080"),
        ("box.lan", "8080", "http://box.lan:8080"),
        ("box.lan/qbt", "443", "https://box.lan:443/qbt"),
        ("HTTP://Box.lan", "80", "http://Box.lan:80"),
        ("http://[::1]", "8080", "http://[::1]:8080"),
        ("::1", "8080", "http://[::1]:8080"),
        ("http://bücher.lan", "80", "http://xn--bcher-kva.lan:80"),
    ],
)
def test_host_and_port_make_the_address_of_a_client(host, port, url):
    settings = read({("SOURCE_CLIENT", "host"): host, ("SOURCE_CLIENT", "port"): port})
    assert settings.source_client.url == url


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("ftp://box.lan", "only http:// and https://"),
        ("http://me:pw@box.lan", "their own keys"),
        ("http://box.lan?x=1", "no spaces"),
        ("http://box lan", "no spaces"),
        ("http://box.lan:99999", "1 to 65535"),
        ("http://", "not a host name"),
        ("-oProxyCommand=x", "not a host name"),
        ("http://box.lan\x1b[2J", "control characters"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused_with_the_reason(host, says):
    problem = the_problem({("SOURCE_CLIENT", "host"): host})
    assert (problem.section, problem.key) == ("SOURCE_CLIENT", "host")
    assert says in problem.what
    assert "\x1b" not in str(problem)


@pytest.mark.parametrize("host", ["ssh://box.lan", "me@box.lan", "box.lan:2222", "-oProxyCommand=reboot", "a b"])
def test_an_ssh_host_is_a_name_and_nothing_else(host):
    assert the_problem({("SOURCE_SERVER", "host"): host}).key == "host"


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("ON", True), ("1", True), ("No", False), ("off", False)])
def test_yes_and_no_have_many_spellings(text, value):
    assert read({("SOURCE_CLIENT", "verify_cert"): text}).source_client.verify_cert is value


def test_units_become_bytes_and_seconds():
    settings = read(
        {
            ("SETTINGS", "size_threshold_gb"): "1.5",
            ("SETTINGS", "min_seed_time"): "3d",
            ("General", "sftp_download_limit_mbps"): "80",
            ("General", "sftp_chunk_size_kb"): "32",
            ("General", "bandwidth"): "08:00,5M 23:00,off",
            ("SETTINGS", "order"): "Smallest",
        }
    )
    assert settings.moving.size_threshold == 3 << 29
    assert settings.moving.min_seed_time == 3 * 86400
    assert settings.general.download_limit == 10_000_000
    assert settings.general.sftp_request_size == 32768
    assert settings.general.bandwidth.limit_at(12 * 60) == 5 << 20
    assert settings.moving.order is Order.SMALLEST


@pytest.mark.parametrize("mode", ["sftp", "rsync"])
def test_the_destination_is_on_this_machine_in_the_pulling_modes(mode):
    settings = read(
        {
            ("SETTINGS", "transfer_mode"): mode,
            ("DESTINATION_PATHS", "remote_destination_path"): "/data/media/",
            ("DESTINATION_CLIENT", "path_map"): "\n/tv = /srv/tv\n",
        }
    )
    assert settings.local_destination == LocalPath("/srv/media")
    paths = settings.local_destination_map
    assert paths.to_host(ClientPath("/data/media/x")) == LocalPath("/srv/media/x")
    assert paths.to_client(LocalPath("/srv/tv/x")) == ClientPath("/tv/x")
    with pytest.raises(TypeError, match="not on the destination server"):
        assert settings.remote_destination


@pytest.mark.parametrize("mode", ["sftp_upload", "rsync_upload"])
def test_the_destination_is_on_its_server_in_the_upload_modes(mode):
    settings = read(
        {
            ("SETTINGS", "transfer_mode"): mode,
            ("DESTINATION_SERVER", "host"): "nas.lan",
            ("DESTINATION_SERVER", "username"): "me",
            ("DESTINATION_CLIENT", "path_map"): "/tv = /srv/tv",
        }
    )
    assert settings.destination_server is not None
    assert settings.remote_destination == HostPath("/srv/media")
    assert settings.remote_destination_map.to_host(ClientPath("/tv/x")) == HostPath("/srv/tv/x")
    with pytest.raises(TypeError, match="not on this machine"):
        assert settings.local_destination_map


def test_the_source_client_may_see_other_paths_than_ssh():
    settings = read({("SOURCE_CLIENT", "path_map"): "/downloads = /home/me/dl, /downloads/tv = /srv/tv"})
    assert settings.source_map.to_host(ClientPath("/downloads/tv/x")) == HostPath("/srv/tv/x")
    assert settings.source_map.to_host(ClientPath("/downloads/x")) == HostPath("/home/me/dl/x")


def test_a_client_section_may_have_any_name():
    document = a_document({("SETTINGS", "source_client_section"): "seedbox"})
    renamed = ConfigDocument(
        document.file,
        tuple(("SEEDBOX" if name == "SOURCE_CLIENT" else name, place) for name, place in document.headings),
        tuple(
            dataclasses.replace(entry, section="SEEDBOX") if entry.section == "SOURCE_CLIENT" else entry
            for entry in document.entries
        ),
    )
    settings, problems = read_settings(renamed, AROUND)
    assert problems == ()
    assert settings is not None
    assert settings.source_client.url == "http://box.lan:8080"


def test_keys_of_general_count_in_settings_too_with_a_notice():
    changes = {("SETTINGS", "watchdog_timeout"): "900", ("General", "watchdog_timeout"): "600"}
    problem = the_problem(changes)
    assert problem.severity is Severity.NOTICE
    assert "[General]" in problem.what
    assert read(changes).general.watchdog_timeout == 900


def test_the_environment_wins_over_both_places_of_a_general_key():
    document = a_document({("SETTINGS", "watchdog_timeout"): "900"})
    override = ConfigEntry("General", "watchdog_timeout", "60", ConfigPlace("$X"), overrides=True)
    settings, _ = read_settings(dataclasses.replace(document, entries=(override, *document.entries)), AROUND)
    assert settings is not None
    assert settings.general.watchdog_timeout == 60


def test_destination_server_is_ignored_with_a_notice_where_this_machine_is_the_destination():
    problem = the_problem({("DESTINATION_SERVER", "host"): "x.example.com", ("DESTINATION_SERVER", "nonsense"): "1"})
    assert problem.severity is Severity.NOTICE
    assert problem.section == "DESTINATION_SERVER"
    assert "transfer_mode = sftp" in problem.what


@pytest.mark.parametrize("mode", ["sftp_upload", "rsync_upload"])
def test_an_upload_needs_its_server(mode):
    problem = the_problem({("SETTINGS", "transfer_mode"): mode})
    assert problem.section == "DESTINATION_SERVER"
    assert "missing" in problem.what
    assert "host = server.example.com" in problem.remedy


@pytest.mark.parametrize(
    ("section", "key", "remedy"),
    [
        ("SOURCE_CLIENT", "usrname2", "Did you mean username?"),
        ("SETTINGS", "transfer_mod", "Did you mean transfer_mode?"),
        ("SETTINGS", "host", "[SOURCE_CLIENT]"),
        ("General", "transfer_mode", "Move it to [SETTINGS]."),
        ("SOURCE_CLIENT", "add_torrents_paused", "Move it to [DESTINATION_CLIENT]."),
        ("SOURCE_SERVER", "destinaton_path", "Did you mean destination_path, in [DESTINATION_PATHS]?"),
        ("DESTINATION_PATHS", "qqqqq", "The keys here are destination_path, remote_destination_path."),
    ],
)
def test_a_key_that_does_not_belong_there_is_an_error_that_names_the_right_one(section, key, remedy):
    problem = the_problem({(section, key): "1"})
    assert (problem.severity, problem.key) == (Severity.ERROR, key)
    assert remedy in problem.remedy


def test_a_misspelt_required_key_is_told_once_and_not_also_as_missing():
    problem = the_problem({("SETTINGS", "category_to_move"): None, ("SETTINGS", "categroy_to_move"): "done"})
    assert problem.remedy == "Did you mean category_to_move?"


def test_a_misspelt_section_is_told_once_and_still_read():
    document = a_document({("SOURCE_SERVER", "port"): "x"})
    misspelt = ConfigDocument(
        document.file,
        tuple(("SOURCE_SEVER" if name == "SOURCE_SERVER" else name, place) for name, place in document.headings),
        tuple(
            dataclasses.replace(entry, section="SOURCE_SEVER") if entry.section == "SOURCE_SERVER" else entry
            for entry in document.entries
        ),
    )
    settings, problems = read_settings(misspelt, AROUND)
    assert settings is None
    assert [(problem.section, problem.key) for problem in problems] == [("SOURCE_SEVER", ""), ("SOURCE_SEVER", "port")]
    assert problems[0].remedy == "Did you mean [SOURCE_SERVER]?"


def test_an_unknown_section_is_an_error_and_a_spare_client_is_not():
    assert the_problem({("WHATEVER", "x"): "1"}).severity is Severity.ERROR
    spare = {("OLD_BOX", "host"): "http://old.lan", ("OLD_BOX", "username"): "me", ("OLD_BOX", "password"): "x"}
    assert the_problem(spare).severity is Severity.NOTICE


@pytest.mark.parametrize("section", GOOD)
def test_a_missing_section_says_which_lines_it_needs(section):
    settings, problems = read_settings(without_section(section), AROUND)
    assert settings is None
    assert [problem.section for problem in problems] == [section]
    assert f"[{section}]" in problems[0].remedy


@pytest.mark.parametrize(
    ("section", "key"),
    [
        (section.name, key)
        for section in SCHEMA.plain
        if section.name in GOOD
        for key in GOOD[section.name]
        if section.is_required(key) or key in ("port", "username", "password")
    ],
)
@pytest.mark.parametrize("text", [None, "", "  "])
def test_a_required_key_that_is_missing_or_blank_says_which_line_to_add(section, key, text):
    problem = the_problem({(section, key): text})
    assert (problem.section, problem.key, problem.severity) == (section, key, Severity.ERROR)
    assert problem.remedy.startswith(f"Add under [{section}]: {key} = ")


def test_an_api_key_takes_the_place_of_user_name_and_password():
    changes = {("SOURCE_CLIENT", key): None for key in ("username", "password")}
    settings = read({**changes, ("SOURCE_CLIENT", "api_key"): "qbt_123"})
    assert settings.source_client.api_key == Secret("qbt_123")


def test_a_blank_user_name_without_a_password_says_that_none_is_needed():
    settings = read({("SOURCE_CLIENT", "username"): "", ("SOURCE_CLIENT", "password"): None})
    assert (settings.source_client.username, settings.source_client.password) == ("", None)


@pytest.mark.parametrize("login", ["jane", ":secret", "jane:"])
def test_a_login_for_a_web_server_in_front_has_both_parts(login):
    problem = the_problem({("SOURCE_CLIENT", "basic_auth"): login})
    assert (problem.key, "user:password" in problem.what, login in problem.what) == ("basic_auth", True, False)


def test_a_request_carries_one_authorization():
    changes = {("SOURCE_CLIENT", "basic_auth"): "jane:p:ss", ("SOURCE_CLIENT", "api_key"): "qbt_123"}
    assert the_problem(changes).key == "basic_auth"


def test_a_reference_that_leads_nowhere_names_the_nearest_section():
    problem = the_problem({("SETTINGS", "source_server_section"): "SOURCE_SEVER"})
    assert problem.remedy == "Did you mean SOURCE_SERVER?"


def test_a_reference_to_nothing_near_names_the_sections_that_there_are():
    told = [problem.what for problem in problems_of({("SETTINGS", "source_client_section"): "QBT"})]
    assert any("there are SOURCE_CLIENT, DESTINATION_CLIENT, SOURCE_SERVER" in what for what in told)


@pytest.mark.parametrize(
    ("section", "key", "text"),
    [
        ("SOURCE_CLIENT", "host", "http://seedbox.example.com"),
        ("SOURCE_CLIENT", "username", "your-username"),
        ("SOURCE_CLIENT", "password", "your-password"),
        ("SOURCE_SERVER", "host", "server.example.com"),
        ("DESTINATION_PATHS", "destination_path", "/path/to/library"),
        ("SETTINGS", "category_to_move", "your-category"),
    ],
)
def test_a_value_of_the_template_left_as_it_is_is_an_error(section, key, text):
    assert the_problem({(section, key): text}).key == key


@pytest.mark.parametrize(
    ("section", "key", "text", "says"),
    [
        ("SOURCE_CLIENT", "port", "http", "'http' is not a whole number from 1 to 65535"),
        ("SOURCE_CLIENT", "port", "0", "1 to 65535"),
        ("SOURCE_CLIENT", "port", "٨٠", "1 to 65535"),
        ("SOURCE_SERVER", "port", "22 # ssh", "'22 # ssh'"),
        ("SOURCE_CLIENT", "verify_cert", "maybe", "yes or no"),
        ("SETTINGS", "transfer_mode", "scp", "sftp, rsync, sftp_upload, rsync_upload"),
        ("SETTINGS", "rsync_options", "-a '--partial", "quote"),
        ("SETTINGS", "size_threshold_gb", "-1", "0 or more"),
        ("SETTINGS", "size_threshold_gb", "nan", "0 or more"),
        ("SETTINGS", "max_concurrent_downloads", "0", "1 to 64"),
        ("SETTINGS", "category_to_move", "../../evil", "no empty, . or .. part"),
        ("SETTINGS", "unlock_mode", "u-w", "mode"),
        ("SETTINGS", "chown_user", "me\x1b[2J", "control"),
        ("DESTINATION_PATHS", "destination_path", "srv/media", "absolute"),
        ("DESTINATION_PATHS", "destination_path", "/srv/../etc", ".."),
        ("DESTINATION_PATHS", "remote_destination_path", "~/media", "absolute"),
        ("SOURCE_CLIENT", "path_map", "/a /b", "no ="),
        ("SOURCE_CLIENT", "path_map", "/a = b", "absolute"),
        ("SOURCE_CLIENT", "path_map", "/a = /b, /a = /c", "twice"),
        ("General", "watchdog_timeout", "soon", "duration"),
        ("General", "watchdog_timeout", "0", "at least"),
        ("General", "bandwidth", "5", "5 of what"),
        ("General", "state_dir", "~root/x", "another user"),
        ("SETTINGS", "order", ("oldest", "largest"), "a list"),
        ("SETTINGS", "chown_user", "me\nchown_group = us", "more than one line"),
        ("SETTINGS", "local_cache_path", "\nchown_user = me", "more than one line"),
    ],
)
def test_a_value_of_the_wrong_kind_is_shown_with_what_is_expected(section, key, text, says):
    problem = the_problem({(section, key): text})
    assert (problem.severity, problem.section, problem.key) == (Severity.ERROR, section, key)
    assert says in problem.what
    assert problem.line is not None
    assert str(problem).isprintable()


def test_every_error_has_a_remedy():
    changes = {
        ("SETTINGS", key): "\x00" for key in ("order", "size_threshold_gb", "chown_user", "unlock_mode", "nothing")
    }
    changes |= {("SOURCE_CLIENT", key): "\x00" for key in ("host", "port", "username", "password", "path_map")}
    changes |= {("General", key): "\x00" for key in ("state_dir", "bandwidth", "rsync_timeout")}
    problems = problems_of(changes)
    assert len(problems) == len(changes)
    assert [str(problem) for problem in problems if not problem.remedy] == []


def test_a_comment_behind_a_value_is_recognised_as_one():
    assert "A comment needs a line of its own." in the_problem({("SOURCE_SERVER", "port"): "22 ; ssh"}).remedy


def test_a_wrong_password_is_never_shown():
    problem = the_problem({("SOURCE_CLIENT", "password"): "hunter2\x07"})
    assert "hunter2" not in str(problem)


def test_no_text_of_the_settings_shows_a_password():
    settings = read({("SOURCE_CLIENT", "password"): "hunter2"})
    assert settings.source_client.password is not None
    assert settings.source_client.password.reveal() == "hunter2"
    assert "hunter2" not in f"{settings!r} {settings} {settings.source_client.password:>40}"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({("SOURCE_CLIENT", "password_command"): "pass show box"}, "password_command"),
        ({("SOURCE_CLIENT", "host"): "http://box.lan:9090"}, "port"),
        ({("SETTINGS", "manual_review_category"): "Done"}, "manual_review_category"),
        ({("SETTINGS", "destination_client_section"): "SOURCE_CLIENT"}, "destination_client_section"),
        (
            {
                ("DESTINATION_PATHS", "remote_destination_path"): "/data",
                ("DESTINATION_CLIENT", "path_map"): "/data = /elsewhere",
            },
            "remote_destination_path",
        ),
    ],
)
def test_two_values_that_contradict_each_other_are_an_error(changes, key):
    assert key in {problem.key for problem in problems_of(changes) if problem.severity is Severity.ERROR}


def test_a_file_that_cannot_be_read_is_told_where_it_is_named():
    around = dataclasses.replace(AROUND, refusal_of=lambda path: f"there is no file {path}")
    problem = the_problem({("SOURCE_CLIENT", "ca_file"): "~/ca.pem"}, around)
    assert "there is no file /home/me/ca.pem" in problem.what
    assert problem.severity is Severity.ERROR


@pytest.mark.parametrize("key", ["key_file", "password_file"])
def test_a_file_of_a_login_that_cannot_be_read_stops_only_what_logs_in_with_it(key):
    around = dataclasses.replace(AROUND, refusal_of=lambda path: f"there is no file {path}")
    problem = the_problem({("SOURCE_SERVER", key): "~/.ssh/id"}, around)
    assert (problem.section, problem.key, problem.severity) == ("SOURCE_SERVER", key, Severity.WARNING)
    assert "there is no file /home/me/.ssh/id" in problem.what
    assert "nothing works that logs in with it; everything else does" in problem.remedy
    assert str(getattr(read({("SOURCE_SERVER", key): "~/.ssh/id"}).source_server, key)) == "/home/me/.ssh/id"


@pytest.mark.parametrize(("key", "text"), [("max_concurrent_downloads", "40"), ("watchdog_timeout", "2h")])
def test_a_value_that_is_hardly_meant_is_a_warning(key, text):
    section = "General" if key == "watchdog_timeout" else "SETTINGS"
    assert the_problem({(section, key): text}).severity is Severity.WARNING


def test_every_key_of_every_section_is_documented_in_template_and_reference():
    made, reference = template(SCHEMA), reference_markdown(SCHEMA)
    for section in SCHEMA.plain:
        assert f"[{section.name}]" in made
        for key, spec in section.keys.items():
            assert spec.doc.endswith(".")
            assert key in made
            assert f"| `{key}` |" in reference


def test_the_schema_covers_every_field_of_the_settings():
    fields = {field.name for field in dataclasses.fields(Settings)}
    named = {name for name in fields if name == "route" or name.endswith("_name")}
    assert {section.field for section in SCHEMA.plain} == fields - named - {
        "rules_file",
        "state_dir",
        "log_dir",
        "arrs",
    }
    assert issubclass(SCHEMA.plain[0].shape, ClientSettings)

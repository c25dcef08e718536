"""What a person who comes from qBitrr has set up: each of its variables, alone and over a file; a whole config.toml."""

from __future__ import annotations

import json

import pytest

from torrent_mover.adapters.config.reading import ENVIRONMENT, find
from torrent_mover.bootstrap.configs import CONFIGS, check, load_all
from torrent_mover.bootstrap.health.setups import health_setups
from torrent_mover.cli import main
from torrent_mover.domain.errors import ConfigError, ExitCode
from torrent_mover.domain.health_rules import SeedUntil
from torrent_mover.domain.releases import UpdateChannel
from torrent_mover.domain.settings.arr import ArrKind, ArrSettings
from torrent_mover.domain.settings.problems import Severity
from torrent_mover.domain.settings.qbitrr import wants_debug
from torrent_mover.duties.health.model import HealthAction
from torrent_mover.duties.health.search_settings import RequestsKind, SearchFor, SearchOrder
from torrent_mover.duties.health.settings import HealthMode, HealthSettings, TagMode

CONFIG = """
[Settings]
ConfigVersion = "5.13.1"
ConsoleLevel = "INFO"
Logging = true
CompletedDownloadFolder = "/data/torrents"
FreeSpace = "100G"
FreeSpaceFolder = "/data"
AutoPauseResume = true
NoInternetSleepTimer = 15
LoopSleepTimer = 5
SearchLoopDelay = 600
FailedCategory = "failed"
RecheckCategory = "recheck"
Tagless = true
IgnoreTorrentsYoungerThan = 180
PingURLS = ["one.one.one.one", "dns.google.com"]
FFprobeAutoUpdate = true
AutoUpdateEnabled = true
AutoUpdateCron = "0 3 * * 0"
AutoUpdateChannel = "latest"
MaxProcessRestarts = 5
ProcessRestartWindow = 300
ProcessRestartDelay = 5

[WebUI]
Host = "0.0.0.0"
Port = 6969
Token = "a-token"

[qBit]
Disabled = false
Host = "qbittorrent"
Port = 8080
UserName = "admin"
Password = "it's % a secret"
ManagedCategories = ["long-term"]

[[qBit.Trackers]]
Name = "Private"
Priority = 10
URI = "https://tracker.private.example/announce"
MaximumETA = 86400
UploadRateLimit = 5000
MaxUploadRatio = 2.0
MaxSeedingTime = 1209600
AddTags = ["private"]
HitAndRunMode = "or"
MinSeedRatio = 1.0
MinSeedingTimeDays = 3
HitAndRunMinimumDownloadPercent = 10
HitAndRunPartialSeedRatio = 1.0
TrackerUpdateBuffer = 3600

[qBit.CategorySeeding]
MaxUploadRatio = 3
MaxSeedingTime = -1
RemoveTorrent = 1
StalledDelay = -1

[Sonarr-TV]
Managed = true
URI = "http://sonarr:8989/sonarr"
APIKey = "0123456789abcdef"
Category = "sonarr-tv"
ReSearch = true
importMode = "Auto"
RssSyncTimer = 15
RefreshDownloadsTimer = 5
ArrErrorCodesToBlocklist = ["Not an upgrade for existing episode file(s)", "Unable to determine if file is a sample"]

[Sonarr-TV.EntrySearch]
SearchMissing = true
AlsoSearchSpecials = true
Unmonitored = false
SearchLimit = 5
SearchByYear = true
SearchInReverse = false
QualityUnmetSearch = true
UseTempForMissing = true
QualityProfileMappings = {"HD-1080p" = "SD", "HD-720p" = "SD"}
TempProfileResetTimeoutMinutes = 120
SearchBySeries = "smart"

[Sonarr-TV.EntrySearch.Overseerr]
SearchOverseerrRequests = true
OverseerrURI = "http://overseerr:5055"
OverseerrAPIKey = "key-of-overseerr"
ApprovedOnly = true
Is4K = false

[Sonarr-TV.EntrySearch.Ombi]
SearchOmbiRequests = false
OmbiURI = "CHANGE_ME"
OmbiAPIKey = "CHANGE_ME"

[Sonarr-TV.Torrent]
CaseSensitiveMatches = false
FolderExclusionRegex = ["\\\\bextras?\\\\b", "\\\\bnc(ed|op)?(\\\\d+)?\\\\b"]
FileNameExclusionRegex = ["\\\\bsample\\\\b", "music video"]
FileExtensionAllowlist = [".mp4", ".mkv", ".srt"]
AutoDelete = false
IgnoreTorrentsYoungerThan = 300
MaximumETA = 172800
MaximumDeletablePercentage = 0.99
DoNotRemoveSlow = false
StalledDelay = 45

[Sonarr-TV.Torrent.SeedingMode]
DownloadRateLimitPerTorrent = -1
UploadRateLimitPerTorrent = 500
MaxUploadRatio = 2.0
MaxSeedingTime = 604800
RemoveTorrent = 4
RemoveDeadTrackers = true
RemoveTrackerWithMessage = ["No such host is known", "unsupported URL protocol"]

[Radarr-4K]
Managed = true
URI = "http://radarr:7878"
APIKey = "fedcba9876543210"
Category = "radarr-4k"
importMode = "Move"

[Radarr-4K.EntrySearch]
SearchMissing = false

[Radarr-4K.Torrent]
StalledDelay = -1

[Radarr-Old]
Managed = false
URI = "CHANGE_ME"
APIKey = "CHANGE_ME"
"""


@pytest.fixture
def away(tmp_path, monkeypatch):
    """Nowhere near a config file."""
    monkeypatch.chdir(tmp_path)
    for name in ("TORRENT_MOVER_CONFIG",):
        monkeypatch.delenv(name, raising=False)
    return {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "none")}


def loop_of(environ):
    """The one loop that variables make without a file."""
    assert find(None, environ) == ENVIRONMENT
    configuration, _ = load_all(ENVIRONMENT, environ)
    (settings,) = configuration.named(HealthSettings).values()
    return settings, configuration


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("SETTINGS_LOOP_SLEEP_TIMER", "30", "every", 30.0),
        ("SETTINGS_LOOP_SLEEP_TIMER", "1", "every", 2.0),
        ("SETTINGS_FREE_SPACE", "100G", "min_free", 100 << 30),
        ("SETTINGS_FREE_SPACE", "-1", "min_free", 0),
        ("SETTINGS_FAILED_CATEGORY", "bad", "failed_category", "bad"),
        ("SETTINGS_RECHECK_CATEGORY", "again", "recheck_category", "again"),
        ("SETTINGS_TAGLESS", "true", "tags", TagMode.OFF),
        ("SETTINGS_TAGLESS", "no", "tags", TagMode.ON),
        ("SETTINGS_IGNORE_TORRENTS_YOUNGER_THAN", "300", "min_age", 300.0),
        ("SETTINGS_AUTO_PAUSE_RESUME", "false", "no_space_action", HealthAction.OFF),
        ("SETTINGS_AUTO_PAUSE_RESUME", "on", "no_space_action", HealthAction.PAUSE),
        ("OVERRIDES_SEARCH_ONLY", "true", "stalled_action", HealthAction.OFF),
        ("OVERRIDES_PROCESSING_ONLY", "true", "search", SearchFor.OFF),
    ],
)
def test_each_variable_of_a_loop_works_alone_without_a_file(away, variable, text, key, value):
    settings, configuration = loop_of(away | {f"QBITRR_{variable}": text})
    assert getattr(settings, key) == value
    assert (settings.client, settings.mode) == ("qbit", HealthMode.REPORT)
    assert configuration.clients["qbit"].url == "http://localhost:8080"


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("SETTINGS_PING_URLS", "one.one.one.one,dns.google.com", "internet_probe", ("one.one.one.one", 443)),
        ("SETTINGS_PING_URLS", "http://10.0.0.1:8080/x", "internet_probe", ("10.0.0.1", 8080)),
        ("SETTINGS_AUTO_UPDATE_ENABLED", "true", "update_check", UpdateChannel.STABLE),
        ("SETTINGS_AUTO_UPDATE_ENABLED", "false", "update_check", UpdateChannel.OFF),
    ],
)
def test_each_variable_of_the_whole_works_alone_without_a_file(away, variable, text, key, value):
    _, configuration = loop_of(away | {f"QBITRR_{variable}": text})
    assert getattr(configuration.general, key) == value


def test_channel_data_path_and_level_work_too(away):
    nightly = {"QBITRR_SETTINGS_AUTO_UPDATE_ENABLED": "1", "QBITRR_SETTINGS_AUTO_UPDATE_CHANNEL": "nightly"}
    assert loop_of(away | nightly)[1].general.update_check is UpdateChannel.PRE
    assert str(loop_of(away | {"QBITRR_OVERRIDES_DATA_PATH": "/config"})[1].state_dir) == "/config"
    assert wants_debug({"QBITRR_SETTINGS_CONSOLE_LEVEL": "TRACE"})
    assert not wants_debug({"QBITRR_SETTINGS_CONSOLE_LEVEL": "INFO"})


def test_the_client_is_described_by_its_variables_with_its_password_in_a_file(away, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("from a file\n")
    given = {"QBITRR_QBIT_HOST": "box", "QBITRR_QBIT_PORT": "9090", "QBITRR_QBIT_USERNAME": "admin"}
    _, configuration = loop_of(away | given | {"QBITRR_QBIT_PASSWORD": "p"})
    client = configuration.clients["qbit"]
    assert (client.url, client.username, client.password.reveal()) == ("http://box:9090", "admin", "p")
    _, configuration = loop_of(away | given | {"QBITRR_QBIT_PASSWORD_FILE": str(secret)})
    assert configuration.clients["qbit"].password.reveal() == "from a file"


def test_each_arr_of_the_environment_has_a_loop_of_its_own(away):
    environ = away | {"QBITRR_QBIT_HOST": "box", "SONARR_API_KEY": "a", "RADARR_API_KEY": "b"}
    configuration, _ = load_all(find(None, environ), environ)
    assert {name: loop.arr for name, loop in configuration.named(HealthSettings).items()} == {
        "sonarr": "sonarr",
        "radarr": "radarr",
    }


def test_variables_stand_above_a_file_and_check_config_prints_their_lines(away, tmp_path):
    file = tmp_path / "config.ini"
    file.write_text(
        "[CLIENT box]\nhost = http://box\nport = 1\nusername = x\npassword = y\n[HEALTH tv]\nclient = box\nevery = 1h\n"
    )
    file.chmod(0o600)
    environ = away | {
        "QBITRR_SETTINGS_LOOP_SLEEP_TIMER": "30",
        "QBITRR_SETTINGS_LOGGING": "true",
        "SONARR_API_KEY": "secret",
    }
    configuration, problems = load_all(file, environ)
    assert list(configuration.clients) == ["box"]
    assert configuration.named(HealthSettings)["tv"].every == 30.0
    told = [(each.file, each.what, each.severity) for each in problems if "QBITRR" in each.file]
    assert told == [("$QBITRR_SETTINGS_LOGGING", "it has no effect: nothing here is set by it.", Severity.NOTICE)]
    lines = CONFIGS.lines_of_old_names(file, environ)
    assert "[HEALTH tv] every = 30s ($QBITRR_SETTINGS_LOOP_SLEEP_TIMER)" in lines
    assert "[ARR sonarr] api_key = (as it is) ($SONARR_API_KEY)" in lines
    assert not any("secret" in line for line in lines)


def test_what_has_no_effect_is_said_of_each_and_makes_no_config(away):
    for name in ("SETTINGS_SEARCH_LOOP_DELAY", "SETTINGS_COMPLETED_DOWNLOAD_FOLDER", "WEBUI_PORT"):
        with pytest.raises(ConfigError):
            find(None, away | {f"QBITRR_{name}": "1"})
        problems = check(ENVIRONMENT, away | {f"QBITRR_{name}": "1", "QBITRR_QBIT_HOST": "box"})
        assert [each.file for each in problems if "no effect" in each.what] == [f"$QBITRR_{name}"]


def test_a_wrong_value_is_told_with_its_variable(away):
    problems = check(ENVIRONMENT, away | {"QBITRR_SETTINGS_LOOP_SLEEP_TIMER": "often"})
    assert any(
        each.file == "$QBITRR_SETTINGS_LOOP_SLEEP_TIMER" and each.severity is Severity.ERROR for each in problems
    )


# A config.toml


@pytest.fixture
def taken_over(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    source, target = tmp_path / "qbitrr.toml", tmp_path / "ours" / "config.ini"
    source.write_text(CONFIG)
    assert main(["init", "--config", str(target), "--from-qbitrr", str(source)]) == ExitCode.DONE
    return target, capsys.readouterr().out


def test_a_whole_config_is_taken_over_in_report_mode(taken_over):
    target, _ = taken_over
    assert [each for each in check(target, {}) if each.severity is Severity.ERROR] == []
    assert target.stat().st_mode & 0o777 == 0o600
    configuration, _ = load_all(target, {})
    loops, arrs = configuration.named(HealthSettings), configuration.named(ArrSettings)
    assert {name: (loop.client, loop.arr, loop.mode) for name, loop in loops.items()} == {
        "sonarr-tv": ("qbit", "sonarr-tv", HealthMode.REPORT),
        "radarr-4k": ("qbit", "radarr-4k", HealthMode.REPORT),
        "qbit": ("qbit", "", HealthMode.REPORT),
    }
    assert arrs["sonarr-tv"].base_url == "http://sonarr:8989/sonarr"
    assert (arrs["sonarr-tv"].type, arrs["sonarr-tv"].category) == (ArrKind.SONARR, "sonarr-tv")
    client = configuration.clients["qbit"]
    assert (client.url, client.password.reveal()) == ("http://qbittorrent:8080", "it's % a secret")
    assert configuration.general.internet_probe == ("one.one.one.one", 443)
    assert configuration.general.update_check is UpdateChannel.STABLE


def test_the_values_of_a_loop_are_those_of_its_sections(taken_over):
    configuration, _ = load_all(taken_over[0], {})
    tv = configuration.named(HealthSettings)["sonarr-tv"]
    assert (tv.every, tv.min_age, tv.min_free, tv.tags) == (5.0, 300.0, 100 << 30, TagMode.OFF)
    assert (tv.rss_every, tv.refresh_every) == (900.0, 300.0)
    assert tv.blocked_texts == (
        "Not an upgrade for existing episode file(s)",
        "Unable to determine if file is a sample",
    )
    assert (tv.search, tv.searches_active, tv.searches_per_hour) == (SearchFor.BOTH, 5, 6)
    assert (tv.search_order, tv.specials, tv.unmonitored) == (SearchOrder.YEAR, True, False)
    assert (tv.fallback_profiles, tv.fallback_for) == ((("HD-1080p", "SD"), ("HD-720p", "SD")), 7200.0)
    assert (tv.requests_type, tv.requests_key.reveal()) == (RequestsKind.OVERSEERR, "key-of-overseerr")
    assert tv.exclude_folders == (r"\bextras?\b", r"\bnc(ed|op)?(\d+)?\b")
    assert tv.exclude_files == (r"\bsample\b", "music video")
    assert tv.allow_extensions == ("mp4", "mkv", "srt")
    assert (tv.stalled_after, tv.slow_action, tv.max_eta) == (2700.0, HealthAction.REPLACE, 172800.0)
    assert (tv.seed_until, tv.seed_ratio, tv.seed_time) == (SeedUntil.BOTH, 2.0, 604800.0)
    assert tv.dead_texts == ("No such host is known", "unsupported URL protocol")
    four_k = configuration.named(HealthSettings)["radarr-4k"]
    assert (four_k.search, four_k.stalled_action, four_k.blocked_texts[:1]) == (
        SearchFor.OFF, HealthAction.OFF, HealthSettings(client="x").blocked_texts[:1],
    )  # fmt: skip
    managed = configuration.named(HealthSettings)["qbit"]
    assert (managed.categories, managed.seed_until, managed.seed_ratio) == (("long-term",), SeedUntil.RATIO, 3.0)


def test_rules_of_trackers_become_ours_and_what_is_left_out_is_said(taken_over):
    target, said = taken_over
    rules = json.loads((target.parent / "tracker_rules.json").read_text())
    assert rules["tracker.private.example"]["health"]["hnr"] == {
        "mode": "either", "ratio": 1.0, "time": "3d", "from": 0.1, "partial_ratio": 1.0, "margin": "3600s",
    }  # fmt: skip
    assert rules["tracker.private.example"]["health"]["tags"] == ["private"]
    for part in ("[WebUI] was left out", "[Radarr-Old] is not managed", "importMode = Move was left out", "is a guess"):
        assert part in said
    assert "secret" not in said
    setups, _ = health_setups(str(target))
    assert len(setups) == 3


def test_a_config_that_is_there_is_kept_and_one_that_is_none_writes_nothing(taken_over, tmp_path):
    target, _ = taken_over
    source = tmp_path / "qbitrr.toml"
    assert main(["init", "--config", str(target), "--from-qbitrr", str(source)]) == ExitCode.USAGE
    before = target.read_text()
    assert main(["init", "--config", str(target), "--overwrite", "--from-qbitrr", str(source)]) == ExitCode.DONE
    assert (target.parent / "config.ini.before").read_text() == before
    source.write_text("[Settings\n")
    other = tmp_path / "other.ini"
    assert main(["init", "--config", str(other), "--from-qbitrr", str(source)]) == ExitCode.USAGE
    assert not other.exists()

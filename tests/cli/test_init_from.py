"""init --from-env and --from-rdtm: the variables of the former programs become sections, which the real loader takes."""

from __future__ import annotations

import pytest

from torrent_mover.bootstrap.configs import load_all
from torrent_mover.cli import main
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.settings.arr import ArrSettings
from torrent_mover.domain.settings.clients import ClientType
from torrent_mover.duties.debrid.settings import DebridMode, DebridSettings
from torrent_mover.duties.health.settings import HealthMode, HealthSettings
from torrent_mover.duties.tiering.settings import TierMode, TierSettings

_RDTM = """# required
RD_API_TOKEN=abcdef0123456789
DISCORD_WEBHOOK_URL=https://discord.example.com/api/webhooks/1/x
LOG_LEVEL=INFO
SCAN_INTERVAL=900   # seconds
DRY_RUN=false
RETRY_DELAY_HOURS=3
TZ=Europe/Paris
"""
_RFLOOD = """DOWNLOAD_PATH_SSD="/downloads/ssd"          # fast
FINAL_DEST_BASE_HDD='/downloads/hdd'
export SCGI_URL=/dev/shm/rtorrent.sock
- DISK_SPACE_THRESHOLD_GB=150
SONARR_API_KEY=0123456789abcdef0123456789abcdef
SONARR_TAG=shows
LOCK_DIR=/config/locks
LOG_FILE=/config/log/manager.log
PUID=1000
"""
_QBITRR = """QBITRR_QBIT_HOST=qbit
QBITRR_QBIT_PORT=8080
QBITRR_SETTINGS_LOOP_SLEEP_TIMER=30
RADARR_API_KEY=0123456789abcdef0123456789abcdef
"""


@pytest.fixture
def init(tmp_path, capsys):
    config = tmp_path / "config.ini"

    def run(flag, text, *more):
        source = tmp_path / ".env"
        source.write_text(text)
        capsys.readouterr()
        code = main(["init", flag, str(source), "--config", str(config), *more])
        said = capsys.readouterr()
        return code, said.out + said.err, config

    return run


def test_the_env_of_rdtm_becomes_an_account_that_only_reports(init):
    code, said, config = init("--from-rdtm", _RDTM)

    assert code == ExitCode.DONE, said
    account = load_all(config)[0].named(DebridSettings)["realdebrid"]
    assert (account.mode, account.scan_interval, account.retry_delay) == (DebridMode.REPORT, 900, 3 * 3600)
    assert config.stat().st_mode & 0o777 == 0o600
    assert "abcdef0123456789" not in said
    for words in ("TZ", "DRY_RUN was left out", "doctor", "debrid run --once --dry-run"):
        assert words in said, said


def test_the_env_of_a_tier_becomes_client_tier_and_arr(init):
    code, said, config = init("--from-env", _RFLOOD)

    assert code == ExitCode.DONE, said
    found, problems = load_all(config)
    assert not problems
    tier = found.named(TierSettings)["default"]
    assert (str(tier.targets[0]), str(tier.free_low), tier.mode) == ("*:/downloads/hdd", "150G", TierMode.ACT)
    assert found.clients["default"].type is ClientType.RTORRENT
    assert found.named(ArrSettings)["sonarr"].category == "shows"
    assert (str(found.state_dir), str(found.log_dir)) == ("/config/locks", "/config/log")
    assert "PUID" in said
    assert "tier --dry-run" in said


def test_the_env_of_qbitrr_becomes_a_loop_that_only_reports_and_joins_what_is_there(init):
    init("--from-rdtm", _RDTM)
    code, said, config = init("--from-env", _QBITRR)

    assert code == ExitCode.DONE, said
    found, _ = load_all(config)
    assert set(found.named(DebridSettings)) == {"realdebrid"}
    loop = found.named(HealthSettings)["radarr"]
    assert (loop.client, loop.every, loop.mode) == ("qbit", 30, HealthMode.REPORT)


def test_what_cannot_be_taken_over_is_said_and_nothing_is_written(init):
    code, said, config = init("--from-rdtm", "TZ=Europe/Paris\n")
    assert (code, config.exists()) == (ExitCode.USAGE, False)
    assert "RD_API_TOKEN" in said
    code, said, _ = init("--from-rdtm", _RDTM.replace("=900", "=soon"))
    assert (code, config.exists()) == (ExitCode.USAGE, False)
    assert "scan_interval" in said
    assert init("--from-rdtm", _RDTM)[0] == ExitCode.DONE
    before = config.read_text()
    code, said, _ = init("--from-rdtm", _RDTM)
    assert (code, config.read_text()) == (ExitCode.USAGE, before)
    assert "--overwrite" in said
    assert init("--from-rdtm", _RDTM, "--overwrite")[0] == ExitCode.DONE

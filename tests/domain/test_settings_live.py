"""Which changed settings a run that stays takes over, and which ask for a new start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.domain.test_settings import read
from torrent_mover.domain.secret import Secret
from torrent_mover.duties.moving.live import as_fetched_before, changed, taken_over


@pytest.mark.parametrize(
    ("section", "key", "text"),
    [
        ("SETTINGS", "category_to_move", "other"),
        ("SETTINGS", "size_threshold_gb", "5"),
        ("SETTINGS", "order", "largest"),
        ("SETTINGS", "min_seed_time", "2d"),
        ("General", "sftp_download_limit_mbps", "3"),
        ("General", "bandwidth", "08:00,5M"),
        ("General", "notify_command", "mail"),
        ("General", "event_log", "/tmp/events"),
    ],
)
def test_what_touches_no_transfer_is_taken_over(section, key, text):
    old, new = read(), read({(section, key): text})
    live = taken_over(old, new)
    assert changed(old, live) == (key,)
    assert changed(live, new) == ()


@pytest.mark.parametrize(
    ("section", "key", "text", "told"),
    [
        ("SETTINGS", "transfer_mode", "rsync", "transfer_mode"),
        ("SETTINGS", "max_concurrent_downloads", "2", "max_concurrent_downloads"),
        ("SOURCE_CLIENT", "port", "8090", "source_client port"),
        ("SOURCE_CLIENT", "password", "another", "source_client password"),
        ("SOURCE_CLIENT", "delete_after_transfer", "no", "source_client delete_after_transfer"),
        ("DESTINATION_PATHS", "destination_path", "/srv/other", "destination_path"),
        ("General", "watchdog_timeout", "5m", "watchdog_timeout"),
        ("General", "state_dir", "/srv/state", "state_dir"),
    ],
)
def test_what_touches_one_asks_for_a_new_start_and_is_named(section, key, text, told):
    old, new = read(), read({(section, key): text, ("SETTINGS", "order"): "largest"})
    live = taken_over(old, new)
    assert changed(old, live) == ("order",)
    assert told in changed(live, new)
    assert "order" not in changed(live, new)


def test_a_password_that_is_fetched_as_before_is_no_change():
    def fetched(settings):
        client = replace(settings.source_client, password=Secret(lambda: "x"), password_command=("pass", "box"))
        return replace(settings, source_client=client)

    old, new = fetched(read()), fetched(read())
    assert old != new
    assert changed(old, as_fetched_before(old, new)) == ()
    other = replace(new, source_client=replace(new.source_client, password_command=("pass", "another")))
    assert "source_client password_command" in changed(old, as_fetched_before(old, other))

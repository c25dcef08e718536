"""What a tier promises, row by row, and the tests that show each promise: none is without one, and each of them exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_D, _E = "duties/tiering/test_", "e2e/test_"

ACCEPTANCE = {
    "rTorrent keeps the contract of a client, and moves go from it, to it and between two of it": (
        "contracts/test_rtorrent.py::TestRTorrent",
        f"{_E}rtorrent_ends.py::test_an_rtorrent_hands_over_to_qbittorrent_and_exactly_its_files_go",
        f"{_E}rtorrent_ends.py::test_qbittorrent_hands_over_to_an_rtorrent_which_still_seeds_after_it_was_killed",
        f"{_E}rtorrent_ends.py::test_an_rtorrent_hands_over_to_the_other_version_hybrid_torrents_and_padding_included",
    ),
    "a fresh peer completes from the disk, and the torrent is what it was": (
        f"{_E}tier_eviction.py::test_a_fresh_peer_completes_from_the_disk_and_nothing_of_the_torrent_has_changed",
    ),
    "a kill of worker, client or both at any stage": (
        f"{_E}tier_kills.py::test_a_round_after_a_kill_the_client_looks_at_a_verified_copy",
        f"{_D}kills.py::test_a_copy_survives_a_kill_at_every_call",
        f"{_D}kills.py::test_an_eviction_survives_a_kill_at_every_call",
    ),
    "a flipped byte in the copy": (
        f"{_E}tier_eviction.py::test_one_flipped_byte_in_the_copy_frees_nothing_whoever_checks_it",
    ),
    "the client is killed right after the data went": (
        f"{_E}tier_kills.py::test_a_round_after_a_kill_the_client_looks_at_a_verified_copy",
        f"{_E}tiers.py::test_a_torrent_leaves_the_full_ssd_and_seeds_from_the_disk",
    ),
    "room is kept under load, and a dry run names what leaves": (
        f"{_E}tier_space.py::test_a_worker_keeps_room_while_torrents_come_in",
        f"{_D}mounts.py::test_an_ssd_under_load_stays_above_its_mark_without_going_up_and_down",
        f"{_E}tier_space.py::test_what_leaves_is_what_the_dry_run_names_and_then_there_is_nothing_to_do",
    ),
    "a disk that goes and comes back": (
        f"{_E}tier_failures.py::test_a_disk_that_was_away_gets_nothing_written_and_all_seed_again_when_it_is_back",
    ),
    "the hook is quick and holds nobody up": (
        f"{_E}tier_hook.py::test_the_hook_takes_little_more_than_starting_an_interpreter",
        f"{_E}tier_hook.py::test_no_other_transfer_waits_for_the_hook",
    ),
    "shared files: cross-seed, media link, union": (
        f"{_E}tier_links.py::test_a_cross_seed_and_its_media_link_leave_together_and_are_one_file_on_the_disk",
        f"{_E}tier_links.py::test_in_a_union_the_client_keeps_its_path_and_the_bytes_are_on_one_branch",
    ),
    "the former programs' environment and commands": (
        f"{_E}tiers.py::test_the_environment_of_the_former_programs_alone_copies_what_is_finished",
        f"{_E}tier_former_programs.py::test_every_command_of_the_former_programs_answers",
    ),
    "reports and dry runs delete nothing": (
        f"{_E}tier_space.py::test_reports_and_dry_runs_delete_nothing_on_a_full_ssd",
        f"{_D}evicting.py::test_in_report_mode_copies_are_made_and_nothing_leaves_ever",
    ),
}

FORMER_FEATURES = {
    "hook": (f"{_E}tiers.py::test_the_hook_queues_once_and_a_worker_copies",),
    "one failure ends no other": (
        f"{_D}copying.py::test_a_copy_that_always_fails_waits_with_its_reason_and_ends_no_other",
    ),
    "how many at once": (
        f"{_D}copying.py::test_several_are_copied_side_by_side_with_one_writer_a_target",
        f"{_D}copying.py::test_more_writers_a_target_may_be_allowed",
    ),
    "queue that lasts, oldest first, old files": (
        f"{_D}places_and_queue.py::test_the_one_that_was_queued_first_comes_first_and_those_that_rest_or_are_busy_wait",
        f"{_D}tier_journal.py::test_what_is_written_is_read_again_by_another_process",
        f"{_E}tier_former_programs.py::test_queue_files_of_the_former_programs_are_taken_over",
    ),
    "status": (
        f"{_D}worker.py::test_the_status_comes_from_the_journal_alone",
        "cli/test_tier_alone.py::test_status_shows_the_tiers",
    ),
    "recovery and signs of life": (
        f"{_E}tier_kills.py::test_a_round_after_a_kill_the_client_looks_at_a_verified_copy",
        f"{_D}worker.py::test_a_long_copy_gives_signs_of_life_and_says_how_far_it_is",
    ),
    "hostile paths and links": (
        f"{_D}copying.py::test_a_hostile_label_stays_below_the_target_and_out_of_our_folder",
        f"{_D}copying.py::test_a_link_that_leads_out_of_the_ssd_is_not_followed",
        f"{_D}copying.py::test_a_link_planted_on_the_target_is_not_written_through",
    ),
    "labels are cleaned, files never renamed": (
        f"{_D}places_and_queue.py::test_no_label_leaves_the_target_or_lands_in_our_folder",
        f"{_D}places_and_queue.py::test_a_plain_label_stays_as_it_is",
        "adapters/test_rtorrent_traps.py::TestNames",
    ),
    "input and settings are checked": (
        "cli/test_contract.py::test_a_wrong_value_is_told_with_what_is_allowed",
        f"{_D}tier_settings.py::test_what_does_not_go_together_is_an_error_at_its_key",
        "cli/test_tier_alone.py::test_check_config_names_client_and_tier",
    ),
    "limits: rate, idle class, what stays free": (
        f"{_D}tier_bytes.py::test_a_rate_holds_for_all_copies_of_the_tier_together",
        f"{_D}tier_bytes.py::test_it_reads_and_writes_behind_everybody_else",
        f"{_D}copying.py::test_keep_free_is_left_on_the_target",
    ),
    "whole or not at all": (
        f"{_D}staging.py::test_where_one_name_is_taken_all_stay_in_staging",
        f"{_D}mounts.py::test_a_target_that_is_full_leaves_no_half_file_under_its_name",
        f"{_D}kills.py::test_a_copy_of_several_top_names_survives_a_kill_between_their_renames",
    ),
    "audit": (
        f"{_D}gate.py::test_an_eviction_certificate_is_made_by_certify_eviction_alone",
        f"{_D}tier_journal.py::test_what_is_written_is_read_again_by_another_process",
    ),
    "one worker": (f"{_D}worker.py::test_only_one_worker_of_a_tier_works",),
    "marks, the oldest leave and seed on": (
        f"{_D}choosing.py::test_evicting_begins_below_the_lower_mark_and_asks_for_what_is_missing_to_the_upper_one",
        f"{_D}evicting.py::test_evicting_ends_as_soon_as_enough_is_free_the_oldest_first",
    ),
    "verification": (
        f"{_D}copying.py::test_a_byte_that_turned_over_on_its_way_is_read_back_and_copied_again",
        f"{_D}copying.py::test_without_verify_the_copy_counts_and_is_marked_as_not_read",
    ),
    "tries, room, a copy that lies there": (
        f"{_D}copying.py::test_a_copy_is_tried_several_times_with_growing_pauses",
        f"{_D}copying.py::test_promises_to_copies_under_way_count_as_taken",
        f"{_D}copying.py::test_the_same_pieces_that_lie_there_already_are_adopted",
        f"{_E}tier_faults.py::test_a_copy_whose_disk_fails_is_tried_again_then_waits_with_its_reason",
    ),
    "Arrs": (
        f"{_E}tier_arrs.py::test_sonarr_imports_a_copy_by_its_proven_path_once_and_the_torrent_seeds_on",
        f"{_E}tier_arrs.py::test_a_sonarr_that_is_away_keeps_no_copy_waiting_and_is_told_by_a_later_round",
    ),
    "ways to rTorrent": (
        "adapters/test_rtorrent_wire.py::TestTcp",
        "adapters/test_rtorrent_wire.py::TestSocket",
        "adapters/test_rtorrent_wire.py::TestWeb",
        "adapters/test_rtorrent_wire.py::TestThroughSsh",
    ),
    "health check": (f"{_E}tiers.py::test_the_healthcheck_judges_by_the_workers_last_answers",),
    "dry run, clearing, summary": (
        f"{_E}tiers.py::test_a_dry_run_writes_nothing_and_says_what_a_round_would_do",
        f"{_D}worker.py::test_clearing_the_queue_leaves_what_runs_and_says_what_it_dropped",
        f"{_E}tier_former_programs.py::test_a_config_of_client_and_tier_alone_is_shown_and_checked",
    ),
    "signals": (
        "cli/test_tier_stop.py::test_a_stop_waits_some_seconds_for_a_silent_client_and_not_at_all_when_asked_twice",
    ),
    "container": (
        "cli/test_packaging.py::test_what_units_crontab_and_container_run_is_what_the_parser_knows",
        "cli/test_packaging.py::test_the_container_runs_as_the_user_that_it_is_given_or_that_it_was_started_as",
    ),
    "the line that scripts count": (
        f"{_D}copying.py::test_the_line_that_scripts_count_copies_by_stays",
        "simple/test_tiering.py::test_the_line_that_scripts_look_for_stands_as_it_was",
    ),
    "rules of one's own": (
        f"{_D}worker.py::test_an_explanation_names_every_reason",
        f"{_D}choosing.py::test_reasons_to_stay",
    ),
    "queueing over HTTP": ("web/test_api.py::test_orders_reach_the_tiers",),
    "a second hook": (f"{_D}worker.py::test_a_loop_does_a_round_when_somebody_asks_for_one_and_only_once",),
    "coming from a former program": (
        f"{_D}worker.py::test_old_queue_files_are_taken_over_by_their_names_oldest_first",
        f"{_D}tier_journal.py::test_a_record_of_an_older_version_has_the_defaults_of_what_it_lacks",
    ),
}

FAILURES = {
    "a root that is not mounted": (
        f"{_E}tier_failures.py::test_a_disk_that_was_away_gets_nothing_written_and_all_seed_again_when_it_is_back",
        f"{_E}tier_failures.py::test_an_ssd_that_was_away_gets_nothing_written_and_its_torrents_seed_again_when_it_is_back",
        f"{_E}tier_failures.py::test_a_disk_without_its_identity_is_no_disk_of_ours",
    ),
    "many copies gone": (f"{_E}tier_failures.py::test_many_copies_that_are_gone_stop_all_evictions",),
    "healing": (
        f"{_D}evicting.py::test_a_torrent_that_a_lost_disk_has_stopped_is_checked_and_started_again",
        f"{_D}evicting.py::test_a_torrent_with_changed_files_is_reported_and_not_started",
    ),
    "kill or power cut": (
        f"{_E}tier_kills.py::test_a_round_after_a_kill_the_client_looks_at_a_verified_copy",
        f"{_D}places_and_queue.py::test_what_a_fresh_start_makes_of_an_eviction_that_was_cut_short",
    ),
    "a client that is silent or talks nonsense": (
        f"{_E}tier_failures.py::test_a_client_that_is_silent_loses_nothing",
        f"{_E}tier_faults.py::test_nonsense_from_the_client_decides_nothing",
    ),
    "a disk that is full, broken or read-only": (
        f"{_E}tier_failures.py::test_a_full_disk_takes_no_half_copy_and_the_torrent_waits",
        f"{_E}tier_faults.py::test_an_eviction_whose_ssd_fails_loses_nothing_and_is_ended_later",
        f"{_E}tier_failures.py::test_a_disk_that_turned_read_only_ends_no_seeding_and_is_used_again_later",
    ),
    "people change things meanwhile": (
        f"{_E}tier_faults.py::test_what_people_do_to_a_torrent_that_leaves_keeps_it_on_the_ssd",
        f"{_E}tier_faults.py::test_a_torrent_that_its_user_stops_while_it_leaves_stays_stopped",
    ),
    "a copy that vanished": (
        f"{_E}tier_failures.py::test_a_copy_that_somebody_took_away_is_made_again_and_then_the_torrent_leaves",
    ),
    "another mover's hook": (
        f"{_D}worker.py::test_nothing_is_copied_or_evicted_while_a_hook_of_the_client_moves_data_too",
        "adapters/test_rtorrent_traps.py::TestHooks",
    ),
    "an Arr that is down": (
        f"{_E}tier_arrs.py::test_a_sonarr_that_is_away_keeps_no_copy_waiting_and_is_told_by_a_later_round",
    ),
}

DEMANDS = {
    "SSD, then disk, seeding": (f"{_E}tiers.py::test_a_torrent_leaves_the_full_ssd_and_seeds_from_the_disk",),
    "leave by seeding time": (f"{_D}choosing.py::test_reasons_to_stay",),
    "only when short, and down to the mark": (
        f"{_D}evicting.py::test_with_enough_room_nothing_leaves",
        f"{_D}evicting.py::test_the_disk_is_measured_after_each_eviction_and_no_more_leaves_than_needed",
    ),
    "hard links are kept": (f"{_D}evicting.py::test_media_below_a_link_root_is_linked_on_the_target_and_leaves_too",),
    "cross-seeds leave as one, over clients": (
        f"{_D}evicting.py::test_a_cross_seed_in_another_client_leaves_together_with_its_bytes_once_on_the_target",
    ),
    "the place outlasts a restart": (
        "adapters/test_rtorrent_traps.py::TestRelocation::test_a_kill_undoes_it_until_it_is_persisted",
    ),
    "no half file under its name": (f"{_D}mounts.py::test_a_target_that_is_full_leaves_no_half_file_under_its_name",),
    "copies do not choke the disk": (
        f"{_D}copying.py::test_several_are_copied_side_by_side_with_one_writer_a_target",
        f"{_D}tier_bytes.py::test_it_reads_and_writes_behind_everybody_else",
    ),
    "none is forgotten": (f"{_D}copying.py::test_a_finished_torrent_is_found_copied_proven_and_told",),
    "preloaded ones too": (f"{_E}tiers.py::test_the_environment_of_the_former_programs_alone_copies_what_is_finished",),
    "a full target leaves no mess": (f"{_D}copying.py::test_no_room_waits_and_lets_smaller_ones_go_on",),
    "stay until ratio or time": (f"{_D}choosing.py::test_of_a_ratio_and_a_time_either_is_enough",),
    "an Arr moves no seeding file": (
        f"{_E}tier_arrs.py::test_sonarr_imports_a_copy_by_its_proven_path_once_and_the_torrent_seeds_on",
    ),
    "a newer rTorrent breaks nothing": ("contracts/test_rtorrent.py::TestRTorrent",),
}

TABLES = {"acceptance": ACCEPTANCE, "former features": FORMER_FEATURES, "failures": FAILURES, "demands": DEMANDS}
ROWS = [(f"{table}: {row}", tests) for table, rows in TABLES.items() for row, tests in rows.items()]

EACH_CLIENT = {
    f"{_E}tier_eviction.py::test_a_fresh_peer_completes_from_the_disk_and_nothing_of_the_torrent_has_changed",
    f"{_E}tier_eviction.py::test_one_flipped_byte_in_the_copy_frees_nothing_whoever_checks_it",
    f"{_E}tier_kills.py::test_a_round_after_a_kill_the_client_looks_at_a_verified_copy",
    f"{_E}tier_failures.py::test_a_disk_that_was_away_gets_nothing_written_and_all_seed_again_when_it_is_back",
    f"{_E}tier_links.py::test_a_cross_seed_and_its_media_link_leave_together_and_are_one_file_on_the_disk",
    f"{_E}tier_links.py::test_in_a_union_the_client_keeps_its_path_and_the_bytes_are_on_one_branch",
    f"{_E}tier_space.py::test_reports_and_dry_runs_delete_nothing_on_a_full_ssd",
}
"""What must hold on two rTorrents and two qBittorrents: these take the fixture that stands for each of them in turn."""


@cache
def found_in(file: str) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    """Tests of a file by what follows its name in a node id: functions, classes that hold or inherit some, and their methods."""
    found = {}
    for node in ast.parse((ROOT / file).read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            methods = [
                each for each in node.body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
            ]
            if methods:
                found[node.name] = node
            found |= {f"{node.name}::{each.name}": each for each in methods}
    return found


@pytest.mark.parametrize(("row", "tests"), ROWS, ids=[row for row, _ in ROWS])
def test_each_promise_is_shown_by_tests_that_exist(row, tests):
    assert tests, row
    for test in tests:
        file, _, name = test.partition("::")
        assert name in found_in(file), f"{row}: there is no {test}"


@pytest.mark.parametrize("test", sorted(EACH_CLIENT))
def test_what_must_hold_on_every_client_runs_on_each_of_them(test):
    file, _, name = test.partition("::")
    taken = {argument.arg for argument in found_in(file)[name].args.args}
    assert "tier" in taken
    assert any(test in tests for tests in ACCEPTANCE.values())


def test_both_series_of_each_client_stand_behind_the_fixture():
    clients = next(
        ast.literal_eval(node.value)
        for node in ast.parse((ROOT / "e2e/conftest.py").read_text()).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "TIER_CLIENTS"
    )
    assert clients == ["rtorrent 0.9.8", "rtorrent 0.16", "qbittorrent 4.5", "qbittorrent 5.1"]

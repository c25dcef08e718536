"""What debrid promises, row by row, each with the tests that prove it: a row whose test is renamed or removed fails here."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DUTY = "tests/duties/debrid/"
LINKS, TIME, REPAIRS = f"{DUTY}test_links_and_waves.py", f"{DUTY}test_rounds_in_time.py", f"{DUTY}test_repairing.py"
DECIDED, DOUBLE, MOUNTS = f"{DUTY}test_decisions.py", f"{DUTY}test_on_real_debrid.py", f"{DUTY}test_real_mounts.py"
REQUESTS = f"{DUTY}test_every_request.py"
COMMAND, SERVED = "tests/e2e/test_debrid.py", "tests/e2e/test_serve_debrid.py"
LIMITER, GATE, WINDOWS = (
    "tests/domain/test_debrid_limiter.py",
    "tests/adapters/test_debrid_gate.py",
    "tests/adapters/test_debrid_windows.py",
)
REAL, CONTRACT = "tests/adapters/test_realdebrid.py", "tests/contracts/debrid_contract.py"
REMOVAL, DELETES = "tests/domain/debrid/test_removal.py", "tests/architecture/test_debrid_deletes.py"
UPKEEP, RESCUE, DISK = (
    "tests/cli/test_debrid_upkeep.py",
    "tests/adapters/store/test_upkeep.py",
    "tests/adapters/test_link_library.py",
)
SCREEN, API = "tests/tui/test_debrid.py", "tests/web/test_debrid_api.py"

PROMISES = {
    "quick scan keeps what the account calls failed": [
        f"{TIME}::test_a_quick_scan_keeps_what_the_account_calls_failed_and_nothing_else"
    ],
    "full scan: pages, overlap, resumed, whole": [
        f"{DOUBLE}::test_12000_torrents_are_listed_in_15_requests_and_a_kill_goes_on_where_it_was",
        f"{DOUBLE}::test_entries_that_come_and_go_while_it_lists_are_all_seen_and_none_is_lost",
        f"{DOUBLE}::test_pages_get_smaller_where_the_service_does_not_manage_them",
        f"{REAL}::test_pages_overlap_so_that_entries_removed_meanwhile_hide_none",
    ],
    "links scan on real links and mounts": [
        f"{MOUNTS}::test_a_sound_mount_of_each_layout_leads_to_the_one_torrent_that_is_gone",
        f"{COMMAND}::test_links_are_looked_at_on_a_real_mount_and_a_mount_that_is_down_touches_none",
    ],
    "full once a day, links after it, else quick": [
        f"{TIME}::test_a_full_scan_comes_first_and_every_day_links_after_it_and_else_a_quick_one",
        f"{TIME}::test_a_full_scan_that_was_cut_short_is_due_at_once",
    ],
    "adding again, with the same files": [
        f"{REPAIRS}::test_a_dead_torrent_is_added_again_with_the_same_files_and_the_old_entry_goes",
        f"{DOUBLE}::test_a_dead_torrent_is_replaced_by_one_with_the_same_files",
    ],
    "each fault has its way; three tries whose count survives": [
        f"{DOUBLE}::test_what_becomes_of_a_new_entry_that_is_not_the_old_one_again",
        f"{DOUBLE}::test_what_an_answer_to_an_add_leads_to",
        f"{REPAIRS}::test_three_failures_give_up_and_tell_once",
        f"{TIME}::test_the_count_of_tries_survives_whatever_is_listed_in_between",
    ],
    "priorities": [
        f"{DECIDED}::test_priority_by_fault_size_and_age",
        f"{DECIDED}::test_due_retries_go_first_then_high_ones_then_the_oldest",
    ],
    "hashes, magnets, blocked ones": [
        f"{DECIDED}::test_a_hash_is_read_from_hex_base32_and_magnet_alike",
        f"{DECIDED}::test_no_other_text_is_a_hash",
        f"{DECIDED}::test_a_hash_that_cannot_be_real_or_is_blocked_is_refused",
        f"{CONTRACT}::test_a_magnet_travels_by_its_hash_alone",
        f"{REPAIRS}::test_blocked_hashes_are_never_added",
    ],
    "a limit that adapts": [
        f"{LIMITER}::test_no_window_of_a_minute_holds_more_than_210_requests_across_restarts",
        f"{LIMITER}::test_five_answers_in_a_row_make_it_a_tenth_faster_up_to_the_ceiling",
        f"{WINDOWS}::test_two_processes_with_one_token_fill_no_minute_together",
    ],
    "workers side by side, one a torrent": [
        f"{TIME}::test_as_many_repairs_go_on_side_by_side_as_there_are_workers",
        f"{TIME}::test_a_torrent_that_somebody_else_works_on_is_left_to_them",
        f"{TIME}::test_a_repair_that_only_waits_holds_up_no_worker",
    ],
    "Sonarr and Radarr by media, never the library": [
        f"{LINKS}::test_what_is_refused_is_set_aside_blocked_searched_and_its_entry_goes_last",
        f"{COMMAND}::test_what_is_refused_is_handed_to_the_arr_set_aside_and_can_be_put_back",
    ],
    "history, metrics, lines of JSON": [
        f"{COMMAND}::test_every_command_works_from_the_environment_alone_without_a_terminal"
    ],
    "backup, purge, room given back, rescue": [
        f"{UPKEEP}::test_a_day_has_one_copy_and_the_oldest_go",
        f"{UPKEEP}::test_every_six_hours_old_numbers_go_and_their_room_is_given_back",
        f"{RESCUE}::test_records_that_the_damage_has_reached_come_from_the_newest_sound_copy",
        f"{COMMAND}::test_a_damaged_journal_is_built_anew_from_what_can_be_read_from_a_copy_and_from_the_account",
    ],
    "report mode, dry run, the plan on a terminal": [
        f"{COMMAND}::test_a_dry_run_of_every_command_sends_get_alone_and_changes_no_byte",
        f"{COMMAND}::test_on_a_terminal_the_screen_acts_on_its_plan_once_the_count_is_typed_and_others_see_it",
        f"{LINKS}::test_by_default_a_refused_torrent_is_only_reported",
        f"{SCREEN}::test_acting_shows_the_plan_and_wants_its_count_typed_in_mode_report_too",
    ],
    "without a terminal, ended by TERM": [f"{COMMAND}::test_run_stay_looks_again_and_term_ends_it_within_ten_seconds"],
    "Discord, commands, other ways to be told": [
        f"{COMMAND}::test_a_wave_of_refusals_is_one_notice_and_waits_until_its_number_is_accepted",
        f"{COMMAND}::test_the_token_reaches_no_child_no_url_and_no_command_line",
        "tests/adapters/test_telling.py::test_apprise_delivers_what_the_desk_decides",
    ],
    "page, API, numbers, hook after a repair": [
        f"{API}::test_what_was_found_is_repaired_waits_or_is_set_aside",
        f"{API}::test_orders_reach_the_account",
        f"{SERVED}::test_the_loop_is_seen_and_steered_by_probe_page_and_screen_and_begun_again_with_another_mode",
        f"{COMMAND}::test_the_token_reaches_no_child_no_url_and_no_command_line",
    ],
    "four services": ["tests/contracts/test_debrid_accounts.py"],
    "what is well is not asked about again": [
        f"{TIME}::test_what_was_found_well_is_asked_about_again_only_after_its_time",
        f"{TIME}::test_a_link_less_than_before_makes_a_suspect_at_once_whatever_was_well",
    ],
}

COMMANDS = {
    "check, scan, rescan, status, explain, duplicates, history, metrics, backup, purge, run": [
        f"{COMMAND}::test_every_command_works_from_the_environment_alone_without_a_terminal"
    ],
    "scan --pick": [f"{COMMAND}::test_a_folder_is_picked_at_a_terminal_and_nobody_is_asked_without_one"],
    "repair HASH": [f"{COMMAND}::test_a_repair_that_fails_exits_1_and_is_in_the_retries"],
    "repair --link --from --limit": [
        f"{COMMAND}::test_what_is_repaired_is_chosen_by_a_link_by_what_found_it_and_by_number"
    ],
    "retries --now --drop": [f"{COMMAND}::test_a_repair_that_fails_exits_1_and_is_in_the_retries"],
    "quarantine": [
        f"{COMMAND}::test_what_is_refused_is_handed_to_the_arr_set_aside_and_can_be_put_back",
        f"{MOUNTS}::test_what_was_set_aside_is_kept_90_days",
    ],
    "accept": [
        f"{COMMAND}::test_a_wave_of_refusals_is_one_notice_and_waits_until_its_number_is_accepted",
        f"{LINKS}::test_too_many_broken_links_wait_for_a_person_who_accepts_that_number",
    ],
    "recover": [
        f"{COMMAND}::test_a_damaged_journal_is_built_anew_from_what_can_be_read_from_a_copy_and_from_the_account"
    ],
    "run --stay": [f"{COMMAND}::test_run_stay_looks_again_and_term_ends_it_within_ten_seconds"],
    "exit codes": [f"{COMMAND}::test_exit_codes_say_what_kept_it"],
}

SERVICE = {
    "GET user": [
        f"{CONTRACT}::test_an_account_in_good_standing_says_so",
        f"{CONTRACT}::test_an_expired_account_is_answered_and_not_good",
    ],
    "GET time/iso": [f"{REAL}::test_its_dates_are_those_of_its_own_clock"],
    "GET torrents": [
        f"{REAL}::test_a_list_of_12000_takes_at_most_15_requests",
        f"{REAL}::test_beyond_the_end_there_is_an_empty_page",
        f"{CONTRACT}::test_what_is_active_is_listed_alone_or_said_to_be_lacking",
    ],
    "GET torrents/info": [
        f"{CONTRACT}::test_one_entry_has_its_hash_files_and_links",
        f"{REAL}::test_progress_may_have_a_fraction",
    ],
    "GET torrents/activeCount": [f"{REAL}::test_slots_are_counted_and_an_add_beyond_them_is_full"],
    "POST addMagnet, PUT addTorrent": [
        f"{REAL}::test_the_same_torrent_added_twice_is_two_entries",
        f"{CONTRACT}::test_a_torrent_file_is_added_by_its_bytes",
        f"{REPAIRS}::test_a_kept_torrent_file_is_added_without_its_trackers_and_a_magnet_where_it_does_not_serve",
    ],
    "POST selectFiles": [
        f"{CONTRACT}::test_selecting_is_done_or_said_to_be_lacking",
        f"{REAL}::test_files_that_it_does_not_have_cannot_be_selected",
    ],
    "DELETE delete": [f"{CONTRACT}::test_deleting_takes_one_entry_and_says_whether_it_was_there"],
    "POST unrestrict/check": [
        f"{REAL}::test_a_glance_acquits_and_never_convicts",
        f"{REAL}::test_a_link_that_it_does_not_know_is_no_verdict",
    ],
    "POST unrestrict/link": [
        f"{REAL}::test_a_proof_tells_what_is_wrong_with_a_link",
        f"{REAL}::test_a_size_of_nought_is_not_known",
        f"{REAL}::test_a_proof_counts_although_its_download_entry_could_not_be_removed",
    ],
    "statuses": [f"{REAL}::test_each_status_is_known_and_a_new_one_decides_nothing"],
    "one archive for several files, 39 characters of a link": [
        f"{REAL}::test_several_files_may_come_as_one_link",
        f"{REAL}::test_only_the_first_39_characters_of_a_link_name_the_file",
    ],
    "the code decides, then the status": [
        f"{REAL}::test_the_code_decides_and_not_the_http_status",
        f"{REAL}::test_without_a_known_code_the_status_decides",
    ],
    "PAUSE": [
        f"{REAL}::test_a_refused_request_closes_the_limiter_and_the_next_one_waits",
        f"{REPAIRS}::test_an_add_that_is_refused_for_now_is_deferred_and_counted",
    ],
    "FULL": [f"{REPAIRS}::test_full_slots_wait_and_count_for_no_try", f"{TIME}::test_slots_are_kept_free_for_others"],
    "PARK": [
        f"{REAL}::test_used_up_traffic_parks_until_the_midnight_of_the_server",
        f"{REAL}::test_fair_use_parks_for_six_hours_and_across_a_restart",
        f"{REAL}::test_a_header_of_the_download_hosts_parks_too",
        f"{DOUBLE}::test_traffic_that_is_used_up_parks_the_proof_and_removes_nothing",
    ],
    "STOP": [
        f"{DOUBLE}::test_an_account_that_is_locked_in_the_middle_ends_the_run_and_leaves_the_record_open",
        f"{CONTRACT}::test_an_account_that_is_stopped_raises",
    ],
    "AGAIN": [
        f"{REPAIRS}::test_five_unheard_answers_in_a_row_end_the_run",
        f"{WINDOWS}::test_five_requests_in_a_row_without_an_answer_open_the_breaker_of_the_server",
    ],
    "DEAD LINK": [f"{LINKS}::test_a_dead_link_is_convicted_by_two_tries_with_a_living_control_between_them"],
    "GONE": [
        f"{CONTRACT}::test_an_entry_that_is_not_there_is_none",
        f"{REAL}::test_a_404_without_the_code_of_a_missing_entry_is_no_missing_entry",
    ],
    "REFUSED": [
        f"{REPAIRS}::test_a_refused_torrent_is_not_added_again",
        f"{CONTRACT}::test_an_add_that_is_refused_says_whether_for_good",
    ],
    "DONE": [f"{DOUBLE}::test_what_an_answer_to_an_add_leads_to"],
    "OURS": [f"{DOUBLE}::test_what_an_answer_to_an_add_leads_to", f"{REAL}::test_every_code_of_its_page_has_a_class"],
    "pages and cut JSON are no verdict": [f"{CONTRACT}::test_nonsense_is_never_a_verdict"],
    "TLS, the Bearer header": [
        f"{REAL}::test_a_certificate_that_cannot_be_verified_is_refused_before_the_token_is_sent",
        f"{REAL}::test_the_token_never_travels_in_the_open",
        f"{CONTRACT}::test_the_token_is_in_the_bearer_header_of_each_request_and_nowhere_else",
    ],
}

FAILURES = {
    "mount down, half listed, hung, dead": [
        f"{MOUNTS}::test_a_mount_that_is_not_sound_ends_with_4_and_touches_nothing",
        f"{MOUNTS}::test_a_mount_that_goes_while_the_links_are_looked_at_voids_the_look",
        f"{DISK}::test_a_hung_mount_blocks_nothing_and_the_process_ends",
        f"{LINKS}::test_a_mount_that_is_down_stops_what_concerns_links_and_what_the_account_says_is_repaired",
    ],
    "the account expires in the middle": [
        f"{TIME}::test_what_an_account_lists_while_it_expires_is_no_verdict_and_is_listed_again",
        f"{TIME}::test_what_links_of_an_account_say_while_it_expires_is_no_verdict",
    ],
    "checks of links always lie": [
        f"{LINKS}::test_a_glance_that_always_lies_leads_to_no_repair",
        f"{LINKS}::test_a_service_that_calls_every_link_dead_convicts_nobody",
    ],
    "451 for everything": [
        f"{REPAIRS}::test_451_for_everything_is_one_notice_and_no_further_add",
        f"{COMMAND}::test_a_wave_of_refusals_is_one_notice_and_waits_until_its_number_is_accepted",
    ],
    "a storm of 429": [
        f"{DOUBLE}::test_a_429_storm_pauses_up_to_a_quarter_of_an_hour_and_recovers",
        f"{GATE}::test_a_storm_of_refusals_is_waited_out",
    ],
    "a new entry stuck, dead, with other files": [
        f"{REPAIRS}::test_a_new_entry_that_does_not_prove_itself_is_removed_and_the_old_one_stays",
        f"{REPAIRS}::test_an_uncached_torrent_waits_two_minutes_a_run_and_is_taken_out_after_six_hours",
        f"{TIME}::test_an_entry_that_never_shows_its_files_is_taken_out_after_ten_minutes",
    ],
    "killed at any call": [
        f"{REPAIRS}::test_killed_before_or_after_each_call_no_healthy_torrent_is_lost_and_one_entry_is_swapped_in",
        f"{DOUBLE}::test_an_answer_that_is_lost_at_a_call_that_changes_something_is_settled_by_looking",
        f"{REQUESTS}::test_killed_before_and_after_each_request_the_next_rounds_repair_it",
        f"{REQUESTS}::test_a_request_that_goes_wrong_loses_nothing_and_the_next_rounds_repair_it",
        f"{SERVED}::test_a_repair_is_killed_after_its_add_and_after_its_removal_and_ends_with_one_entry",
    ],
    "an empty list, 204, a page, cut JSON": [f"{DOUBLE}::test_a_list_that_is_no_list_leaves_nothing_gone"],
    "the Arr down, refusing, silent": [
        f"{LINKS}::test_an_arr_that_is_away_after_the_file_is_gone_loses_nothing",
        f"{LINKS}::test_an_arr_that_cannot_be_asked_whose_file_it_is_leaves_the_link_and_the_entry",
        f"{LINKS}::test_a_block_that_is_not_proven_stops_before_the_search",
    ],
    "journal damaged, disk full": [
        f"{TIME}::test_a_disk_that_is_full_ends_the_run_before_the_next_act_whatever_was_to_be_written",
        f"{GATE}::test_a_record_that_cannot_be_written_stops_the_next_request_and_not_the_one_that_is_done",
        f"{COMMAND}::test_a_damaged_journal_is_built_anew_from_what_can_be_read_from_a_copy_and_from_the_account",
    ],
}

WHOLE = {
    "24 hours beside another client": [
        f"{LIMITER}::test_an_hour_beside_another_client_fills_no_minute_of_the_service",
        "tests/longrun/test_a_day_of_requests.py::test_a_day_beside_another_client_fills_no_minute_of_the_service",
        f"{DOUBLE}::test_24_hours_beside_another_client_without_a_429_and_with_one_entry_a_hash",
    ],
    "no removal without its certificate": [
        f"{DELETES}::test_an_account_deletes_by_removal_and_in_no_other_way",
        f"{DELETES}::test_each_adapter_names_its_destructive_call_within_delete_alone",
        f"{REMOVAL}::test_nobody_else_can_make_a_removal",
    ],
    "each guard is needed": [
        f"{REMOVAL}::test_every_mutant_without_one_guard_lets_something_go_that_must_stay",
        f"{DUTY}test_guards_are_needed.py::test_no_guard_can_be_taken_out_unnoticed",
    ],
    "12,000 torrents in 15 requests": [
        f"{DOUBLE}::test_12000_torrents_are_listed_in_15_requests_and_a_kill_goes_on_where_it_was"
    ],
    "a dry run": [f"{COMMAND}::test_a_dry_run_of_every_command_sends_get_alone_and_changes_no_byte"],
    "the token is nowhere": [
        f"{REAL}::test_the_token_is_in_no_log_no_error_no_record_and_no_metric",
        f"{COMMAND}::test_the_token_reaches_no_child_no_url_and_no_command_line",
        f"{CONTRACT}::test_an_error_never_tells_the_token_even_if_the_service_does",
    ],
}

ROWS = [
    pytest.param(test, id=f"{part}: {row}: {test.rpartition('::')[2]}")
    for part, rows in (
        ("promise", PROMISES),
        ("command", COMMANDS),
        ("service", SERVICE),
        ("failure", FAILURES),
        ("whole", WHOLE),
    )
    for row, tests in rows.items()
    for test in tests
]


@cache
def names_in(file: str) -> frozenset[str]:
    """The tests that pytest collects from a file, those of its classes included, which others may inherit."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    return frozenset(
        node.name
        for body in bodies
        for node in body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize("test", ROWS)
def test_a_row_has_its_test(test):
    file, _, name = test.partition("::")
    assert (ROOT / file).is_file(), f"{file} is gone"
    assert not name or name in names_in(file), f"{file} has no {name}"

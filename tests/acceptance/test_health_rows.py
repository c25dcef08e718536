"""What health and the Arrs must do, point by point, and the tests that hold each point.

A point that a client takes part in has a test that runs on qBittorrent 4.5 and on 5.1.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SERIES = ("4.5", "5.1")

LOOKS, ACTS, WALKS = "e2e/test_health.py", "e2e/test_health_acts.py", "e2e/test_health_walks.py"
JUDGING, REPLACING, WORKER = (f"duties/health/test_{each}.py" for each in ("judging", "replacing", "health_worker"))
SEARCHING, REPAIRS, RULES = (f"duties/health/test_{each}.py" for each in ("searching", "repairs", "rules"))
CUT, ARR_CALLS = "duties/health/test_cut_returns.py", "engine/test_arr_every_call.py"
HAND_OVER, PATHS, ARR_ERRORS = "engine/test_arr_handover.py", "engine/test_arr_paths.py", "adapters/test_arr_errors.py"
WALK_OF_CLOCKS = f"{WALKS}::test_a6_a7_a12_a13_a31"
WALK_OF_CAPS = f"{WALKS}::test_a14_a16_a21_a26_a38_a39"
FOUND = f"{LOOKS}::test_a4_a6_a9_a11_a22_a37"

ON_CLIENTS = {
    "A1": [f"{LOOKS}::test_a1_a3_a30", "e2e/test_move_arrs.py::test_of_four_arrs_one_that_hangs_keeps_nobody"],
    "A3": [
        f"{WALKS}::test_a3_told_to_stop_in_a_step",
        f"{CUT}::test_a3_stopped_at_any_step",
        f"{LOOKS}::test_a1_a3_a30",
    ],
    "A4": [FOUND, f"{JUDGING}::test_a4_torrents_of_another_category"],
    "A5": [
        f"{ACTS}::test_a5_and_a36",
        f"{ACTS}::test_a5_killed_in_a_replacement",
        f"{CUT}::test_killed_at_every_step",
    ],
    "A6": [WALK_OF_CLOCKS, f"{JUDGING}::test_a6_a_stalled_download", f"{JUDGING}::test_a6_progress_that_counts"],
    "A7": [WALK_OF_CLOCKS, f"{LOOKS}::test_a7_without_a_tracker", f"{JUDGING}::test_a7_with_the_network"],
    "A8": [
        f"{LOOKS}::test_a8_lost_data",
        f"{ACTS}::test_a8_lost_data",
        f"{REPAIRS}::test_lost_data_is_found_one_level",
    ],
    "A9": [f"{ACTS}::test_a9_what_a_person_marks", FOUND],
    "A10": [f"{ACTS}::test_a10_on_a_disk_that_cannot_be_written"],
    "A11": [FOUND],
    "A12": [WALK_OF_CLOCKS],
    "A13": [WALK_OF_CLOCKS, f"{LOOKS}::test_a13_what_alternative_limits", f"{WORKER}::test_a13_a_download_is_not_slow"],
    "A14": [WALK_OF_CAPS],
    "A15": [f"{ACTS}::test_a15_and_a17", f"{WALKS}::test_a15_what_its_arr_still_waits_for"],
    "A16": [WALK_OF_CAPS, f"{REPLACING}::test_never_grabbed"],
    "A17": [f"{ACTS}::test_a15_and_a17"],
    "A18": [f"{ACTS}::test_a18_undone_it_seeds_again", f"{ACTS}::test_a18_over_ssh"],
    "A19": [f"{ACTS}::test_a19_five_ways"],
    "A21": [WALK_OF_CAPS, f"{JUDGING}::test_a21_hit_and_run_by_a_table"],
    "A22": [FOUND],
    "A23": [f"{ACTS}::test_a23_what_does_not_fit", f"{JUDGING}::test_a23_what_does_not_fit"],
    "A24": [f"{ACTS}::test_a24_the_queue"],
    "A25": [f"{ACTS}::test_a25_unwanted_files"],
    "A26": [WALK_OF_CAPS, f"{SEARCHING}::test_the_budget", f"{SEARCHING}::test_a_look_asks_for_as_many"],
    "A30": [f"{LOOKS}::test_a1_a3_a30", f"{WORKER}::test_a30", "cli/test_serve.py::test_a_config_with_an_error"],
    "A31": [WALK_OF_CLOCKS, f"{LOOKS}::test_a31_a_client_and_an_arr", f"{WORKER}::test_a31"],
    "A36": [f"{ACTS}::test_a5_and_a36", f"{JUDGING}::test_a36_torrents_over_the_same_data"],
    "A37": [FOUND, f"{RULES}::test_what_becomes_unknown_never", f"{WORKER}::test_a37_report_mode"],
    "A38": [WALK_OF_CAPS, f"{JUDGING}::test_a38_sixty_of_two_hundred", f"{JUDGING}::test_a38_of_four"],
    "A39": [WALK_OF_CAPS, f"{WORKER}::test_a39_what_a_move_works_on"],
}
WITHOUT_CLIENTS = {
    "A2": ["engine/test_loops.py::test_a2_a_loop_that_fails", "cli/test_serve.py::test_a_loop_that_fails_six_times"],
    "A20": [f"{ACTS}::test_a20_ffprobe", f"{REPAIRS}::test_media_files_are_looked_into_once"],
    "A27": [f"{SEARCHING}::test_searches_rest_while_no_indexer_answers"],
    "A28": [
        f"{SEARCHING}::test_what_people_asked_for_goes_first",
        "adapters/test_requests.py::test_overseerr_lists",
        "adapters/test_requests.py::test_ombi_lists",
    ],
    "A29": [
        "adapters/test_qbitrr.py::test_each_variable_of_a_loop",
        "adapters/test_qbitrr.py::test_each_variable_of_the_whole",
        "adapters/test_qbitrr.py::test_what_has_no_effect",
    ],
    "A32": ["engine/test_updates.py::test_one_get_a_day"],
    "A33": [
        "web/test_api.py::test_without_a_token_nothing_is_said",
        "web/test_api.py::test_a_host_that_is_not_ours",
        "cli/test_serve.py::test_a_token_of_ones_own_counts",
    ],
    "A34": ["web/test_api.py::test_the_log_streams", "web/test_api.py::test_the_stream_has_the_picture"],
    "A35": ["web/test_api.py::test_orders_reach_the_loops", "web/test_page.py::test_a_loop_that_is_parked"],
}
ARRS = {
    "a pack, whole": [f"{HAND_OVER}::test_a_whole_pack", "e2e/test_move_arrs.py::test_what_was_moved_is_imported"],
    "a pack, eight of ten": [f"{HAND_OVER}::test_eight_of_ten"],
    "a stale import": [f"{HAND_OVER}::test_an_import_before_the_newest_grab"],
    "what was not grabbed keeps seeding": [f"{HAND_OVER}::test_a_torrent_that_the_arr_never_grabbed"],
    "killed at each step, one scan": [
        f"{ARR_CALLS}::test_killed_at_every_call_it_is_told_once",
        f"{ARR_CALLS}::test_killed_at_every_call_a_scan_that_brought_nothing",
        "e2e/test_move_arrs.py::test_killed_while_the_arr_scans",
    ],
    "five ways of path": [
        f"{PATHS}::test_by_path_map",
        f"{PATHS}::test_by_its_own_mapping",
        f"{PATHS}::test_by_the_path_of_another_torrent",
        f"{PATHS}::test_by_the_same_path_as_ours",
        f"{PATHS}::test_by_the_end_of_our_path",
    ],
    "four, one hanging": [
        "e2e/test_move_arrs.py::test_of_four_arrs",
        "engine/test_arr_holds_and_blocks.py::test_one_arr_that_hangs",
    ],
    "refused, time-out, 502, 504, 503, a login page, 400, 409, 500": [
        f"{ARR_ERRORS}::test_each_row_is_an_error",
        f"{ARR_ERRORS}::test_an_arr_that_does_not_answer_in_time",
        f"{ARR_ERRORS}::test_where_nothing_listens",
        f"{HAND_OVER}::test_an_arr_that_is_down",
        f"{HAND_OVER}::test_an_arr_that_starts",
    ],
    "401": [f"{ARR_ERRORS}::test_a_wrong_key", f"{HAND_OVER}::test_a_refused_key_is_tried_once"],
    "no appName": [f"{ARR_ERRORS}::test_an_answer_without_a_name"],
    "307": [f"{ARR_ERRORS}::test_a_url_base_that_is_not_in_the_config"],
    "404": [f"{ARR_ERRORS}::test_an_old_version", f"{ARR_ERRORS}::test_another_product"],
    "this item waits, others go on": [
        f"{ARR_ERRORS}::test_a_scan_that_is_refused_concerns_that_item",
        f"{HAND_OVER}::test_what_an_arr_refuses_of_one_torrent",
    ],
}
FAILURES = {
    "client away": [WALK_OF_CLOCKS, f"{WORKER}::test_a31"],
    "Arr away": [
        f"{JUDGING}::test_nothing_is_replaced_while_the_arr_is_away",
        f"{LOOKS}::test_a31_a_client_and_an_arr",
    ],
    "empty or halved list": [
        f"{JUDGING}::test_a_list_that_is_halved",
        f"{WORKER}::test_nothing_goes_on_and_no_bin_is_emptied_while_the_list_is_empty",
    ],
    "block done, removal fails": [
        f"{REPLACING}::test_a_client_that_is_away_after_the_block",
        f"{REPLACING}::test_a_removal_that_its_client_did_not_take",
    ],
    "killed between client and bin": [
        f"{CUT}::test_killed_in_the_middle_of_the_renames",
        f"{ACTS}::test_a5_killed_in_a_replacement",
    ],
    "a bin that cannot take it": [
        f"{REPLACING}::test_where_the_bin_cannot_take_it",
        f"{ACTS}::test_a10_on_a_disk_that_cannot_be_written",
    ],
    "a person acts meanwhile": [
        f"{REPLACING}::test_what_has_changed_since",
        f"{WORKER}::test_a5_an_action_is_done_once",
    ],
    "one hash in two clients": ["duties/health/test_looking.py::test_one_hash_in_two_clients"],
    "journal locked or full": [
        f"{REPAIRS}::test_without_its_journal_nothing_is_done",
        "cli/test_health_configured.py::test_a_journal_that_cannot_be_written",
    ],
    "the clock jumps": [f"{WORKER}::test_a_wall_clock_that_jumps", f"{JUDGING}::test_only_time_in_which_it_was_looked"],
    "ffprobe missing or hanging": [f"{ACTS}::test_a20_ffprobe", f"{REPAIRS}::test_media_files_are_looked_into_once"],
    "hostile names, playlists": [f"{ACTS}::test_a20_ffprobe"],
}
ALL = {**ON_CLIENTS, **WITHOUT_CLIENTS, **ARRS, **FAILURES}


@pytest.mark.parametrize("point", ALL)
def test_each_point_has_the_tests_that_are_named_for_it(point):
    missing = [node for node in ALL[point] if not found(node)]
    assert not missing


@pytest.mark.parametrize("point", ON_CLIENTS)
def test_what_a_client_takes_part_in_is_tried_on_both_series(point):
    assert any(runs_on_both(node) for node in ON_CLIENTS[point])


def test_no_point_of_the_list_is_forgotten():
    numbers = {int(point[1:]) for point in {**ON_CLIENTS, **WITHOUT_CLIENTS}}
    assert numbers == set(range(1, 40)), "the fortieth is measured: bench/looks.py"
    assert (TESTS.parent / "bench" / "looks.py").is_file()


def test_a_test_that_is_not_there_and_one_of_a_single_series_are_noticed():
    assert not found(f"{LOOKS}::test_that_nobody_wrote")
    assert not runs_on_both(f"{LOOKS}::test_a13_what_alternative_limits")
    assert runs_on_both(f"{ACTS}::test_a19_five_ways")


@cache
def functions(file: str) -> dict[str, ast.FunctionDef]:
    """The functions of a test module, and the fixtures that it sees, by name."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    here = {each.name: each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    above = [Path("conftest.py"), Path(file).parent / "conftest.py"]
    fixtures = {}
    for each in dict.fromkeys(above):
        if str(each) != file and (TESTS / each).is_file():
            fixtures |= functions(str(each))
    return {**fixtures, **here}


def found(node: str) -> list[str]:
    """Tests whose names begin so."""
    file, _, beginning = node.partition("::")
    return [name for name in functions(file) if name.startswith(beginning)]


def runs_on_both(node: str) -> bool:
    """Whether such a test has a fixture that is made for each of the two series, however far down."""
    file = node.partition("::")[0]
    known = functions(file)

    def both(name: str, seen: frozenset[str] = frozenset()) -> bool:
        function = known.get(name)
        if function is None or name in seen:
            return False
        words = {
            each.value for mark in function.decorator_list for each in ast.walk(mark) if isinstance(each, ast.Constant)
        }
        if set(SERIES) <= words:
            return True
        return any(both(each.arg, seen | {name}) for each in function.args.args)

    return any(both(name) for name in found(node))

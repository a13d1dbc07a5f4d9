"""What tests of services promise holds on PostgreSQL too: those whose queries, keys or locks are particular.

They stand where their subject is, and run on SQLite there; here each runs again with its store on a server. `make
proof` does so with all of them (test_all_on_server.py). Where one opens a second Backstop, that one lies in a file:
what is found in both has to be the same, byte for byte.
"""
# ruff: noqa: F401 - what is imported is collected here

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coach.store.engine import Store, open_store
from tests.coach.service.conftest import fit
from tests.coach.service.test_days import (
    test_a_mark_that_comes_while_a_day_is_judged_is_not_lost,
    test_minutes_and_stretches_of_a_tail_go_when_a_chunk_comes_after_it,
    test_the_days_of_many_athletes_are_judged_some_at_a_time,
    test_what_is_found_follows_from_the_chunks_byte_for_byte,
)
from tests.coach.service.test_diary import test_two_presses_are_one_and_the_second_tap_adds
from tests.coach.service.test_groups import test_a_group_is_made_filled_renamed_and_removed
from tests.coach.service.test_guidance import test_it_is_recorded_once_with_effort_and_pain
from tests.coach.service.test_invitations import test_of_many_who_use_a_code_at_the_same_moment_one_does
from tests.coach.service.test_jobs import test_repetitions_come_from_the_wearable_and_only_where_it_was_worn
from tests.coach.service.test_ledger import test_another_process_that_notes_the_same_adds_no_line
from tests.coach.service.test_motion import (
    test_a_chunk_after_the_end_undoes_the_settled_tail,
    test_a_poisoned_chunk_is_set_aside_and_the_stream_goes_on,
    test_any_grouping_of_chunks_gives_the_same_rows,
    test_racing_workers_and_redelivery_have_no_double_effect,
    test_windows_lines_and_totals,
)
from tests.coach.service.test_people import test_a_sign_in_link_works_once_also_when_raced
from tests.coach.service.test_plans import (
    test_a_finding_becomes_a_proposal_that_says_why_and_only_one,
    test_long_programs_are_placed_as_time_goes_on,
    test_outcomes_are_recorded_once_and_closed_when_nobody_answers,
)
from tests.coach.service.test_progress import test_two_green_sessions_propose_one_step_and_nothing_rises_before_the_yes
from tests.coach.service.test_recordings import test_integrity_is_what_the_stored_chunks_say
from tests.coach.service.test_reminders import (
    hook,
    hooked,
    test_threads_of_several_clocks_send_each_once,
    test_what_a_killed_clock_left_is_sent_by_the_next_and_nothing_twice,
    test_what_is_long_past_is_forgotten_and_not_sent_again,
)
from tests.coach.service.test_retention import test_raw_signal_goes_after_its_days_and_what_was_seen_in_it_stays, worn
from tests.coach.service.test_roster import test_each_reason_is_told_with_its_number
from tests.coach.service.test_sign_ins import (
    test_a_code_works_once_also_when_raced,
    test_failed_tries_are_counted_without_what_was_typed,
)
from tests.coach.service.test_spasms import test_one_press_and_the_program_gives_way_at_once, training
from tests.coach.service.test_time_line import (
    bent,
    test_a_finding_lies_where_its_windows_are,
    test_from_far_each_local_day_is_one_point_and_a_day_without_a_sensor_is_a_gap,
)
from tests.coach.service.test_treatments import test_what_is_tried_begins_ends_and_is_listed
from tests.coach.service.test_trials import test_without_any_live_block_the_stored_signal_alone_gives_the_result
from tests.coach.test_clock import (
    test_a_locked_athletes_sessions_stay_and_do_not_hold_up_others,
    test_racing_processes_release_each_session_exactly_once,
    test_stale_ends_are_closed,
)
from tests.coach.test_log import (
    test_a_known_key_with_other_bytes_is_refused_and_the_first_one_stays,
    test_a_late_chunk_is_kept_and_set_aside,
    test_a_stream_that_is_gone_from_the_database_is_looked_up_anew,
    test_append_is_idempotent_and_says_what_is_stored,
    test_many_senders_at_once_lose_and_double_nothing,
    test_one_append_may_hold_a_chunk_twice,
    test_unknown_wearables_and_chunks_that_cannot_be_coded_are_refused,
)


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    with open_store(postgres_url) as opened:
        yield opened

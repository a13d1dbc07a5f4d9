"""Nobody can forget the door: whatever a person names by an id of its own is asked for with who asks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields

import pytest

from coach.errors import NoSuch
from coach.service import Services
from coach.service.types import Identity, Level, Role
from tests.coach.club import Club

# Methods that no page calls with an id out of a request: for the roles, for signing in, and reading by the id of an
# athlete that `Athletes.get` has let through.
WITHOUT_WHO = {
    "accounts": "create_user users identity issue_sign_in_link has_password set_password reset",
    "sign_ins": "by_link by_password by_code by_passkey present still renew sign_out",
    "passkeys": "",
    "second_factors": "",
    "tokens": "holder note",
    "personal_tokens": "identity still",
    "gate": "",
    "consents": "in_research",
    "sharing": "appoint",
    "invitations": "look join join_as_athlete",
    "doctor_links": "open",
    "ledger": "note",
    "athletes": "create link_coach availability analysis_params",
    "groups": "",
    "profiles": "get ids all of_athlete for_sport",
    "wearables": "for_athlete all",
    "walls": "",
    "team": "",
    "motion": "pending_streams backlog waiting handle_pending handle_together has_recordings close_stale "
    "settle_if_stale begin_again day_line totals save state_of",
    "arrivals": "handle",
    # Only the owner's routes and the terminal read here. Nobody as who asks is the owner, at the machine's terminal.
    "dead_letters": "stuck show replay bury set_down take_up",
    "reanalysis": "ask stop nightly newest view may_work let_go waiting behind work",
    "days": "judge_due judge_listed judge_again",
    "rerun": "run remember work_here compare",
    "recordings": "for_athlete",
    "hearts": "day mark",
    "findings": "for_athlete",
    "time_line": "",
    "signals": "bounds day part",
    "program_desk": "",
    "plan_templates": "",
    "own_exercises": "",
    "session_messages": "",
    "coach_notes": "",
    "triage": "questions",
    "plans": "replan replan_wanted proposal active week release_due plan_ahead close_stale calendar_sessions",
    "progress": "look look_daily proposed lately",
    "moving": "",
    "choices": "",
    "sent_answers": "",
    "first_run": "",
    "bodies": "",
    "reminders": "plan send_due prune",
    "reminder_settings": "",
    "assessments": "retest",
    "rests": "",
    "spasms": "",
    "trials": "watch settle wanted take",
    "guidance": "now watch settle wanted take",
    "imports": "",
    # By the id of who uploads, from the session and never from a request.
    "sent_files": "keep known fetch others drop purge",
    "jobs": "",
    "diary": "",
    "treatments": "",
    "questionnaires": "",
    "doctor": "",
    "reports": "",
    "ingest": "receive receive_from receive_together",
    "gateways": "beat keep_log attach take",
    "looks": "attach begin wanted_by heard view attach_others take going_on join",
    "phones": "receive close_quiet heard_live attach",
    "poses": "wanted take attach going_on join",
    # Nobody as who asks is the owner of the machine, at its terminal.
    "exports": "athlete_named write",
    "restoring": "take_in",
    "erasing": "erase go_on keep_list",
    "retention": "days told signal_gone_at line_gone_after forget make_months",
    "machine": "claimed figures make_backup mind_disk parts trouble own_parts at_work attach_line",
}


def methods(service: object) -> dict[str, Callable[..., object]]:
    return {name: each for name, each in inspect.getmembers(service, inspect.ismethod) if not name.startswith("_")}


@pytest.mark.parametrize(
    "subject", [field.name for field in fields(Services) if field.name not in {"log", "heart_log", "links"}]
)
def test_every_use_case_asks_who_or_is_named_as_one_that_need_not(club: Club, subject: str) -> None:
    allowed = set(WITHOUT_WHO[subject].split())
    found = methods(getattr(club.services, subject))
    asks = {
        name
        for name, each in found.items()
        if any(
            str(parameter.annotation).endswith("Identity") for parameter in inspect.signature(each).parameters.values()
        )
    }
    assert found.keys() - asks == allowed


def test_a_strange_coach_reaches_nothing_by_its_id(club: Club) -> None:
    stranger = Identity("somebody", Role.COACH, "Lee", None)
    services = club.services
    for ask in (
        lambda: services.wearables.get(stranger, club.wearable_id),
        lambda: services.wearables.forget(stranger, club.wearable_id),
        lambda: services.athletes.get(stranger, club.athlete_id),
        lambda: services.triage.view_for(stranger, club.athlete_id),
        lambda: services.plans.calendar_token(stranger, club.athlete_id),
    ):
        with pytest.raises(NoSuch):
            ask()


def test_an_owner_and_a_strange_guardian_reach_nothing_either(club: Club) -> None:
    services = club.services
    assert services.wearables.all()
    for role in (Role.OWNER, Role.GUARDIAN):
        by = Identity("somebody", role, "Ola", None)
        for ask in (
            lambda by=by: services.wearables.get(by, club.wearable_id),
            lambda by=by: services.athletes.get(by, club.athlete_id),
            lambda by=by: services.triage.view_for(by, club.athlete_id),
            lambda by=by: services.sharing.of_athlete(by, club.athlete_id),
            lambda by=by: services.gate.admit(by, {"wearable_id": club.wearable_id}, Level.VIEW, None),
        ):
            with pytest.raises(NoSuch):
                ask()


def test_what_each_level_is_enough_for() -> None:
    enough = {(level.value, need.value) for level in Level for need in Level if level.covers(need)}
    assert enough == {
        ("view", "view"),
        ("plan", "view"),
        ("plan", "plan"),
        ("full", "view"),
        ("full", "plan"),
        ("full", "full"),
    }

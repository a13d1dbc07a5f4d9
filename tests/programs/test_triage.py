"""Red flags: T22, each flag alone, the composites, what is not known, and when to ask again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.emergency import number_in
from programs.errors import ProgramError
from programs.pain import SessionPain, Zone, zone
from programs.triage import must_ask, naming, questions, triage
from programs.types import Answer, Lock, TriageLevel, strictest

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
IDS = tuple(question.id for question in questions())
CES_MESSAGE = (
    "These can be signs of a rare emergency affecting nerves in the lower back. Go to an emergency department or call "
    "your local emergency number now. Don't exercise and don't wait."
)


def answers(**other: Answer) -> dict[str, Answer]:
    return dict.fromkeys(IDS, NO) | other


def test_t22_ces_yes_is_an_emergency_however_small_the_pain() -> None:
    result = triage(answers(CES=YES), 30)
    assert (result.level, result.locked) == (TriageLevel.EMERGENCY, True)
    assert result.messages == (CES_MESSAGE,)
    assert result.reasons == ("CES",)


def test_t22_all_no_with_pain_four_is_clear_and_the_traffic_light_says_amber() -> None:
    result = triage(answers(), 30)
    assert (result.level, result.locked, result.messages, result.reasons) == (TriageLevel.CLEAR, False, (), ())
    assert zone(SessionPain(during=4, after=4, next_morning=2, baseline=2)) is Zone.AMBER


def test_t22_can_alone_is_prompt_and_locks() -> None:
    result = triage(answers(CAN=YES), 30)
    assert (result.level, result.locked) == (TriageLevel.PROMPT, True)
    assert result.messages == ("Please book a medical review before starting.",)


def test_t22_a_minor_injury_at_thirty_without_a_risk_is_not_flagged() -> None:
    result = triage(answers(FRA_MINOR=YES), 30)
    assert (result.level, result.locked, result.reasons) == (TriageLevel.CLEAR, False, ())


@pytest.mark.parametrize(
    ("flag", "level", "locked", "message"),
    [
        ("CES", TriageLevel.EMERGENCY, True, CES_MESSAGE),
        ("AAA", TriageLevel.EMERGENCY, True, "emergency number now. Don't exercise and don't wait."),
        ("VIS", TriageLevel.EMERGENCY, True, "emergency number now. Don't exercise and don't wait."),
        ("NEU", TriageLevel.URGENT, True, "Please be assessed by a doctor today."),
        ("FRA", TriageLevel.URGENT, True, "Please be assessed by a doctor today."),
        ("INF", TriageLevel.URGENT, True, "Please be assessed by a doctor today."),
        ("INF_RISK", TriageLevel.URGENT, True, "Please be assessed by a doctor today."),
        ("VIS_URINE", TriageLevel.URGENT, True, "Please be assessed by a doctor today."),
        ("CAN", TriageLevel.PROMPT, True, "Please book a medical review before starting."),
        ("CHILD", TriageLevel.PROMPT, True, "guardian"),
        ("RAD", TriageLevel.ROUTINE, False, "reviewed"),
        ("INFL", TriageLevel.ROUTINE, False, "mention"),
    ],
)
def test_each_flag_alone(flag: str, level: TriageLevel, locked: bool, message: str) -> None:
    result = triage(answers(**{flag: YES}), 16)
    assert (result.level, result.locked, result.reasons) == (level, locked, (flag,))
    assert len(result.messages) == 1
    assert message in result.messages[0]


@pytest.mark.parametrize(
    ("bone", "age_years", "level", "locked"),
    [
        (NO, 69, TriageLevel.CLEAR, False),
        (NO, 70, TriageLevel.URGENT, True),
        (YES, 30, TriageLevel.URGENT, True),
        (YES, None, TriageLevel.URGENT, True),
        (UNKNOWN, 70, TriageLevel.URGENT, True),
        (UNKNOWN, 30, TriageLevel.ROUTINE, True),  # open: waits without an alarm
        (NO, None, TriageLevel.ROUTINE, True),  # the age decides
    ],
)
def test_a_minor_injury_counts_with_age_or_bone_only(
    bone: Answer, age_years: int | None, level: TriageLevel, locked: bool
) -> None:
    result = triage(answers(FRA_MINOR=YES, BONE=bone), age_years)
    assert (result.level, result.locked) == (level, locked)
    if level is TriageLevel.ROUTINE:
        assert "still open" in result.messages[0]


@pytest.mark.parametrize("bone", [YES, UNKNOWN])
def test_bone_without_an_injury_says_nothing(bone: Answer) -> None:
    assert not triage(answers(BONE=bone), 30).locked
    assert triage(answers(BONE=bone), 80).level is TriageLevel.CLEAR


def test_the_reasons_name_the_bone_question_when_it_decided() -> None:
    assert triage(answers(FRA_MINOR=YES, BONE=YES), 30).reasons == ("FRA_MINOR", "BONE")
    assert triage(answers(FRA_MINOR=YES), 75).reasons == ("FRA_MINOR",)


@pytest.mark.parametrize(("age_years", "locked"), [(17, True), (None, True), (18, False), (45, False)])
def test_the_question_for_minors_counts_under_eighteen(age_years: int | None, locked: bool) -> None:
    result = triage(answers(CHILD=YES), age_years)
    assert result.locked is locked
    assert (result.level is TriageLevel.PROMPT) is locked


@pytest.mark.parametrize("flag", ["CES", "NEU", "AAA", "VIS"])
def test_not_sure_and_skipped_count_as_yes_where_waiting_costs_most(flag: str) -> None:
    not_sure = triage(answers(**{flag: UNKNOWN}), 30)
    skipped = triage({key: NO for key in IDS if key != flag}, 30)
    assert not_sure == skipped == triage(answers(**{flag: YES}), 30)
    assert not_sure.locked


@pytest.mark.parametrize("flag", ["FRA", "INF", "INF_RISK", "VIS_URINE", "CAN"])
def test_elsewhere_not_sure_waits_without_an_alarm(flag: str) -> None:
    result = triage(answers(**{flag: UNKNOWN}), 30)
    assert (result.level, result.locked, result.reasons) == (TriageLevel.ROUTINE, True, (flag,))
    assert "still open" in result.messages[0]


@pytest.mark.parametrize(
    ("given_answers", "lock"),
    [
        ({}, Lock.NONE),
        ({"RAD": YES, "INFL": YES}, Lock.NONE),
        ({"CAN": YES}, Lock.STARTING),
        ({"CHILD": YES}, Lock.STARTING),
        ({"CES": YES}, Lock.ALL),
        ({"FRA": YES}, Lock.ALL),
        ({"CAN": YES, "INF": YES}, Lock.ALL),
        ({"INF": UNKNOWN}, Lock.ALL),  # open: waits, whatever else is known
        ({"CAN": YES, "INF": UNKNOWN}, Lock.ALL),
    ],
)
def test_what_each_level_holds_back(given_answers: dict[str, Answer], lock: Lock) -> None:
    assert triage(answers(**given_answers), 16).lock is lock


def test_an_open_answer_beside_a_review_is_asked_for_too() -> None:
    result = triage(answers(CAN=YES, INF=UNKNOWN), 30)
    assert (result.level, result.reasons) == (TriageLevel.PROMPT, ("CAN", "INF"))
    assert result.messages[0] == "Please book a medical review before starting."
    assert "still open" in result.messages[1]


def test_a_message_names_the_emergency_number_where_it_is_known() -> None:
    assert "call the emergency number 112 now" in naming(CES_MESSAGE, number_in("Europe/Berlin"))
    assert "call the emergency number 911 now" in naming(CES_MESSAGE, number_in("America/New_York"))
    assert naming(CES_MESSAGE, number_in("Asia/Kathmandu")) == CES_MESSAGE
    assert naming("Please be assessed by a doctor today.", "112") == "Please be assessed by a doctor today."


def test_a_routine_question_may_stay_unsure_but_not_unasked() -> None:
    assert not triage(answers(INFL=UNKNOWN, RAD=UNKNOWN), 30).locked
    skipped = triage({key: NO for key in IDS if key != "RAD"}, 30)
    assert (skipped.locked, skipped.reasons) == (True, ("RAD",))


def test_an_empty_answer_set_is_an_emergency_until_answered() -> None:
    assert triage({}).level is TriageLevel.EMERGENCY


def test_an_emergency_is_not_diluted_and_an_urgent_answer_shows_all() -> None:
    emergency = triage(answers(CES=YES, NEU=YES, CAN=YES, INFL=YES), 30)
    assert emergency.messages == (CES_MESSAGE,)
    assert emergency.reasons == ("CES", "NEU", "CAN", "INFL")
    urgent = triage(answers(NEU=YES, INF=YES, CAN=YES), 30)
    assert urgent.messages == (
        "Please be assessed by a doctor today.",
        "Please book a medical review before starting.",
    )


@given(
    st.dictionaries(st.sampled_from(IDS), st.sampled_from(list(Answer))),
    st.none() | st.integers(0, 120),
    st.sampled_from(IDS),
)
def test_a_yes_never_makes_it_less_urgent(given_answers: dict[str, Answer], age: int | None, flag: str) -> None:
    order = list(TriageLevel)
    before = triage(given_answers | {flag: NO}, age)
    after = triage(given_answers | {flag: YES}, age)
    assert order.index(after.level) <= order.index(before.level)
    assert strictest(before.lock, after.lock) is after.lock
    for result in (before, after):
        assert result.locked or result.level in (TriageLevel.ROUTINE, TriageLevel.CLEAR)
        assert not result.locked or result.messages


def test_the_questions_are_few_own_and_most_urgent_first() -> None:
    assert 10 <= len(IDS) <= 14
    assert len(set(IDS)) == len(IDS)
    order = list(TriageLevel)
    ranks = [order.index(question.level) for question in questions()]
    assert ranks == sorted(ranks)
    assert all("you" in question.text and question.text.endswith("?") for question in questions())


@pytest.mark.parametrize(
    ("wrong", "age_years", "says"),
    [({"CESS": YES}, 30, "CESS"), ({"CES": "yes please"}, 30, "CES"), ({}, -1, "-1"), ({}, 131, "131")],
)
def test_wrong_input_is_named(wrong: dict[str, Answer], age_years: int, says: str) -> None:
    with pytest.raises(ProgramError, match=says):
        triage(wrong, age_years)


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


@pytest.mark.parametrize(
    ("last", "pain", "pain_at", "due"),
    [
        (None, None, None, True),  # before the first program
        (None, 0, None, True),
        (ago(days=30), None, None, False),
        (ago(days=30), 0, NOW, False),
        (ago(days=1), 5, NOW, False),
        (ago(days=1), 6, NOW, True),
        (ago(days=1), 6, None, True),
        (ago(days=1), 6, ago(days=2), False),  # answered since that report
        (ago(days=7), 1, NOW, True),
        (ago(days=7) + timedelta(seconds=1), 1, NOW, False),
        (ago(days=7), 6, ago(days=8), True),
    ],
)
def test_when_the_questions_are_due(
    last: datetime | None, pain: int | None, pain_at: datetime | None, due: bool
) -> None:
    assert must_ask(last, NOW, pain, pain_at) is due


def test_due_needs_a_known_pain_and_aware_moments() -> None:
    with pytest.raises(ProgramError, match="11"):
        must_ask(None, NOW, 11)
    with pytest.raises(ProgramError, match="time zone"):
        must_ask(NOW.replace(tzinfo=None), NOW)

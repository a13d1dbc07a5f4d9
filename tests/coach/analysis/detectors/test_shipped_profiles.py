"""Each shipped profile over days with nothing, with a quiet day, and with everything at once: no guess, no alarm."""

from __future__ import annotations

import pytest

from coach.analysis.detectors.judge import day_values, judge_day
from coach.analysis.detectors.types import Answer, Bout, Day, DayValues, Kind, Outcome, PainEntry, Profile
from tests.coach.analysis.detectors.shipped import FOLDER, MONDAY, day, entered, minutes, profile

PROFILES = [profile(path.stem) for path in sorted(FOLDER.glob("*.toml"))]
# Words that no statement about a person may hold.
FORBIDDEN = ("injur", "risk", "diagnos", "danger", "safe", "heal", "prevent", "abnormal", "sweet spot")


def bout(loss: float) -> Bout:
    return Bout("s", 100.0, 400.0, "repetitions", 40, (), 4, loss, loss, 0.0, 1.0)


def lived(shipped: Profile, today: Day, days: int) -> tuple[tuple[Answer, ...], list[DayValues]]:
    """The answers of the last of so many days that are all like `today`."""
    history: list[DayValues] = []
    answers: tuple[Answer, ...] = ()
    for back in range(days, 0, -1):
        ordinal = today.ordinal - back + 1
        that = Day(**{**{name: getattr(today, name) for name in Day.__dataclass_fields__}, "ordinal": ordinal})
        answers = judge_day(shipped, that, history)
        history.append(day_values(shipped, that, answers))
    return answers, history


def quiet() -> Day:
    return day(
        trunk=minutes(count=150, turns=(15, 15)),
        trunk_place="chest",
        strokes=minutes(count=150, strokes=(60, 40, 0)),
        strokes_place="wrist_left",
        bouts=(bout(0.0),),
        entered=entered(load=300.0, pitches=0, age_years=12, pain=(PainEntry(0.0, 1, None, next_morning=True),)),
        rmssd_s=0.06,
    )


@pytest.mark.parametrize("shipped", PROFILES, ids=lambda each: each.id)
def test_a_day_with_nothing_says_what_it_needs(shipped: Profile) -> None:
    answers = judge_day(shipped, day(), [])
    assert [answer.kind for answer in answers] == [kind for kind in Kind if kind in shipped.detectors]
    for answer in answers:
        assert (answer.outcome, answer.grade) == (Outcome.NOT_ENOUGH, "green"), answer
        assert answer.needs
        assert answer.would_change


@pytest.mark.parametrize("shipped", PROFILES, ids=lambda each: each.id)
def test_forty_quiet_days_find_nothing_and_leave_nothing_open(shipped: Profile) -> None:
    answers, history = lived(shipped, quiet(), 40)
    # Pain that never differs has no days of the other sort; everything else can be answered.
    unanswered = {answer.kind for answer in answers if answer.outcome is not Outcome.NONE}
    assert unanswered == {Kind.PAIN_WITH_MOVEMENT}
    assert len(history) == 40


def test_what_is_above_its_limit_is_found_by_its_own_kind_and_in_fitting_words() -> None:
    shipped = profile("baseball")
    _, history = lived(shipped, quiet(), 40)
    today = day(
        MONDAY + 1,
        trunk=minutes(count=150),
        trunk_place="chest",
        strokes=minutes(count=150, strokes=(280, 20, 0)),
        strokes_place="wrist_left",
        bouts=(bout(0.4),),
        entered=entered(load=1500.0, pitches=90, age_years=12),
        rmssd_s=0.02,
    )
    answers = {answer.kind: answer for answer in judge_day(shipped, today, history)}
    found = {kind for kind, answer in answers.items() if answer.outcome is Outcome.FOUND}
    assert found == {
        Kind.ONE_SIDED_STROKES,
        Kind.STROKE_COUNT,
        Kind.PITCH_COUNT,
        Kind.DEGRADING_MOVEMENT,
        Kind.LOAD_ABOVE_HABIT,
        Kind.LOW_HRV,
    }
    for answer in answers.values():
        said = " ".join((answer.statement, answer.would_change, *answer.limits, *(f.statement for f in answer.flags)))
        assert not [word for word in FORBIDDEN if word in said.lower()], said
        for flag in answer.flags:
            assert flag.threshold.source

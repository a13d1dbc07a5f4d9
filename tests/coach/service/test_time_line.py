"""What lies on a time line, how coarse it is, and what is not on it for whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median

import numpy as np
import pytest

from coach.analysis.assessment_types import AssessmentTest
from coach.analysis.detectors.types import DayValues
from coach.errors import InvalidInput, NoSuch
from coach.service.canonical import plain
from coach.service.care_views import TreatmentKind
from coach.service.diary import CheckIn
from coach.service.entered import Entered
from coach.service.time_line import Hidden, Lacks, TimeLineView
from coach.service.time_line_signal import Step
from coach.service.types import Identity, Level, Purpose, Role
from coach.store import days, findings
from tests.coach.club import Club, bending_chunks

MINUTES, BENDS_PER_MIN = 12.0, 6.0


@pytest.fixture
def bent(club: Club) -> Club:
    """Ada has bent six times a minute for the last twelve minutes, and it was analysed and judged."""
    start = club.clock.now.timestamp() - 60 * MINUTES
    club.services.log.append(bending_chunks(MINUTES, BENDS_PER_MIN, start))
    while streams := club.services.motion.pending_streams():
        for stream in streams:
            club.services.motion.handle_pending(stream)
    club.services.days.judge_due()
    return club


def look(club: Club, by: Identity | None = None, points: int = 400, **back: float) -> TimeLineView:
    """Return the time line from so long ago until now."""
    end = club.clock.now
    return club.services.time_line.between(by or club.coach, club.athlete_id, end - timedelta(**back), end, points)


def known(values: tuple[float | None, ...]) -> list[float]:
    return [each for each in values if each is not None]


def test_from_near_the_line_and_the_bends_of_each_minute_are_those_that_were_made(bent: Club) -> None:
    signal = look(bent, minutes=20).signal
    assert (signal.step, signal.step_s) == (Step.LINE, 60)
    whole = known(signal.bends_per_h)[1:-1]
    assert len(whole) >= MINUTES / 2
    assert np.mean(whole) == pytest.approx(60 * BENDS_PER_MIN, rel=0.05)
    assert max(known(signal.inclination_deg)) == pytest.approx(50.0, abs=2.5)
    assert min(known(signal.inclination_deg)) == pytest.approx(0.0, abs=2.5)
    worn = [t for t, value in zip(signal.line_t_utc_s, signal.inclination_deg, strict=True) if value is not None]
    assert bent.clock.now.timestamp() - 60 * MINUTES - 1 <= worn[0] <= worn[-1] <= bent.clock.now.timestamp()


@pytest.mark.parametrize("points", [50, 100, 400])
def test_no_line_has_more_points_than_were_asked_for(bent: Club, points: int) -> None:
    for back in ({"minutes": 20}, {"hours": 5}, {"hours": 9}, {"days": 9}):
        signal = look(bent, points=points, **back).signal
        assert len(signal.line_t_utc_s) <= points
        # A step more where a range does not begin on one; over days an hour is the coarsest step.
        assert len(signal.t_utc_s) <= max(points, back.get("days", 0) * 24) + 1
        assert max(known(signal.bends_per_h)) > 100


def test_from_far_each_local_day_is_one_point_and_a_day_without_a_sensor_is_a_gap(bent: Club) -> None:
    start, end = bent.services.time_line.days(bent.coach, bent.athlete_id, 84)
    assert (start.hour, end - start) == (22, timedelta(days=84, hours=1))  # of summer time, and over its end
    signal = bent.services.time_line.between(bent.coach, bent.athlete_id, start, end, 400).signal
    assert (signal.step, len(signal.t_utc_s)) == (Step.DAY, 84)
    # Twelve minutes are too few for what is said of a day; that they were worn is told.
    assert signal.bends_per_h == (None,) * 84
    assert signal.worn_s[:-1] == (0,) * 83
    # The last minutes are counted when the recording has ended.
    assert signal.worn_s[-1] == pytest.approx(60 * MINUTES, abs=240)
    assert signal.line_t_utc_s == ()


def test_what_is_usual_is_the_middle_of_the_28_days_before_and_not_said_too_early(bent: Club) -> None:
    today = bent.clock.now.date()
    rates = [10.0, 14.0, 11.0, 18.0, 12.0, 13.0, 16.0] * 5
    with bent.store.begin() as tx:
        edition = tx.exec_driver_sql("SELECT edition FROM athlete_day").scalar_one()
        for back, rate in enumerate(rates, 1):
            day = today - timedelta(days=back)
            values = DayValues(day.toordinal(), True, 120.0, 1.0, bends_per_h=rate, trunk_place="chest")
            days.put_values(tx, bent.athlete_id, day, edition, plain(values))
    signal = look(bent, days=60).signal
    assert signal.bends_per_h[-2:-5:-1] == tuple(rates[:3])
    before = rates[:28]
    middle = median(before)
    reach = 2 * median(abs(each - middle) for each in before) / 0.6745
    assert (signal.usual_low[-1], signal.usual_high[-1]) == (round(middle - reach, 1), round(middle + reach, 1))
    shown = [each is not None for each in signal.usual_low]
    first = shown.index(True)
    # Of the 35 days with a value the first fourteen are needed to say what is usual on the next.
    assert (len(shown) - first, all(shown[first:])) == (len(rates) - 14 + 1, True)


def test_a_finding_lies_where_its_windows_are(bent: Club) -> None:
    (span,) = look(bent, hours=1).findings
    (found,) = bent.services.findings.for_athlete(bent.athlete_id)
    assert (span.finding_id, span.kind, span.is_open) == (found.finding_id, "repeated_bending", True)
    ((start, end, number),) = span.windows
    assert number == 0
    assert datetime.fromtimestamp(start, UTC) == datetime.fromisoformat(found.windows[0]["start_utc"])
    assert span.start_utc_s <= start < end <= span.end_utc_s
    bent.clock.forward(days=20)
    assert look(bent, days=12).findings == ()
    with bent.store.begin() as tx:
        findings.supersede(tx, bent.athlete_id, span_edition(bent), found.opened_at, bent.clock.now, bent.clock.now)
    assert look(bent, days=30).findings != ()  # its own edition supersedes nothing


def span_edition(club: Club) -> str:
    return club.services.findings.for_athlete(club.athlete_id)[0].edition


def test_pain_of_a_day_is_its_worst_from_far_and_each_entry_from_near(club: Club) -> None:
    for hour, pain in enumerate((CheckIn(1, 2), CheckIn(3, 4), CheckIn(0, 1))):
        club.clock.forward(minutes=20)
        club.services.diary.check_in(club.athlete, club.athlete_id, pain, f"k{hour}")
    club.clock.forward(minutes=1)
    assert [each.worst for each in look(club, hours=3).pain] == [2, 4, 1]
    assert [(each.at_rest, each.in_motion) for each in look(club, days=30).pain] == [(3, 4)]
    assert look(club, minutes=5).pain[0].worst == 1
    club.clock.forward(hours=2)
    assert look(club, hours=1).pain == ()


def test_a_test_is_held_against_the_last_time_with_its_noise(club: Club) -> None:
    def record(seconds: float, key: str) -> None:
        told = [Entered(AssessmentTest.EXTENSOR, (seconds,))]
        club.services.assessments.record(club.athlete, club.athlete_id, told, key)

    record(90.0, "first")
    club.clock.forward(weeks=4)
    record(120.0, "second")
    club.clock.forward(hours=1)
    first, second = look(club, by=club.athlete, weeks=5).tests or ()
    assert (first.changes, [trial.value for trial in first.trials]) == ((), [90.0])
    (change,) = second.changes
    assert (change.before, change.after) == (90.0, 120.0)
    assert change.detectable is not None
    (alone,) = look(club, by=club.athlete, weeks=1).tests or ()
    assert alone.changes == second.changes  # what was before the range still counts as before


def tried(club: Club) -> None:
    club.services.treatments.add(club.athlete, club.athlete_id, TreatmentKind.HEAT, "t")
    club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(2, 3, sites=("neck",)), "k")
    told = [Entered(AssessmentTest.EXTENSOR, (90.0,))]
    club.services.assessments.record(club.athlete, club.athlete_id, told, "a")
    club.clock.forward(hours=1)


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("consent", [True, False])
def test_what_a_coach_may_not_see_is_not_there_and_said(club: Club, level: Level, consent: bool) -> None:
    tried(club)
    club.services.sharing.set_level(club.athlete, club.athlete_id, club.coach.user_id, level)
    settle = club.services.consents.agree if consent else club.services.consents.withdraw
    settle(club.athlete, club.athlete_id, Purpose.PAIN_TEXT)
    seen = look(club, days=1)
    assert (seen.tests is not None) is (level is Level.FULL)
    assert (seen.treatments is not None, seen.spasms is not None) == (consent, consent)
    assert (seen.pain[0].worst, seen.pain[0].sites) == (3, ("neck",) if consent else ())
    hidden = {(each.what, each.lacks) for each in seen.not_shown}
    expected = set() if level is Level.FULL else {(Hidden.TESTS, Lacks.LEVEL)}
    if not consent:
        expected |= {(each, Lacks.CONSENT) for each in (Hidden.TREATMENTS, Hidden.SPASMS, Hidden.PAIN_WORDS)}
    assert hidden == expected


def test_the_athlete_sees_all_of_it_and_a_stranger_nothing(club: Club) -> None:
    tried(club)
    own = look(club, by=club.athlete, days=1)
    assert own.not_shown == ()
    assert [each.kind for each in own.treatments or ()] == [TreatmentKind.HEAT]
    stranger = Identity("somebody", Role.COACH, "Lee", None)
    with pytest.raises(NoSuch):
        look(club, by=stranger, days=1)


@pytest.mark.parametrize("back", [{"seconds": 59}, {"days": 401}, {"days": -1}])
def test_a_range_that_no_chart_can_show_is_refused(club: Club, back: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        look(club, **back)

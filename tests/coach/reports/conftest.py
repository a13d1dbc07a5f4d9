"""Thirteen weeks in which nothing helped, as a person would have entered them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from coach.analysis.assessment_types import AssessmentTest
from coach.service.care_views import ImagingKind, TreatmentKind
from coach.service.diary import CheckIn
from coach.service.entered import Entered
from coach.service.everyday import STATEMENTS
from coach.service.report_views import Report
from coach.store.engine import migrate, open_store
from programs.types import Answer
from tests.coach.club import Club, FakeClock, found_club

PDF = b"%PDF-1.7 a report of two pages"
WEEKS = 13
# Pain of the days of a week, again and again: it comes and goes and does not change.
PAINS = (5, 6, 7, 6, 5, 6, 6)


@dataclass(frozen=True)
class Suffered:
    """A club after thirteen weeks, and the report of its athlete."""

    club: Club
    report: Report
    imaging_id: str


def _try(club: Club, kind: TreatmentKind, day: int, ends: int | None = None, words: str = "") -> None:
    first = club.clock.now.date() - timedelta(days=7 * WEEKS - day)
    last = None if ends is None else club.clock.now.date() - timedelta(days=7 * WEEKS - ends)
    club.services.treatments.add(club.athlete, club.athlete_id, kind, f"{kind}{day}", first, last, words)


def live(club: Club) -> None:
    """Tell pain daily and answer the questions weekly."""
    services, me, whom = club.services, club.athlete, club.athlete_id
    strength = [Entered(AssessmentTest.DYNAMOMETER_BACK, (400.0,), unit="N")]
    for day in range(7 * WEEKS):
        told = CheckIn(PAINS[day % 7] - 2, PAINS[day % 7], sites=("lower_back",), symptoms=("worse_moving",))
        services.diary.check_in(me, whom, told, f"day{day}")
        if day % 7 == 0:
            holds = list(STATEMENTS)[: 11 + day % 2]
            services.questionnaires.answer_everyday(me, whom, holds, f"e{day}")
            services.questionnaires.rate_activities(me, whom, {"lifting my child": 3, "golf": 2}, f"a{day}")
        if day in (20, 50):
            services.assessments.record(club.coach, whom, strength, f"t{day}")
        if day % 10 == 3:
            services.diary.add_training(me, whom, "Golf, nine holes", 90, 4, f"g{day}")
        club.clock.forward(days=1)


@pytest.fixture(scope="module")
def suffered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suffered]:
    """Made once for a module: its tests read only."""
    with open_store(tmp_path_factory.mktemp("suffered") / "backstop.db") as store:
        migrate(store)
        yield suffer(found_club(store, FakeClock()))


def suffer(club: Club) -> Suffered:
    services, me, whom = club.services, club.athlete, club.athlete_id
    live(club)
    _try(club, TreatmentKind.REST, 7, 20)
    _try(club, TreatmentKind.HEAT, 21)
    _try(club, TreatmentKind.MEDICINE, 35, 41)
    _try(club, TreatmentKind.PHYSIOTHERAPY, 42, 69)
    _try(club, TreatmentKind.DOCTOR, 70, words="hot and cold compresses")
    answers = {question.id: Answer.NO for question in services.triage.questions()}
    services.triage.answer(me, whom, answers | {"CAN": Answer.YES, "RAD": Answer.UNKNOWN}, 44)
    today = club.clock.now.date()
    services.doctor.record_plan(
        me, whom, today - timedelta(days=30), "Dr. Sand", "a slipped disc, L5/S1", ["knee_pain"],
        ["physiotherapy", "hot and cold compresses"], today + timedelta(days=12),
    )  # fmt: skip
    words = "one disc bulges a little, nothing pressed"
    image = services.doctor.add_imaging(
        me, whom, ImagingKind.MRI, date(2027, 1, 12), "i", "Dr. Sand", words, ("MRI.pdf", PDF)
    )
    return Suffered(club, services.reports.make(me, whom), image.imaging_id)

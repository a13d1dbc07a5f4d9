"""The doctor's report: when it is offered, and all of it as one value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from coach.analysis.response import PAIN
from coach.service.care_door import local_today, require_care
from coach.service.care_views import (
    ChangeView,
    TreatmentView,
    imaging_view,
    plan_view,
    questionnaire_view,
    treatment_view,
)
from coach.service.courses import PainCourse, course_of
from coach.service.diary import SYMPTOMS
from coach.service.ground import Ground
from coach.service.report_lines import (
    exposures_of,
    findings_of,
    program_changes_of,
    programs_of,
    red_flags_of,
    tests_of,
    trainings_of,
)
from coach.service.report_views import ALWAYS_ASK, ASK_AFTER_MONTHS, Report, TriedLine
from coach.service.responses import daily_pain, entries_of, single_case
from coach.service.triage import stands
from coach.service.types import Identity, Level
from coach.store import care, diary, spasms
from coach.store import triage as answers_table
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.phases import RECURS_WITHIN, REVIEW_AT_LATEST, REVIEW_WITHOUT_CHANGE, review
from programs.types import TriageLevel

# How far back places and symptoms are counted. Own choice: the span in which change is looked for.
_LATELY = timedelta(weeks=12)

OFFER_LOCKED = "The safety questions ask for a medical review."
OFFER_LATE = "Twelve weeks have passed and there is still pain."
OFFER_UNCHANGED = "Pain has not changed by 30 % in six weeks."
OFFER_RECURRED = "It came back within half a year."
SPASM = "A sudden spasm, told while it began."


class Reports:
    """Offer and make."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def offered(self, by: Identity, athlete_id: str) -> tuple[str, ...]:
        """Return why the report should go to a doctor now; empty while nothing says so. Raises NoSuch, NotAllowed.

        In an emergency it is empty too: no report comes between the athlete and the help that the page names.
        """
        with self._ground.store.read() as tx:
            today = local_today(require_care(tx, by, athlete_id), self._ground.now())
            answers = answers_table.newest(tx, athlete_id)
            if answers is not None and stands(answers) and answers["level"] == TriageLevel.EMERGENCY:
                return ()
            course = course_of(daily_pain(tx, athlete_id, today), today)
            return _offered(course, today, _locked(tx, athlete_id), _spasm_again(tx, athlete_id, self._ground.now()))

    def make(self, by: Identity, athlete_id: str) -> Report:
        """Return the report of this moment. Raises NoSuch, NotAllowed."""
        now = self._ground.now()
        with self._ground.store.read() as tx:
            return report_of(tx, require_care(tx, by, athlete_id, Level.FULL), now)


def report_of(tx: Tx, athlete: Row, now: datetime) -> Report:
    """Return the report of an athlete's row; whether anybody may read it was asked before."""
    athlete_id, today = athlete["id"], local_today(athlete, now)
    pains, treatments = daily_pain(tx, athlete_id, today), [treatment_view(r) for r in care.treatments(tx, athlete_id)]
    course = course_of(pains, today)
    case = single_case(entries_of(tx, athlete_id, today), treatments, today)
    told = diary.checkins_between(tx, athlete_id, today - _LATELY, today + timedelta(days=1))
    plan, months = care.plan(tx, athlete_id), _months_without_relief(course, today)
    return Report(
        athlete_id=athlete_id,
        name=athlete["name"],
        born_on=athlete["born_on"],
        sport=athlete["sport"],
        time_zone=athlete["time_zone"],
        made_at=now,
        made_on=today,
        offered=_offered(course, today, _locked(tx, athlete_id), _spasm_again(tx, athlete_id, now)),
        course=course,
        months_without_relief=months,
        sites=_places(told),
        symptoms=_symptoms(told, spasms.count_since(tx, athlete_id, now - _LATELY)),
        pains=pains,
        weeks=case.weeks,
        phases=case.phases,
        changes=case.changes,
        exposures=exposures_of(tx, athlete_id, today),
        findings=findings_of(tx, athlete, now),
        trainings=trainings_of(tx, athlete_id, today),
        tests=tests_of(tx, athlete),
        programs=programs_of(tx, athlete, now),
        program_changes=program_changes_of(tx, athlete, now),
        tried=_tried(treatments, case.changes, today),
        questionnaires=tuple(questionnaire_view(row) for row in care.questionnaires(tx, athlete_id)),
        red_flags=red_flags_of(tx, athlete),
        plan=plan_view(plan) if plan else None,
        imaging=tuple(imaging_view(row) for row in care.imagings(tx, athlete_id)),
        questions=ASK_AFTER_MONTHS if months else ALWAYS_ASK,
    )


def _locked(tx: Tx, athlete_id: str) -> bool:
    answers = answers_table.newest(tx, athlete_id)
    return answers is not None and stands(answers)


def _spasm_again(tx: Tx, athlete_id: str, now: datetime) -> bool:
    """Tell whether the newest spasm followed another one, and is not long past."""
    row = spasms.newest(tx, athlete_id)
    return row is not None and row["recurred"] and now - row["begun_at"] <= RECURS_WITHIN


def _offered(course: PainCourse | None, today: date, locked: bool, again: bool) -> tuple[str, ...]:
    reasons = [OFFER_LOCKED] if locked else []
    if course is not None:
        now = course.as_of(today, not locked)
        if review(replace(now, recurred=False)) is not None:
            reasons.append(OFFER_LATE if now.since >= REVIEW_AT_LATEST else OFFER_UNCHANGED)
    if again or (course is not None and course.recurred):
        reasons.append(OFFER_RECURRED)
    return tuple(reasons)


def _months_without_relief(course: PainCourse | None, today: date) -> bool:
    """Tell whether 12 weeks went by without a change of 30 %."""
    if course is None:
        return False
    now = course.as_of(today, clear=True)
    # At six weeks the rule asks for nothing but the change.
    unchanged = review(replace(now, recurred=False, since=REVIEW_WITHOUT_CHANGE)) is not None
    return now.since >= REVIEW_AT_LATEST and unchanged


def _tried(treatments: Sequence[TreatmentView], changes: Sequence[ChangeView], today: date) -> tuple[TriedLine, ...]:
    """Return what was tried, the newest first, each with what pain did from its first day to the next change."""
    began = {
        treatment_id: change
        for change in changes
        if change.comparison.measure is PAIN
        for treatment_id in set(change.comparison.phase.ids) - set(change.comparison.earlier.ids)
    }
    return tuple(_tried_line(each, began.get(each.treatment_id), today) for each in reversed(treatments))


def _tried_line(treatment: TreatmentView, change: ChangeView | None, today: date) -> TriedLine:
    said = " ".join((change.sentence, *change.caveats)) if change else "Pain: not enough data: needs check-ins."
    return TriedLine(treatment, treatment.days_until(today), said, change.comparison if change else None)


def _symptoms(told: Sequence[Row], spasms_now: int) -> tuple[tuple[str, int], ...]:
    counted = _counted(SYMPTOMS[each] for row in told for each in row["symptoms"] if each in SYMPTOMS)
    return ((SPASM, spasms_now), *counted) if spasms_now else counted


def _places(told: Sequence[Row]) -> tuple[tuple[str, int], ...]:
    """Return where it hurt and how often, with the most that was told of a place where a number was."""
    worst: dict[str, int] = {}
    for row in told:
        for site, pain in row["pain_by_site"].items():
            worst[site] = max(pain, worst.get(site, 0))
    named = {site: f", up to {pain} of 10" for site, pain in worst.items()}
    return _counted(site.replace("_", " ") + named.get(site, "") for row in told for site in row["sites"])


def _counted(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(names).most_common())

"""From rows to the single case: daily pain, answers and treatments -> weeks, phases, what changed after what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from coach.analysis.response import (
    CHANGE_SHARE,
    DISABILITY,
    FUNCTION,
    PAIN,
    Comparison,
    Entry,
    Measure,
    Phase,
    Seen,
    Span,
    compare_phases,
    phases_of,
    weekly,
)
from coach.service.care_views import (
    ChangeView,
    PhaseView,
    QuestionnaireKind,
    ResponseView,
    TreatmentView,
    Week,
    treatment_view,
)
from coach.store import care, diary
from coach.store.engine import Tx

# Weeks that are shown. Own choice: half a year.
WEEKS_MAX = 26
OBSERVED = (
    "This is what was seen in one person, without anybody to compare with. It does not say why: pain changes by "
    "itself, and things are often begun on the worst days."
)
TOGETHER = "These began or ended together and cannot be told apart."
ON_ITS_WAY = "It was getting better before that already."


def response_of(tx: Tx, athlete_id: str, today: date) -> ResponseView:
    """Return an athlete's single case up to a local day."""
    treatments = [treatment_view(row) for row in care.treatments(tx, athlete_id)]
    return single_case(entries_of(tx, athlete_id, today), treatments, today)


def entries_of(tx: Tx, athlete_id: str, today: date) -> dict[str, list[Entry]]:
    """Return what was entered, by measure: the worst pain that a check-in told, sums and means of answers."""
    entries: dict[str, list[Entry]] = {
        PAIN.id: [Entry(day.toordinal(), float(pain)) for day, pain in daily_pain(tx, athlete_id, today).items()],
        DISABILITY.id: [],
        FUNCTION.id: [],
    }
    measures = {QuestionnaireKind.EVERYDAY: DISABILITY.id, QuestionnaireKind.ACTIVITIES: FUNCTION.id}
    for row in care.questionnaires(tx, athlete_id):
        measure = measures[QuestionnaireKind(row["kind"])]
        entries[measure].append(Entry(row["local_date"].toordinal(), row["score"]))
    return entries


def daily_pain(tx: Tx, athlete_id: str, today: date) -> dict[date, int]:
    """Return the worst pain that check-ins told of each local day, in order of days."""
    worst: dict[date, int] = {}
    for row in diary.checkins_between(tx, athlete_id, date(1970, 1, 1), today + timedelta(days=1)):
        told = [row[name] for name in ("pain_at_rest", "pain_in_motion") if row[name] is not None]
        if told:
            day = row["local_date"]
            worst[day] = max(*told, worst.get(day, 0))
    return worst


def single_case(
    entries: Mapping[str, Sequence[Entry]], treatments: Sequence[TreatmentView], today: date
) -> ResponseView:
    """Return weeks, phases and changes. entries: by id of the measure; days as ordinals."""
    names = {each.treatment_id: each.name for each in treatments}
    spans = [
        Span(each.treatment_id, each.started_on.toordinal(), each.ended_on.toordinal() if each.ended_on else None)
        for each in treatments
    ]
    phases = phases_of(spans)
    shown = tuple(
        PhaseView(_day(phase.first), _day(phase.last), tuple(names[each] for each in phase.ids)) for phase in phases
    )
    changes = tuple(
        _change(measure, entries[measure.id], earlier, phase, names)
        for earlier, phase in reversed(list(pairwise(phases)))
        if phase.first is not None and phase.first <= today.toordinal()
        for measure in (PAIN, DISABILITY, FUNCTION)
        if entries[measure.id]
    )
    return ResponseView(_weeks(entries, treatments, today), shown, changes)


def _weeks(
    entries: Mapping[str, Sequence[Entry]], treatments: Sequence[TreatmentView], today: date
) -> tuple[Week, ...]:
    days = [each.day for of_one in entries.values() for each in of_one]
    days += [each.started_on.toordinal() for each in treatments]
    if not days:
        return ()
    this_monday = today - timedelta(days=today.weekday())
    first_day = date.fromordinal(min(days))
    first = max(first_day - timedelta(days=first_day.weekday()), this_monday - timedelta(weeks=WEEKS_MAX - 1))
    count = (this_monday - first).days // 7 + 1
    columns = [weekly(entries[measure.id], first.toordinal(), count) for measure in (PAIN, DISABILITY, FUNCTION)]
    return tuple(
        Week(first + timedelta(weeks=number), *values) for number, values in enumerate(zip(*columns, strict=True))
    )


def _change(
    measure: Measure, entries: Sequence[Entry], earlier: Phase, phase: Phase, names: Mapping[str, str]
) -> ChangeView:
    found = compare_phases(measure, entries, earlier, phase)
    began = tuple(names[each] for each in phase.ids if each not in earlier.ids)
    ended = tuple(names[each] for each in earlier.ids if each not in phase.ids)
    caveats = [TOGETHER] if found.together > 1 else []
    if found.trend_before:
        caveats.append(ON_ITS_WAY)
    return ChangeView(_title(began, ended, _day(phase.first)), began, ended, found, sentence_of(found), tuple(caveats))


def _title(began: Sequence[str], ended: Sequence[str], since: date | None) -> str:
    said = [f"{listed(began)} began"] if began else []
    said += [f"{listed(ended)} ended"] if ended else []
    return f"After {' and '.join(said)}, {since}"


def sentence_of(found: Comparison) -> str:
    """Return a comparison as an observation in one or two sentences, with its uncertainty."""
    measure, points = found.measure, "points"
    name = measure.name[0].upper() + measure.name[1:]
    if found.change is None or found.low is None or found.high is None:
        return f"{name}: not enough data: needs {found.needs}."
    counted = f"{found.during} days with an entry since, {found.before} before"
    if found.seen is Seen.NOTHING:
        span = f"between {_towards(found.low)} and {_towards(found.high)}, {points} on {measure.scale}"
        return f"{name}: no difference can be told ({span}; {counted})."
    low, high = sorted((abs(found.low), abs(found.high)))
    size = f"{abs(found.change):.1f} {points} {'lower' if found.change < 0 else 'higher'} than before"
    said = f"{name}: {size} (95 % interval {low:.1f} to {high:.1f}, scale {measure.scale}; {counted})."
    if found.seen in {Seen.SLIGHTLY_BETTER, Seen.SLIGHTLY_WORSE}:
        matters = f"{measure.matters:g} {points} or {CHANGE_SHARE:.0%}".replace("%", " %")
        said += f" People usually notice {matters}; this is less."
    return said


def listed(names: Sequence[str]) -> str:
    """Return names as they stand in a sentence."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _towards(change: float) -> str:
    return f"{abs(change):.1f} {'lower' if change < 0 else 'higher'}"


def _day(ordinal: int | None) -> date | None:
    return None if ordinal is None else date.fromordinal(ordinal)

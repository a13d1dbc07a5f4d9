"""What lies on a time line as marks: where, how it looks, what it says to whoever reads, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import url_for

from coach.analysis.assessment_types import Change
from coach.language import gettext as _
from coach.said import said
from coach.service.care_views import KIND_WORDS
from coach.service.time_line import (
    FindingSpan,
    Hidden,
    Lacks,
    NotShown,
    PainPoint,
    SessionMark,
    Span,
    Tested,
    TimeLineView,
    TrainingMark,
)
from coach.service.time_line_signal import SignalLane
from coach.service.types import AthleteView, Level
from coach.web import assessment_words, findings_words, kind_words, words
from coach.web.diary import SITE_WORDS
from coach.web.house import house
from coach.written import clock_time

_TONES = {"amber": "notice", "red": "stop", "green": "calm"}


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on a lane. end_utc_s: None for a moment. shape: how it is drawn. href: None where it leads nowhere.

    label: short; says: a sentence, for who points at it and for the table. level: how high it is drawn, 0 to 10.
    windows: the stretches of signal that a finding rests on, where they are known.
    """

    start_utc_s: float
    end_utc_s: float | None
    shape: str
    label: str
    says: str
    href: str | None = None
    level: int | None = None
    windows: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class TimeLineAnswer:
    """A time line as a page draws it, in the reader's language. tests, treatments: null where that is not shown."""

    athlete_id: str
    time_zone: str
    start_utc_s: float
    end_utc_s: float
    said: str
    signal: SignalLane
    findings: tuple[Mark, ...]
    pain: tuple[Mark, ...]
    sessions: tuple[Mark, ...]
    programs: tuple[Mark, ...]
    tests: tuple[Mark, ...] | None
    treatments: tuple[Mark, ...] | None
    not_shown: tuple[str, ...]


def answer_of(view: TimeLineView, athlete: AthleteView) -> TimeLineAnswer:
    """Return a time line with its words."""
    zone = athlete.time_zone
    done = [*(_session(each, zone) for each in view.sessions), *(_training(each, zone) for each in view.trainings)]
    care = None
    if view.treatments is not None and view.spasms is not None:
        care = (
            *(_spasm(each, zone) for each in view.spasms),
            *(_treatment(each, zone) for each in view.treatments),
        )
    return TimeLineAnswer(
        view.athlete_id,
        zone,
        view.start_utc_s,
        view.end_utc_s,
        _from_to(view.start_utc_s, view.end_utc_s, zone),
        view.signal,
        tuple(_finding(each, athlete, view) for each in view.findings),
        tuple(_pain(each, zone) for each in view.pain),
        tuple(sorted(done, key=lambda each: each.start_utc_s)),
        tuple(_program(each, zone) for each in view.programs),
        None if view.tests is None else tuple(_test(each, zone) for each in view.tests),
        care,
        tuple(missing_words(view.not_shown, view.level)),
    )


def lane_words() -> dict[str, str]:
    """Return what the chart itself says: names of lanes and their units, and what is said where nothing is."""
    return {
        "bends": _("Bends"),
        "bends_unit": _("per hour worn"),
        "bends_said": _("bends per hour worn"),
        "usual": _("usual"),
        "deep": _("Deep bending"),
        "deep_unit": _("% of time worn beyond 60°"),
        "angle": _("Trunk angle"),
        "angle_unit": _("degrees from upright; ISO 11226 limits how long a bend from 20° to 60° is held"),
        "strokes": _("Swings, throws"),
        "strokes_unit": _("line: left, dashed: right"),
        "pain": _("Pain"),
        "pain_unit": _("0 to 10"),
        "findings": _("Findings"),
        "sessions": _("Sessions"),
        "tests": _("Tests"),
        "treatments": _("Treatments"),
        "none": _("none in this time"),
        "not_worn": _("not worn"),
        "worn": _("Time worn"),
        "worn_unit": _("hours a day"),
        "readout": _("Point at a time, or touch it: its numbers stand here."),
        "lost": _("The time line could not be fetched. What is shown stays; try again."),
    }


def missing_words(not_shown: tuple[NotShown, ...], level: Level | None) -> list[str]:
    """Return what is not on the line and why, a sentence for each reason."""
    names = {
        Hidden.TESTS: _("tests"),
        Hidden.TREATMENTS: _("treatments"),
        Hidden.SPASMS: _("spasms"),
        Hidden.PAIN_WORDS: _("where it hurts"),
    }
    said = []
    by_level = [names[each.what] for each in not_shown if each.lacks is Lacks.LEVEL]
    by_consent = [names[each.what] for each in not_shown if each.lacks is Lacks.CONSENT]
    if by_level and level is not None:
        said.append(
            _(
                "Not here: %(what)s. They need the level “full”, and you have “%(level)s”: the athlete decides that.",
                what=", ".join(by_level),
                level=level.value,
            )
        )
    if by_consent:
        said.append(
            _(
                "Not here: %(what)s. The athlete does not share health text with coaches, and decides that.",
                what=", ".join(by_consent),
            )
        )
    return said


def _moment(utc_s: float, zone: str, with_time: bool = True) -> str:
    there = words.in_zone(datetime.fromtimestamp(utc_s, UTC), zone)
    day = words.day_name(there.date(), house().today(zone))
    return f"{day} {there:%H:%M}" if with_time else day


def _from_to(start_utc_s: float, end_utc_s: float | None, zone: str) -> str:
    """Return from when to when, to the day where it is days."""
    if end_utc_s is None:
        return _("since %(day)s", day=findings_words.lower_day(_moment(start_utc_s, zone, False)))
    last_utc_s = end_utc_s - 1.0
    if end_utc_s - start_utc_s > 36 * 3600:
        last = findings_words.lower_day(_moment(last_utc_s, zone, False))
        return _("%(first)s to %(last)s", first=_moment(start_utc_s, zone, False), last=last)
    first, last = _moment(start_utc_s, zone), _moment(end_utc_s, zone)
    if _moment(start_utc_s, zone, False) == _moment(last_utc_s, zone, False):
        last = clock_time(datetime.fromtimestamp(end_utc_s, UTC), zone)
    return _("%(first)s to %(last)s", first=first, last=last)


def _finding(span: FindingSpan, athlete: AthleteView, view: TimeLineView) -> Mark:
    """Return a finding; it leads to its first window within the range, the raw signal on its own page."""
    inside = [each for each in span.windows if each[1] > view.start_utc_s and each[0] < view.end_utc_s]
    shown = inside or span.windows
    where = url_for("findings.finding", finding_id=span.finding_id, window=shown[0][2] if shown else None)
    name = said(kind_words.kind_name(span.kind))
    told = said(findings_words.first_sentence(findings_words.to_reader(span.statement, athlete)))
    state = _(words.GRADE_WORD.get(span.grade, span.grade)) if span.is_open else _("closed")
    tone = _TONES.get(words.GRADE_TONE.get(span.grade, ""), "calm") if span.is_open else "quiet"
    when = _from_to(span.start_utc_s, span.end_utc_s, athlete.time_zone)
    says = f"{name}, {state}: {told} {when}."
    windows = tuple((start, end) for start, end, _number in inside)
    href = f"{where}#signal" if shown else where
    return Mark(span.start_utc_s, span.end_utc_s, f"finding {tone}", name, says, href, windows=windows)  # no words


def _pain(point: PainPoint, zone: str) -> Mark:
    told = []
    if point.in_session and point.in_motion is not None:
        told.append(_("%(pain)s of 10 in a session", pain=point.in_motion))
    elif point.in_motion is not None:
        told.append(_("%(pain)s of 10 when moving", pain=point.in_motion))
    if point.at_rest is not None:
        told.append(_("%(pain)s of 10 at rest", pain=point.at_rest))
    where = f" ({', '.join(_(SITE_WORDS[each]) for each in point.sites)})" if point.sites else ""
    says = _("Pain %(told)s%(where)s, %(when)s", told=", ".join(told), where=where, when=_moment(point.at_utc_s, zone))
    return Mark(point.at_utc_s, None, "pain", str(point.worst), says, level=point.worst)


def _session(mark: SessionMark, zone: str) -> Mark:
    shape = "missed" if mark.missed else mark.state.value
    state = _("nobody did it or said why") if mark.missed else _(words.SESSION_WORD[mark.state])
    effort = "" if mark.effort is None else ", " + _("effort %(effort)s of 10", effort=mark.effort)
    stands_in = ", " + _("walking and rest stood in") if mark.fallback else ""
    says = _(
        "Session, %(minutes)s min: %(state)s%(more)s, %(when)s",
        minutes=mark.duration_min,
        state=state,
        more=effort + stands_in,
        when=_moment(mark.at_utc_s, zone),
    )
    where = url_for("sessions.session_page", session_id=mark.session_id)
    return Mark(mark.at_utc_s, None, f"session {shape}", str(state), says, where)  # no words


def _training(mark: TrainingMark, zone: str) -> Mark:
    says = _(
        "Training “%(what)s”, %(minutes)s min, effort %(effort)s of 10, %(when)s",
        what=mark.what,
        minutes=mark.duration_min,
        effort=mark.effort,
        when=_moment(mark.at_utc_s, zone, False),
    )
    return Mark(mark.at_utc_s, None, "training", mark.what, says)


def _program(span: Span, zone: str) -> Mark:
    when = _from_to(span.start_utc_s, span.end_utc_s, zone)
    says = _("Program “%(name)s”, %(when)s", name=said(span.name), when=when)
    return Mark(span.start_utc_s, span.end_utc_s, "program", span.name, says)


def _test(tested: Tested, zone: str) -> Mark:
    changed = {each.test: each for each in tested.changes}
    values = []
    for trial in tested.trials:
        value = f"{said(assessment_words.test_name(trial.test))} {assessment_words.trial_amount(trial)}"
        values.append(value + _since_last(changed[trial.test]) if trial.test in changed else value)
    name = said(assessment_words.KINDS[tested.kind].name)
    says = f"{name}: {'; '.join(values)}, {_moment(tested.at_utc_s, zone, False)}"
    where = url_for("assessments.results", assessment_id=tested.assessment_id)
    return Mark(tested.at_utc_s, None, "test", name, says, where)


def _since_last(change: Change) -> str:
    """Return what it was before, and the noise of the test where it is known."""
    before = assessment_words.amount(change.before, change.unit)
    if change.detectable is None:
        return " " + _("(was %(before)s)", before=before)
    noise = assessment_words.amount(change.detectable, change.unit)
    return " " + _("(was %(before)s, noise ±%(noise)s)", before=before, noise=noise)


def _treatment(span: Span, zone: str) -> Mark:
    name = span.name or (said(KIND_WORDS[span.kind]) if span.kind else "")
    says = f"{name}, {_from_to(span.start_utc_s, span.end_utc_s, zone)}"
    return Mark(span.start_utc_s, span.end_utc_s, "treatment", name, says)


def _spasm(span: Span, zone: str) -> Mark:
    says = _("Spasm, %(when)s", when=_from_to(span.start_utc_s, span.end_utc_s, zone))
    return Mark(span.start_utc_s, span.end_utc_s, "spasm", _("Spasm"), says)

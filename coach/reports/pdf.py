"""The doctor's report on two A4 pages, in the reader's language: the course first, what was done about it second."""

from __future__ import annotations

from collections.abc import Iterable

from coach.analysis.response import DISABILITY, FUNCTION, PAIN, Seen
from coach.language import gettext as _
from coach.language import ngettext
from coach.reports.case_chart import BARS_MAX, draw_case
from coach.reports.sheet import Sheet
from coach.said import said
from coach.service.care_views import IMAGING_WORDS
from coach.service.report_views import AS_TOLD, ProgramLine, RedFlags, Report, TestLine, TriedLine
from coach.service.responses import OBSERVED
from coach.written import three_digits
from programs.notice import NOTICE

PAGES = 2
# Own choices: what two pages can hold. All of it is in the FHIR bundle.
_CHANGES_OF_PROGRAM_MAX = 8
_CHANGES_MAX, _TRIED_MAX, _TESTS_MAX, _IMAGING_MAX, _PROGRAMS_MAX, _LAST_WORDS_PT = 5, 9, 8, 4, 4, 30.0


def pdf_of(report: Report) -> bytes:
    """Return the report as PDF: two A4 pages, the same bytes for the same report in the same language."""
    foot = _(
        "Backstop, %(day)s. Information about training and posture; no diagnosis and no treatment.", day=report.made_on
    )
    sheet = Sheet(_("For the doctor: %(name)s", name=report.name), author="Backstop", foot=foot, pages=PAGES)
    _title(sheet, report)
    _questions(sheet, report)
    _course(sheet, report)
    _red_flags(sheet, report.red_flags)
    _plan(sheet, report)
    sheet.next_page()
    sheet.reserve = _LAST_WORDS_PT
    _tried(sheet, report)
    _exposures(sheet, report)
    _tests(sheet, report)
    _program(sheet, report)
    _imaging(sheet, report)
    sheet.reserve = 0.0
    _rest(sheet)
    return sheet.bytes()


def _title(sheet: Sheet, report: Report) -> None:
    name = report.name
    if report.born_on:
        name = _("%(name)s, born %(day)s", name=name, day=report.born_on)
    sport = f" · {said(report.sport)}" if report.sport else ""
    sheet.head(_("For the doctor: %(name)s", name=name) + sport)
    sheet.boxed(sheet.text(_(NOTICE), 1000))
    sheet.say(sheet.text(AS_TOLD), small=True)
    for reason in report.offered:
        why = _("Why now: %(reason)s", reason=said(reason))
        sheet.say(f"<b>{sheet.text(why)}</b>")


def _course(sheet: Sheet, report: Report) -> None:
    sheet.head(_("History"))
    sheet.say(sheet.text(" ".join(_pain(report))))
    places, told = _counted(report.sites), _counted(report.symptoms)
    if places:
        sheet.say(sheet.text(_("Places in the last 12 weeks: %(places)s.", places=places)))
    if told:
        sheet.say(sheet.text(_("As told in the last 12 weeks: %(told)s.", told=told)))
    if report.weeks:
        draw_case(sheet, report.weeks, [each.treatment for each in report.tried], report.made_on)
        sheet.say(sheet.text(_("Medians of a week; %(keys)s.", keys="; ".join(_keys(report)))), small=True)


def _pain(report: Report) -> list[str]:
    course = report.course
    if course is None:
        return [_("No pain was told lately.")]
    since = ngettext(
        "Pain since %(day)s (%(num)s week).",
        "Pain since %(day)s (%(num)s weeks).",
        (report.made_on - course.began_on).days // 7,
        day=course.began_on,
    )
    now = _("not told in the last two weeks") if course.pain_now is None else course.pain_now
    sentences = [
        since,
        _("Median of the worst pain a day, 0 to 10: first week %(first)s, last week %(now)s.",
          first=course.pain_at_start, now=now),
    ]  # fmt: skip
    if course.earlier:
        sentences.append(_("Earlier episodes that were told: %(count)s.", count=course.earlier))
    return sentences


def _counted(counted: Iterable[tuple[str, int]]) -> str:
    return "; ".join(_("%(what)s (%(times)s x)", what=said(name).rstrip("."), times=times) for name, times in counted)


def _keys(report: Report) -> list[str]:
    """Return what the marks of the drawing are."""
    keys = [_("circles: %(name)s, 0 to 10", name=said(PAIN.name))]
    kinds = {each.kind.value for each in report.questionnaires}
    if "everyday" in kinds:
        keys.append(_("squares: %(name)s that hold, 24 at the top", name=said(DISABILITY.name)))
    if "activities" in kinds:
        keys.append(_("upright bars: %(name)s, 0 cannot to 10 as before", name=said(FUNCTION.name)))
    hidden = len(report.tried) - BARS_MAX
    if hidden > 0:
        keys.append(ngettext("%(num)s older treatment is not drawn", "%(num)s older treatments are not drawn", hidden))
    return keys


def _red_flags(sheet: Sheet, flags: RedFlags | None) -> None:
    sheet.head(_("Safety questions"))
    if flags is None:
        sheet.say(sheet.text(_("They were not answered yet.")))
        return
    yes = [flags.texts.get(each, each) for each, answer in flags.answers.items() if answer == "yes"]
    unsure = [flags.texts.get(each, each) for each, answer in flags.answers.items() if answer == "unknown"]
    no = sum(answer == "no" for answer in flags.answers.values())
    answered = _(
        "Answered on %(day)s, questions version %(version)s: %(yes)s yes, %(unsure)s not sure, %(no)s no.",
        day=flags.answered_on, version=flags.version, yes=len(yes), unsure=len(unsure), no=no,
    )  # fmt: skip
    sheet.say(sheet.text(answered))
    for text in yes:
        told = _("Yes: %(question)s", question=said(text))
        sheet.say(sheet.text(told), what=_("an answer to a safety question"))
    for text in unsure:
        told = _("Not sure: %(question)s", question=said(text))
        sheet.say(sheet.text(told), what=_("an answer to a safety question"))
    for message in flags.messages:
        told = _("Shown: %(message)s", message=said(message))
        sheet.say(sheet.text(told), what=_("a message of the safety questions"))
    if flags.cleared_by:
        cleared = _("Cleared by %(who)s, seen on %(day)s.", who=flags.cleared_by, day=flags.cleared_on)
        sheet.say(sheet.text(cleared))
    elif flags.locked:
        sheet.say(sheet.text(_("The program is paused until a clinician has cleared it.")))


def _plan(sheet: Sheet, report: Report) -> None:
    plan = report.plan
    if plan is None:
        return
    sheet.head(_("What a doctor said before"))
    diagnosis = plan.diagnosis or _("no diagnosis written down")
    if plan.doctor:
        told = _("Recorded for %(day)s (%(doctor)s), as told: %(diagnosis)s", day=plan.told_on, doctor=plan.doctor,
                 diagnosis=diagnosis)  # fmt: skip
    else:
        told = _("Recorded for %(day)s, as told: %(diagnosis)s", day=plan.told_on, diagnosis=diagnosis)
    sheet.say(sheet.text(told))
    if plan.measures:
        sheet.say(sheet.text(_("Named: %(measures)s.", measures="; ".join(plan.measures))))
    if plan.leaves_out:
        around = "; ".join(map(said, plan.leaves_out))
        sheet.say(sheet.text(_("Exercises are chosen around: %(around)s.", around=around)))
    if plan.next_on:
        sheet.say(sheet.text(_("Next appointment: %(day)s.", day=plan.next_on)))


def _questions(sheet: Sheet, report: Report) -> None:
    sheet.head(_("Questions to ask"))
    if report.months_without_relief:
        told = _("Twelve weeks or more without a change of 30 %. What was tried is on the next page.")
        sheet.say(sheet.text(told))
    for question in report.questions:
        sheet.say(sheet.text(f"•  {said(question)}"), what=_("a question"))


def _tried(sheet: Sheet, report: Report) -> None:
    sheet.head(_("What was tried, for how long, and what was seen"))
    if not report.tried:
        sheet.say(sheet.text(_("Nothing was written down.")))
        return
    rows = [(_("What"), _("From"), _("To"), _("Days"), _("Pain after it began, until the next change"))]
    rows += [_tried_row(sheet, each) for each in report.tried[:_TRIED_MAX]]
    sheet.rows(rows, (0.2, 0.11, 0.11, 0.07, 0.51), _("treatments"))
    older = len(report.tried) - _TRIED_MAX
    if older > 0:
        told = ngettext("%(num)s older one is in the FHIR bundle.", "%(num)s older ones are in the FHIR bundle.", older)
        sheet.say(sheet.text(told), small=True)
    other = [each for each in report.changes if not (each.comparison.measure is PAIN and each.began)]
    known = [each for each in other if each.comparison.seen is not Seen.NOT_ENOUGH]
    for change in known[:_CHANGES_MAX]:
        told = " ".join(map(said, (f"{change.title}.", change.sentence, *change.caveats)))
        sheet.say(sheet.text(told), what=_("a response"))
    few = len(other) - len(known)
    if few:
        told = ngettext(
            "%(num)s more comparison has too few entries for a number.",
            "%(num)s more comparisons have too few entries for a number.",
            few,
        )
        sheet.say(sheet.text(told), small=True)
    sheet.say(sheet.text(OBSERVED), small=True)


def _tried_row(sheet: Sheet, line: TriedLine) -> tuple[str, str, str, str, str]:
    treatment = line.treatment
    until = str(treatment.ended_on) if treatment.ended_on else sheet.text(_("goes on"))
    name = sheet.text(treatment.name, 80) + (f" ({sheet.text(treatment.note, 80)})" if treatment.note else "")
    return name, str(treatment.started_on), until, str(line.days), sheet.text(line.response, 260)


def _exposures(sheet: Sheet, report: Report) -> None:
    sheet.head(_("Exposures"))
    if not report.exposures and not report.findings:
        sheet.say(sheet.text(_("Not enough data: needs days with a wearable, or trainings entered.")))
    if report.exposures:
        rows = [(_("Median of a day"), _("Last 4 weeks"), _("4 weeks before"))]
        rows += [
            (f"{said(each.name)}, {said(each.unit)}", each.said_now(), each.said_before()) for each in report.exposures
        ]
        cells = [[sheet.text(cell) for cell in row] for row in rows]
        sheet.rows(cells, (0.5, 0.25, 0.25), _("exposures"))
    for finding in report.findings:
        told = said(finding.statement)
        if finding.open:
            told = _("%(first)s, goes on: %(statement)s", first=finding.first, statement=told)
        else:
            told = _("%(first)s, until %(last)s: %(statement)s", first=finding.first, last=finding.last, statement=told)
        sheet.say(sheet.text(told, 260), what=_("a finding"))


def _tests(sheet: Sheet, report: Report) -> None:
    sheet.head(_("Tests"))
    if not report.tests:
        sheet.say(sheet.text(_("None was done yet.")))
        return
    rows = [(_("Test"), _("Result"), _("On"), _("Against the one before"))]
    rows += [(said(t.name), _result(t), str(t.on), said(t.change)) for t in report.tests[:_TESTS_MAX]]
    sheet.rows([[sheet.text(cell, 200) for cell in row] for row in rows], (0.26, 0.14, 0.12, 0.48), _("tests"))


def _result(line: TestLine) -> str:
    value, unit = three_digits(line.value), said(line.unit)
    return _("at least %(value)s %(unit)s", value=value, unit=unit) if line.at_least else f"{value} {unit}"


def _program(sheet: Sheet, report: Report) -> None:
    sheet.head(_("Program and adherence"))
    if not report.programs:
        sheet.say(sheet.text(_("No program in the last 12 weeks.")))
    for program in report.programs[:_PROGRAMS_MAX]:
        sheet.say(sheet.text(_program_line(program)))
    for change in report.program_changes[:_CHANGES_OF_PROGRAM_MAX]:
        told = f"{change.on}, {change.what}: {said(change.because)}"
        sheet.say(sheet.text(told, 200), what=_("a change of the program"))
    older = len(report.program_changes) - _CHANGES_OF_PROGRAM_MAX
    if older > 0:
        told = ngettext(
            "%(num)s older change of the program is in the FHIR bundle.",
            "%(num)s older changes of the program are in the FHIR bundle.",
            older,
        )
        sheet.say(sheet.text(told), small=True)
    if report.trainings:
        told = _(
            "Trainings entered in the last 12 weeks: %(count)s, %(minutes)s minutes together.",
            count=len(report.trainings), minutes=sum(each.duration_min for each in report.trainings),
        )  # fmt: skip
        sheet.say(sheet.text(told))


def _program_line(program: ProgramLine) -> str:
    what = ", ".join(map(said, program.exercises))
    return _(
        "%(title)s, %(since)s to %(until)s, %(times)s a week: %(exercises)s. %(adherence)s",
        title=said(program.title), since=program.since, until=program.until, times=program.per_week, exercises=what,
        adherence=program.adherence,
    )  # fmt: skip


def _imaging(sheet: Sheet, report: Report) -> None:
    if not report.imaging:
        return
    sheet.head(_("Imaging, as it was handed in; read by nobody here"))
    for each in report.imaging[:_IMAGING_MAX]:
        first = f"{said(IMAGING_WORDS[each.kind])}, {each.taken_on}"
        if each.asked_by:
            first = _("%(imaging)s, asked by %(who)s", imaging=first, who=each.asked_by)
        told = [f"{first}."]
        if each.file_name:
            told.append(_("File: %(name)s.", name=each.file_name))
        if each.words:
            told.append(_("In own words: %(words)s", words=each.words))
        sheet.say(sheet.text(" ".join(told), 300), what=_("imaging"))


def _rest(sheet: Sheet) -> None:
    if sheet.unprintable:
        sheet.say(sheet.text(_("Signs that this print lacks stand as ?.")), small=True)
    if sheet.left_out:
        named = "; ".join(dict.fromkeys(sheet.left_out))
        told = _("No room here for: %(named)s. The FHIR bundle has all.", named=named)
        sheet.say(sheet.text(told), small=True)


def file_name(report: Report, ending: str) -> str:
    """Return the name of a document for the downloads folder: no name of a person in it."""
    return f"for-the-doctor-{report.made_on.isoformat()}.{ending}"

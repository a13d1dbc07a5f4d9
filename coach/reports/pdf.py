"""The doctor's report on two A4 pages: the course first, what was done about it second."""

from __future__ import annotations

from collections.abc import Iterable

from coach.analysis.response import DISABILITY, FUNCTION, PAIN, Seen
from coach.reports.case_chart import BARS_MAX, draw_case
from coach.reports.sheet import Sheet
from coach.service.care_views import IMAGING_WORDS
from coach.service.report_views import AS_TOLD, ExposureLine, RedFlags, Report
from coach.service.responses import OBSERVED
from programs.notice import NOTICE

PAGES = 2
# Own choices: what two pages can hold. All of it is in the FHIR bundle.
_CHANGES_OF_PROGRAM_MAX = 8
_CHANGES_MAX, _TRIED_MAX, _TESTS_MAX, _IMAGING_MAX, _PROGRAMS_MAX, _LAST_WORDS_PT = 5, 9, 8, 4, 4, 30.0


def pdf_of(report: Report) -> bytes:
    """Return the report as PDF: two A4 pages, the same bytes for the same report."""
    sheet = Sheet(
        title=f"For the doctor: {report.name}",
        author="Backstop",
        foot=f"Backstop, {report.made_on}. Information about training and posture; no diagnosis and no treatment.",
        pages=PAGES,
    )
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
    born = f", born {report.born_on}" if report.born_on else ""
    sport = f" · {report.sport}" if report.sport else ""
    sheet.head(f"For the doctor: {report.name}{born}{sport}")
    sheet.boxed(sheet.text(NOTICE, 1000))
    sheet.say(sheet.text(AS_TOLD), small=True)
    for reason in report.offered:
        sheet.say(f"<b>{sheet.text('Why now: ' + reason)}</b>")


def _course(sheet: Sheet, report: Report) -> None:
    sheet.head("History")
    course = report.course
    if course is None:
        sheet.say("No pain was told lately.")
    else:
        weeks = (report.made_on - course.began_on).days // 7
        now = "not told in the last two weeks" if course.pain_now is None else f"{course.pain_now}"
        before = f" Earlier episodes that were told: {course.earlier}." if course.earlier else ""
        sheet.say(
            f"Pain since {course.began_on} ({weeks} weeks). Median of the worst pain a day, 0 to 10: first week "
            f"{course.pain_at_start}, last week {now}.{before}"
        )
    for title, counted in (("Places", report.sites), ("As told", report.symptoms)):
        if counted:
            said = "; ".join(f"{name.rstrip('.')} ({times} x)" for name, times in counted)
            sheet.say(sheet.text(f"{title} in the last 12 weeks: {said}."))
    if report.weeks:
        draw_case(sheet, report.weeks, [each.treatment for each in report.tried], report.made_on)
        keys = [f"circles: {PAIN.name}, 0 to 10"]
        kinds = {each.kind.value for each in report.questionnaires}
        keys += [f"squares: {DISABILITY.name} that hold, 24 at the top"] if "everyday" in kinds else []
        keys += [f"upright bars: {FUNCTION.name}, 0 cannot to 10 as before"] if "activities" in kinds else []
        hidden = len(report.tried) - BARS_MAX
        keys += [f"{hidden} older treatments are not drawn"] if hidden > 0 else []
        sheet.say(sheet.text("Medians of a week; " + "; ".join(keys) + "."), small=True)


def _red_flags(sheet: Sheet, flags: RedFlags | None) -> None:
    sheet.head("Safety questions")
    if flags is None:
        sheet.say("They were not answered yet.")
        return
    yes = [flags.texts.get(each, each) for each, said in flags.answers.items() if said == "yes"]
    unsure = [flags.texts.get(each, each) for each, said in flags.answers.items() if said == "unknown"]
    no = sum(said == "no" for said in flags.answers.values())
    sheet.say(
        f"Answered on {flags.answered_on}, questions version {sheet.text(flags.version)}: {len(yes)} yes, "
        f"{len(unsure)} not sure, {no} no."
    )
    for word, texts in (("Yes", yes), ("Not sure", unsure)):
        for text in texts:
            sheet.say(sheet.text(f"{word}: {text}"), what="an answer to a safety question")
    for message in flags.messages:
        sheet.say(sheet.text(f"Shown: {message}"), what="a message of the safety questions")
    if flags.cleared_by:
        sheet.say(sheet.text(f"Cleared by {flags.cleared_by}, seen on {flags.cleared_on}."))
    elif flags.locked:
        sheet.say("The program is paused until a clinician has cleared it.")


def _plan(sheet: Sheet, report: Report) -> None:
    plan = report.plan
    if plan is None:
        return
    sheet.head("What a doctor said before")
    who = f" ({plan.doctor})" if plan.doctor else ""
    sheet.say(sheet.text(f"Recorded for {plan.told_on}{who}, as told: {plan.diagnosis or 'no diagnosis written down'}"))
    for title, named in (("Named", plan.measures), ("Exercises are chosen around", plan.leaves_out)):
        if named:
            sheet.say(sheet.text(f"{title}: {'; '.join(named)}."))
    if plan.next_on:
        sheet.say(f"Next appointment: {plan.next_on}.")


def _questions(sheet: Sheet, report: Report) -> None:
    sheet.head("Questions to ask")
    if report.months_without_relief:
        sheet.say("Twelve weeks or more without a change of 30 %. What was tried is on the next page.")
    for question in report.questions:
        sheet.say(sheet.text(f"•  {question}"), what="a question")


def _tried(sheet: Sheet, report: Report) -> None:
    sheet.head("What was tried, for how long, and what was seen")
    if not report.tried:
        sheet.say("Nothing was written down.")
        return
    rows = [("What", "From", "To", "Days", "Pain after it began, until the next change")]
    for each in report.tried[:_TRIED_MAX]:
        treatment = each.treatment
        until = str(treatment.ended_on) if treatment.ended_on else "goes on"
        name = sheet.text(treatment.name, 80) + (f" ({sheet.text(treatment.note, 80)})" if treatment.note else "")
        rows.append((name, str(treatment.started_on), until, str(each.days), sheet.text(each.response, 260)))
    sheet.rows(rows, (0.2, 0.11, 0.11, 0.07, 0.51), "treatments")
    older = len(report.tried) - _TRIED_MAX
    if older > 0:
        sheet.say(f"{older} older ones are in the FHIR bundle.", small=True)
    other = [each for each in report.changes if not (each.comparison.measure is PAIN and each.began)]
    known = [each for each in other if each.comparison.seen is not Seen.NOT_ENOUGH]
    for change in known[:_CHANGES_MAX]:
        sheet.say(sheet.text(f"{change.title}. {' '.join((change.sentence, *change.caveats))}"), what="a response")
    if len(other) > len(known):
        sheet.say(f"{len(other) - len(known)} more comparisons have too few entries for a number.", small=True)
    sheet.say(sheet.text(OBSERVED), small=True)


def _exposures(sheet: Sheet, report: Report) -> None:
    sheet.head("Exposures")
    if not report.exposures and not report.findings:
        sheet.say("Not enough data: needs days with a wearable, or trainings entered.")
    if report.exposures:
        rows = [("Median of a day", "Last 4 weeks", "4 weeks before")]
        rows += [(sheet.text(f"{each.name}, {each.unit}"), *_two_spans(each)) for each in report.exposures]
        sheet.rows(rows, (0.5, 0.25, 0.25), "exposures")
    for finding in report.findings:
        until = "goes on" if finding.open else f"until {finding.last}"
        sheet.say(sheet.text(f"{finding.first}, {until}: {finding.statement}", 260), what="a finding")


def _two_spans(line: ExposureLine) -> tuple[str, str]:
    now = f"{line.now:.3g} ({line.days_now} days)" if line.now is not None else f"not enough data: needs {line.needs}"
    before = f"{line.before:.3g} ({line.days_before} days)" if line.before is not None else "not enough data"
    return now, before


def _tests(sheet: Sheet, report: Report) -> None:
    sheet.head("Tests")
    if not report.tests:
        sheet.say("None was done yet.")
        return
    rows = [("Test", "Result", "On", "Against the one before")]
    rows += [
        (sheet.text(t.name), f"{'at least ' if t.at_least else ''}{t.value:.3g} {sheet.text(t.unit)}", str(t.on),
         sheet.text(t.change, 200))
        for t in report.tests[:_TESTS_MAX]
    ]  # fmt: skip
    sheet.rows(rows, (0.26, 0.14, 0.12, 0.48), "tests")


def _program(sheet: Sheet, report: Report) -> None:
    sheet.head("Program and adherence")
    if not report.programs:
        sheet.say("No program in the last 12 weeks.")
    for program in report.programs[:_PROGRAMS_MAX]:
        when, what = f"{program.since} to {program.until}", ", ".join(program.exercises)
        sheet.say(sheet.text(f"{program.title}, {when}, {program.per_week} a week: {what}. {program.adherence}"))
    for change in report.program_changes[:_CHANGES_OF_PROGRAM_MAX]:
        sheet.say(sheet.text(f"{change.on}, {change.what}: {change.because}", 200), what="a change of the program")
    older = len(report.program_changes) - _CHANGES_OF_PROGRAM_MAX
    if older > 0:
        sheet.say(f"{older} older changes of the program are in the FHIR bundle.", small=True)
    if report.trainings:
        minutes = sum(each.duration_min for each in report.trainings)
        sheet.say(f"Trainings entered in the last 12 weeks: {len(report.trainings)}, {minutes} minutes together.")


def _imaging(sheet: Sheet, report: Report) -> None:
    if not report.imaging:
        return
    sheet.head("Imaging, as it was handed in; read by nobody here")
    for each in report.imaging[:_IMAGING_MAX]:
        asked = f", asked by {each.asked_by}" if each.asked_by else ""
        file = f" File: {each.file_name}." if each.file_name else ""
        words = f" In own words: {each.words}" if each.words else ""
        sheet.say(sheet.text(f"{IMAGING_WORDS[each.kind]}, {each.taken_on}{asked}.{file}{words}", 300), what="imaging")


def _rest(sheet: Sheet) -> None:
    if sheet.unprintable:
        sheet.say("Signs that this print lacks stand as ?.", small=True)
    if sheet.left_out:
        sheet.say(sheet.text(f"No room here for: {_listed(sheet.left_out)}. The FHIR bundle has all."), small=True)


def _listed(names: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(names))


def file_name(report: Report, ending: str) -> str:
    """Return the name of a document for the downloads folder: no name of a person in it."""
    return f"for-the-doctor-{report.made_on.isoformat()}.{ending}"

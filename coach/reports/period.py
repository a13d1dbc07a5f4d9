"""A week or a block of one athlete on one A4 page, in the reader's language: the same bytes for the same period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from coach.analysis.assessment_types import AssessmentTest, ChangeVerdict
from coach.dates import long_day, short_day, tenth
from coach.language import gettext as _
from coach.language import ngettext
from coach.reports.period_chart import draw_days
from coach.reports.sheet import Sheet
from coach.service.team_views import Period, TestShown
from programs.notice import NOTICE

# Own choices: what one page holds beside a block of twelve weeks.
_FINDINGS_MAX, _TESTS_MAX, _LAST_WORDS_PT = 8, 8, 24.0
# Own heuristic: fewer worn days are no usual day.
_WORN_LEAST = 3
NONE = "–"


@dataclass(frozen=True, slots=True)
class Words:
    """What findings, grades and tests are called, in the language of now. exercises: the program's, as one text."""

    kind_name: Callable[[str], str]
    grade_word: Callable[[str], str]
    test_name: Callable[[AssessmentTest], str]
    exercises: str


def pdf_of(period: Period, words: Words) -> bytes:
    """Return the period as PDF."""
    title = title_of(period)
    sheet = Sheet(title=title, author="Backstop", foot=_("Backstop. No diagnosis and no treatment."), pages=1)
    sheet.reserve = _LAST_WORDS_PT
    sheet.head(title)
    for line in _summary(period):
        sheet.say(sheet.text(line))
    _program(sheet, period, words.exercises)
    draw_days(sheet, period.days)
    _table(sheet, period)
    _findings(sheet, period, words)
    _tests(sheet, period, words)
    sheet.reserve = 0.0
    _last(sheet)
    return sheet.bytes()


def title_of(period: Period) -> str:
    """Return `Mara: 23 November 2026 to 29 November 2026`."""
    return _("%(name)s: %(first)s to %(last)s", name=period.athlete.name, first=long_day(period.first),
             last=long_day(period.last))  # fmt: skip


def _summary(period: Period) -> list[str]:
    lines = []
    if period.planned:
        lines.append(
            _("Sessions: %(done)s of %(planned)s done, %(skipped)s not done.", done=period.done, planned=period.planned,
              skipped=period.skipped)
        )  # fmt: skip
    else:
        lines.append(_("No session was planned."))
    if period.training_min:
        lines.append(_("Trainings that were entered: %(minutes)s minutes.", minutes=period.training_min))
    bends, worn = period.bends_per_h(), period.worn_days
    if bends is not None and worn >= _WORN_LEAST:
        lines.append(
            ngettext(
                "Bending forward: %(bends)s per worn hour, the median of %(num)s day.",
                "Bending forward: %(bends)s per worn hour, the median of %(num)s days.",
                worn,
                bends=tenth(bends),
            )
        )
    else:
        lines.append(
            _("Bending forward: not enough data: needs %(least)s days with a wearable, there are %(worn)s.",
              least=_WORN_LEAST, worn=worn)
        )  # fmt: skip
    if period.pains:
        lines.append(
            ngettext(
                "Worst pain of a day, 0 to 10: %(middle)s, at most %(most)s, told on %(num)s day.",
                "Worst pain of a day, 0 to 10: %(middle)s, at most %(most)s, told on %(num)s days.",
                len(period.pains),
                middle=tenth(median(period.pains)),
                most=max(period.pains),
            )
        )
    else:
        lines.append(_("Pain: nothing was told."))
    return lines


def _program(sheet: Sheet, period: Period, exercises: str) -> None:
    if period.locked:
        sheet.say(sheet.text(_("The program is held back now; the safety questions or a clinician decide.")))
    if period.program_since is None:
        sheet.say(sheet.text(_("No program runs now.")))
        return
    sheet.say(
        sheet.text(
            _("Program since %(day)s, %(times)s times a week: %(exercises)s.", day=long_day(period.program_since),
              times=period.per_week, exercises=exercises)
        ),
        what=_("the program"),
    )  # fmt: skip


def _table(sheet: Sheet, period: Period) -> None:
    """Write a row for each day of a week, for each week of a block."""
    block = len(period.days) > 7
    first, worn = (_("Week from"), _("Worn days")) if block else (_("Day"), _("Worn"))
    head = (
        first,
        _("Sessions done"),
        _("Training, min"),
        worn,
        _("Bends per worn hour"),
        _("Worst pain"),
        _("Findings"),
    )
    rows = [head]
    for part in period.weeks() if block else period.each_day():
        bends = part.bends_per_h()
        rows.append(
            (
                short_day(part.first),
                f"{part.done} / {part.planned}" if part.planned else NONE,
                str(part.training_min) if part.training_min else NONE,
                (str(part.worn_days) if block else _("yes")) if part.worn_days else NONE,
                tenth(bends) if bends is not None else NONE,
                str(max(part.pains)) if part.pains else NONE,
                str(len(part.findings)) if part.findings else NONE,
            )
        )
    sheet.head(_("Week by week") if block else _("Day by day"))
    cells = [[sheet.text(cell) for cell in row] for row in rows]
    sheet.rows(cells, (0.16, 0.14, 0.14, 0.12, 0.18, 0.13, 0.13), _("rows"))


def _findings(sheet: Sheet, period: Period, words: Words) -> None:
    sheet.head(_("What was found"))
    if not period.findings:
        sheet.say(sheet.text(_("Nothing was found in these days.")))
        return
    rows = [(_("What"), _("How grave"), _("From"), _("To"))]
    rows += [
        (words.kind_name(each.kind), words.grade_word(each.grade), short_day(each.first),
         _("goes on") if each.open else short_day(each.last))
        for each in period.findings[:_FINDINGS_MAX]
    ]  # fmt: skip
    sheet.rows([[sheet.text(cell) for cell in row] for row in rows], (0.4, 0.2, 0.2, 0.2), _("findings"))
    more = len(period.findings) - _FINDINGS_MAX
    if more > 0:
        told = ngettext("%(num)s more is on the athlete's page.", "%(num)s more are on the athlete's page.", more)
        sheet.say(sheet.text(told), small=True)


def _tests(sheet: Sheet, period: Period, words: Words) -> None:
    sheet.head(_("Tests, the newest result of each"))
    if period.tests is None:
        sheet.say(sheet.text(_("Tests are not shared with you.")))
        return
    if not period.tests:
        sheet.say(sheet.text(_("None was done yet.")))
        return
    rows = [(_("Test"), _("Result"), _("On"), _("Against the one before"))]
    rows += [
        (
            words.test_name(each.test),
            f"{'≥ ' if each.at_least else ''}{tenth(each.value)} {each.unit}",
            short_day(each.on),
            _change(each),
        )
        for each in period.tests[:_TESTS_MAX]
    ]
    sheet.rows([[sheet.text(cell) for cell in row] for row in rows], (0.32, 0.16, 0.16, 0.36), _("tests"))


def _change(shown: TestShown) -> str:
    """Return what changed, never without what two such tests differ by themselves."""
    change = shown.change
    if change is None:
        return _("first time")
    if change.difference is None or change.detectable is None or change.verdict is ChangeVerdict.NOT_COMPARABLE:
        return _("cannot be compared")
    by, noise = tenth(abs(change.difference)), tenth(change.detectable)
    if change.verdict is ChangeVerdict.IMPROVED:
        return _("more by %(by)s %(unit)s; noise %(noise)s", by=by, unit=change.unit, noise=noise)
    if change.verdict is ChangeVerdict.WORSE:
        return _("less by %(by)s %(unit)s; noise %(noise)s", by=by, unit=change.unit, noise=noise)
    return _("%(by)s %(unit)s apart: within noise (%(noise)s)", by=by, unit=change.unit, noise=noise)


def _last(sheet: Sheet) -> None:
    sheet.say(sheet.text(_(NOTICE), 1000), small=True)
    if sheet.unprintable:
        sheet.say(sheet.text(_("Signs that this print lacks stand as ?.")), small=True)
    if sheet.left_out:
        named = "; ".join(dict.fromkeys(sheet.left_out))
        sheet.say(sheet.text(_("No room here for: %(named)s.", named=named)), small=True)


def file_name(period: Period) -> str:
    """Return the name of the document for the downloads folder: no name of a person in it."""
    return f"backstop-{period.first.isoformat()}-{period.last.isoformat()}.pdf"

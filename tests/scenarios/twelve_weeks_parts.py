"""What both stories of twelve weeks share: the weeks before, the beginning, tests again, the report read back."""

from __future__ import annotations

import html
import json
import math
import re
from datetime import time, timedelta
from typing import Any

import pypdfium2
import pytest
from fhir.resources.R4B.bundle import Bundle

from coach.service.everyday import STATEMENTS
from programs.types import RestRule
from tests.scenarios.twelve_weeks import BEGIN, NOON, Life

# Days of the story: the program begins after two weeks, tests come every four.
ACCEPTED, SECOND, THIRD, END = 14, 42, 70, 98
# Latimer et al. 1999: what one extensor hold is off by, s; two tests differ by 1.96 sqrt(2) times that by themselves.
EXTENSOR_NOISE_S = 1.96 * math.sqrt(2) * 17.5
BEND_EVERY_S, BENT_MIN = 10.0, 14.0


def day_of(life: Life) -> int:
    return (life.today - BEGIN).days


def words(page: str) -> str:
    """Return what a page says."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def golfs(life: Life) -> None:
    """Play nine holes on Tuesdays and Saturdays, beside which the sessions of a program are a small load."""
    if day_of(life) % 7 in (1, 5):
        life.post("/diary/trainings", what="Golf, nine holes", duration_min=90, effort=4, key=life.key())


def tells(day: int) -> bool:
    """Tell whether the diary is kept on a day: Mondays, and on the mornings after sessions."""
    return day % 7 in (0, 1, 3, 5)


def everyday(life: Life, holds: int) -> None:
    """Say how many of the statements on everyday life hold."""
    life.post(f"/athletes/{life.whom}/everyday", key=life.key(), holds=list(STATEMENTS)[:holds])


def treat(life: Life, kind: str) -> None:
    life.post(f"/athletes/{life.whom}/treatments", key=life.key(), kind=kind)


def two_weeks_of_bending(life: Life, at_rest: int, in_motion: int) -> None:
    """Live the weeks before the program: a sore back, and work that bends it again and again."""
    whom = life.club.athlete_id
    assert "Answer the safety questions" in life.get("/today")
    life.answer_safety()
    assert "Nothing to do now" in life.get("/today")
    for _ in range(ACCEPTED):
        if day_of(life) == 7:
            life.answer_safety()
        if tells(day_of(life)):
            life.check_in(at_rest, in_motion)
        golfs(life)
        if day_of(life) in (10, 12):
            life.work(BENT_MIN, BEND_EVERY_S)
        life.next_day()
    life.tick()
    (finding,) = life.club.services.findings.for_athlete(whom)
    # The first bend begins after 10 s, the last one 10 s before the end.
    bends = round(BENT_MIN * 60 / BEND_EVERY_S) - 1
    assert finding.kind == "repeated_bending"
    assert finding.state == "open"
    assert finding.because["days"] == [(BEGIN + timedelta(days=each)).isoformat() for each in (10, 12)]
    page = words(life.get(f"/findings/{finding.finding_id}"))
    assert f"You bent forward {bends} times in 14 min" in page
    assert "RULA and REBA" in page
    signal = json.loads(life.get(f"/findings/{finding.finding_id}/signal.json?window=0"))
    assert max(each for each in signal["inclination_deg"] if each is not None) == pytest.approx(50.0, abs=3.0)
    assert "Nothing to do now" not in life.get("/today")
    assert not life.ledger.asked


def running_rest(life: Life) -> tuple[RestRule, ...]:
    """Return the rest that the program asks for as items of its own."""
    plan = life.club.services.plans.active(life.whom)
    assert plan is not None
    return plan.prescription.rest


def begins(life: Life, seconds: dict[str, float], ratio: str, pain: tuple[int, int]) -> None:
    """Answer, test, and let the coach say yes to what is proposed."""
    life.answer_safety()
    life.check_in(*pain)
    everyday(life, 12)
    life.at(NOON)
    results = words(life.get(life.battery(seconds)))
    assert ratio in results
    assert "beyond the rule" in results
    assert "the next one, in some weeks, will say" in results
    life.tick()
    assert "waits for your coach" in words(life.get("/today"))
    assert life.planned_today() == []
    desk = words(life.get(f"/athletes/{life.whom}", coach=True))
    assert "Ada bent forward" in desk
    assert ratio in desk
    life.yes("plans")
    treat(life, "exercise")
    week = life.club.services.plans.week(life.whom, life.today)
    assert [each.local_date for each in week] == [life.today + timedelta(days=each) for each in (0, 2, 4)]
    assert all(each.because for each in week)
    shown = words(life.get("/week"))
    for kind in ("micro_break", "lighter_day", "deload_week"):
        (rule,) = (each for each in running_rest(life) if each.kind == kind)
        assert rule.text in shown


def report_of(life: Life) -> tuple[list[str], list[dict[str, Any]]]:
    """Download the report as the athlete does, and read both files back."""
    base = f"/athletes/{life.whom}/for-the-doctor"
    document = pypdfium2.PdfDocument(life.mine.get(f"{base}.pdf").data)
    try:
        pages = [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]
    finally:
        document.close()
    bundle = json.loads(life.mine.get(f"{base}.fhir.json").data)
    Bundle.model_validate(bundle)
    return pages, [each["resource"] for each in bundle["entry"]]


def everyday_of(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return how many statements on everyday life held, in order of time."""
    scores = [each for each in resources if each["resourceType"] == "Observation" and "derivedFrom" in each]
    scores = [each for each in scores if each["code"]["text"].startswith("Everyday life")]
    return sorted(scores, key=lambda each: str(each["effectiveDateTime"]))


def retested(life: Life, holds: dict[str, int], before: dict[str, int]) -> str:
    """Be reminded of the tests on their day, do them, and hold what is said of the change to the truth."""
    assert "Trunk endurance is due again" in words(life.get("/today"))
    mails = len(life.mails.mails)
    life.at(time(9))
    assert [each["Subject"] for each in life.mails.mails[mails:]] == ["Trunk endurance tests today"]
    life.at(NOON)
    results = words(life.get(life.battery(holds)))
    change = holds["extensor"] - before["extensor"]
    if change > EXTENSOR_NOISE_S:
        assert f"Improved by +{change} s, more than the test's own error ({EXTENSOR_NOISE_S:.3g} s)." in results
    else:
        assert f"+{change} s: within test noise; two such tests differ by {EXTENSOR_NOISE_S:.3g} s" in results
    life.tick()
    return results

"""Two weeks of a sore back and twelve of a program, twice: once it helps, and once nothing does.

The truth is the story's own: `twelve_weeks.py` keeps it as the days go by.
"""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path
from statistics import mean

from tests.scenarios.twelve_weeks import BEGIN, Life, a_life, asked_of, total_s
from tests.scenarios.twelve_weeks_parts import (
    ACCEPTED,
    END,
    SECOND,
    THIRD,
    begins,
    day_of,
    everyday,
    everyday_of,
    golfs,
    report_of,
    retested,
    tells,
    treat,
    two_weeks_of_bending,
    words,
)

# The one whom it helped


def helped_pain(day: int) -> tuple[int, int]:
    """Return pain at rest and in motion."""
    for until, at_rest, in_motion in ((28, 2, 3), (35, 2, 2), (49, 1, 2), (THIRD, 1, 1)):
        if day < until:
            return at_rest, in_motion
    return 0, 0


def helped_session(life: Life) -> None:
    """Do the session of a day: the first two hurt a little, one is skipped with a reason and one without a word."""
    day = day_of(life)
    if day == 30:
        life.skip("on a journey")
    elif day == 60:
        life.skip(None)
    else:
        hurts = (3, 2) if day < 18 else (2, 1) if day < 49 else (1, 0) if day < THIRD else (0, 0)
        life.train(*hurts)


# s, by day; the extensor holds, and so their ratio to the flexor, are within the rule at the end.
HOLDS = {
    ACCEPTED: {"extensor": 60, "flexor": 120, "side_bridge_left": 45, "side_bridge_right": 45},
    SECOND: {"extensor": 115, "flexor": 180, "side_bridge_left": 55, "side_bridge_right": 55},
    THIRD: {"extensor": 125, "flexor": 190, "side_bridge_left": 75, "side_bridge_right": 75},
    END: {"extensor": 195, "flexor": 190, "side_bridge_left": 90, "side_bridge_right": 90},
}
HELPED_HOLD = {ACCEPTED: 12, SECOND: 8, THIRD: 4, END: 2}


def holds_offers_to_the_truth(life: Life, offered: list[date]) -> None:
    """Hold what waits for a yes to what two green sessions have earned; the first time the yes takes two days."""
    since = day_of(life) - ACCEPTED
    # Every fourth week is lighter; after it the program is over, and another one waits for its tests and a yes.
    earned = life.ledger.earned() and since // 7 % 4 != 3 and since % 28 != 0
    assert (life.club.services.progress.proposed(life.whom) is not None) is earned, f"day {day_of(life)}"
    if earned:
        offered.append(life.today)
        assert "waits for your coach" in words(life.get("/today"))
        if life.today - offered[0] not in (timedelta(0), timedelta(days=1)):
            life.yes("steps")


def live_helped(life: Life) -> list[date]:
    """Live twelve weeks that help; return the days on which a step was offered."""
    offered: list[date] = []
    while (day := day_of(life)) < END:
        if ACCEPTED < day <= THIRD and day % 7 == 0:
            life.answer_safety()
        if day > ACCEPTED and tells(day):
            life.check_in(*helped_pain(day))
        holds_offers_to_the_truth(life, offered)
        golfs(life)
        if day in (16, 24):
            life.work(66.0, 30.0)
        if day == 17:
            # Two bends a minute are no finding; the day before closed the one of the weeks before.
            (finding,) = life.club.services.findings.for_athlete(life.whom)
            assert (finding.state, finding.because["closed_because"]) == ("closed", "looked for and not found")
        if day in (SECOND, THIRD):
            everyday(life, HELPED_HOLD[day])
            retested(life, HOLDS[day], HOLDS[day - 28])
            life.yes("plans")
        if day == 35:
            # The fourth week is lighter: half of it or a little more.
            planned_s = total_s(asked_of(list(life.todays().exercises), "level_number"))
            assert 0.45 * total_s(life.ledger.asked) <= planned_s <= 0.6 * total_s(life.ledger.asked)
        if life.planned_today():
            helped_session(life)
        life.next_day()
    return offered


def test_it_helps(tmp_path: Path) -> None:
    with a_life(tmp_path) as life:
        two_weeks_of_bending(life, *helped_pain(0))
        begins(life, HOLDS[ACCEPTED], "Flexor 120 s, extensor 60 s: past the rule", helped_pain(ACCEPTED))
        first_s = total_s(life.ledger.asked)
        offered = live_helped(life)
        # Amber, amber, green, green: the first offer comes on the morning after the second green session.
        assert offered[:3] == [BEGIN + timedelta(days=each) for each in (22, 23, 24)]
        assert life.ledger.yes.count("plans") == 3
        assert life.ledger.yes.count("steps") == len(offered) - 2 >= 9
        assert total_s(life.ledger.asked) > 1.1 * first_s
        life.check_in(*helped_pain(END))
        everyday(life, HELPED_HOLD[END])
        results = retested(life, HOLDS[END], HOLDS[THIRD])
        assert "Extensor" not in words(life.get(f"/athletes/{life.whom}", coach=True))
        assert "Flexor 190 s, extensor 195 s: within the rule" in results
        assert life.club.services.plans.proposal(life.whom) is None  # nothing asks for work any more
        holds_what_is_told_of_helped(life)


def holds_what_is_told_of_helped(life: Life) -> None:
    """Hold the treatments' view and the report to the ledger."""
    told = {(day - BEGIN).days: pain for day, pain in life.ledger.worst.items()}
    before, after = ([pain for day, pain in told.items() if (day >= ACCEPTED) is late] for late in (False, True))
    fell = mean(before) - mean(after)
    assert fell >= 0.3 * mean(before)
    page = words(life.get(f"/athletes/{life.whom}/treatments"))
    began = BEGIN + timedelta(days=ACCEPTED)
    assert f"After exercise began, {began.day} {began:%B %Y}" in page
    said = f"Pain: {fell:.1f} points lower than before"
    assert said in page
    assert f"{len(after)} days with an entry since, {len(before)} before" in page
    assert "This is what was seen in one person" in page
    assert "Time to show a doctor" not in page
    assert HELPED_HOLD[END] <= 0.7 * HELPED_HOLD[ACCEPTED]
    (_, second), resources = report_of(life)
    holds = [each["valueQuantity"]["value"] for each in everyday_of(resources)]
    assert holds == list(HELPED_HOLD.values())
    for number, begin in enumerate((ACCEPTED, SECOND, THIRD)):
        first_on = BEGIN + timedelta(days=begin)
        span = range(begin, begin + 28)
        done = sum((each.on - BEGIN).days in span for each in life.ledger.done)
        skipped = sum((each - BEGIN).days in span for each in life.ledger.skipped)
        assert done + skipped == 12
        adherence = f"Of 12 sessions that were due: {done} done, {skipped} not done, 0 without an answer."
        assert adherence in second[second.index(f"{first_on} to {first_on + timedelta(days=27)}") :], number
    assert [each["status"] for each in resources if each["resourceType"] == "CarePlan"] == ["completed"] * 3


# The one whom nothing helped


# s, by day: less apart than two tests are by themselves.
SAME_HOLDS = {
    day: {"extensor": extensor, "flexor": 120, "side_bridge_left": 45, "side_bridge_right": 45}
    for day, extensor in ((ACCEPTED, 60), (SECOND, 66), (THIRD, 71), (END, 76))
}
# By day; it goes on.
TRIED = {21: "heat", 35: "physiotherapy", 56: "rest"}
STAYS = (3, 3)  # pain at rest and in motion


def unhelped_session(life: Life) -> None:
    """Do the session of a day; it always hurts a little, and on day 51 much."""
    life.train(*((7, 5) if day_of(life) == 51 else (4, 3)))


def unhelped_morning(life: Life) -> None:
    """Tell how the back is: as ever, but for two mornings after sessions and a night that was short."""
    day = day_of(life)
    if day in (26, 29):
        life.check_in(5, 5)
    elif day == 18:
        life.check_in(*STAYS, sleep_h=5)
    elif tells(day):
        life.check_in(*STAYS)


def offers(life: Life) -> list[str]:
    """Return why Today says that the report should go to a doctor now."""
    page = words(life.get("/today"))
    said = [each for each in OFFERS if each in page]
    assert ("Take the report to a doctor" in page) is bool(said)
    return said


UNCHANGED, LATE, LOCKED = OFFERS = (
    "Pain has not changed by 30 % in six weeks.",
    "Twelve weeks have passed and there is still pain.",
    "The safety questions ask for a medical review.",
)


def much_pain_locks(life: Life) -> None:
    """Live two days after much pain at a session: nothing is released until the questions are answered."""
    assert day_of(life) == 51
    released = len(life.ledger.released)
    for _ in range(2):
        life.next_day()
        assert "Answer the safety questions" in life.get("/today")
    held = life.todays()
    life.at(held.due_at)  # `Life.tick` holds that nothing comes
    life.next_day()
    assert len(life.ledger.released) == released
    life.answer_safety()
    life.ledger.paused = False
    life.tick()
    assert life.club.services.plans.session(life.club.athlete, held.session_id).state == "cancelled"


def a_red_flag(life: Life) -> None:
    """Answer on day 63 that weight is lost without a reason: walking stands in until a clinician's clearance."""
    life.answer_safety(CAN="yes")
    life.ledger.fallback = True
    assert "Walking and rest until a doctor has looked" in words(life.get("/today"))
    assert offers(life) == [UNCHANGED, LOCKED]
    session = life.todays()
    assert {each["exercise_id"] for each in session.exercises} == {"easy_walk", "legs_on_chair"}
    desk = words(life.get(f"/athletes/{life.whom}", coach=True))
    assert "weight" not in desk


def is_cleared(life: Life) -> None:
    """Answer anew, and let the coach note the clinician's clearance."""
    life.answer_safety()
    assert LOCKED in offers(life)
    seen = {"clinician": "Dr. Sand", "seen_on": life.today.isoformat()}
    life.post(f"/athletes/{life.whom}/safety/clear", coach=True, **seen)
    life.ledger.fallback = False
    assert LOCKED not in offers(life)


def live_unhelped(life: Life) -> list[float]:
    """Live twelve weeks that change nothing; return what the program asked for, s, at each morning."""
    asked_s: list[float] = []
    while (day := day_of(life)) < END:
        if day > ACCEPTED and day % 7 == 0 and day != 63:
            life.answer_safety()
        if day > ACCEPTED:
            unhelped_morning(life)
        golfs(life)
        if day in TRIED:
            treat(life, TRIED[day])
        if day == 29:
            assert "It was the second time within a week" in words(life.get("/today"))
        # Six weeks and twelve after the pain was first told, and not the day before.
        if day in (41, 42, 83, 84):
            assert offers(life) == {41: [], 42: [UNCHANGED], 83: [UNCHANGED], 84: [LATE]}[day]
        if day == 63:
            a_red_flag(life)
        if day == 66:
            is_cleared(life)
        if day in (SECOND, THIRD):
            retested(life, SAME_HOLDS[day], SAME_HOLDS[day - 28])
            life.yes("plans")
        if life.planned_today():
            unhelped_session(life)
        assert life.club.services.progress.proposed(life.whom) is None
        asked_s.append(total_s(life.ledger.asked))
        if day == 51:
            much_pain_locks(life)
        else:
            life.next_day()
    return asked_s


def test_nothing_helps(tmp_path: Path) -> None:
    with a_life(tmp_path) as life:
        two_weeks_of_bending(life, *STAYS)
        begins(life, SAME_HOLDS[ACCEPTED], "Flexor 120 s, extensor 60 s: past the rule", STAYS)
        asked_s = live_unhelped(life)
        # It went down after the red sessions, and never up: not by itself, and not by another program either.
        assert asked_s[12] < 0.5 * asked_s[0]
        assert asked_s == sorted(asked_s, reverse=True)
        assert life.ledger.yes == ["plans"] * 3
        life.answer_safety()
        life.check_in(*STAYS)
        everyday(life, 12)
        retested(life, SAME_HOLDS[END], SAME_HOLDS[THIRD])
        assert offers(life) == [LATE]
        page = words(life.get(f"/athletes/{life.whom}/treatments"))
        assert "Time to show a doctor" in page
        assert LATE in page
        assert "Pain: no difference can be told" in page
        holds_the_report_to_the_ledger(life)


def holds_the_report_to_the_ledger(life: Life) -> None:
    """Hold what a doctor is told to what was told, tried and done."""
    pages, resources = report_of(life)
    first, second = pages
    assert LATE in first
    assert f"Pain since {BEGIN} (14 weeks)" in first
    assert "first week 3, last week 3" in first
    for question in ("Is the diagnosis right?", "Would imaging, or looking at it again, change the plan?"):
        assert question in first
    for what, began in (("exercise", ACCEPTED), *((each, day) for day, each in TRIED.items())):
        name = "warmth" if what == "heat" else what
        assert re.search(
            rf"{name} {BEGIN + timedelta(days=began)} goes on {END - began + 1} Pain: no difference", second
        )
    asked = "Which further options exist, surgery among them, and what is known of each?"
    assert asked in first
    assert not re.search("surg|operat", " ".join(pages).replace(asked, ""), re.IGNORECASE)
    for begin in (ACCEPTED, SECOND, THIRD):
        first_on = BEGIN + timedelta(days=begin)
        done = sum((each.on - BEGIN).days in range(begin, begin + 28) for each in life.ledger.done)
        adherence = f"Of {done} sessions that were due: {done} done, 0 not done, 0 without an answer."
        assert adherence in second[second.index(f"{first_on} to {first_on + timedelta(days=27)}") :]
    assert len(life.ledger.done) == len(life.ledger.released) == 35  # one of 36 fell into the lock
    pains = {
        each["effectiveDateTime"]: each["valueQuantity"]["value"]
        for each in resources
        if each["resourceType"] == "Observation" and "72514-3" in json.dumps(each["code"])
    }
    assert pains == {day.isoformat(): pain for day, pain in life.ledger.worst.items()}
    tried = {each["code"]["text"] for each in resources if each["resourceType"] == "Procedure"}
    assert tried == {"exercise", "warmth", "physiotherapy", "rest"}
    assert [each["valueQuantity"]["value"] for each in everyday_of(resources)] == [12, 12]

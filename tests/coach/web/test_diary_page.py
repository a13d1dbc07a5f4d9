"""The diary's pages: two taps, the rest may stay open, what is wrong is said, a coach has no way in."""

from __future__ import annotations

import re
from datetime import date

import pytest

from programs.types import Answer


@pytest.fixture
def ada(world):
    world.app.config["WTF_CSRF_ENABLED"] = False
    return world.client(world.ada)


def tap(ada, pain: int, key: str = "k1"):
    answer = ada.post("/diary/checkins", data={"pain_at_rest": str(pain), "key": key})
    assert answer.status_code == 303
    return answer.headers["Location"]


def test_today_asks_and_two_taps_are_enough(world, ada) -> None:
    page = ada.get("/today").text
    assert page.count('type="submit" name="pain_at_rest"') == 11
    assert "Today you told" not in page
    key = re.search(r'name="key" value="(\w+)"', page)
    assert key is not None
    where = tap(ada, 3, key[1])
    assert "At rest: 3 of 10" in ada.get(where).text
    assert tap(ada, 3, key[1]) == where
    assert ada.post(where, data={"pain_in_motion": "5"}).status_code == 303
    assert "Today you told 3 at rest, 5 moving" in ada.get("/today").text
    shown = ada.get("/diary").text
    assert "3 at rest, 5 moving" in shown
    assert shown.count("3 at rest") == 1


def test_everything_that_is_told_comes_back(ada) -> None:
    where = tap(ada, 2)
    told = {
        "pain_in_motion": "4", "soreness": "1", "readiness": "8", "sleep_h": "7,5", "note": "After <b>digging</b>",
        "sites": ["lower_back", "leg_left"], "symptoms": ["stiff", "eased_lying"],
    }  # fmt: skip
    assert ada.post(where, data=told).status_code == 303
    page = ada.get(where).text
    assert page.count("checked") == 2 + 4
    assert 'value="7.5"' in page
    assert "After &lt;b&gt;digging&lt;/b&gt;" in page


def test_strong_pain_leads_to_the_safety_questions(ada) -> None:
    assert "safety questions first" in ada.get(tap(ada, 6)).text
    assert "Answer the safety questions" in ada.get("/today").text


def test_pain_without_a_session_makes_an_easy_day(world) -> None:
    """Before: with pain of 5 Today said to go on with the day."""
    world.app.config["WTF_CSRF_ENABLED"] = False
    bo = world.client(world.bo)
    no = {each.id: Answer.NO for each in world.services.triage.questions()}
    world.services.triage.answer(world.bo.identity, world.bo.athlete_id, no, 30)
    tap(bo, 3)
    assert "Nothing to do now" in bo.get("/today").text
    tap(bo, 5, "k2")
    for path in ("/today", "/today/next"):
        page = bo.get(path).text
        assert "Take it easy today" in page
        assert "You told of pain of 5 out of 10." in page
        assert "Nothing to do now" not in page


def test_a_training_is_kept_and_can_go_again(world, ada) -> None:
    done = {"what": "Digging", "duration_min": "90", "effort": "6", "key": "t1"}
    assert ada.post("/diary/trainings", data=done).status_code == 303
    page = ada.get("/diary").text
    assert "Digging" in page
    assert "90 min, effort 6" in page
    assert 'name="pitches"' not in page
    gone = re.search(r"/diary/trainings/\w+/drop", page)
    assert gone is not None
    assert ada.post(gone[0]).status_code == 303
    assert "Digging" not in ada.get("/diary").text


def test_pitches_are_asked_where_the_profile_has_caps(world, ada) -> None:
    world.services.athletes.set_profile(world.kim.identity, world.ada.athlete_id, "baseball")
    world.services.athletes.set_born_on(world.kim.identity, world.ada.athlete_id, date(2012, 1, 1))
    assert 'name="pitches"' in ada.get("/diary").text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"duration_min": "long"}, "is a whole number, not"),
        ({"duration_min": ""}, "needs its minutes"),
        ({"effort": "11"}, "effort of 11"),
        ({"what": ""}, "what you did"),
        ({"on": "soon"}, "write it as"),
        ({"on": "2031-01-01"}, "is not between"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_written_stays(ada, change: dict[str, str], says: str) -> None:
    answer = ada.post(
        "/diary/trainings", data={"what": "Run", "duration_min": "30", "effort": "4", "key": "t"} | change
    )
    assert answer.status_code == 422
    assert says in answer.text.replace("&#39;", "'")
    assert ("Run" in answer.text) is ("what" not in change)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"pain_in_motion": "12"}, "pain in motion of 12"),
        ({"sleep_h": "much"}, "number of hours"),
        ({"sites": "x"}, "no place"),
    ],
)
def test_wrong_check_ins_are_said(ada, told: dict[str, str], says: str) -> None:
    answer = ada.post(tap(ada, 1), data=told)
    assert answer.status_code == 422
    assert says in answer.text


def test_the_diary_is_the_athletes_own(world, ada) -> None:
    where = tap(ada, 4)
    for person in (world.kim, world.bo):
        assert world.client(person).get(where).status_code in {403, 404}
    assert ada.post(f"{where}/drop").status_code == 303
    assert ada.get(where).status_code == 404


def test_each_place_on_the_picture_has_its_own_number(ada) -> None:
    where = tap(ada, 2)
    page = ada.get(where).text
    assert page.count('class="spot spot-on-') == 7
    told = {"sites": ["lower_back", "hip_left"], "pain_at_lower_back": "5", "pain_at_neck": "9"}
    assert ada.post(where, data=told).status_code == 303  # the neck was not tapped, so its number says nothing
    assert "2 at rest, 5 moving\N{NO-BREAK SPACE}· lower back 5" in ada.get("/diary").text
    more = told | {"pain_at_hip_left": "7", "pain_in_motion": "6"}
    answer = ada.post(where, data=more)
    assert answer.status_code == 422
    assert "more than at rest and when you move" in answer.text


def test_keeping_more_keeps_the_second_tap(ada) -> None:
    where = tap(ada, 2)
    assert ada.post(where, data={"pain_in_motion": "4"}).status_code == 303
    assert ada.post(where, data={"soreness": "3"}).status_code == 303
    assert "2 at rest, 4 moving\N{NO-BREAK SPACE}· sore 3" in ada.get("/diary").text


def test_the_morning_after_is_asked_for_once(world, ada) -> None:
    asked = "how your back took yesterday"
    world.clock.forward(hours=16)  # seven in the morning in Berlin
    assert asked not in ada.get("/today").text  # nothing was done
    done = {"what": "Digging", "duration_min": "90", "effort": "6", "key": "t1", "on": "2026-11-24"}
    assert ada.post("/diary/trainings", data=done).status_code == 303
    assert asked in ada.get("/today").text
    tap(ada, 2)
    assert asked not in ada.get("/today").text
    world.clock.forward(days=1)
    assert asked not in ada.get("/today").text  # nothing was done on that day

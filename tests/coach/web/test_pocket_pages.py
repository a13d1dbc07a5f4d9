"""What a phone keeps and sends: a key is taken once, a copy tells nothing shown once, a lock empties the list."""

from __future__ import annotations

from uuid import uuid4

import pytest

from coach.service.types import SessionState
from tests.coach.web.conftest import World


@pytest.fixture(autouse=True)
def without_tokens(world: World) -> None:
    """That a form needs its token is held elsewhere."""
    world.app.config["WTF_CSRF_ENABLED"] = False


def kept(key: str, told_at: str = "2026-11-24T13:00:00Z") -> dict[str, str]:
    return {"X-Backstop-Answer": key, "X-Backstop-Told-At": told_at, "Accept": "application/json"}


def sessions(world: World) -> list[str]:
    first = world.clock.now.date()
    return [each.session_id for each in world.services.plans.week(world.ada.athlete_id, first)]


def told(world: World) -> list[tuple[int | None, int | None]]:
    day = world.clock.now.date()
    found, _ = world.services.diary.between(world.ada.identity, world.ada.athlete_id, day, day.replace(day=day.day + 1))
    return [(each.told.pain_at_rest, each.told.pain_in_motion) for each in found]


def test_an_answer_comes_twice_and_is_taken_once(accepted: World) -> None:
    ada, key = accepted.client(accepted.ada), str(uuid4())
    (session_id, *_) = sessions(accepted)
    answers = [
        ada.post(f"/sessions/{session_id}/outcome", data={"outcome": "skipped"}, headers=kept(key)) for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json == {"onward": "/today", "before": False}
    assert answers[1].json == {"onward": "/today", "before": True}
    session = accepted.services.plans.session(accepted.ada.identity, session_id)
    assert session.state is SessionState.SKIPPED
    # Another key is another answer, which the session has had.
    third = ada.post(f"/sessions/{session_id}/outcome", data={"outcome": "skipped"}, headers=kept(str(uuid4())))
    assert third.status_code == 409
    assert "already" in third.json["error"]["what"]
    # What is told once is told on the page that comes next, once.
    assert ada.get("/today").text.count("Recorded: not today.") == 1
    assert "Recorded: not today." not in ada.get("/today").text


def test_a_key_is_of_one_answer_and_of_one_person(accepted: World) -> None:
    key, ada, bo = str(uuid4()), accepted.client(accepted.ada), accepted.client(accepted.bo)
    form = {"pain_at_rest": "2", "key": uuid4().hex}
    assert ada.post("/diary/checkins", data=form, headers=kept(key)).status_code == 200
    assert ada.post("/spasm", data={"key": uuid4().hex}, headers=kept(key)).status_code == 422
    assert bo.post("/diary/checkins", data=form, headers=kept(key)).json["before"] is False
    assert ada.post("/diary/checkins", data=form, headers=kept("short")).status_code == 422
    assert told(accepted) == [(2, None)]


def test_the_second_tap_adds_to_the_first_whichever_comes_again(accepted: World) -> None:
    ada, key = accepted.client(accepted.ada), uuid4().hex
    first, second = {"pain_at_rest": "2", "key": key}, {"pain_at_rest": "2", "pain_in_motion": "4", "key": key}
    for form in (first, second, second, first):
        assert ada.post("/diary/checkins", data=form).status_code == 303
    assert told(accepted) == [(2, 4)]


@pytest.mark.parametrize(
    ("pain", "told_at", "at_hour"),
    [
        ("2", "2026-11-24T06:30:00Z", 6),
        ("2", "2027-01-01T00:00:00Z", 14),
        ("2", "soon", 14),
        ("7", "2026-11-24T06:30:00Z", 14),
    ],
)
def test_it_is_dated_by_when_it_was_told_but_strong_pain_by_when_it_comes(
    accepted: World, pain: str, told_at: str, at_hour: int
) -> None:
    ada = accepted.client(accepted.ada)
    accepted.clock.forward(minutes=1)
    form = {"pain_at_rest": pain, "key": uuid4().hex}
    assert ada.post("/diary/checkins", data=form, headers=kept(str(uuid4()), told_at)).status_code == 200
    day = accepted.clock.now.date()
    (found,), _ = accepted.services.diary.between(
        accepted.ada.identity, accepted.ada.athlete_id, day, day.replace(day=day.day + 1)
    )
    assert found.at.hour == at_hour
    assert accepted.services.triage.view_for(accepted.ada.identity, accepted.ada.athlete_id).must_ask is (pain == "7")


def test_a_copy_tells_nothing_that_is_shown_once(accepted: World) -> None:
    ada = accepted.client(accepted.ada)
    (session_id, *_) = sessions(accepted)
    ada.post(f"/sessions/{session_id}/outcome", data={"outcome": "skipped"})
    assert "Recorded: not today." not in ada.get("/today", headers={"X-Backstop-Copy": "1"}).text
    assert "Recorded: not today." in ada.get("/today").text


def test_what_is_trained_from_is_listed_until_a_lock_empties_it(accepted: World) -> None:
    ada = accepted.client(accepted.ada)
    before = ada.get("/offline.json").json
    assert before["who"] == accepted.ada.identity.user_id
    assert before["locked"] is False
    assert before["trains"]
    assert set(before["trains"]) < set(before["pages"])
    assert 0 < before["good_until_utc_s"] - before["made_at_utc_s"] <= 48 * 3600
    for path in before["pages"]:
        assert ada.get(path, headers={"X-Backstop-Copy": "1"}).status_code == 200, path
    accepted.clock.forward(minutes=1)
    assert ada.post("/diary/checkins", data={"pain_at_rest": "8", "key": uuid4().hex}).status_code == 303
    after = ada.get("/offline.json").json
    assert (after["locked"], after["trains"]) == (True, [])
    assert not [path for path in after["pages"] if path.startswith("/sessions/")]


def test_the_manifest_names_pictures_that_are_there(world: World) -> None:
    anybody = world.client()
    told = anybody.get("/manifest.webmanifest")
    assert told.content_type == "application/manifest+json"
    sizes = {each["sizes"] for each in told.get_json(force=True)["icons"]}
    assert {"192x192", "512x512"} <= sizes
    for icon in told.get_json(force=True)["icons"]:
        picture = anybody.get(icon["src"])
        assert (picture.status_code, picture.content_type.partition(";")[0]) == (200, icon["type"])
    for path in ("/offline", "/offline/held", "/offline/spasm"):
        assert anybody.get(path).status_code == 200


def test_a_day_that_may_not_be_is_refused_beside_the_week(accepted: World) -> None:
    ada = accepted.client(accepted.ada)
    first, second, *_ = accepted.services.plans.week(accepted.ada.athlete_id, accepted.clock.now.date())
    to = {"to": second.local_date.isoformat()}
    page = ada.post(f"/sessions/{first.session_id}/move", data={"to": "2027-03-01"}, headers={"HX-Request": "true"})
    assert page.status_code == 200
    assert "stays in its week" in page.text
    assert 'id="my-week"' in page.text
    assert ada.post(f"/sessions/{first.session_id}/move", data={"to": "2027-03-01"}).status_code == 409
    assert ada.post(f"/sessions/{first.session_id}/move", data={}).status_code == 422
    assert accepted.client(accepted.bo).post(f"/sessions/{first.session_id}/move", data=to).status_code == 404
    choices = accepted.services.moving.choices(accepted.ada.identity, accepted.ada.athlete_id, [first.session_id])
    may = next(each.day for each in choices[first.session_id] if each.due_at is not None)
    assert ada.post(f"/sessions/{first.session_id}/move", data={"to": may.isoformat()}).status_code == 303
    assert "Moved: " in ada.get("/week").text

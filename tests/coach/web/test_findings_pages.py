"""Findings, days, versions and profiles as pages: what is said of every kind and outcome, and where it leads."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from coach.analysis.detectors.judge import DETECTORS
from coach.analysis.detectors.seen import LEAST
from coach.analysis.detectors.types import Kind
from coach.config import Config
from coach.service.profiles import Profiles
from coach.web import kind_words, limit_words
from programs.notice import NOTICE
from tests.coach.every_answer import EVERYTHING, FIRST
from tests.coach.web.test_pages import text_of
from tests.coach.web.told import finding_of, store_of

# What no page says of a person. "Not a diagnosis" is said, and the page of safety questions is called Safety.
FORBIDDEN = re.compile(
    r"\b(injur\w*|risks?|risky|abnormal\w*|unsafe|safe|danger\w*|bad|wrong posture|medical\w*|patholog\w*|heals?|"
    r"corrects?|damag\w*|diagnos(?!is\b)\w*|faulty|weak)\b",
    re.IGNORECASE,
)
DIAGNOSIS = re.compile(r"(?<!not a )\bdiagnosis\b", re.IGNORECASE)


def pages_of(world) -> list[str]:
    """Return the addresses of all pages about Ada's findings and days."""
    athlete = f"/athletes/{world.ada.athlete_id}"
    days = [f"{athlete}/days/{FIRST + timedelta(days=each)}" for each in range(74)]
    found = world.services.findings.for_athlete(world.ada.athlete_id, limit=500)
    findings = [f"/findings/{each.finding_id}" for each in found]
    return [*days, *findings, f"{athlete}/versions", f"{athlete}/profile"]


@pytest.mark.parametrize("reader", ["kim", "ada"])
def test_no_page_says_what_a_finding_cannot_whatever_the_kind_and_outcome(world, told, reader: str) -> None:
    assert {(each.kind, each.outcome) for each in told} == EVERYTHING
    client, said = world.client(getattr(world, reader)), []
    home = f"/athletes/{world.ada.athlete_id}" if reader == "kim" else "/today"
    for path in (*pages_of(world), home):
        answer = client.get(path)
        assert answer.status_code == 200, path
        # The fixed notice says what Backstop does not do, with these very words.
        page = text_of(answer.text).replace(NOTICE, "")
        for pattern in (FORBIDDEN, DIAGNOSIS):
            assert not pattern.search(page), (path, page[max(0, pattern.search(page).start() - 60) :][:120])
        assert " you " not in f" {page} " or reader == "ada", (path, page[page.index(" you ") - 60 :][:120])
        said.append(page)
    whole = " ".join(said)
    for kind in Kind:
        assert kind_words.kind_name(kind) in whole
    for heading in ("Found", "Still learning", "Not enough data", "Looked for, and not there"):
        assert heading in whole


def test_no_profile_says_it_either(world, csrf_of) -> None:
    client = world.client(world.ada)
    for profile in world.services.profiles.all():
        world.services.athletes.set_profile(world.ada.identity, world.ada.athlete_id, profile.id)
        page = text_of(client.get(f"/athletes/{world.ada.athlete_id}/profile").text).replace(NOTICE, "")
        assert not FORBIDDEN.search(page), page[FORBIDDEN.search(page).start() - 60 :][:120]
        for sentence in (*profile.sensors, *profile.cannot_see):
            assert sentence in page
        for kind, limits in profile.detectors.items():
            assert kind_words.kind_name(kind) in page
            for name, each in limits.items():
                assert limit_words.limit_name(name) in page
                assert each.source.removeprefix("own heuristic: ")[1:] in page


def test_every_name_that_a_detector_uses_has_words(told) -> None:
    units: set[str] = set()
    for detector in DETECTORS.values():
        assert set(detector.thresholds) <= set(limit_words.LIMITS)
    assert set(LEAST) <= set(limit_words.LIMITS)
    for answer in told:
        assert {flag.name for flag in answer.flags} <= set(kind_words.FLAGS)
        assert set(answer.values) - {"counts", "signs"} <= set(kind_words.VALUES), answer.kind
        units |= {each.unit for each in (*answer.thresholds.values(), *(flag.threshold for flag in answer.flags))}
        units |= {answer.baseline.unit} if answer.baseline is not None else set()
    assert len(units) > 10
    for unit in units | {unit for _, unit in kind_words.VALUES.values()}:
        assert re.search(r"\b0\.4\b|\b40\b", limit_words.how_much(0.4, unit)), unit
    assert {kind.value for kind in Kind} == set(kind_words.KINDS)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (4.0, "per min", "4 a minute"),
        (0.05, "share", "5 %"),
        (0.0813, "of worn time", "8.1 % of the time worn"),
        (0.996, "share", "100 %"),
        (60.0, "deg", "60°"),
        (1.0, "days", "1 day"),
        (3.0, "days", "3 days"),
        (1.316, "dose", "1.32 times the longest hold"),
        (0.0004, "share", "0.04 %"),
        (4.494, "z", "robust z 4.5"),
        (1e-9, "p", "p <0.001"),
        (None, "deg", "not known"),
        ("left", "", "left"),
    ],
)
def test_amounts_carry_their_units(value: Any, unit: str, said: str) -> None:
    assert limit_words.how_much(value, unit).replace("\N{NO-BREAK SPACE}", " ") == said


def test_a_finding_shows_each_flag_with_value_limit_source_and_whose_limit_it_is(world, told) -> None:
    found = finding_of(world, Kind.REPEATED_BENDING, "heavy_lifting")
    page = text_of(world.client(world.ada).get(f"/findings/{found.finding_id}").text)
    for part in (
        "You bent forward 378 times in 54 min in 2 stretches, 7.0 times a minute.",
        "Two independent flags: how often, against your own days.",
        "How often: 7.2 a minute , a flag above 4 a minute",
        "RULA and REBA",
        # 378 bends in 3 h are 126 an hour; median and MAD by hand: 60 on every third day, else 40 to 44.
        "You usually: 43 bends per hour worn, spread 2, over 28 days. That day: 126.",
        "100 % of the time that it rests on, chest",
        "Fewer than 4 a minute, or a pause every 10 minutes, would change this.",
        "It does not see what the hands hold",
        "Backstop's own heuristic",
        "Heavy lifting, version 1",
        found.edition,
    ):
        assert part in page, part
    # Both windows, by the clock of Berlin.
    assert "09:00 to 09:30" in page
    assert "09:36 to 10:00" in page


def test_a_limit_of_our_own_is_labelled_where_it_is_shown_and_one_from_a_paper_is_not(world, told) -> None:
    client = world.client(world.ada)
    checked = set()
    for found in world.services.findings.for_athlete(world.ada.athlete_id, limit=500):
        if not found.flags:
            continue
        raw = client.get(f"/findings/{found.finding_id}").text
        flags = raw[raw.index('class="list flags"') : raw.index("</ul>", raw.index('class="list flags"'))]
        items = flags.split("<li")[1:]
        assert len(items) == len(found.flags)
        for item, flag in zip(items, found.flags, strict=True):
            assert ("Backstop's own heuristic" in text_of(item)) is flag["threshold"]["heuristic"], flag
            checked.add(flag["threshold"]["heuristic"])
    assert checked == {True, False}


def test_a_coach_reads_the_same_of_the_athlete_by_name(world, told) -> None:
    found = finding_of(world, Kind.REPEATED_BENDING, "heavy_lifting")
    page = text_of(world.client(world.kim).get(f"/findings/{found.finding_id}").text)
    assert "Ada bent forward 378 times" in page
    assert "Ada usually: 43 bends per hour worn" in page
    deep = finding_of(world, Kind.DEEP_FLEXION, "heavy_lifting")
    assert "Ada was bent by 60 degrees" in text_of(world.client(world.kim).get(f"/findings/{deep.finding_id}").text)


def test_each_window_opens_its_own_signal(world) -> None:
    world.clock.forward(minutes=20)
    assert world.services.motion.close_stale(world.clock.now) == 1
    client = world.client(world.ada)
    path = f"/findings/{world.finding_id}"
    (window,) = world.services.findings.get(world.ada.identity, world.finding_id).windows
    signal = client.get(f"{path}/signal.json?window=0").get_json()
    assert signal == client.get(f"{path}/signal.json").get_json()  # there is one, so it is the whole
    assert max(value for value in signal["inclination_deg"] if value is not None) > 45
    # Six bends a minute: what was counted is marked one by one, each when the trunk was bent farthest (50 degrees).
    marks = signal["marks_utc_s"]
    assert abs(len(marks) - 71) <= 2
    assert all(abs(b - a - 10.0) < 0.5 for a, b in pairwise(marks))
    angle_at = dict(zip(signal["t_utc_s"], signal["inclination_deg"], strict=True))
    assert all(angle_at[min(angle_at, key=lambda t, mark=mark: abs(t - mark))] > 45 for mark in marks)
    assert f"{path}/signal.json?window=0" in client.get(f"{path}/window").text
    for wrong in ("1", "-1", "x", "0.0", "9999", "²"):
        for part in ("", "/window", "/signal.json"):
            # What is no number of a window at all is told to programs as such.
            status = 422 if part == "/signal.json" and wrong != "1" else 404
            assert client.get(f"{path}{part}?window={wrong}").status_code == status, (part, wrong)
    assert window["stream_id"]


def test_a_finding_of_whole_days_leads_to_them_instead_of_a_signal(world, told) -> None:
    found = finding_of(world, Kind.HEAVY_BACK_DAYS, "heavy_lifting")
    client = world.client(world.ada)
    newest = date.fromisoformat(found.because["days"][-1])
    for path in ("", "/window"):
        raw = client.get(f"/findings/{found.finding_id}{path}").text
        assert "no stretch of signal to jump to" in raw
        assert all(f"/days/{newest - timedelta(days=back)}" in raw for back in range(3))
    assert client.get(f"/findings/{found.finding_id}/signal.json?window=0").get_json()["t_utc_s"] == []


def test_the_list_has_open_findings_first_with_grade_and_days_and_folds_closed_ones(world, told) -> None:
    for reader, where in ((world.ada, "/today/findings"), (world.kim, f"/athletes/{world.ada.athlete_id}/findings")):
        raw = world.client(reader).get(where).text
        found = world.services.findings.for_athlete(world.ada.athlete_id, limit=40)
        still = [each for each in found if each.state == "open"]
        closed = [each for each in found if each.state == "closed"]
        assert still
        assert closed
        folded = raw.index('<details class="card">')
        for each in still:
            assert raw.index(f"/findings/{each.finding_id}") < folded
        for each in closed:
            assert raw.index(f'href="/findings/{each.finding_id}"') > folded
        page = text_of(raw)
        assert f"{len(closed)} closed findings" in page
        assert "Repeated bending, open since today, found on 1 day" in page
        assert f"/days/{still[0].because['days'][-1]}" in raw


def test_the_roster_tells_the_open_finding_by_its_kind_and_a_closed_one_as_closed(world) -> None:
    said = "Ada bent forward 71 times in 12 min, 5.9 times a minute."
    assert f"Repeated bending: {said}" in text_of(world.client(world.kim).get("/athletes").text)
    with store_of(world).begin() as tx:
        tx.exec_driver_sql("UPDATE finding SET state = 'closed', closed_at = ended_at")
    assert f"Repeated bending, closed: {said}" in text_of(world.client(world.kim).get("/athletes").text)


def test_programs_get_findings_one_finding_and_the_answers_of_a_day(world) -> None:
    client = world.client(world.ada)
    export = client.get(f"/athletes/{world.ada.athlete_id}/findings.json").get_json()
    (listed,) = export["findings"]
    one = client.get(f"/findings/{world.finding_id}/finding.json").get_json()
    stored = world.services.findings.get(world.ada.identity, world.finding_id)
    assert one == {"notice": export["notice"], **listed}
    assert one["because"] == stored.because
    assert (one["kind"], one["grade"], one["superseded"]) == ("repeated_bending", stored.grade, False)
    assert one["opened_at"] == stored.opened_at.isoformat()
    day = client.get(f"/athletes/{world.ada.athlete_id}/days/2026-11-24/answers.json").get_json()
    assert (day["local_date"], day["time_zone"]) == ("2026-11-24", "Europe/Berlin")
    outcomes = {each["kind"]: (each["outcome"], each["needs"], each["local_date"]) for each in day["answers"]}
    assert outcomes["repeated_bending"] == ("found", None, "2026-11-24")
    assert outcomes["load_above_habit"][0] == "not_enough"
    empty = client.get(f"/athletes/{world.ada.athlete_id}/days/2026-11-20/answers.json").get_json()
    assert empty["answers"] == []


def test_profile_and_date_of_birth_are_chosen_by_the_athlete_or_the_coach(world, csrf_of) -> None:
    where = f"/athletes/{world.ada.athlete_id}/profile"
    ada, kim = world.client(world.ada), world.client(world.kim)
    assert "What is looked for: Heavy lifting" in text_of(ada.get(where).text)
    saved = ada.post(where, data={"csrf_token": csrf_of(ada), "profile": "baseball", "born_on": ""})
    assert (saved.status_code, saved.headers["Location"]) == (303, where)
    page = text_of(ada.get(where).text)
    assert "Saved: Baseball and softball." in page
    assert "It goes by age, so it needs the date of birth." in page
    assert "85" in page  # the most pitches of a day at 11 and 12
    kim.post(where, data={"csrf_token": csrf_of(kim), "profile": "baseball", "born_on": "2014-05-01"})
    view = world.services.athletes.get(world.kim.identity, world.ada.athlete_id)
    assert (view.profile_id, str(view.born_on)) == ("baseball", "2014-05-01")
    assert "so it needs the date of birth" not in text_of(ada.get(where).text)
    for wrong in ({"profile": "chess", "born_on": ""}, {"profile": "golf", "born_on": "2031-01-01"},
                  {"profile": "golf", "born_on": "May"}):  # fmt: skip
        refused = ada.post(where, data={"csrf_token": csrf_of(ada), **wrong})
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    assert world.services.athletes.get(world.kim.identity, world.ada.athlete_id) == view
    assert "Nothing was changed." in text_of(
        ada.post(
            where,
            data={"csrf_token": csrf_of(ada), "profile": "baseball", "born_on": "2014-05-01"},
            follow_redirects=True,
        ).text
    )


def test_profiles_are_offered_by_name(world) -> None:
    raw = world.client(world.ada).get(f"/athletes/{world.ada.athlete_id}/profile").text
    assert set(re.findall(r'<option value="(\w+)"', raw)) == set(Profiles(Config()).ids())

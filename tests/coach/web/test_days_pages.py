"""A day as a page: what was found, what is needed, windows of several kinds, days without anything."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from itertools import pairwise

from coach.analysis.detectors.types import Kind, Outcome
from coach.web import kind_words
from tests.coach.every_answer import FIRST
from tests.coach.web.test_pages import text_of
from tests.coach.web.told import finding_of, store_of


def test_a_day_says_of_each_kind_what_was_found_or_what_is_needed(world) -> None:
    client = world.client(world.ada)
    raw = client.get(f"/athletes/{world.ada.athlete_id}/days/2026-11-24").text
    page = text_of(raw)
    answers = world.services.findings.answers(world.ada.identity, world.ada.athlete_id, world.clock.now.date())
    assert len(answers) > 5
    for each in answers:
        assert kind_words.kind_name(each.kind) in page
        assert (f"Needs {each.needs}." if each.outcome == Outcome.NOT_ENOUGH else each.statement) in page
    assert "The day goes on" in page
    assert "days beside it: learning, day 1 of 14" in page
    assert "does not look for: staying bent, repeated turning" in page
    assert f"/findings/{world.finding_id}" in raw
    assert "/days/2026-11-23" in raw
    assert "/days/2026-11-25" not in raw  # it is still to come
    brackets = re.search(r"data-brackets='\[\[([0-9.]+), ([0-9.]+)\]\]'", raw)
    assert brackets
    finding = world.services.findings.get(world.ada.identity, world.finding_id)
    assert [float(each) for each in brackets.groups()] == [
        finding.started_at.timestamp(),
        finding.ended_at.timestamp(),
    ]
    assert client.get("/days").headers["Location"].endswith("/days/2026-11-24")


def test_windows_of_several_kinds_that_touch_are_one_bracket_and_each_kind_says_its_times(world, told) -> None:
    # The busy day of the general profile: bending 9:00 to 9:30 and 9:36 to 10:00, a short pause between them that
    # reaches from 9:00 to 9:36, holds at 10:00 to 10:04, turns from 10:30 to 11:00, a bout from 11:30 to 11:40.
    day = finding_of(world, Kind.SHORT_RECOVERY, "general").because["days"][0]
    raw = world.client(world.ada).get(f"/athletes/{world.ada.athlete_id}/days/{day}").text
    found = json.loads(re.search(r"data-brackets='([^']+)'", raw)[1])
    assert all(a[1] < b[0] for a, b in pairwise(found))
    nine = datetime.fromisoformat(f"{day}T09:00+02:00").timestamp()
    assert found[0][0] <= nine
    assert len(found) < sum(
        len(each.because["windows"])
        for each in world.services.findings.answers(world.ada.identity, world.ada.athlete_id, date.fromisoformat(day))
    )
    assert "09:00 to 09:30, 09:36 to 10:00" in text_of(raw)


def test_what_is_gravest_stands_first(world, told) -> None:
    with store_of(world).begin() as tx:
        tx.exec_driver_sql("UPDATE finding SET state = 'open', closed_at = NULL WHERE kind = 'repeated_bending'")
    raw = world.client(world.kim).get(f"/athletes/{world.ada.athlete_id}/findings").text
    grades = re.findall(r"<span class=\"tag (amber|red)\">look here", raw)
    assert grades[0] == "red"
    assert grades == sorted(grades, reverse=True)
    assert "amber" in grades


def test_a_day_names_the_profile_that_it_was_judged_by(world, told) -> None:
    # The first days of summer were judged as baseball; Ada's profile is another one.
    page = text_of(world.client(world.ada).get(f"/athletes/{world.ada.athlete_id}/days/{FIRST}").text)
    assert "Looked for by the profile “Baseball and softball”" in page
    assert "pitches and rest days" not in page[page.index("does not look for") :]
    # So does a finding of that day.
    found = next(
        each
        for each in world.services.findings.for_athlete(world.ada.athlete_id, limit=500)
        if each.because["profile"]["id"] == "baseball"
    )
    assert "Baseball and softball, version" in text_of(
        world.client(world.ada).get(f"/findings/{found.finding_id}").text
    )


def test_days_without_anything_and_days_that_are_none(world) -> None:
    client = world.client(world.kim)
    where = f"/athletes/{world.ada.athlete_id}/days"
    assert "Nothing was looked at" in client.get(f"{where}/2026-11-20").text
    assert "/days/2026-11-21" in client.get(f"{where}/2026-11-20").text
    for wrong in ("2026-13-01", "yesterday", "0001-01-01", "9999-12-31"):
        assert client.get(f"{where}/{wrong}").status_code == 422
        assert client.get(f"{where}/{wrong}/answers.json").status_code == 422
    assert world.client(world.lou).get(f"{where}/2026-11-24").status_code == 404

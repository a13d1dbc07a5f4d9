"""Findings, days, versions and profiles as pages: what is said of every kind and outcome, and where it leads."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from coach.analysis.detectors.judge import DETECTORS
from coach.analysis.detectors.seen import LEAST
from coach.analysis.detectors.types import Answer, Kind, Outcome
from coach.config import Config
from coach.service import build_services
from coach.service.profile_files import SHIPPED
from coach.service.profiles import Profiles
from coach.store.engine import Store
from coach.web import create_app, kind_words, limit_words
from programs.notice import NOTICE
from tests.coach.every_answer import EVERYTHING, FIRST, store_every_answer
from tests.coach.web.test_pages import text_of

# What no page says of a person. "Not a diagnosis" is said, and the page of safety questions is called Safety.
FORBIDDEN = re.compile(
    r"\b(injur\w*|risks?|risky|abnormal\w*|unsafe|safe|danger\w*|bad|wrong posture|medical\w*|patholog\w*|heals?|"
    r"corrects?|damag\w*|diagnos(?!is\b)\w*|faulty|weak)\b",
    re.IGNORECASE,
)
DIAGNOSIS = re.compile(r"(?<!not a )\bdiagnosis\b", re.IGNORECASE)


def stream_of(world) -> str:
    finding = world.services.findings.get(world.kim.identity, world.finding_id)
    return str(finding.windows[0]["stream_id"])


def store_of(world) -> Store:
    return world.services.findings._ground.store


@pytest.fixture
def told(world) -> list[Answer]:
    """Every answer of every kind, of Ada in summer; she has had her findings of today before."""
    return store_every_answer(store_of(world), Config(), world.ada.athlete_id, stream_of(world), world.clock.now)


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


def finding_of(world, kind: Kind, profile: str) -> Any:
    """Return the finding of a kind by the days of a profile in summer."""
    found = world.services.findings.for_athlete(world.ada.athlete_id, limit=500)
    (one,) = (
        each
        for each in found
        if each.kind == kind and each.because["profile"]["id"] == profile and each.opened_at.month < 9
    )
    return one


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
            assert client.get(f"{path}{part}?window={wrong}").status_code == 404, (part, wrong)
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


def with_limits(world, folder: Path, before: str, after: str):
    """Return services and app over Ada's store, with another limit in the profile that she has."""
    text = (SHIPPED / "heavy_lifting.toml").read_text(encoding="utf-8")
    assert before in text
    (folder / "heavy_lifting.toml").write_text(text.replace(before, after, 1), encoding="utf-8")
    config = Config.model_validate({"profiles": {"folder": str(folder)}})
    services = build_services(store_of(world), config, world.clock)
    world.clock.forward(minutes=30)
    services.rerun.run(world.ada.athlete_id)
    return create_app(services, world.feed, config, "k" * 32, clock=world.clock)


def signed_in(world, app, person):
    client = app.test_client()
    assert (
        client.get(f"/enter/{world.services.accounts.issue_sign_in_link(person.identity.user_id)}").status_code == 303
    )
    return client


def test_a_finding_of_before_there_were_flags_and_windows_is_readable(world) -> None:
    old = {
        "values": {"rate_mean_per_min": 5.92, "count": 71},
        "threshold": {"rate_per_min": 4.0, "min_duration_s": 600.0},
        "source": "RULA and REBA.",
        "algorithm": {"name": "backstop", "version": "1"},
        "window": {"start_utc": "2026-11-24T13:48:00+00:00", "end_utc": "2026-11-24T14:00:00+00:00"},
    }
    with store_of(world).begin() as tx:
        tx.exec_driver_sql("UPDATE finding SET because = ?", (json.dumps(old),))
    client = world.client(world.ada)
    raw = client.get(f"/findings/{world.finding_id}").text
    page = text_of(raw)
    for part in ("more than 4 per minute, for 10 minutes", "RULA and REBA.", "mean rate 5.9 a minute", "backstop 1"):
        assert part in page, part
    assert f"/findings/{world.finding_id}/signal.json" in raw
    assert client.get(f"/findings/{world.finding_id}/signal.json").get_json()["t_utc_s"]
    assert client.get(f"/findings/{world.finding_id}/window").status_code == 404
    assert "more than 4 per minute, for 10 minutes: RULA and REBA." in text_of(client.get("/today/findings").text)


def test_other_limits_leave_the_old_finding_readable_and_say_what_the_new_ones_say(world, tmp_path: Path) -> None:
    old = world.services.findings.get(world.kim.identity, world.finding_id)
    app = with_limits(world, tmp_path, "rate_per_min = { value = 4,", "rate_per_min = { value = 3,")
    (new,) = world.services.findings.for_athlete(world.ada.athlete_id)
    assert new.finding_id != old.finding_id
    client = signed_in(world, app, world.ada)
    raw = client.get(f"/findings/{old.finding_id}").text
    page = text_of(raw)
    for part in ("Judged anew since.", "a flag above 4 a minute", "More than 3 a minute", old.edition):
        assert part in page, part
    assert f"/findings/{new.finding_id}" in raw
    assert "Judged anew" not in client.get(f"/findings/{new.finding_id}").text
    versions = client.get(f"/athletes/{world.ada.athlete_id}/versions").text
    for link in (f'href="/findings/{old.finding_id}"', f'href="/findings/{new.finding_id}"', "/days/2026-11-24"):
        assert link in versions, link
    said = text_of(versions)
    assert said.index(old.statement) < said.index(new.statement)
    assert "profile.detectors.repeated_bending.rate_per_min: 4 per min before, 3 per min now" in said
    assert f"From edition {old.edition} to {new.edition}" in said
    where = f"/athletes/{world.ada.athlete_id}/versions"
    assert "Nothing differs" in client.get(f"{where}?until=2026-11-24").text
    assert client.get(f"{where}?until=then").status_code == 422


def test_what_a_new_limit_does_not_find_any_more_is_said_on_the_old_finding(world, tmp_path: Path) -> None:
    app = with_limits(world, tmp_path, "rate_per_min = { value = 4,", "rate_per_min = { value = 9,")
    assert world.services.findings.for_athlete(world.ada.athlete_id) == ()
    client = signed_in(world, app, world.kim)
    raw = client.get(f"/findings/{world.finding_id}").text
    assert "The newer one says of today: not enough data." in text_of(raw)
    assert f"/athletes/{world.ada.athlete_id}/days/2026-11-24" in raw
    assert "Now: not enough data" in text_of(client.get(f"/athletes/{world.ada.athlete_id}/versions").text)
    assert "No pattern found so far" in client.get(f"/athletes/{world.ada.athlete_id}").text


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

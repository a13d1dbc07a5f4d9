"""Codes, consents, levels, links for a doctor and the ledger, as people meet them on pages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from coach.log import pack
from coach.service.types import Role
from coach.web import reading
from coach.web.access import _ROLES, rule_of
from devices.codec import encode_chunk
from tests.coach.web.conftest import Person, standing_then_bending
from tests.coach.web.who_may_what import MAY

NEW = {"name": "Cy", "born_on": "1990-05-01", "time_zone": "Europe/Berlin", "sensing": "yes"}


@pytest.fixture
def world(world):
    world.app.config["WTF_CSRF_ENABLED"] = False
    return world


def code_on(page: str) -> str:
    found = re.search(r'id="code" value="([0-9A-Z]{5}-[0-9A-Z]{5})"', page)
    assert found, page
    return found[1]


def page_of(world, rest: str = "") -> str:
    return f"/athletes/{world.ada.athlete_id}/{rest}"


def ledger_of(world) -> list[tuple[str, str]]:
    lines = world.services.ledger.of_athlete(world.ada.identity, world.ada.athlete_id)
    return sorted({(each.name, each.subject.value) for each in lines})


def somebody(world, name: str, role: Role) -> Person:
    found = world.services.accounts.identity(world.services.accounts.create_user(name, role))
    assert found is not None
    return Person(found, "")


def test_a_coach_makes_a_code_and_a_new_athlete_agrees_to_less_and_is_signed_in(world) -> None:
    kim, new = world.client(world.kim), world.client()
    code = code_on(kim.post("/people/codes", data={"level": "full"}).text)
    said = new.post("/join", data={"code": code})
    assert said.status_code == 200
    assert "Kim" in said.text
    assert "asks to see: full" in said.text
    joined = new.post("/join/new", data={"code": code, "level": "view", **NEW})
    assert joined.status_code == 303
    assert joined.headers["Location"].startswith("/enter/")
    assert new.get(joined.headers["Location"]).headers["Location"] == "/start"
    page = new.get("/sharing").text
    assert re.search(r'value="view" selected', page)
    assert "Nobody else has read anything of yours yet" in page
    roster = {each.athlete.name: each.athlete.athlete_id for each in world.services.athletes.roster(world.kim.identity)}
    assert kim.get(f"/athletes/{roster['Cy']}").status_code == 200
    assert kim.get(f"/athletes/{roster['Cy']}/imports").status_code == 403
    # Used once.
    again = world.client().post("/join/new", data={"code": code, "level": "view", **NEW, "name": "Di"})
    assert again.status_code == 404
    assert "not known, was used, or has ended" in again.text


def test_a_wrong_code_is_one_sentence_and_tries_are_counted_before_anything_else(world) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = True
    client = world.client()
    codes = [client.post("/join", data={"code": "AAAAA-AAAAA"}).status_code for _ in range(11)]
    assert codes == [400] * 10 + [429]


def test_an_athlete_who_is_here_enters_a_coachs_code_and_a_wrong_level_uses_nothing_up(world) -> None:
    ada, lou = world.client(world.ada), world.client(world.lou)
    code = code_on(lou.post("/people/codes", data={"level": "plan"}).text)
    told = {"code": code, "athlete_id": world.ada.athlete_id}
    assert ada.post("/join/agree", data={**told, "level": "full"}).status_code == 422
    assert lou.get(page_of(world)[:-1]).status_code == 404
    assert ada.post("/join/agree", data={**told, "level": "plan"}).status_code == 303
    assert lou.get(page_of(world)[:-1]).status_code == 200


def test_nobody_agrees_for_an_athlete_who_is_not_theirs(world) -> None:
    lou, bo = world.client(world.lou), world.client(world.bo)
    code = code_on(lou.post("/people/codes", data={"level": "view"}).text)
    told = {"code": code, "athlete_id": world.ada.athlete_id, "level": "view"}
    assert bo.post("/join/agree", data=told).status_code == 422
    assert lou.get(page_of(world)[:-1]).status_code == 404


def test_a_childs_guardian_fills_in_agrees_and_gets_the_childs_link(world) -> None:
    kim, new = world.client(world.kim), world.client()
    code = code_on(kim.post("/people/codes", data={"level": "plan"}).text)
    child = {**NEW, "name": "Kit", "born_on": "2012-01-01", "level": "plan", "code": code}
    refused = new.post("/join/new", data=child)
    assert refused.status_code == 422
    assert "a guardian agrees" in refused.text
    joined = new.post("/join/new", data={**child, "guardian": "Pat"})
    assert joined.status_code == 200
    links = dict.fromkeys(re.findall(r"/enter/[\w-]+", joined.text))
    assert len(links) == 2
    for_child, for_guardian = links
    assert new.get(for_guardian).headers["Location"] == "/people"
    people = new.get("/people").text
    assert "Kit" in people
    sharing = re.search(r'href="(/athletes/\w+/sharing)"', people)
    assert sharing
    assert "by Pat" in new.get(sharing[1]).text
    kit = world.client()
    assert kit.get(for_child).headers["Location"] == "/start"
    own = kit.get("/sharing").text
    assert "Yours sees this page too" in own
    assert ">Agree<" not in own
    assert kit.post(sharing[1].replace("sharing", "consents/research"), data={"version": "1"}).status_code == 403


def test_an_owner_invites_a_coach_and_sees_people_and_no_athlete(world) -> None:
    owner, new = world.client(somebody(world, "Ola", Role.OWNER)), world.client()
    assert owner.get("/").headers["Location"] == "/people"
    page = owner.get("/people").text
    assert all(name in page for name in ("Kim", "Ada", "Lou", "Bo"))
    assert owner.get(page_of(world)[:-1]).status_code == 403
    assert owner.get(page_of(world, "findings.json")).status_code == 404
    code = code_on(owner.post("/people/codes").text)
    joined = new.post("/join/new", data={"code": code, "name": "Lee"})
    assert new.get(joined.headers["Location"]).headers["Location"] == "/athletes"
    assert "Nobody shares with you yet" in new.get("/athletes").text


@pytest.mark.parametrize("end", ["level", "end", "withdraw"])
def test_what_an_athlete_ends_holds_for_the_coachs_next_request(world, end: str) -> None:
    ada, kim = world.client(world.ada), world.client(world.kim)
    assert kim.get(page_of(world, "imports")).status_code == 200
    kim_id = world.kim.identity.user_id
    done = {
        "level": lambda: ada.post(page_of(world, f"coaches/{kim_id}"), data={"level": "view"}),
        "end": lambda: ada.post(page_of(world, f"coaches/{kim_id}/end")),
        "withdraw": lambda: ada.post(page_of(world, "consents/sharing/withdraw")),
    }[end]()
    assert done.status_code == 303
    expected = 403 if end == "level" else 404
    assert kim.get(page_of(world, "imports")).status_code == expected
    assert kim.get(f"/findings/{world.finding_id}").status_code == (200 if end == "level" else 404)


def test_pain_text_withdrawn_leaves_the_coach_the_page_without_it(world) -> None:
    ada, kim = world.client(world.ada), world.client(world.kim)
    assert ada.post(page_of(world, "consents/pain_text"), data={"version": "1"}).status_code == 303
    assert kim.get(page_of(world, "treatments")).status_code == 200
    link = f'href="{page_of(world, "treatments")}"'
    assert link in kim.get(page_of(world)[:-1]).text
    assert ada.post(page_of(world, "consents/pain_text/withdraw")).status_code == 303
    refused = kim.get(page_of(world, "treatments"))
    assert (refused.status_code, "not shared with you" in refused.text) == (403, True)
    desk = kim.get(page_of(world)[:-1])
    assert desk.status_code == 200
    assert link not in desk.text
    assert "Not here: treatments, spasms, where it hurts." in desk.text


def test_sensing_withdrawn_answers_gateways_403_with_a_sentence(world) -> None:
    ada, program = world.client(world.ada), world.client()
    token = world.services.tokens.issue(world.ada.identity, world.ada.athlete_id, "laptop")
    body = pack([encode_chunk(each) for each in standing_then_bending()[:3]])
    send = {"data": body, "headers": {"Authorization": f"Bearer {token}"}}
    assert program.post("/api/v1/chunks", **send).status_code == 200
    assert ada.post(page_of(world, "consents/sensing/withdraw")).status_code == 303
    for path in ("/api/v1/chunks", "/api/v1/live"):
        refused = program.post(path, **send)
        assert refused.status_code == 403
        assert "does not agree to measuring" in refused.json["error"]["what"]
    assert ada.post(page_of(world, "consents/sensing"), data={"version": "1"}).status_code == 303
    assert program.post("/api/v1/chunks", **send).status_code == 200


def test_an_old_page_cannot_agree_to_a_text_that_was_not_on_it(world) -> None:
    ada = world.client(world.ada)
    assert ada.post(page_of(world, "consents/sensing"), data={"version": "7"}).status_code == 409
    assert ada.post(page_of(world, "consents/sensing")).status_code == 422
    assert ada.post(page_of(world, "consents/everything"), data={"version": "1"}).status_code == 404


def test_the_ledger_says_who_read_what_and_not_what_the_athlete_reads(world) -> None:
    ada, kim = world.client(world.ada), world.client(world.kim)
    ada.get("/today")
    assert ledger_of(world) == []
    kim.get(page_of(world)[:-1])
    kim.get(f"/findings/{world.finding_id}")
    kim.get(f"/findings/{world.finding_id}/signal.json")
    world.client(world.lou).get(f"/findings/{world.finding_id}")  # refused, so nothing was read
    # The athlete's page holds a time line: each thing on it is a line of its own.
    read = ["diary", "findings", "overview", "program", "signal", "tests"]
    assert ledger_of(world) == [("Kim", each) for each in read]
    page = ada.get("/sharing").text
    assert '24 November 2026 <span class="nowrap">15:00</span>' in page
    assert page.count("coach</span>") == len(read)
    world.services.sharing.appoint(somebody(world, "Pat", Role.GUARDIAN).identity.user_id, world.ada.athlete_id)
    kim.get("/athletes")
    assert ("Kim", "overview") in ledger_of(world)


def test_a_page_is_read_although_the_ledger_cannot_be_written(world, monkeypatch) -> None:
    from coach.errors import StoreUnavailable
    from coach.store import ledger

    def full(*_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    kim = world.client(world.kim)
    with monkeypatch.context() as patched:
        patched.setattr(ledger, "note", full)
        assert kim.get(page_of(world)[:-1]).status_code == 200
    assert ledger_of(world) == []
    world.clock.forward(hours=1)
    kim.get(page_of(world)[:-1])
    lines = world.services.ledger.of_athlete(world.ada.identity, world.ada.athlete_id)
    later, earlier = sorted({each.hour for each in lines}, reverse=True)
    assert later - earlier == timedelta(hours=1)
    of_hour = [{each.subject for each in lines if each.hour == hour} for hour in (later, earlier)]
    assert of_hour[0] == of_hour[1]


def test_every_page_of_an_athlete_says_what_is_read_there(world) -> None:
    about_others = [
        endpoint
        for endpoint in world.app.view_functions
        if (rule := rule_of(world.app, endpoint)) is not None
        and rule.need is not None
        and rule.who in _ROLES
        and set("VPFNG") & set(MAY[endpoint])
    ]
    assert len(about_others) > 100
    assert [each for each in about_others if reading.subject_of(world.app, each) is None] == []


def made_link(world) -> str:
    page = world.client(world.ada).post(page_of(world, "doctor-links"), data={"label": "Dr. Weber"})
    found = re.search(r'id="link" value="http://localhost(/doctor/[\w-]+)"', page.text)
    assert found, page.text
    return found[1]


def test_a_doctor_reads_one_report_by_a_link_and_nothing_else(world) -> None:
    path, doctor = made_link(world), world.client()
    page = doctor.get(path)
    assert page.status_code == 200
    assert "Report of Ada" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    assert re.findall(r'(?:href|action)="(/(?!static)[^"]*)"', page.text) == [f"{path}/report.pdf"]
    pdf = doctor.get(f"{path}/report.pdf")
    assert pdf.data.startswith(b"%PDF-")
    assert pdf.headers["Referrer-Policy"] == "no-referrer"
    assert doctor.post(path).status_code == 405
    assert doctor.get(page_of(world, "for-the-doctor")).status_code == 303
    assert ledger_of(world) == [("Dr. Weber", "report")]


@pytest.mark.parametrize("how", ["by itself", "by hand"])
def test_a_doctors_link_ends(world, how: str) -> None:
    path, doctor = made_link(world), world.client()
    if how == "by hand":
        link = world.services.doctor_links.of_athlete(world.ada.identity, world.ada.athlete_id)[0]
        assert world.client(world.kim).post(f"/doctor-links/{link.link_id}/end").status_code == 403
        assert doctor.get(path).status_code == 200
        assert world.client(world.ada).post(f"/doctor-links/{link.link_id}/end").status_code == 303
    else:
        world.clock.forward(days=13, hours=23)
        assert doctor.get(path).status_code == 200
        world.clock.forward(hours=2)
    for each in (path, f"{path}/report.pdf"):
        gone = doctor.get(each)
        assert gone.status_code == 404
        assert "has ended" in gone.text
        assert "Ada" not in gone.text


def test_a_guardian_has_the_childs_pages_and_no_others(world) -> None:
    pat = somebody(world, "Pat", Role.GUARDIAN)
    world.services.sharing.appoint(pat.identity.user_id, world.ada.athlete_id)
    client = world.client(pat)
    for rest in ("sharing", "for-the-doctor", "treatments", "profile", "imports", "tests", "safety"):
        assert client.get(page_of(world, rest)).status_code == 200, rest
    assert client.get(page_of(world)[:-1]).status_code == 200
    assert client.get(f"/athletes/{world.bo.athlete_id}/sharing").status_code == 404
    assert ("Pat", "report") in ledger_of(world)


def test_a_coach_stops_seeing_an_athlete(world) -> None:
    kim = world.client(world.kim)
    assert "Ada" in kim.get("/people").text
    assert kim.post(f"/people/athletes/{world.ada.athlete_id}/leave").status_code == 303
    assert kim.get(page_of(world)[:-1]).status_code == 404
    assert "Ada" not in kim.get("/people").text

"""Treatments, questions and the doctor's page: two taps, downloads, and a coach who sees only what is shared."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta

import pytest

from coach.service.care_views import ImagingKind, TreatmentKind
from coach.service.diary import CheckIn
from coach.service.doctor import FILE_BYTES_MAX
from coach.service.types import Purpose
from programs.notice import NOTICE


@pytest.fixture
def ada(world):
    world.app.config["WTF_CSRF_ENABLED"] = False
    return world.client(world.ada)


@pytest.fixture
def kim(world, ada):
    return world.client(world.kim)


def at(world, end: str) -> str:
    return f"/athletes/{world.ada.athlete_id}/{end}"


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})', page)
    assert found
    return found[1]


def tell(world, pains: list[int]) -> None:
    for pain in pains:
        at_now = str(world.clock.now)
        world.services.diary.check_in(world.ada.identity, world.ada.athlete_id, CheckIn(pain_in_motion=pain), at_now)
        world.clock.forward(days=1)


def test_two_taps_begin_a_treatment_and_one_ends_it(world, ada) -> None:
    page = ada.get(at(world, "treatments")).text
    assert "Not enough data: needs check-ins" in page
    form = {"kind": "heat", "key": key_of(page)}
    for _ in range(2):
        assert ada.post(at(world, "treatments"), data=form).status_code == 303
    page = ada.get(at(world, "treatments")).text
    assert page.count("Ended today") == 1
    (end,) = set(re.findall(r'action="(/treatments/[0-9a-f]+/end)"', page))
    assert ada.post(end).status_code == 303
    page = ada.get(at(world, "treatments")).text
    assert "Tried before" in page
    assert "1 day<" in page
    (drop,) = set(re.findall(r'action="(/athletes/[0-9a-f]+/treatments/[0-9a-f]+/drop)"', page))
    assert ada.post(drop).status_code == 303
    assert "Tried before" not in ada.get(at(world, "treatments")).text


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"kind": "leeches"}, "Choose what you try."),
        ({"kind": "heat", "started_on": "soon"}, "is no date"),
        ({"kind": "heat", "started_on": "2030-01-01"}, "is not between"),
        ({"kind": "medicine", "note": "two a day"}, "only that it was taken is kept"),
        ({"kind": "doctor"}, "what the doctor named"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(world, ada, form: dict[str, str], says: str) -> None:
    answer = ada.post(at(world, "treatments"), data=form | {"key": "k"})
    assert answer.status_code == 422
    assert says in answer.text
    assert world.services.treatments.of_athlete(world.ada.identity, world.ada.athlete_id) == ()


def test_the_page_draws_weeks_and_says_what_was_seen_with_numbers(world, ada) -> None:
    tell(world, [7, 6, 7, 6, 7, 7])
    ada.post(at(world, "treatments"), data={"kind": "heat", "key": "h"})
    tell(world, [3, 2, 3, 3, 2, 3])
    page = ada.get(at(world, "treatments")).text
    assert "After warmth began, 30 November 2026" in page
    assert re.search(r"Pain: 4\.0 points lower than before \(95 % interval \d\.\d to \d\.\d", page)
    assert "It does not say why" in page
    assert page.count('r="3.5"') == 3  # two weeks, and the key
    assert 'class="tried"' in page
    assert "style=" not in page  # the content security policy would drop it


def test_answers_are_kept_and_the_names_of_activities_come_again(world, ada) -> None:
    page = ada.get(at(world, "everyday")).text
    assert page.count('type="checkbox" name="holds"') == 24
    assert ada.post(at(world, "everyday"), data={"key": "e", "holds": ["socks", "bed"]}).status_code == 303
    assert "2 of 24" in ada.get(at(world, "everyday")).text
    rated = {"key": "a", "activity0": "golf", "rated0": "4", "activity1": "", "rated1": ""}
    assert ada.post(at(world, "activities"), data=rated).status_code == 303
    assert 'value="golf"' in ada.get(at(world, "everyday")).text
    for wrong in ({"activity0": "golf", "rated0": ""}, {"activity0": "golf", "rated0": "9" * 5000}, {}):
        assert ada.post(at(world, "activities"), data={"key": "b"} | wrong).status_code == 422
    assert ada.post(at(world, "everyday"), data={"key": "c", "holds": ["flying"]}).status_code == 422


def test_the_report_is_seen_and_saved(world, ada) -> None:
    page = ada.get(at(world, "for-the-doctor")).text
    assert NOTICE in page.replace("&#39;", "'")
    pdf = ada.get(at(world, "for-the-doctor.pdf"))
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert pdf.headers["Content-Disposition"] == "attachment; filename=for-the-doctor-2026-11-24.pdf"
    assert pdf.headers["Cache-Control"] == "no-store"
    assert pdf.data.startswith(b"%PDF-")
    fhir = ada.get(at(world, "for-the-doctor.fhir.json"))
    assert fhir.headers["Content-Type"] == "application/fhir+json"
    assert json.loads(fhir.data)["resourceType"] == "Bundle"


def test_the_offer_stands_on_the_page(world, ada) -> None:
    tell(world, [5])
    world.clock.forward(days=50)
    ada = world.client(world.ada)  # a sign-in lasts 30 days
    assert "Time to show a doctor" in ada.get(at(world, "treatments")).text
    assert "six weeks" in ada.get(at(world, "for-the-doctor")).text


def test_today_offers_it_when_it_is_time_and_only_then(world, ada) -> None:
    assert "Take the report to a doctor" not in ada.get("/today").text
    tell(world, [5])
    world.clock.forward(days=50)
    ada = world.client(world.ada)  # a sign-in lasts 30 days
    assert "Take the report to a doctor" in ada.get("/today").text


def test_what_the_doctor_said_is_written_down(world, ada) -> None:
    form = {"told_on": "2026-11-20", "diagnosis": "a slipped disc <b>", "measures": "rest\nheat\n", "next_on": ""}
    answer = ada.post(at(world, "doctor-plan"), data=form | {"contraindications": ["knee_pain"]})
    assert answer.status_code == 303
    page = ada.get(at(world, "for-the-doctor")).text
    assert "a slipped disc &lt;b&gt;" in page
    assert "pain when kneeling" in page
    assert ada.post(at(world, "doctor-plan"), data={"diagnosis": ""}).status_code == 422


def test_a_reports_file_comes_back_as_a_file_and_is_never_shown(world, ada) -> None:
    script = b"<script>alert(1)</script>"
    form = {"key": "i", "kind": "mri", "taken_on": "2026-11-20", "file": (io.BytesIO(script), 'a"\r\nb.html')}
    assert ada.post(at(world, "imaging"), data=form).status_code == 303
    (path,) = set(re.findall(r'href="(/imaging/[0-9a-f]+/file)"', ada.get(at(world, "for-the-doctor")).text))
    file = ada.get(path)
    assert file.data == script
    assert file.headers["Content-Type"] == "text/plain"
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.headers["Content-Security-Policy"].startswith("sandbox")
    fhir = json.loads(ada.get(at(world, "for-the-doctor.fhir.json")).data)
    assert sum(e["resource"]["resourceType"] == "DocumentReference" for e in fhir["entry"]) == 2
    (drop,) = set(re.findall(r'action="(/athletes/\w+/imaging/\w+/drop)"', ada.get(at(world, "for-the-doctor")).text))
    assert ada.post(drop).status_code == 303
    assert ada.get(path).status_code == 404


def test_files_are_bounded_and_of_known_kinds(world, ada) -> None:
    def send(content: bytes, **more: str) -> int:
        # By hand: the test client would leave its own large temporary files open.
        form = {"key": "i", "kind": "mri", "taken_on": "2026-11-20"} | more
        parts = [f'--cut\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in form.items()]
        head = '--cut\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        body = "".join(parts).encode() + head.encode() + content + b"\r\n--cut--\r\n"
        return ada.post(at(world, "imaging"), data=body, content_type="multipart/form-data; boundary=cut").status_code

    assert send(b"PK\x03\x04\x00\x00") == 422
    assert send(b"%PDF-1.7", kind="ct") == 422
    assert send(b"%PDF-1.7", taken_on="") == 422
    assert send(b"%PDF-" + bytes(FILE_BYTES_MAX)) == 422
    assert send(b"%PDF-" + bytes(FILE_BYTES_MAX + 200 * 1024)) == 413
    assert send(b"%PDF-" + bytes(FILE_BYTES_MAX - 5)) == 303
    # Other forms of the page stay small.
    assert ada.post(at(world, "doctor-plan"), data={"diagnosis": "x" * 100_000}).status_code == 413


def test_the_coach_gets_nothing_of_it_until_it_is_shared_and_nothing_afterwards(world, ada, kim) -> None:
    me, whom = world.ada.identity, world.ada.athlete_id
    tried = world.services.treatments.add(me, whom, TreatmentKind.HEAT, "h", note="a secret")
    image = world.services.doctor.add_imaging(
        me, whom, ImagingKind.MRI, world.clock.now.date() - timedelta(days=1), "i", file=("a.pdf", b"%PDF-1.7")
    )
    reads = [at(world, end) for end in ("treatments", "everyday", "for-the-doctor")]
    reads += [at(world, f"for-the-doctor.{end}") for end in ("pdf", "fhir.json")]
    reads.append(f"/imaging/{image.imaging_id}/file")
    for path in reads:
        answer = kim.get(path)
        assert answer.status_code == 403, path
        assert "secret" not in answer.text
    for path in (at(world, "treatments"), at(world, "doctor-plan"), f"/treatments/{tried.treatment_id}/end"):
        assert kim.post(path, data={"kind": "heat", "key": "k", "diagnosis": "x"}).status_code == 403, path
    assert kim.post(at(world, "for-the-doctor/share"), data={"shared": "yes"}).status_code == 403
    desk = kim.get(f"/athletes/{whom}").text
    assert "for-the-doctor" not in desk
    assert "Share with my coach" in ada.get(at(world, "for-the-doctor")).text
    assert ada.post(at(world, "for-the-doctor/share"), data={"shared": "yes"}).status_code == 303
    for path in reads:
        assert kim.get(path).status_code == 200, path
    assert "for-the-doctor" in kim.get(f"/athletes/{whom}").text
    assert kim.post(at(world, "doctor-plan"), data={"diagnosis": "told to the coach"}).status_code == 303
    assert ada.post(at(world, "for-the-doctor/share"), data={"shared": "no"}).status_code == 303
    for path in reads:
        assert kim.get(path).status_code == 403, path


def test_another_coach_does_not_learn_that_it_exists(world, ada) -> None:
    world.services.consents.agree(world.ada.identity, world.ada.athlete_id, Purpose.PAIN_TEXT)
    lou = world.client(world.lou)
    for end in ("treatments", "for-the-doctor", "for-the-doctor.pdf", "for-the-doctor.fhir.json", "everyday"):
        assert lou.get(at(world, end)).status_code == 404


def test_today_leads_to_it(world, ada) -> None:
    assert at(world, "treatments") in ada.get("/today").text

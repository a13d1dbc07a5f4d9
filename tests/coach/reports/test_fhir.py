"""The FHIR bundle: read back by somebody else's classes; each element, code and unit of the guide by its name.

No official validator was run: see docs/doctor.md.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from coach.reports.fhir import FILES_BYTES_MAX, fhir_of
from coach.reports.pdf import pdf_of
from coach.service.care_views import ImagingFile
from coach.service.report_views import ExposureLine, FindingLine, ProgramLine, Report
from programs.notice import NOTICE
from tests.coach.club import Club
from tests.coach.reports.conftest import PDF, Suffered

Json = dict[str, Any]
GUIDE = "http://hl7.org/fhir/us/physical-activity"
MEASURE, GROUP = (f"{GUIDE}/StructureDefinition/pa-observation-activity-{each}" for each in ("measure", "group"))
CARE_PLAN = f"{GUIDE}/StructureDefinition/pa-careplan"

# Elements of FHIR R4 (4.0.1), by the specification's tables, that a resource of ours may use.
COMMON = {"resourceType", "id", "meta", "language", "text"}
R4_ELEMENTS = {
    "Patient": {"identifier", "name", "gender", "birthDate"},
    "Observation": {"status", "category", "code", "subject", "effectiveDateTime", "effectivePeriod", "performer",
                    "valueQuantity", "valueCodeableConcept", "valueBoolean", "valueString", "note",
                    "hasMember", "derivedFrom"},
    "QuestionnaireResponse": {"status", "subject", "authored", "author", "item"},
    "Procedure": {"status", "code", "subject", "performedPeriod", "asserter", "note"},
    "Condition": {"clinicalStatus", "verificationStatus", "code", "subject", "recordedDate", "asserter", "note"},
    "CarePlan": {"status", "intent", "category", "subject", "period"},
    "DocumentReference": {"status", "type", "subject", "author", "content", "context", "description"},
}  # fmt: skip


def with_program(report: Report) -> Report:
    program = ProgramLine(
        "Core endurance & more", report.made_on.replace(day=1), report.made_on, ("Bird-dog",), 3, 4, 1, 1
    )
    earlier = replace(program, since=date(2026, 12, 1), until=date(2026, 12, 28), done=9, skipped=3, open=0)
    return replace(report, programs=(program, earlier))


def bundle_of(report: Report, files: dict[str, ImagingFile] | None = None) -> Json:
    return json.loads(fhir_of(report, pdf_of(report), files or {}))


@pytest.fixture
def bundle(suffered: Suffered) -> Json:
    file = suffered.club.services.doctor.imaging_file(suffered.club.athlete, suffered.imaging_id)
    return bundle_of(with_program(suffered.report), {suffered.imaging_id: file})


def of_type(bundle: Json, kind: str) -> list[Json]:
    return [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == kind]


def claiming(bundle: Json, profile: str) -> list[Json]:
    found = [e["resource"] for e in bundle["entry"] if profile in e["resource"].get("meta", {}).get("profile", [])]
    assert found, profile
    return found


def codes(concept: Json) -> set[tuple[str, str]]:
    return {(each["system"], each["code"]) for each in concept.get("coding", [])}


def values_of(node: object, key: str) -> Iterator[Any]:
    """Yield what stands under a key, anywhere."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from values_of(value, key)
    elif isinstance(node, list):
        for each in node:
            yield from values_of(each, key)


def test_it_is_read_back_as_fhir(bundle: Json) -> None:
    read = Bundle.model_validate(bundle)
    assert read.type == "collection"
    assert len(read.entry) == len(bundle["entry"]) > 100
    assert {each.resource.get_resource_type() for each in read.entry} == set(R4_ELEMENTS)


def test_only_elements_that_r4_has_are_used(bundle: Json) -> None:
    for entry in bundle["entry"]:
        resource = entry["resource"]
        assert resource.keys() <= COMMON | R4_ELEMENTS[resource["resourceType"]], resource["resourceType"]


def test_every_reference_leads_to_an_entry_and_no_id_comes_twice(bundle: Json) -> None:
    urls = [each["fullUrl"] for each in bundle["entry"]]
    assert len(urls) == len(set(urls))
    assert set(values_of(bundle, "reference")) <= set(urls)
    assert len(list(values_of(bundle, "reference"))) > len(urls)


def test_the_same_report_is_the_same_bundle(suffered: Suffered) -> None:
    pdf = pdf_of(suffered.report)
    assert fhir_of(suffered.report, pdf, {}) == fhir_of(suffered.report, pdf, {})


@pytest.mark.parametrize("profile", [MEASURE, GROUP])
def test_observations_of_the_guide_carry_what_must_be_supported(bundle: Json, profile: str) -> None:
    """pa-observation-base 1.0.0: status, two categories, code, subject, effective, performer."""
    patient = of_type(bundle, "Patient")[0]
    for each in claiming(bundle, profile):
        assert each["status"] == "final"
        assert set().union(*map(codes, each["category"])) == {
            ("http://terminology.hl7.org/CodeSystem/observation-category", "activity"),
            (f"{GUIDE}/CodeSystem/pa-temporary-codes", "PhysicalActivity"),
        }
        assert each["subject"] == each["performer"][0] == {"reference": f"urn:uuid:{patient['id']}"}
        assert len(each["effectiveDateTime"]) == 10  # the guide asks for the day at least
        assert not each.keys() & {"focus", "bodySite", "specimen"}  # prohibited by the profile


def test_a_training_is_what_was_done_how_long_and_a_group_of_both(bundle: Json, suffered: Suffered) -> None:
    measures = claiming(bundle, MEASURE)
    durations = [each for each in measures if codes(each["code"]) == {("http://loinc.org", "55411-3")}]
    whats = [each for each in measures if codes(each["code"]) == {("http://loinc.org", "73985-4")}]
    assert len(durations) == len(whats) == len(suffered.report.trainings) == 8
    minutes = {"value": 90, "unit": "minutes", "system": "http://unitsofmeasure.org", "code": "min"}
    assert all(each["valueQuantity"] == minutes for each in durations)
    assert all(each["valueCodeableConcept"] == {"text": "Golf, nine holes"} for each in whats)
    for group in claiming(bundle, GROUP):
        assert codes(group["code"]) == {(f"{GUIDE}/CodeSystem/pa-temporary-codes", "PAPanel")}
        assert len(group["hasMember"]) == 2
        assert not any(name.startswith("value") for name in group)


def test_the_program_is_a_care_plan_of_the_guide(bundle: Json) -> None:
    plan, earlier = claiming(bundle, CARE_PLAN)
    assert (earlier["status"], earlier["period"]) == ("completed", {"start": "2026-12-01", "end": "2026-12-28"})
    assert "Of 12 sessions that were due: 9 done, 3 not done" in earlier["text"]["div"]
    assert (plan["status"], plan["intent"], plan["text"]["status"]) == ("active", "plan", "additional")
    assert set().union(*map(codes, plan["category"])) == {
        ("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan"),
        (f"{GUIDE}/CodeSystem/pa-temporary-codes", "PhysicalActivity"),
    }
    assert plan["period"].keys() == {"start", "end"}
    assert "Core endurance &amp; more: Bird-dog; 3 a week. Of 6 sessions that were due: 4 done" in plan["text"]["div"]


def test_weekly_minutes_that_nobody_was_asked_for_are_not_made_up(bundle: Json) -> None:
    every = {code for concept in values_of(bundle, "code") if isinstance(concept, dict) for _, code in codes(concept)}
    assert not every & {"82290-8", "68516-4", "89555-7", "82291-6", "77592-4", "77593-2"}
    assert every == {"72514-3", "73985-4", "55411-3", "PAPanel"}


def test_every_unit_is_ucum(bundle: Json) -> None:
    quantities = list(values_of(bundle, "valueQuantity"))
    assert {each["system"] for each in quantities} == {"http://unitsofmeasure.org"}
    assert {each["code"] for each in quantities} == {"min", "{score}", "N"}


def test_pain_is_told_day_by_day(bundle: Json, suffered: Suffered) -> None:
    pains = [each for each in of_type(bundle, "Observation") if ("http://loinc.org", "72514-3") in codes(each["code"])]
    told = {each["effectiveDateTime"]: each["valueQuantity"]["value"] for each in pains}
    assert told == {day.isoformat(): pain for day, pain in suffered.report.pains.items()}
    assert len(told) == 91


def test_answers_have_no_code_of_somebody_elses_scale(bundle: Json) -> None:
    scores = [each for each in of_type(bundle, "Observation") if "derivedFrom" in each]
    assert len(scores) == 26
    assert all(not codes(each["code"]) for each in scores)
    answered = {each["id"]: each for each in of_type(bundle, "QuestionnaireResponse")}
    everyday = [each for each in scores if each["code"]["text"].startswith("Everyday life")]
    assert len(everyday) == 13
    for score in everyday:
        one = answered[score["derivedFrom"][0]["reference"].removeprefix("urn:uuid:")]
        assert (
            sum(each["answer"][0]["valueBoolean"] for each in one["item"][0]["item"]) == score["valueQuantity"]["value"]
        )


def test_safety_answers_carry_their_version_and_what_was_shown(bundle: Json, suffered: Suffered) -> None:
    flags = suffered.report.red_flags
    assert flags is not None
    (safety,) = (
        each
        for each in of_type(bundle, "QuestionnaireResponse")
        if each["item"][0]["text"].startswith("Safety questions")
    )
    assert f"version {flags.version}. Shown: Please book a medical review" in safety["item"][0]["text"]
    said = {each["linkId"]: each["answer"][0]["valueString"] for each in safety["item"][0]["item"]}
    assert said["CAN"] == "yes"
    assert said["RAD"] == "unknown"
    assert said["CES"] == "no"


def test_of_medicine_there_is_a_time_and_a_yes(bundle: Json) -> None:
    assert not {"Medication", "MedicationStatement", "MedicationRequest"} & {
        each["resource"]["resourceType"] for each in bundle["entry"]
    }
    (taken,) = [each for each in of_type(bundle, "Observation") if "valueBoolean" in each]
    assert taken["code"] == {"text": "Medicine was taken; which and how much is not recorded"}
    assert taken["effectivePeriod"] == {"start": "2026-12-29", "end": "2027-01-04"}


def test_treatments_are_procedures_with_what_was_seen(bundle: Json) -> None:
    tried = {each["code"]["text"]: each for each in of_type(bundle, "Procedure")}
    assert tried.keys() == {"rest", "warmth", "physiotherapy", "hot and cold compresses"}
    assert tried["rest"]["status"] == "completed"
    assert tried["warmth"]["status"] == "in-progress"
    assert tried["rest"]["note"][0]["text"].startswith("Pain: no difference can be told")


def test_exposures_findings_and_changes_are_in_words(suffered: Suffered) -> None:
    day = suffered.report.made_on
    bends = ExposureLine("Bending forward", "per worn hour", 12.0, None, 9, 0)
    few = ExposureLine("Swings and throws", "per day", None, None, 1, 0, "4 more days of the last four weeks")
    finding = FindingLine("You bent forward often.", "amber", day, day, True)
    report = replace(suffered.report, exposures=(bends, few), findings=(finding,))
    said = {each["valueString"] for each in of_type(bundle_of(report), "Observation") if "valueString" in each}
    assert {"12 per worn hour (9 days)", "not enough data: needs 4 more days of the last four weeks"} <= said
    assert "You bent forward often." in said
    assert {" ".join((each.sentence, *each.caveats)) for each in report.changes} <= said


def test_what_a_doctor_said_is_unconfirmed_and_as_told(bundle: Json) -> None:
    (condition,) = of_type(bundle, "Condition")
    assert condition["code"] == {"text": "a slipped disc, L5/S1"}
    assert condition["verificationStatus"]["coding"][0]["code"] == "unconfirmed"


def test_documents_hold_the_pdf_the_files_and_the_own_words(bundle: Json, suffered: Suffered) -> None:
    imaging, report = of_type(bundle, "DocumentReference")
    contents = [base64.b64decode(each["attachment"]["data"]) for each in imaging["content"]]
    assert contents == [PDF, b"one disc bulges a little, nothing pressed"]
    assert imaging["type"] == {"text": "MRI, asked by Dr. Sand"}
    assert report["description"] == NOTICE
    attachment = report["content"][0]["attachment"]
    assert attachment["contentType"] == "application/pdf"
    assert base64.b64decode(attachment["data"]) == pdf_of(with_program(suffered.report))


def test_a_file_without_room_is_named_without_it(suffered: Suffered) -> None:
    huge = ImagingFile("MRI.pdf", "application/pdf", bytes(FILES_BYTES_MAX + 1))
    imaging = of_type(bundle_of(suffered.report, {suffered.imaging_id: huge}), "DocumentReference")[0]
    attachment = imaging["content"][0]["attachment"]
    assert attachment == {"contentType": "application/pdf", "title": "MRI.pdf (not enclosed)"}


def test_an_empty_report_is_a_patient_and_a_document(club: Club) -> None:
    bundle = bundle_of(club.services.reports.make(club.athlete, club.athlete_id))
    Bundle.model_validate(bundle)
    assert [each["resource"]["resourceType"] for each in bundle["entry"]] == ["Patient", "DocumentReference"]

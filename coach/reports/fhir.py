"""The doctor's report as a FHIR R4 bundle, with profiles of the US Physical Activity guide where we have what they ask.

Every resource says its language: that of the reader, in which our own texts are. Codes keep the names that their system
gives them.

Only what was measured or entered. The guide's weekly minutes of moderate to vigorous activity (82290-8, 68516-4,
89555-7) and the IPAQ items (77592-4, 77593-2) are questions that Backstop does not ask, so they are not here. A drug or
a dose is nowhere in Backstop. Source: see fhir_parts.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import date
from html import escape

from coach.language import current
from coach.language import gettext as _
from coach.reports.fhir_parts import (
    CARE_PLAN_CATEGORY,
    LOINC,
    TEMPORARY,
    Json,
    activity,
    category,
    coded,
    id_of,
    observation,
    physical_activity,
    profile,
    quantity,
    reference,
    survey,
)
from coach.said import said
from coach.service.care_views import IMAGING_WORDS, ImagingFile, QuestionnaireKind, TreatmentKind
from coach.service.everyday import STATEMENTS
from coach.service.report_views import Report, TrainingLine, TriedLine
from programs.notice import NOTICE

# Bytes of images' files in one bundle; newest first, older ones are named without their file. Own bound.
FILES_BYTES_MAX = 10 * 1024 * 1024
# UCUM codes of the units that tests have.
_UCUM = {"s": "s", "deg": "deg", "deg/s": "deg/s", "N": "N", "kg": "kg", "m/s": "m/s", "repetitions": "{repetitions}"}
# Pain severity 0 to 10, as reported: LOINC 72514-3, in points of its score.
_PAIN = "72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported"  # no words
# What was done and how long, by LOINC, and the guide's group of both.
_ACTIVITY, _DURATION = ("73985-4", "Exercise activity"), ("55411-3", "Exercise duration")  # no words
_PANEL = "PAPanel", "Physical Activity Panel"  # no words


def fhir_of(report: Report, pdf: bytes, files: Mapping[str, ImagingFile]) -> bytes:
    """Return the bundle as JSON. files: imaging id -> its file, for those that have one."""
    patient = _patient(report)
    resources = [
        patient,
        *_pains(report, patient),
        *_questionnaires(report, patient),
        *_trainings(report, patient),
        *_seen(report, patient),
        *_tests(report, patient),
        *_red_flags(report, patient),
        *(_treatment(each, patient, report.made_on) for each in report.tried),
        *_diagnosis(report, patient),
        *_care_plans(report, patient),
        *_imaging(report, patient, files),
        _document(report, patient, pdf),
    ]
    bundle = {
        "resourceType": "Bundle",
        "id": id_of("bundle", report.athlete_id, report.made_at.isoformat()),
        "language": current(),
        "type": "collection",
        "timestamp": report.made_at.isoformat(timespec="seconds"),
        "entry": [
            {"fullUrl": f"urn:uuid:{each['id']}", "resource": each | {"language": current()}} for each in resources
        ],
    }
    return json.dumps(bundle, ensure_ascii=False, indent=1).encode()


def _patient(report: Report) -> Json:
    patient: Json = {
        "resourceType": "Patient",
        "id": id_of("patient", report.athlete_id),
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{id_of('athlete', report.athlete_id)}"}],
        "name": [{"text": report.name}],
        # Backstop does not ask.
        "gender": "unknown",
    }
    return patient | ({"birthDate": report.born_on.isoformat()} if report.born_on else {})


def _pains(report: Report, patient: Json) -> list[Json]:
    code = coded(LOINC, *_PAIN, text=_("Worst pain of the day, 0 to 10"))
    return [
        observation(patient, day, code, survey(), "pain", valueQuantity=quantity(pain, _("points"), "{score}"))
        for day, pain in report.pains.items()
    ]


def _questionnaires(report: Report, patient: Json) -> list[Json]:
    """Return answers and scores. The wording is ours, so no code of somebody else's scale stands on them."""
    made = []
    for number, each in enumerate(report.questionnaires):
        everyday = each.kind is QuestionnaireKind.EVERYDAY
        title = _("Own activities, mean of 0 (cannot) to 10 (as before)")
        if everyday:
            title = _(
                "Everyday life with a sore back, 24 statements in Backstop's own words, version %(version)s",
                version=each.version,
            )
        items = [
            {
                "linkId": str(place),
                "text": said(STATEMENTS[name]) if name in STATEMENTS else name,
                "answer": [_answer(value, everyday)],
            }
            for place, (name, value) in enumerate(each.answers.items(), 1)
        ]
        answers = _answers(patient, each.local_date, title, items, "questionnaire", number)
        score = observation(
            patient, each.local_date, {"text": title}, survey(), "score", number,
            valueQuantity=quantity(each.score, _("points"), "{score}"), derivedFrom=[reference(answers)],
        )  # fmt: skip
        made += [answers, score]
    return made


def _answer(value: int, yes_or_no: bool) -> Json:
    return {"valueBoolean": bool(value)} if yes_or_no else {"valueInteger": value}


def _answers(patient: Json, on: date, title: str, items: list[Json], *ids: object) -> Json:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": id_of("answers", patient["id"], on, *ids),
        "status": "completed",
        "subject": reference(patient),
        "authored": on.isoformat(),
        "author": reference(patient),
        "item": [{"linkId": "0", "text": title, "item": items}],
    }


def _trainings(report: Report, patient: Json) -> list[Json]:
    return [each for number, line in enumerate(report.trainings) for each in _training(line, patient, number)]


def _training(line: TrainingLine, patient: Json, number: int) -> list[Json]:
    """Return a training as the guide has it: what, how long, and both as one group."""
    ids = (line.what, line.duration_min, number)
    what = activity(
        "pa-observation-activity-measure", patient, line.on,
        coded(LOINC, *_ACTIVITY, _("Exercise activity")), "what", *ids,
        valueCodeableConcept={"text": line.what},
    )  # fmt: skip
    duration = activity(
        "pa-observation-activity-measure", patient, line.on,
        coded(LOINC, *_DURATION, _("Exercise duration")), "min", *ids,
        valueQuantity=quantity(line.duration_min, _("minutes"), "min"),
    )  # fmt: skip
    group = activity(
        "pa-observation-activity-group", patient, line.on,
        coded(TEMPORARY, *_PANEL, _("Physical activity, together")), *ids,
        hasMember=[reference(what), reference(duration)],
    )  # fmt: skip
    return [what, duration, group]


def _seen(report: Report, patient: Json) -> list[Json]:
    """Return exposures, findings, changes of programs and what changed after what: in words, for want of codes."""
    sensed = [category("activity", "Activity")]
    told = [
        (
            said(each.name)
            if each.now is None
            else _("%(name)s, median of a day of the last 4 weeks", name=said(each.name)),
            each.said_now(said(each.unit)),
            sensed,
        )
        for each in report.exposures
    ]
    for finding in report.findings:
        title = _("Finding of %(first)s to %(last)s", first=finding.first, last=finding.last)
        told.append((title, said(finding.statement), sensed))
    for line in report.program_changes:
        title = _("Change of the program on %(day)s: %(what)s", day=line.on, what=line.what)
        told.append((title, said(line.because), survey()))
    told += [
        (said(each.title), " ".join(map(said, (each.sentence, *each.caveats))), survey()) for each in report.changes
    ]
    return [
        observation(patient, report.made_on, {"text": title}, categories, "seen", number, valueString=words)
        for number, (title, words, categories) in enumerate(told)
    ]


def _tests(report: Report, patient: Json) -> list[Json]:
    made = []
    for each in report.tests:
        value = quantity(each.value, said(each.unit), _UCUM.get(each.unit, f"{{{each.unit.replace(' ', '_')}}}"))
        more: Json = {"valueQuantity": value | ({"comparator": ">="} if each.at_least else {})}
        note = [{"text": _("Against the one before: %(change)s", change=said(each.change))}]
        exam = [category("exam", "Exam")]
        made.append(
            observation(patient, each.on, {"text": said(each.name)}, exam, "test", each.name, **more, note=note)
        )
    return made


def _red_flags(report: Report, patient: Json) -> list[Json]:
    flags = report.red_flags
    if flags is None:
        return []
    items = [
        {"linkId": name, "text": said(flags.texts.get(name, name)), "answer": [{"valueString": said(answer)}]}
        for name, answer in flags.answers.items()
    ]
    title = _(
        "Safety questions, version %(version)s. Shown: %(messages)s", version=flags.version,
        messages=" ".join(map(said, flags.messages)) or _("nothing"),
    )  # fmt: skip
    return [_answers(patient, flags.answered_on, title, items, "safety", flags.version)]


def _treatment(line: TriedLine, patient: Json, today: date) -> Json:
    """Return what was tried. Medicine is a yes over a time: neither which nor how much is known."""
    treatment = line.treatment
    period = {"start": treatment.started_on.isoformat()}
    period |= {"end": treatment.ended_on.isoformat()} if treatment.ended_on else {}
    notes = [{"text": text} for text in (treatment.note, said(line.response)) if text]
    if treatment.kind is TreatmentKind.MEDICINE:
        code = {"text": _("Medicine was taken; which and how much is not recorded")}
        made = observation(patient, treatment.started_on, code, survey(), treatment.treatment_id)
        del made["effectiveDateTime"]
        return made | {"effectivePeriod": period, "valueBoolean": True, "note": notes}
    return {
        "resourceType": "Procedure",
        "id": id_of("procedure", treatment.treatment_id),
        "status": "completed" if treatment.ended_on and treatment.ended_on < today else "in-progress",
        "code": {"text": said(treatment.name)},
        "subject": reference(patient),
        "performedPeriod": period,
        "asserter": reference(patient),
        "note": notes,
    }


def _diagnosis(report: Report, patient: Json) -> list[Json]:
    """Return what a doctor called it, as it was written down: unconfirmed, for Backstop confirms nothing."""
    plan = report.plan
    if plan is None or not plan.diagnosis:
        return []
    system = "http://terminology.hl7.org/CodeSystem/condition"
    noted = _("As the athlete or coach wrote it down.")
    if plan.doctor:
        noted = _("As the athlete or coach wrote it down, told by %(doctor)s.", doctor=plan.doctor)
    return [
        {
            "resourceType": "Condition",
            "id": id_of("condition", patient["id"], plan.told_on, plan.diagnosis),
            "clinicalStatus": {"coding": [{"system": f"{system}-clinical", "code": "active"}]},
            "verificationStatus": {"coding": [{"system": f"{system}-ver-status", "code": "unconfirmed"}]},
            "code": {"text": plan.diagnosis},
            "subject": reference(patient),
            "recordedDate": plan.told_on.isoformat(),
            "asserter": reference(patient),
            "note": [{"text": noted}],
        }
    ]


def _care_plans(report: Report, patient: Json) -> list[Json]:
    made = []
    for number, program in enumerate(report.programs):
        told = _(
            "%(title)s: %(exercises)s; %(times)s a week. %(adherence)s", title=said(program.title),
            exercises=", ".join(map(said, program.exercises)), times=program.per_week, adherence=program.adherence,
        )  # fmt: skip
        name = f"program-{program.since}" if number else "program"
        made.append(_care_plan(patient, name, told, program.since) | {"meta": profile("pa-careplan")})
        # What gave way to another one, or came to its end, is done with.
        made[-1]["status"] = "completed" if number or program.until < report.made_on else "active"
        made[-1]["category"].append(physical_activity())
        made[-1]["period"]["end"] = program.until.isoformat()
    plan = report.plan
    if plan is not None:
        measures = "; ".join(plan.measures) or _("nothing written down")
        sentences = [
            _("As told by a doctor on %(day)s.", day=plan.told_on),
            _("Named: %(measures)s.", measures=measures),
        ]
        if plan.leaves_out:
            around = "; ".join(map(said, plan.leaves_out))
            sentences.append(_("Exercises are chosen around: %(around)s.", around=around))
        if plan.next_on:
            sentences.append(_("Next appointment: %(day)s.", day=plan.next_on))
        made.append(_care_plan(patient, "doctor", " ".join(sentences), plan.told_on))
    return made


def _care_plan(patient: Json, name: str, told: str, since: date) -> Json:
    # A narrative says its language by itself: whatever shows it need not know the resource.
    spoken = f'lang="{current()}" xml:lang="{current()}"'
    div = f'<div xmlns="http://www.w3.org/1999/xhtml" {spoken}>{escape(told, quote=False)}</div>'  # no words
    return {
        "resourceType": "CarePlan",
        "id": id_of("care plan", name, patient["id"], since),  # no words
        "text": {"status": "additional", "div": div},
        "status": "active",
        "intent": "plan",
        "category": [{"coding": [{"system": CARE_PLAN_CATEGORY, "code": "assess-plan"}]}],
        "subject": reference(patient),
        "period": {"start": since.isoformat()},
    }


def _imaging(report: Report, patient: Json, files: Mapping[str, ImagingFile]) -> list[Json]:
    made, room = [], FILES_BYTES_MAX
    for each in report.imaging:
        content: list[Json] = []
        file = files.get(each.imaging_id)
        if file is not None and len(file.content) <= room:
            room -= len(file.content)
            content.append(_attachment(file.media_type, file.name, file.content))
        elif each.file_name:
            content.append(
                {
                    "attachment": {
                        "contentType": each.media_type,
                        "title": _("%(name)s (not enclosed)", name=each.file_name),
                    }
                }
            )
        if each.words:
            content.append(_attachment("text/plain", _("In own words"), each.words.encode()))
        title = said(IMAGING_WORDS[each.kind])
        if each.asked_by:
            title = _("%(imaging)s, asked by %(who)s", imaging=title, who=each.asked_by)
        made.append(_document_reference(patient, title, each.taken_on, content, each.imaging_id))
    return made


def _document(report: Report, patient: Json, pdf: bytes) -> Json:
    title = _("For the doctor")
    content = [_attachment("application/pdf", title, pdf)]
    content[0]["attachment"]["language"] = current()
    found = _document_reference(patient, title, report.made_on, content, "report", report.made_at)
    return found | {"description": _(NOTICE)}


def _document_reference(patient: Json, title: str, on: date, content: list[Json], *ids: object) -> Json:
    return {
        "resourceType": "DocumentReference",
        "id": id_of("document", patient["id"], *ids),
        "status": "current",
        "type": {"text": title},
        "subject": reference(patient),
        "author": [reference(patient)],
        "content": content,
        "context": {"period": {"start": on.isoformat(), "end": on.isoformat()}},
    }


def _attachment(media_type: str, title: str, content: bytes) -> Json:
    data = base64.b64encode(content).decode("ascii")
    return {"attachment": {"contentType": media_type, "title": title, "data": data, "size": len(content)}}

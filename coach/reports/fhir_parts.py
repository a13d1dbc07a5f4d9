"""Pieces of FHIR R4 resources: codes, quantities, references, observations of the Physical Activity guide.

Source: HL7 FHIR R4 (4.0.1); US Physical Activity IG 1.0.0 (STU 1) for profiles, categories and codes; UCUM for units.
"""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

Json = dict[str, Any]

GUIDE = "http://hl7.org/fhir/us/physical-activity"
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
TEMPORARY = f"{GUIDE}/CodeSystem/pa-temporary-codes"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
CARE_PLAN_CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category"
# A name space of our own, so that ids are the same each time the same thing is exported.
_NAMES = uuid.UUID("7d1c2b1e-5f0f-4b5e-9d43-3d2f6a5f8c10")


def profile(name: str) -> Json:
    """Return the meta element that claims a profile of the guide."""
    return {"profile": [f"{GUIDE}/StructureDefinition/{name}"]}


def id_of(*parts: object) -> str:
    """Return an id that depends on nothing but what is named."""
    return str(uuid.uuid5(_NAMES, "|".join(map(str, parts))))


def reference(resource: Json) -> Json:
    """Return a reference to a resource of the bundle."""
    return {"reference": f"urn:uuid:{resource['id']}"}


def coded(system: str, code: str, display: str, text: str | None = None) -> Json:
    """Return a concept with one code."""
    return {"coding": [{"system": system, "code": code, "display": display}], "text": text or display}


def category(code: str, display: str) -> Json:
    """Return a category of observations."""
    return {"coding": [{"system": _CATEGORY, "code": code, "display": display}]}


def physical_activity() -> Json:
    """Return the guide's category."""
    return {"coding": [{"system": TEMPORARY, "code": "PhysicalActivity", "display": "Physical Activity"}]}  # no words


def quantity(value: float, unit: str, code: str) -> Json:
    """Return a quantity. code: of UCUM."""
    return {"value": round(value, 4), "unit": unit, "system": UCUM, "code": code}


def observation(patient: Json, on: date, code: Json, categories: list[Json], *ids: object, **more: Any) -> Json:
    """Return a final observation of the patient, told by the patient."""
    return {
        "resourceType": "Observation",
        "id": id_of("observation", patient["id"], on, *ids),
        "status": "final",
        "category": categories,
        "code": code,
        "subject": reference(patient),
        "effectiveDateTime": on.isoformat(),
        "performer": [reference(patient)],
        **more,
    }


def activity(name: str, patient: Json, on: date, code: Json, *ids: object, **more: Any) -> Json:
    """Return an observation of a profile of the guide: name, as in its canonical address."""
    categories = [category("activity", "Activity"), physical_activity()]
    return observation(patient, on, code, categories, name, *ids, meta=profile(name), **more)


def survey() -> list[Json]:
    """Return the category of what a person answers."""
    return [category("survey", "Survey")]

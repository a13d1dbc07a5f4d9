"""The list of parts as a CycloneDX 1.6 document. The same installation gives the same bytes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from coach.installed import Component


def sbom(components: Sequence[Component]) -> dict[str, Any]:
    """Return the document; the first component is the product. Source: CycloneDX 1.6, JSON."""
    product, *parts = components
    of_name = {each.name: each for each in components if each.ecosystem == "PyPI"}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, " ".join(each.purl for each in components))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": _component(product, "application")},
        "components": [_component(each, "library") for each in parts],
        "dependencies": [
            {"ref": each.purl, "dependsOn": sorted(of_name[need].purl for need in each.needs)} for each in components
        ],
    }


def _component(component: Component, kind: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": kind,
        "bom-ref": component.purl,
        "name": component.name,
        "version": component.version,
        "purl": component.purl,
    }
    if component.licence:
        told["licenses"] = [{"expression": component.licence}]
    return told

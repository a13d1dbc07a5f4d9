"""Every subject of the interface: importing them puts their addresses on the blueprint."""

from coach.web.api import (
    assessments,
    athletes,
    care,
    data,
    diary,
    document,
    findings,
    gateways,
    plans,
    program_desk,
    recordings,
    sessions,
    settings,
    sharing,
)
from coach.web.api.root import blueprint

SUBJECTS = (
    athletes,
    settings,
    findings,
    plans,
    program_desk,
    sessions,
    diary,
    care,
    assessments,
    recordings,
    gateways,
    data,
    sharing,
    document,
)

__all__ = ["SUBJECTS", "blueprint"]

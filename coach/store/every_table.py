"""All tables at once, for migrations and for whatever walks over everything."""

from coach.store import (
    assessment_tables,
    care_tables,
    desk_tables,
    diary_tables,
    erasure_tables,
    finding_tables,
    group_tables,
    job_tables,
    notification_tables,
    pocket_tables,
    program_tables,
    sign_in_tables,
    spasm_tables,
    tables,
    token_tables,
    trust_tables,
    wall_tables,
)
from coach.store.schema import metadata

__all__ = [
    "assessment_tables",
    "care_tables",
    "desk_tables",
    "diary_tables",
    "erasure_tables",
    "finding_tables",
    "group_tables",
    "job_tables",
    "metadata",
    "notification_tables",
    "pocket_tables",
    "program_tables",
    "sign_in_tables",
    "spasm_tables",
    "tables",
    "token_tables",
    "trust_tables",
    "wall_tables",
]

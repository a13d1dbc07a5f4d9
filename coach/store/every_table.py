"""All tables at once, for migrations and for whatever walks over everything."""

from coach.store import finding_tables, tables
from coach.store.schema import metadata

__all__ = ["finding_tables", "metadata", "tables"]

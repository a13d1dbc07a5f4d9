"""What all tables share: the metadata with its names, and the types of their columns."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, MetaData, String, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(32)
# SQLite numbers rows only for the exact type INTEGER.
NUMBER = BigInteger().with_variant(Integer, "sqlite")


def unique_where(index: str, condition: str, *columns: str) -> Index:
    """Return a unique index over the rows that meet the condition; SQLite and PostgreSQL both have it."""
    return Index(index, *columns, unique=True, sqlite_where=text(condition), postgresql_where=text(condition))

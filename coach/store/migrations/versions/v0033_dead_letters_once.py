"""Keep each dead letter once, however often the log hands the same bytes out: by athlete and SHA-256."""

from __future__ import annotations

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Add the hash and make it unique for an athlete; of rows that are the same, the newest stays."""
    with op.batch_alter_table("dead_letter") as batch:
        batch.add_column(sa.Column("sha256", sa.String(length=64)))
    tx = op.get_bind()
    seen: set[tuple[str, str]] = set()
    for number in tx.execute(sa.text("SELECT id FROM dead_letter ORDER BY id DESC")).scalars().all():
        row = sa.text("SELECT athlete_id, blob FROM dead_letter WHERE id = :id")
        athlete_id, blob = tx.execute(row, {"id": number}).one()
        digest = sha256(bytes(blob)).hexdigest()
        if (athlete_id, digest) in seen:
            tx.execute(sa.text("DELETE FROM dead_letter WHERE id = :id"), {"id": number})
        else:
            seen.add((athlete_id, digest))
            change = sa.text("UPDATE dead_letter SET sha256 = :sha256 WHERE id = :id")
            tx.execute(change, {"sha256": digest, "id": number})
    with op.batch_alter_table("dead_letter") as batch:
        batch.alter_column("sha256", existing_type=sa.String(length=64), nullable=False)
        batch.create_unique_constraint(op.f("uq_dead_letter_athlete_id_sha256"), ["athlete_id", "sha256"])

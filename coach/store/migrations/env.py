"""Alembic's entry: run the scripts over the connection that `coach.store.engine.migrate` hands in."""

from __future__ import annotations

from alembic import context

from coach.store.every_table import metadata


def _run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        # SQLite alters a table by making a new one.
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_run()

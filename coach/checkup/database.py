"""Checks of the database: its pages, its references, its schema, and the checksum of each chunk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coach.checkup.types import Line, State
from coach.errors import StoreUnavailable
from coach.instance import database_path
from coach.store import snapshot
from coach.store.engine import schemas
from devices.codec import decode_chunk
from devices.errors import DeviceError

# Damaged chunks that are named. Own choice.
_NAMED_MAX = 5
_BRING_BACK = "Stop Backstop and bring back the newest backup: `backstop restore FILE --replace`."


def check_database(directory: Path) -> Iterator[Line]:
    """Say whether it can be read, is whole, and of a schema that this version knows."""
    path = database_path(directory)
    if not path.exists():
        yield Line(
            "database",
            State.ATTENTION,
            f"There is none in {directory}.",
            "`backstop run` makes one; or name --storage.",
        )
        return
    try:
        with snapshot.open_snapshot(path) as seen:
            wrong = snapshot.troubles(seen)
            schema = snapshot.schema_version(seen)
            rows = sum(snapshot.row_counts(seen).values()) if not wrong else 0
    except StoreUnavailable as error:
        yield Line("database", State.BROKEN, str(error), _BRING_BACK)
        return
    if wrong:
        yield Line("database", State.BROKEN, f"It is damaged: {'; '.join(wrong)}.", _BRING_BACK)
    else:
        size_mb = path.stat().st_size / 1e6
        yield Line("database", State.OK, f"{size_mb:.1f} MB, {rows} rows, whole, every reference leads somewhere.")
    yield schema_line(schema)


def schema_line(schema: str | None) -> Line:
    """Say whether this version knows the schema of a database."""
    known = schemas()
    if schema == known[-1]:
        return Line("schema", State.OK, f"{schema}, the newest.")
    if schema in known:
        return Line(
            "schema",
            State.ATTENTION,
            f"{schema}; this version uses {known[-1]}.",
            "The next start brings it up to date.",
        )
    if schema is None:
        return Line("schema", State.BROKEN, "The database has none.", "Name the storage folder of a Backstop.")
    return Line("schema", State.BROKEN, f"{schema} is of a newer Backstop.", "Install that version.")


def check_chunks(directory: Path, days: int | None) -> Iterator[Line]:
    """Decode every chunk of the last days, or all; each carries a checksum of its own."""
    path = database_path(directory)
    if not path.exists():
        return
    with snapshot.open_snapshot(path) as seen:
        yield told_of_chunks(snapshot.chunks_since(seen, since(days)), days)


def since(days: int | None) -> datetime | None:
    """Return when the last days began, None for ever."""
    return datetime.now(UTC) - timedelta(days=days) if days is not None else None


def told_of_chunks(chunks: Iterable[tuple[int, bytes]], days: int | None) -> Line:
    """Decode chunks and say how many there are, and which of them are damaged. days: as of `check_chunks`."""
    count, damaged = 0, []
    for chunk_id, blob in chunks:
        count += 1
        try:
            decode_chunk(blob)
        except DeviceError:
            damaged.append(chunk_id)
    span = "ever stored" if days is None else f"of the last {days} days"
    if damaged:
        named = ", ".join(map(str, damaged[:_NAMED_MAX])) + (", …" if len(damaged) > _NAMED_MAX else "")
        return Line(
            "chunks",
            State.BROKEN,
            f"{len(damaged)} of {count} {span} are damaged: {named}.",
            "Look at the disk. A backup from before has them whole; the analysis leaves damaged ones out.",
        )
    return Line("chunks", State.OK, f"All {count} {span} fit their checksums.")

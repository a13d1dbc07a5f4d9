"""On PostgreSQL signal lies in parts by month: rows find theirs, keys hold, queries look into one or two of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext

from coach.errors import StoreUnavailable
from coach.store import hearts, months, recordings, signals
from coach.store.engine import MIGRATIONS, Store, Tx, migrate, open_store
from coach.store.every_table import metadata
from coach.store.months import Month
from coach.store.rows import fresh_id_at
from coach.store.tables import chunk, feature
from tests.coach.club import START, Club, FakeClock, bending_chunks, found_club
from tests.coach.service.test_retention import kept_for
from tests.servers import Postgres

NOW_S = START.timestamp()
NOVEMBER, DECEMBER = Month(2026, 11), Month(2026, 12)


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    with open_store(postgres_url) as opened:
        yield opened


@pytest.fixture
def made(club: Club) -> Club:
    """The club, with the months ahead made and a year of the past."""
    with club.store.begin() as tx:
        for table in months.PARTED:
            for number in range(1, 13):
                months.make(tx, table, Month(2026, number))
    return club


def parts_of(tx: Tx, table: str) -> dict[str, int]:
    rows = tx.execute(sa.text(f"SELECT tableoid::regclass::text, count(*) FROM {table} GROUP BY 1"))
    return {str(name): int(count) for name, count in rows}


def lived(club: Club, at: datetime, recording_id: str) -> None:
    """Two minutes of signal, analysed."""
    club.clock.now = at
    club.services.log.append(bending_chunks(2, 6, at.timestamp(), recording_id=recording_id))
    for stream_id in club.services.motion.pending_streams():
        assert club.services.motion.handle_pending(stream_id).chunks == 24


def test_rows_lie_in_the_month_in_which_their_recording_began_or_their_signal_was(made: Club) -> None:
    for at in (datetime(2026, 10, 5, 8, tzinfo=UTC), datetime(2026, 11, 30, 23, 59, tzinfo=UTC)):
        lived(made, at, f"from-{at:%m}")
    with made.store.read() as tx:
        assert parts_of(tx, "chunk") == {"chunk_2026_10": 24, "chunk_2026_11": 24}
        found = parts_of(tx, "feature")
    assert found.pop("feature_2026_10") == 24
    assert sum(found.values()) == 24
    assert set(found) == {"feature_2026_11", "feature_2026_12"}


def test_what_came_before_its_month_was_made_moves_there_and_is_found_all_the_while(club: Club) -> None:
    with club.store.read() as tx:
        assert {table for table, _ in months.lacking(tx, START)} == set(months.PARTED)
    lived(club, START, "rest")
    with club.store.read() as tx:
        assert parts_of(tx, "chunk") == {"chunk_rest": 24}
        before = tx.execute(sa.select(chunk).order_by(chunk.c.id)).all()
    assert club.services.retention.make_months(START) == (months.AHEAD + 1) * len(months.PARTED)
    assert club.services.retention.make_months(START) == 0
    with club.store.read() as tx:
        assert months.made(tx, "chunk") == [NOVEMBER, DECEMBER, Month(2027, 1), Month(2027, 2)]
        assert parts_of(tx, "chunk") == {"chunk_2026_11": 24}
        assert parts_of(tx, "feature") == {"feature_2026_11": 24}
        assert tx.execute(sa.select(chunk).order_by(chunk.c.id)).all() == before
    again = bending_chunks(2, 6, NOW_S, recording_id="rest")
    assert len(club.services.log.append(again)) == 24
    assert club.services.log.counts.known == 24


def test_a_month_that_somebody_holds_is_made_the_next_time(club: Club) -> None:
    with club.store.begin() as holder:
        holder.execute(sa.text("LOCK TABLE chunk_rest IN ROW EXCLUSIVE MODE"))
        with pytest.raises(StoreUnavailable) as caught, club.store.begin() as tx:
            months.make(tx, "chunk", NOVEMBER)
        assert caught.value.condition == "busy"
    with club.store.begin() as tx:
        months.make(tx, "chunk", NOVEMBER)
        assert months.made(tx, "chunk") == [NOVEMBER]


def test_whole_months_go_at_once_and_what_remains_row_by_row(made: Club) -> None:
    kept = kept_for(made, features_days=60)
    for month in (6, 8, 9, 11):
        lived(made, datetime(2026, month, 20, 8, tzinfo=UTC), f"in-{month}")
    assert kept.services.retention.forget(datetime(2026, 11, 24, tzinfo=UTC)) >= 3 * 24
    with made.store.read() as tx:
        assert [each.month for each in months.made(tx, "feature")] == [9, 10, 11, 12]
        assert parts_of(tx, "feature") == {"feature_2026_11": 24}
        assert parts_of(tx, "chunk") == {f"chunk_2026_{month:02}": 24 for month in (6, 8, 9, 11)}


def test_a_block_of_heart_rate_has_its_key_in_whichever_month_it_says_it_is(made: Club) -> None:
    block = {
        "device_id": "strap", "recording_id": "r", "seq": 1, "athlete_id": made.athlete_id,
        "wearable_id": made.wearable_id, "placement": "chest", "start_utc_s": NOW_S, "beats": b"a", "rr_s": b"b",
    }  # fmt: skip
    with made.store.begin() as tx:
        assert hearts.add(tx, block)
        assert not hearts.add(tx, block)
        assert not hearts.add(tx, block | {"start_utc_s": NOW_S - 86400 * 60, "beats": b"other"})
        assert hearts.holds(tx, block)
        assert parts_of(tx, "heart_block") == {"heart_block_2026_11": 1}


def test_the_ways_of_every_chunk_look_into_one_month(made: Club) -> None:
    """Asked of the planner as large tables are: by their indexes."""
    lived(made, START, "now")
    day = (made.athlete_id, ("chest",), NOW_S, NOW_S + 86400)
    with made.store.read() as tx:
        (stream_id,) = recordings.ids_of_athlete(tx, made.athlete_id)
        asked = {
            "next": (recordings._AFTER, {"of_stream": stream_id, "after": 3, "most": 24}),
            "same": (recordings._BYTES, {"of_stream": stream_id, "of_seq": 3}),
            "chart": (sa.select(feature.c.line).where(*signals._within(*day)), {}),
        }
        for name, (statement, values) in asked.items():
            compiled = statement.params(**values).compile(tx, compile_kwargs={"render_postcompile": True})
            looked = looked_into(tx, str(compiled), compiled.params)
            assert looked <= {"chunk_2026_11", "feature_2026_11"}, name
        place = f"WITH place(stream_id, seq) AS (VALUES ('{stream_id}', 3), ('{stream_id}', 400))"
        for what in (recordings._KNOWN, recordings._LATE):
            assert looked_into(tx, f"{place} {what}", {}) <= {"chunk_2026_11"}


def looked_into(tx: Tx, statement: str, values: Mapping[str, object]) -> set[str]:
    """Return the parts that a statement opened: what the plan has in it but never ran is left out."""
    for setting in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan"):
        tx.execute(sa.text(f"SET LOCAL {setting} = off"))
    ((plan,),) = tx.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", dict(values)).all()
    found: set[str] = set()

    def walk(node: dict[str, object]) -> None:
        if node.get("Relation Name") and node["Actual Loops"]:
            found.add(str(node["Relation Name"]))
        for child in node.get("Plans", ()):  # type: ignore[attr-defined]
            walk(child)

    walk(plan[0]["Plan"])
    assert found, "the statement looked into nothing"
    return {each for each in found if each.startswith(("chunk", "feature"))}


def test_rows_of_before_come_into_parts_and_the_schema_is_as_declared_but_for_their_keys(postgres: Postgres) -> None:
    name = postgres.create()
    with open_store(postgres.url(name)) as store:
        config = AlembicConfig()
        config.set_main_option("script_location", str(MIGRATIONS))
        with store.begin() as tx:
            config.attributes["connection"] = tx
            command.upgrade(config, "0026")
        with store.begin() as tx:
            rows_of_before(tx)
            before = [tx.execute(sa.text(f"SELECT * FROM {each} ORDER BY id")).all() for each in ("chunk", "feature")]
        migrate(store)
        with store.read() as tx:
            after = [tx.execute(sa.text(f"SELECT * FROM {each} ORDER BY id")).all() for each in ("chunk", "feature")]
            assert after == before
            assert parts_of(tx, "chunk") == {"chunk_of_before": 5, "chunk_rest": 5}
            assert parts_of(tx, "feature") == {"feature_2024_02": 5, "feature_2024_03": 5}
            differences = compare_metadata(MigrationContext.configure(tx, opts={"include_name": declared}), metadata)
        # A unique key of parts has the key of the parts in it, and nothing refers to the number of a chunk alone.
        assert sorted(each[0] for each in differences) == ["add_constraint", "add_fk", "add_fk", "remove_constraint"]
        assert {each[1].table.name for each in differences} == {"feature", "set_aside"}
    postgres.drop(name)


def declared(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
    return kind != "table" or name in metadata.tables


def rows_of_before(tx: Tx) -> None:
    """Two recordings with ids of before, one of which begins as a time might."""
    tx.execute(
        sa.text(
            "INSERT INTO athlete (id, name, time_zone, wake, preferred, weekdays, sport, simulated, replan_wanted,"
            " calendar_token, created_at)"
            " VALUES ('a', 'Ada', 'UTC', '07:00', '18:00', '[]', '', false, false, 'c', now())"
        )
    )
    tx.execute(
        sa.text(
            "INSERT INTO wearable (id, athlete_id, address, family, name, placement, simulated, created_at)"
            " VALUES ('w', 'a', 'x', 'f', 'n', 'chest', false, now())"
        )
    )
    for stream_id, month in (("f" * 32, 2), ("0" * 32, 3)):
        values = {"id": stream_id, "start": datetime(2024, month, 3, tzinfo=UTC).timestamp()}
        for statement in (
            "INSERT INTO stream (id, device_id, recording_id, athlete_id, wearable_id, placement, rate_hz, max_seq,"
            " last_received_at, live, created_at)"
            " VALUES (:id, 'x', :id, 'a', 'w', 'chest', 100, 4, now(), true, now())",
            "INSERT INTO chunk (stream_id, seq, start_utc_s, start_index, samples, missing, received_at, blob)"
            " SELECT :id, n, :start + n, 0, 1, 0, now(), '\\x00' FROM generate_series(0, 4) n",
            "INSERT INTO feature (chunk_id, stream_id, athlete_id, placement, start_utc_s, start_index, rate_hz,"
            " expected, covered, bends, repetitions, above, line_start_utc_s, line_rate_hz, line, analysed_at)"
            " SELECT id, stream_id, 'a', 'chest', start_utc_s, 0, 100, 1, 1, 0, '[]', '{}', 0, 1, '\\x00', now()"
            " FROM chunk WHERE stream_id = :id AND :start > 0",
        ):
            tx.execute(sa.text(statement), values)


def test_the_id_of_a_recording_tells_the_month_in_which_it_is_looked_for(store: Store, clock: FakeClock) -> None:
    club = found_club(store, clock)
    with store.begin() as tx:
        months.make(tx, "chunk", NOVEMBER)
        first = fresh_id_at(NOVEMBER.begin)
        for stream_id in (first, fresh_id_at(DECEMBER.begin - timedelta(milliseconds=1)), fresh_id_at(DECEMBER.begin)):
            wearable = {"athlete_id": club.athlete_id, "wearable_id": club.wearable_id}
            tx.execute(
                sa.text(
                    "INSERT INTO stream (id, device_id, recording_id, athlete_id, wearable_id, placement, rate_hz,"
                    " max_seq, last_received_at, live, created_at)"
                    " VALUES (:id, 'x', :id, :athlete_id, :wearable_id, 'chest', 60, 0, now(), true, now())"
                ),
                {"id": stream_id, **wearable},
            )
            row = {"stream_id": stream_id, "seq": 0, "start_utc_s": 0.0, "start_index": 0, "samples": 1, "missing": 0}
            recordings.add_chunks(tx, [{**row, "received_at": START, "blob": b"x"}])
        assert parts_of(tx, "chunk") == {"chunk_2026_11": 2, "chunk_rest": 1}

"""Dead letters, on SQLite and on PostgreSQL: each kept once, whoever gives it up and however often."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from coach.errors import Conflict
from coach.service.dead_letters import Letter
from coach.store import events
from coach.store.dead_letter_tables import dead_letter
from coach.store.engine import Store
from coach.store.migrations.versions import v0030_dead_letters, v0033_dead_letters_once
from tests.coach.club import START, Club


def letter_of(club: Club, blob: bytes = b"no chunk", **others: Any) -> Letter:
    return Letter(club.athlete_id, "motion.0.x", "key", blob, "OSError: no", 5, START)._replace(**others)


def gave_up(store: Store, club: Club) -> list[str]:
    with store.read() as tx:
        return [row["why"] for row in events.of_athlete(tx, club.athlete_id) if row["action"] == "gave up"]


def test_the_same_bytes_are_one_letter_which_tells_of_the_newest_try(store: Store, club: Club) -> None:
    dead = club.services.dead_letters
    assert dead.bury(letter_of(club))
    club.clock.forward(minutes=5)
    assert dead.bury(letter_of(club, reason="ValueError: nor now", tries=9, first_at=START + timedelta(minutes=4)))
    assert dead.bury(letter_of(club, b"others"))
    other, same = dead.stuck()
    assert dead.show(other.id)[1] == b"others"
    assert (same.reason, same.tries, same.first_at) == ("ValueError: nor now", 9, START)
    assert same.last_at == START + timedelta(minutes=5)
    assert gave_up(store, club) == ["OSError: no", "ValueError: nor now", "OSError: no"]


def test_what_is_set_down_for_a_try_is_taken_up_unless_the_try_ended_otherwise(store: Store, club: Club) -> None:
    dead = club.services.dead_letters
    assert dead.set_down(letter_of(club))
    assert [each.tries for each in dead.stuck()] == [5]  # for as long as it is tried
    dead.take_up(letter_of(club))
    assert dead.stuck() == ()
    assert dead.set_down(letter_of(club))
    assert not dead.set_down(letter_of(club))  # whoever tried it did not come back
    assert dead.bury(letter_of(club))
    dead.take_up(letter_of(club))  # the one who was only slow
    assert [each.reason for each in dead.stuck()] == ["OSError: no"]
    assert dead.set_down(letter_of(club))  # it was sent once more
    assert not dead.set_down(letter_of(club, athlete_id="0" * 32))
    assert gave_up(store, club) == ["OSError: no"]


def test_two_workers_who_give_the_same_chunk_up_at_once_keep_one(store: Store, club: Club) -> None:
    dead, barrier, kept = club.services.dead_letters, threading.Barrier(2), []

    def bury() -> None:
        barrier.wait()
        kept.append(dead.bury(letter_of(club)))

    threads = [threading.Thread(target=bury) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert kept == [True, True]
    assert len(dead.stuck()) == 1
    assert gave_up(store, club) == ["OSError: no"]


def test_the_database_itself_refuses_a_second_one(store: Store, club: Club) -> None:
    assert club.services.dead_letters.bury(letter_of(club))
    with store.read() as tx:
        row = tx.execute(sa.select(dead_letter)).mappings().one()
    with pytest.raises(Conflict), store.begin() as tx:
        tx.execute(dead_letter.insert().values(**{**row, "id": 77}))


def test_letters_that_were_kept_twice_before_come_forward_as_one(store: Store, club: Club) -> None:
    with store.begin() as tx:
        tx.execute(sa.schema.DropTable(dead_letter))
        with Operations.context(MigrationContext.configure(tx)):
            v0030_dead_letters.upgrade()
        table = sa.Table("dead_letter", sa.MetaData(), autoload_with=tx)
        for number, blob in enumerate((b"a", b"b", b"a", b"a"), start=1):
            row = letter_of(club, blob, tries=number)._asdict()
            tx.execute(table.insert().values(id=number, last_at=START, **row))
        with Operations.context(MigrationContext.configure(tx)):
            v0033_dead_letters_once.upgrade()
    assert [each.id for each in club.services.dead_letters.stuck()] == ["letter-4", "letter-2"]
    with store.read() as tx:
        [unique] = sa.inspect(tx).get_unique_constraints("dead_letter")
        nullable = {each["name"] for each in sa.inspect(tx).get_columns("dead_letter") if each["nullable"]}
    assert (unique["column_names"], nullable) == (["athlete_id", "sha256"], set())
    assert club.services.dead_letters.bury(letter_of(club, b"b", tries=9))
    assert [each.tries for each in club.services.dead_letters.stuck()] == [4, 9]

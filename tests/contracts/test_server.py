"""A database server: what its errors are called, that it comes back, and that work is claimed by one of many."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from coach.clock import SessionClock
from coach.errors import Conflict, InvalidInput, Overtaken, StoreUnavailable
from coach.live import LiveFeed
from coach.service import days as service_days
from coach.service.permission import require_athlete
from coach.service.types import Role
from coach.store import athletes, days, recordings
from coach.store.claims import alone, claimed
from coach.store.engine import Store, migrate, open_store
from coach.store.importing import Taking
from coach.store.server import AS_IT_LIES
from coach.store.tables import athlete, chunk, event, planned_session, stream_state
from tests.coach.club import START, Club, bending_chunks
from tests.coach.service.test_plans import accepted
from tests.contracts.test_store import EVENT, at_once, number_of
from tests.servers import Postgres

NOW_S = START.timestamp()


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    with open_store(postgres_url) as opened:
        yield opened


@pytest.mark.parametrize(
    ("state", "condition"),
    [
        ("53100", "disk full"),
        ("25006", "read-only"),
        ("53300", "too many connections"),
        ("58030", "disk failing"),
        ("XX001", "damaged"),
        ("55P03", "busy"),
        ("57P01", "unreachable"),
    ],
)
def test_what_a_server_says_is_named_and_told_until_it_takes_something_again(
    store: Store, club: Club, state: str, condition: str
) -> None:
    raising = (
        f"DO $$ BEGIN RAISE EXCEPTION 'of which nobody hears' USING ERRCODE = '{state}', DETAIL = 'secret'; END $$"
    )
    with pytest.raises(StoreUnavailable) as caught, store.begin() as tx:
        tx.exec_driver_sql(raising)
    assert caught.value.condition == condition
    assert "secret" not in str(caught.value)
    if condition == "busy":
        assert club.services.machine.trouble() is None
        return
    assert club.services.machine.trouble() == store.health.sentence
    assert not club.services.machine.parts()[0].ready
    assert club.services.machine.mind_disk()
    assert club.services.machine.trouble() is None
    assert club.services.machine.parts()[0].ready


@pytest.mark.parametrize("state", ["42P01", "42501", "54000", "0A000", "XX000", "55000"])
def test_a_statement_that_a_server_refuses_is_told_as_that_and_is_no_trouble_of_the_server(
    store: Store, state: str
) -> None:
    with pytest.raises(StoreUnavailable, match="trying again does not help") as caught, store.begin() as tx:
        tx.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")
    assert caught.value.condition == "refused"
    assert store.health.condition == "sound"


def test_what_the_driver_itself_refuses_is_refused(store: Store) -> None:
    with pytest.raises(StoreUnavailable) as caught, store.read() as tx:
        tx.exec_driver_sql("SELECT %s", (object(),))
    assert caught.value.condition == "refused"


def test_a_database_that_takes_no_writes_can_be_read(store: Store, club: Club, postgres: Postgres) -> None:
    name = store.url.rpartition("/")[2]
    with store.apart() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with open_store(store.url) as later:
        with pytest.raises(StoreUnavailable) as caught, later.begin() as tx:
            tx.execute(event.insert().values(**EVENT))
        assert caught.value.condition == "read-only"
        with pytest.raises(StoreUnavailable):
            later.try_again()
        with later.read() as tx:
            assert number_of(tx, athlete) == 1


def test_a_server_that_has_no_connection_left_says_so(store: Store, club: Club) -> None:
    name = store.url.rpartition("/")[2]
    with store.apart() as connection:
        connection.exec_driver_sql(f"CREATE ROLE guest_{name} LOGIN CONNECTION LIMIT 1")
        connection.exec_driver_sql(f"GRANT SELECT ON athlete TO guest_{name}")
    url = store.url.replace("//backstop@", f"//guest_{name}@")
    with open_store(url) as first, open_store(url) as second, first.read() as tx:
        assert number_of(tx, athlete) == 1
        with pytest.raises(StoreUnavailable, match="too many connections") as caught, second.read():
            pass
    assert caught.value.condition == "too many connections"
    with store.apart() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY guest_{name}")
        connection.exec_driver_sql(f"DROP ROLE guest_{name}")


def test_what_cannot_be_kept_is_wrong_input_and_no_trouble_of_the_server(store: Store) -> None:
    for values in ({"why": "a\0b"}, {"action": "x" * 61}):
        with pytest.raises(InvalidInput) as caught, store.begin() as tx:
            tx.execute(event.insert().values(**EVENT | values))
        assert "xxx" not in str(caught.value)
    assert store.health.condition == "sound"


def test_after_the_server_was_killed_and_started_the_next_use_works() -> None:
    server = Postgres()
    try:
        with open_store(server.url(server.create())) as store:
            migrate(store)
            with store.begin() as tx:
                tx.execute(event.insert().values(**EVENT))
            server.kill()
            for use in (store.begin, store.begin_derived, store.read):
                with pytest.raises(StoreUnavailable) as caught, use():
                    pass
                assert caught.value.condition == "unreachable"
            server.start()
            with store.read() as tx:
                assert number_of(tx, event) == 1
            with store.begin() as tx:
                tx.execute(event.insert().values(**EVENT))
    finally:
        server.close()


def test_what_can_be_worked_out_again_does_not_wait_for_the_disk(store: Store) -> None:
    told = []
    for use in (store.begin, store.begin_append, store.begin_derived):
        with use() as tx:
            told.append(tx.exec_driver_sql("SHOW synchronous_commit").scalar_one())
    assert told == ["on", "on", "off"]


def test_states_are_compressed_at_little_cost_and_come_back_as_they_lie_in_memory(store: Store) -> None:
    of_state = "SELECT attcompression FROM pg_attribute WHERE attrelid = 'stream_state'::regclass AND attname = 'state'"
    with store.read() as tx:
        kinds = tx.exec_driver_sql("SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'")
        can = "lz4" in (kinds.scalar() or "")
        assert tx.exec_driver_sql(of_state).scalar() == ("l" if can else "")
        # As text they come as hexadecimal digits.
        for formats, options in ((0, {}), (1, {AS_IT_LIES: True})):
            asked = sa.text("SELECT '\\x00ff'::bytea, 1.5::float8, now() = now()").execution_options(**options)
            result = tx.execute(asked)
            assert {result.cursor.pgresult.fformat(each) for each in range(3)} == {formats}
            assert tuple(result.one()) == (b"\x00\xff", 1.5, True)


def test_two_that_hold_what_the_other_wants_are_told_apart_and_a_unit_is_repeated(store: Store, club: Club) -> None:
    second = club.services.athletes.create("Bo", "UTC")
    both = [club.athlete_id, second]
    met = threading.Barrier(2, timeout=20)
    tries: list[int] = []

    def change(order: list[str], number: int) -> None:
        def unit() -> None:
            tries.append(number)
            with store.begin() as tx:
                athletes.change(tx, order[0], sport=f"sport {number}")
                if tries.count(number) == 1:
                    met.wait()
                athletes.change(tx, order[1], sport=f"sport {number}")

        store.repeat(unit)

    assert at_once(lambda: change(both, 0), lambda: change(both[::-1], 1)) == [None, None]
    assert len(tries) == 3
    with pytest.raises(Overtaken, match="at the same moment"):
        store.repeat(lambda: overtaken(store))


def overtaken(store: Store) -> None:
    with store.begin() as tx:
        tx.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'met' USING ERRCODE = '40001'; END $$")


def test_a_claim_is_held_by_one_and_ends_with_its_connection(store: Store, postgres: Postgres) -> None:
    with (
        claimed(store, "days", "a") as mine,
        claimed(store, "days", "a") as theirs,
        claimed(store, "days", "b") as other,
    ):
        assert (mine, theirs, other) == (True, False, True)
    with claimed(store, "days", "a") as mine:
        assert mine
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"

    def die_with_it() -> None:
        with open_store(store.url) as dying, claimed(dying, "days", "a") as mine, store.apart() as connection:
            assert mine
            connection.exec_driver_sql(f"{ended} AND datname = current_database()")

    with pytest.raises(StoreUnavailable):
        die_with_it()
    with claimed(store, "days", "a") as mine:
        assert mine


def test_who_waits_for_a_claim_comes_next(store: Store) -> None:
    order: list[str] = []

    def work(name: str) -> None:
        with alone(store, "phone", "p"):
            order.append(name)
            time.sleep(0.05)
            order.append(name)

    at_once(*[lambda name=name: work(name) for name in "abc"])
    assert order[::2] == order[1::2]
    assert sorted(order[::2]) == ["a", "b", "c"]


@contextmanager
def watched(patch: pytest.MonkeyPatch, where: type, name: str) -> Iterator[list[tuple[object, ...]]]:
    """Note the calls of a method, each of which takes a moment longer."""
    real, calls = getattr(where, name), []

    def slow(self: object, *args: object, **more: object) -> object:
        calls.append(args)
        time.sleep(0.1)
        return real(self, *args, **more)

    patch.setattr(where, name, slow)
    yield calls


def test_two_workers_judge_each_day_once_and_share_the_athletes(
    store: Store, club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    whose = [club.athlete_id]
    for number in range(5):
        athlete_id = club.services.athletes.create(f"Athlete {number}", "UTC", club.coach.user_id)
        whose.append(athlete_id)
    with store.begin() as tx:
        for athlete_id in whose:
            days.mark(tx, athlete_id, START.date() - timedelta(days=1), START)
    with watched(monkeypatch, service_days.Days, "_verdict") as calls:
        answers = at_once(club.services.days.judge_due, club.services.days.judge_due)
    judged = [day.athlete_id for answer in answers for day in answer]  # type: ignore[attr-defined]
    assert sorted(judged) == sorted(whose)
    assert len(calls) == len(whose), "no day was judged twice"
    assert all(answers), "both had a share"


def test_a_worker_does_not_pass_a_hole_that_is_filled_at_this_moment(store: Store, club: Club) -> None:
    chunks = bending_chunks(1, 6, NOW_S)
    club.services.log.append([chunks[0], *chunks[2:]])
    (stream_id,) = club.services.motion.pending_streams()
    assert club.services.motion.handle_pending(stream_id).chunks == 1
    club.clock.forward(seconds=120)
    filled, handled = threading.Event(), []
    with store.read() as tx:
        row = dict(recordings.chunks_after(tx, stream_id, 1, 1)[0])
    row |= {"seq": 1, "blob": bytes(row["blob"])}
    del row["id"]
    worker = threading.Thread(target=lambda: handled.append(club.services.motion.handle_pending(stream_id)))
    with store.begin_append() as tx:
        recordings.add_chunks(tx, [row])
        recordings.note_append(tx, [stream_id], club.clock.now)
        recordings.hold_cursors(tx, [(stream_id, 1)])
        worker.start()
        worker.join(0.5)
        assert worker.is_alive(), "the worker waits for the state that is held"
        filled.set()
    worker.join(20)
    assert handled[0].chunks == 0, "what it had worked out is of before"
    assert club.services.motion.handle_pending(stream_id).chunks == 11
    with store.read() as tx:
        assert not recordings.has_late(tx, stream_id)
        assert tx.execute(sa.select(stream_state.c.last_seq)).scalar_one() == 11


def test_who_is_taken_in_keeps_nobody_from_adding_rows_and_meets_none_of_their_numbers(
    store: Store, club: Club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, others, check = club.services, "C0:FF:EE:00:00:02", Taking.check
    services.log.append(bending_chunks(1, 6, NOW_S))
    with (tmp_path / "mine.zip").open("wb") as file:
        services.exports.write(club.athlete, club.athlete_id, file)
    services.erasing.erase(None, club.athlete_id, "Ada")
    bea = services.athletes.create("Bea", "Europe/Berlin", club.coach.user_id)
    herself = services.accounts.identity(services.accounts.create_user("Bea", Role.ATHLETE, athlete_id=bea))
    assert herself is not None
    services.wearables.add(herself, bea, others, "movella-dot", "Chest strap", "chest")
    assert len(services.log.append(bending_chunks(0.5, 6, NOW_S, device_id=others))) == 6

    def checked(taking: Taking) -> None:
        # The rows are in, and not committed yet.
        assert len(services.log.append(bending_chunks(1, 6, NOW_S, recording_id="during", device_id=others))) == 12
        check(taking)

    monkeypatch.setattr(Taking, "check", checked)
    services.restoring.take_in(tmp_path / "mine.zip")
    with store.read() as tx:
        assert number_of(tx, chunk) == 12 + 6 + 12
    assert len(services.log.append(bending_chunks(1, 6, NOW_S, recording_id="next", device_id=others))) == 12


def test_each_look_of_the_clock_is_at_one_of_two(club: Club) -> None:
    begun, over, at_work = [], threading.Event(), []

    def look(services: object, feed: object, now: object) -> int:
        begun.append(1)
        at_work.append(len(begun))
        over.wait(10)
        return 0

    clocks = [SessionClock(club.services, LiveFeed(), club.config, club.clock) for _ in range(2)]
    first = threading.Thread(target=clocks[0]._tick, args=(look, "look"))
    first.start()
    while not begun:
        time.sleep(0.01)
    clocks[1]._tick(look, "look")
    assert at_work == [1]
    over.set()
    first.join(10)
    clocks[1]._tick(look, "look")
    assert at_work == [1, 2]


def racing(club: Club, looks: dict[str, Callable[[], object]]) -> None:
    for name, look in looks.items():
        for answer in at_once(look, look):
            assert not isinstance(answer, Exception) or isinstance(answer, Conflict), (name, answer)


def test_looks_that_meet_do_everything_once(store: Store, club: Club) -> None:
    """Also where no clock stands in front of them: a worker, a page and a clock may each come to the same."""
    accepted(club)
    services, now = club.services, club.clock.forward(days=2)
    with store.begin() as tx:
        athletes.change(tx, club.athlete_id, replan_wanted=True)
    racing(club, {"release": lambda: services.plans.release_due(now), "replan": services.plans.replan_wanted})
    later = now + timedelta(days=4)
    racing(
        club,
        {
            "place": lambda: services.plans.plan_ahead(later),
            "close": lambda: services.plans.close_stale(later),
            "look": lambda: services.progress.look_daily(later),
            "settle": lambda: services.motion.close_stale(later),
            "trials": lambda: services.trials.settle(later),
            "sets": lambda: services.guidance.settle(later),
            "reminders": lambda: services.reminders.plan(later),
            "forget": lambda: services.retention.forget(later),
        },
    )
    with store.read() as tx:
        slots = tx.execute(
            sa.select(planned_session.c.slot).where(planned_session.c.state != "cancelled")
        ).scalars().all()  # fmt: skip
        done = (event.c.action.in_(["skipped", "released"]), event.c.subject == "session")
        ended = tx.execute(sa.select(event.c.action, event.c.subject_id).where(*done)).all()
        proposed = tx.execute(sa.text("SELECT count(*) FROM plan WHERE state = 'proposed'")).scalar_one()
    assert len(slots) == len(set(slots)) > 0
    assert len(ended) == len(set(ended)) > 0, "each was released once, and closed once"
    assert proposed <= 1


def test_two_that_erase_the_same_leave_nothing_and_neither_fails(store: Store, club: Club) -> None:
    club.services.log.append(bending_chunks(1, 6, NOW_S))
    erasing = club.services.erasing
    erasing._begin(club.athlete_id, "owner")
    answers = at_once(erasing.go_on, erasing.go_on, erasing.go_on)
    assert [each for each in answers if isinstance(each, Exception)] == []
    with store.read() as tx:
        assert number_of(tx, athlete) == 0
        erased = tx.execute(sa.select(sa.func.count()).where(event.c.action == "erased")).scalar_one()
    assert erased == 1


def test_a_decision_waits_for_who_decides_about_the_same_athlete(store: Store, club: Club) -> None:
    order: list[str] = []

    def decide(name: str) -> None:
        with store.begin() as tx:
            require_athlete(tx, club.coach, club.athlete_id)
            order.append(name)
            time.sleep(0.1)
            order.append(name)

    at_once(lambda: decide("a"), lambda: decide("b"))
    assert order[0] == order[1]
    assert order[2] == order[3]
    with store.begin() as tx:
        require_athlete(tx, club.coach, club.athlete_id)
        keys = club.services.log.append(bending_chunks(0.2, 6, NOW_S, recording_id="meanwhile"))
        assert len(keys) == 3, "signal does not wait for a decision"

"""The owner sees what is stuck and why, and has it tried again; nobody else does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coach.service.dead_letters import Letter
from coach.store import recordings
from devices.codec import encode_chunk
from tests.coach.club import bending_chunks
from tests.coach.web.test_pages import text_of
from tests.coach.web.told import store_of


@pytest.fixture
def post(owner, csrf_of):
    return lambda path: owner.post(path, data={"csrf_token": csrf_of(owner)}, follow_redirects=True)


def given_up(world, blob: bytes, key: str) -> str:
    """Give a chunk of Ada's up, as a worker does; return what it is called."""
    letter = Letter(
        world.ada.athlete_id, f"motion.3.{world.ada.athlete_id}", key, blob, "OSError: no", 5, world.clock.now
    )
    assert world.services.dead_letters.bury(letter)
    return world.services.dead_letters.stuck()[0].id


def test_what_is_of_nobody_here_is_not_kept(world) -> None:
    letter = Letter("0" * 32, "motion.0.x", "", b"x", "gone", 5, world.clock.now - timedelta(days=1))
    assert not world.services.dead_letters.bury(letter)
    assert world.services.dead_letters.stuck() == ()


def test_a_chunk_that_was_given_up_is_listed_and_stored_when_it_is_tried_again(world, owner, post) -> None:
    assert "/dead-letters" in owner.get("/people").text
    assert "Nothing is stuck." in text_of(owner.get("/dead-letters").text)
    with store_of(world).read() as tx:
        address = tx.exec_driver_sql(
            f"SELECT address FROM wearable WHERE athlete_id = '{world.ada.athlete_id}'"
        ).scalar_one()
    chunk = bending_chunks(0.2, 6, world.clock.utc_s(), "stuck", address)[0]
    stuck_id = given_up(world, encode_chunk(chunk), chunk.key)
    said = text_of(owner.get("/dead-letters").text)
    assert "1 piece" in said
    assert f"Ada Not stored, tried 5 times. Given up on 24 November 2026. {chunk.key} OSError: no" in said
    [listed] = owner.get("/api/v1/dead-letters").get_json()["chunks"]
    assert (listed["id"], listed["stage"], listed["tries"], listed["reason"]) == (stuck_id, "letter", 5, "OSError: no")
    assert listed["size_bytes"] == len(encode_chunk(chunk))
    assert "It is tried again." in text_of(post(f"/dead-letters/{stuck_id}/replay").text)
    assert world.services.dead_letters.stuck() == ()
    with store_of(world).read() as tx:
        stream = recordings.find_stream(tx, address, "stuck")
        assert stream is not None
        assert [row["seq"] for row in recordings.chunks_after(tx, stream["id"], -1, 10)] == [0]
    assert "It is not on the list any more." in text_of(post(f"/dead-letters/{stuck_id}/replay").text)
    assert "It is not on the list any more." in text_of(post("/dead-letters/letter-x/replay").text)


def test_what_is_no_chunk_stays_on_the_list(world, owner, post) -> None:
    stuck_id = given_up(world, b"no chunk", "")
    assert "That did not help" in text_of(post(f"/dead-letters/{stuck_id}/replay").text)
    assert [each.id for each in world.services.dead_letters.stuck()] == [stuck_id]


def test_a_chunk_that_was_set_aside_is_listed_and_its_recording_begun_again(world, owner, post) -> None:
    with store_of(world).begin() as tx:
        row = tx.exec_driver_sql("SELECT id, stream_id FROM chunk ORDER BY id LIMIT 1").one()
        late = tx.exec_driver_sql("SELECT id FROM chunk ORDER BY id LIMIT 1 OFFSET 1").scalar_one()
        recordings.put_aside(tx, row.id, "AnalysisError: a defect", world.clock.now)
        recordings.put_aside(tx, late, recordings.LATE, world.clock.now)
    said = text_of(owner.get("/dead-letters").text)
    assert "Stored, but not analysed. Given up on 24 November 2026." in said
    assert "AnalysisError: a defect" in said
    assert "1 piece" in said  # what came late has its turn by itself
    assert "It is tried again." in text_of(post(f"/dead-letters/aside-{row.id}/replay").text)
    with store_of(world).read() as tx:
        stream = recordings.get_stream(tx, row.stream_id)
        assert stream is not None
        assert stream["last_seq"] == -1
    assert world.services.dead_letters.stuck() == ()

"""`backstop dead-letters`, as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from coach.__main__ import main
from coach.config import load
from coach.instance import database_path
from coach.service.dead_letters import Letter
from coach.store import recordings
from coach.store.engine import migrate, open_store
from devices.codec import encode_chunk
from tests.coach.club import FakeClock, bending_chunks, found_club


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """A storage folder where one chunk can be stored now, one never, and one of a recording was set aside."""
    monkeypatch.setenv("BACKSTOP_STORAGE__DIRECTORY", str(tmp_path))
    with open_store(database_path(tmp_path)) as store:
        migrate(store)
        club = found_club(store, FakeClock(), config=load())
        chunks = bending_chunks(0.3, 6, club.clock.utc_s())
        club.services.log.append(chunks[:2])
        with store.begin() as tx:
            recordings.put_aside(tx, 1, "AnalysisError: a defect", club.clock.now)
        blobs = [encode_chunk(chunks[2]), b"no chunk"]
        for blob, key in zip(blobs, (chunks[2].key, ""), strict=True):
            letter = Letter(club.athlete_id, "motion.0.x", key, blob, "OSError: no", 5, club.clock.now)
            assert club.services.dead_letters.bury(letter)
    return blobs


def test_they_are_listed_shown_and_tried_again(
    here: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dead-letters", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["letter-2", "letter-1", "aside-1"]
    assert lines[1].endswith("C0:FF:EE:00:00:01-rec-2  OSError: no")
    assert "not analysed" in lines[2]
    file = tmp_path / "chunk.bin"
    assert main(["dead-letters", "show", "letter-1", "--bytes", str(file)]) == 0
    assert file.read_bytes() == here[0]
    assert "athlete: Ada" in capsys.readouterr().out
    assert main(["dead-letters", "show", "letter-1", "--bytes", str(file)]) == 2
    assert "name a file that is not there" in capsys.readouterr().err
    assert main(["dead-letters", "replay", "all"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "2 are tried again, 1 stay.\n"
    assert printed.err.startswith("letter-2 stays: It is no chunk, and will never be one")
    assert main(["dead-letters", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["letter-2"]
    with open_store(database_path(tmp_path)) as store, store.read() as tx:
        stream_id = tx.exec_driver_sql("SELECT id FROM stream").scalar_one()
        assert [row["seq"] for row in recordings.chunks_after(tx, stream_id, -1, 10)] == [0, 1, 2]
    for wrong in ("letter-1", "letter", "aside-x", "chunk-1"):
        assert main(["dead-letters", "replay", wrong]) == 2
        assert f"Nothing is stuck that is called {wrong}" in capsys.readouterr().err

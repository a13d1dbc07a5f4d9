"""Log lines: one place, two forms, ids that travel with the work and with its errors, no secrets."""

from __future__ import annotations

import io
import json
import logging
import secrets
import threading
from collections.abc import Iterator

import pytest

from coach import logs
from coach.config import LogSection
from coach.errors import InvalidInput, StoreUnavailable
from coach.live import LiveFeed
from coach.log import pack
from coach.service.tokens import Scope
from coach.worker import Worker
from devices.codec import encode_chunk
from tests.coach.club import START, Club, bending_chunks

_log = logging.getLogger("coach.test")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before, hook = (root.handlers[:], root.level), threading.excepthook
    yield
    threading.excepthook = hook
    root.handlers[:], root.level = before
    logging.captureWarnings(False)


def written(config: LogSection) -> io.StringIO:
    stream = io.StringIO()
    logs.configure(config, stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_ids_are_fields_in_json_and_words_in_text() -> None:
    stream = written(LogSection(format="json"))
    with logs.about(athlete="a1"), logs.about(stream="s1", chunk=7, wearable=None):
        _log.warning("set aside: %s", "why")
    _log.warning("plain")
    _log.info("not at this level")
    first, second = lines(stream)
    assert first.pop("at") <= second.pop("at")
    assert first == {
        "level": "WARNING", "part": "coach.test", "message": "set aside: why",
        "athlete": "a1", "stream": "s1", "chunk": "7",
    }  # fmt: skip
    assert second == {"level": "WARNING", "part": "coach.test", "message": "plain"}
    stream = written(LogSection(level="info"))
    with logs.about(athlete="a1"):
        _log.info("hello")
    assert stream.getvalue().endswith("INFO coach.test: hello [athlete=a1]\n")


def test_an_error_brings_along_what_it_was_about() -> None:
    stream = written(LogSection(format="json"))
    try:
        with logs.about(stream="s1"), logs.about(athlete="a1", chunk=9):
            raise StoreUnavailable("no")
    except StoreUnavailable:
        with logs.about(tick="judge_days"):
            _log.exception("failed")
    (line,) = lines(stream)
    assert (line["athlete"], line["stream"], line["chunk"], line["tick"]) == ("a1", "s1", "9", "judge_days")
    assert "StoreUnavailable: no" in line["exc_info"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_foreign_error_repeats_of_somebodys_words_is_not_written(form: str) -> None:
    stream, words = written(LogSection.model_validate({"format": form})), "my back hurts"
    try:
        try:
            int(words)
        except ValueError as error:
            raise InvalidInput(f"'{words}' is no number") from error
    except InvalidInput:
        _log.exception("a form failed")
    try:
        raise OSError(28, "No space left", f"{words}.csv")
    except OSError:
        _log.exception("a file failed")
    thread = threading.Thread(target=lambda: int(words), name="helper")
    thread.start()
    thread.join()
    told = stream.getvalue()
    assert words not in told
    for part in ("builtins.ValueError", "InvalidInput", "OSError: ENOSPC", "the thread helper ended"):
        assert part in told


def test_threads_do_not_see_each_others_ids() -> None:
    stream = written(LogSection(format="json"))
    with logs.about(athlete="a1"):
        thread = threading.Thread(target=_log.warning, args=("other",))
        thread.start()
        thread.join()
    assert "athlete" not in lines(stream)[0]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_written(form: str) -> None:
    stream = written(LogSection.model_validate({"format": form}))
    secret = secrets.token_urlsafe(32)
    try:
        raise StoreUnavailable(f"GET http://h/enter/{secret} failed")
    except StoreUnavailable:
        _log.exception("a link %s and a header Bearer t1-%s", f"/calendar/{secret}.ics", secret)
    assert secret not in stream.getvalue()
    assert stream.getvalue().count("[hidden]") == 3
    with logs.about(athlete="ab" * 16):
        _log.warning("an id stays")
    assert "ab" * 16 in stream.getvalue()


def test_lines_of_ingest_worker_and_clock_name_athlete_and_chunk(club: Club) -> None:
    stream = written(LogSection(format="json", level="info"))
    token = club.services.tokens.issue(club.athlete, club.athlete_id, "gateway")
    holder = club.services.tokens.holder(token, Scope.GATEWAY)
    own = bending_chunks(0.5, 6, START.timestamp() - 60)
    foreign = bending_chunks(0.1, 6, START.timestamp() - 60, device_id="C0:FF:EE:00:00:99")
    blobs = [encode_chunk(chunk) for chunk in own]
    club.services.ingest.receive(holder, pack(blobs))
    club.services.ingest.receive(holder, pack([encode_chunk(chunk) for chunk in foreign]))
    # A chunk that rots on the disk after it was acknowledged.
    with club.store.begin() as tx:
        tx.exec_driver_sql("UPDATE chunk SET blob = CAST('BSCK' AS BLOB) WHERE seq = 3")
    Worker(club.services, feed()).drain()
    stored, refused, aside = [line for line in lines(stream) if line["part"].startswith("coach.")]
    assert stored["message"] == "6 chunks are stored"
    assert stored["chunk"] == f"{own[0].key} to {own[-1].key}"
    assert refused["message"] == "2 of 2 chunks were refused"
    assert "set aside" in aside["message"]
    assert aside["chunk"] == "4"
    for line in (stored, refused, aside):
        assert line["athlete"] == club.athlete_id
    assert aside["stream"]


def test_a_tick_that_fails_names_whose_day_it_was(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(LogSection(format="json"))
    club.services.log.append(bending_chunks(4, 6, START.timestamp() - 240))

    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(type(club.services.days), "_judge", broken)
    Worker(club.services, feed()).drain()
    club.clock.forward(days=2)
    club.services.days.judge_due(club.clock.now)
    assert lines(stream)[0]["athlete"] == club.athlete_id


def feed() -> LiveFeed:

    return LiveFeed()

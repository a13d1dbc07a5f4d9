"""Archives that somebody made to do harm, or that were damaged: one sentence, and nothing has changed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from coach.config import Config, Storage
from coach.errors import CoachError, Conflict, InvalidInput
from coach.exports.archive import MANIFEST
from coach.store.engine import Store, migrate, open_store
from coach.store.every_table import metadata
from coach.store.tables import event, triage_answer, user_account, wearable
from tests.coach.club import Club, FakeClock, bending_chunks, found_club
from tests.coach.held import nothing_to_tell
from tests.coach.whole_athlete import fill

Members = dict[str, bytes]
ELSEWHERE = "C0:FF:EE:00:00:99"
FINDINGS, BLOBS = "tables/finding.jsonl", "tables/chunk.blob.bin"


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Members:
    """An archive, unpacked: an athlete with a minute of signal and a row in every table."""
    with open_store(tmp_path_factory.mktemp("whole") / "backstop.db") as store:
        migrate(store)
        club = found_club(store, FakeClock())
        club.services.log.append(bending_chunks(1, 6, club.clock.utc_s()))
        assert fill(store, club.athlete_id, "MARKED") == []
        nothing_to_tell(club.services, club.athlete, club.athlete_id)
        out = io.BytesIO()
        club.services.exports.write(club.athlete, club.athlete_id, out)
    with zipfile.ZipFile(out) as file:
        return {name: file.read(name) for name in file.namelist()}


@contextmanager
def another_house(folder: Path) -> Iterator[Club]:
    with open_store(folder / "there.db") as store:
        migrate(store)
        club = found_club(store, FakeClock(), config=Config(storage=Storage(directory=folder)))
        with store.begin() as tx:
            # Its own Ada has another name and wears something else.
            tx.execute(user_account.update().values(name_key=user_account.c.name_key + " of there"))
            tx.execute(wearable.update().values(address=ELSEWHERE))
        club.services.log.append(bending_chunks(1, 6, club.clock.utc_s(), device_id=ELSEWHERE))
        nothing_to_tell(club.services, club.athlete, club.athlete_id)
        yield club


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Club]:
    """Another Backstop, with people and a recording of its own; nothing is ever changed in it."""
    with another_house(tmp_path_factory.mktemp("there")) as club:
        yield club


def packed(members: Members, honest: bool = True, **told: Any) -> bytes:
    """Return the archive of members. honest: with a manifest that fits them."""
    manifest = json.loads(members[MANIFEST])
    if honest:
        manifest["members"] = {
            name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in members.items()
            if name != MANIFEST
        }
    manifest |= told
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, json.dumps(manifest) if name == MANIFEST else data)
    return out.getvalue()


def rows_of(store: Store) -> dict[str, int]:
    with store.read() as tx:
        return {
            name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }


def refused(there: Club, tmp_path: Path, data: bytes, kind: type[CoachError] = InvalidInput) -> str:
    """Try to take it in; return the sentence, and hold that nothing has changed."""
    path = tmp_path / "hostile.zip"
    path.write_bytes(data)
    before = rows_of(there.store)
    with pytest.raises(kind) as caught:
        there.services.restoring.take_in(path)
    assert rows_of(there.store) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def changed(members: Members, table: str, change: Callable[[dict[str, Any]], object]) -> Members:
    """Return members with the first row of a table changed."""
    name = f"tables/{table}.jsonl"
    first, *others = members[name].splitlines(keepends=True)
    row = json.loads(first)
    change(row)
    return {**members, name: json.dumps(row).encode() + b"\n" + b"".join(others)}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Club]:
    """Another one, to change."""
    with another_house(tmp_path) as club:
        yield club


def test_what_is_repacked_honestly_is_taken_in_beside_the_others(members: Members, fresh: Club, tmp_path: Path) -> None:
    """The ground of all that follows; numbers go on behind those that are here."""
    there = fresh
    before = rows_of(there.store)
    path = tmp_path / "honest.zip"
    path.write_bytes(packed(members))
    taken = there.services.restoring.take_in(path)
    after = rows_of(there.store)
    assert after["chunk"] > before["chunk"] == 12
    assert after["athlete"] == before["athlete"] + 1
    with there.store.read() as tx:
        answers = select(triage_answer.c.id).where(triage_answer.c.athlete_id == taken.athlete_id)
        told = select(event.c.subject_id).where(event.c.athlete_id == taken.athlete_id, event.c.subject == "triage")
        # The audit goes along with what it tells of, which is no foreign key.
        assert set(tx.execute(told).scalars()) <= {str(each) for each in tx.execute(answers).scalars()} != set()
        assert tx.execute(told).first() is not None
    out = io.BytesIO()
    there.services.exports.write(None, taken.athlete_id, out)
    with zipfile.ZipFile(out) as file:
        # Only numbers differ.
        for name in ("tables/checkin.jsonl", "tables/chunk.blob.bin", "tables/finding.jsonl", "sheets/pain.csv"):
            assert file.read(name) == members[name]
    assert "here already" in refused(there, tmp_path, packed(members), Conflict)


NOT_OURS: list[tuple[str, Callable[[Members], bytes], str]] = [
    ("no zip", lambda _: b"PK but no zip at all", "no whole zip"),
    ("cut off", lambda m: packed(m)[:-400], "no whole zip"),
    ("another zip", lambda m: packed({"a.txt": b"a", MANIFEST: b"{}"}), "no export of Backstop"),
    ("another layout", lambda m: packed(m, format_version=2), "update it"),
    ("another schema", lambda m: packed(m, schema="0001"), "schema 0001"),
    ("nobody's", lambda m: packed(m, athlete_id="../../etc"), "whose it is"),
    ("damaged", lambda m: packed({**m, FINDINGS: m[FINDINGS][:-1] + b" "}, honest=False), "damaged"),
    ("another size", lambda m: packed({**m, FINDINGS: b""}, honest=False), "another size"),
    ("a member more", lambda m: packed({**m, "x": b""}, honest=False), "other members"),
    ("a table more", lambda m: packed({**m, "tables/sign_in_link.jsonl": b"{}\n"}), "it has tables/sign_in_link.jsonl"),
    ("a table less", lambda m: packed({k: v for k, v in m.items() if "checkin" not in k}), "it lacks tables/checkin"),
    ("out of the folder", lambda m: packed({**m, "../../evil": b"x"}), "outside"),
    ("from the root", lambda m: packed({**m, "/etc/evil": b"x"}), "outside"),
    ("a bomb", lambda m: packed({**m, "tables/checkin.jsonl": b" " * 60_000_000}), "grows too much"),
    ("a row without end", lambda m: packed({**m, "tables/checkin.jsonl": b"[" * 100_000 + b"\n"}), "no JSON object"),
    ("a row of another kind", lambda m: packed({**m, "tables/checkin.jsonl": b"[1]\n"}), "no JSON object"),
    ("bytes that are missing", lambda m: packed({**m, BLOBS: b""}), "bytes are missing"),
    ("bytes too many", lambda m: packed({**m, BLOBS: m[BLOBS] + b"x"}), "more bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "says"), [each[1:] for each in NOT_OURS], ids=[each[0] for each in NOT_OURS])
def test_an_archive_that_is_none(
    members: Members, there: Club, tmp_path: Path, make: Callable[[Members], bytes], says: str
) -> None:
    assert says in refused(there, tmp_path, make(members))


OTHER = "f" * 32
ROWS: list[tuple[str, str, Callable[[dict[str, Any]], object], str]] = [
    ("a foreign athlete", "checkin", lambda row: row.update(athlete_id=OTHER), "of another athlete"),
    ("a foreign athlete's account", "user_account", lambda row: row.update(athlete_id=OTHER), "of another athlete"),
    ("an athlete more", "athlete", lambda row: row.update(id=OTHER), "of another athlete"),
    ("a column more", "checkin", lambda row: row.update(evil=1), "not known: evil"),
    ("a hidden column", "user_account", lambda row: row.update(password_hash="x"), "not known: password_hash"),
    ("a column less", "checkin", lambda row: row.pop("note"), "lacks a column: note"),
    ("a text for a number", "checkin", lambda row: row.update(soreness="3; DROP TABLE"), "no int"),
    ("a number for a text", "checkin", lambda row: row.update(note=3), "no str"),
    ("an endless number", "checkin", lambda row: row.update(sleep_h=float("inf")), "no end"),
    ("a huge number", "checkin", lambda row: row.update(soreness=2**80), "too large"),
    ("half a sign", "checkin", lambda row: row.update(note="\ud800"), "no text"),
    ("a long text", "checkin", lambda row: row.update(key="k" * 101), "longer than 100"),
    ("a time without a zone", "checkin", lambda row: row.update(at="2026-11-24T10:00:00"), "without a zone"),
    ("no time", "checkin", lambda row: row.update(at=3), "no value"),
    ("no base64", "feature", lambda row: row.update(line="!"), "no value"),
    ("impossible bytes", "chunk", lambda row: row.update(blob=10**12), "impossible size"),
    ("negative bytes", "chunk", lambda row: row.update(blob=-1), "impossible size"),
]


@pytest.mark.parametrize(("table", "change", "says"), [each[1:] for each in ROWS], ids=[each[0] for each in ROWS])
def test_a_row_that_is_none(
    members: Members, there: Club, tmp_path: Path, table: str, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    assert says in refused(there, tmp_path, packed(changed(members, table, change)))


def test_a_row_cannot_hang_on_somebody_elses(members: Members, there: Club, tmp_path: Path) -> None:
    """Neither to write into another athlete's recordings nor to name what is theirs."""
    (theirs,) = there.services.recordings.for_athlete(there.athlete_id)
    for table, values in (
        ("chunk", {"stream_id": theirs.stream_id, "seq": 99}),
        ("finding", {"stream_id": theirs.stream_id}),
        ("stream", {"wearable_id": there.wearable_id}),
        ("checkin", {"entered_by": there.athlete.user_id}),
    ):
        evil = changed(members, table, partial(dict.update, **values))
        assert "somebody else" in refused(there, tmp_path, packed(evil))


@pytest.mark.parametrize("role", ["owner", "coach", "guardian"])
def test_no_file_gives_its_athlete_another_role(members: Members, there: Club, tmp_path: Path, role: str) -> None:
    name = "tables/user_account.jsonl"
    rows = [json.loads(line) for line in members[name].splitlines()]
    for row in rows:
        row["role"] = role if row["athlete_id"] is not None else row["role"]
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    told = refused(there, tmp_path, packed({**members, name: lines}))
    assert "a role that is not theirs" in told


def test_what_is_named_and_not_there_or_taken_is_a_conflict(members: Members, there: Club, tmp_path: Path) -> None:
    evil = changed(members, "checkin", lambda row: row.update(entered_by=OTHER))
    assert "Table checkin" in refused(there, tmp_path, packed(evil), Conflict)
    evil = changed(
        members, "user_account", lambda row: row.update(id=there.coach.user_id, role="owner", athlete_id=None)
    )
    assert "another" in refused(there, tmp_path, packed(evil), Conflict)
    evil = changed(members, "user_account", lambda row: row.update(name_key="kim of there"))
    assert "Table user_account" in refused(there, tmp_path, packed(evil), Conflict)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_changed_is_one_sentence_or_does_not_matter(
    members: Members, there: Club, tmp_path: Path, data: st.DataObject
) -> None:
    """Bytes flipped and cut in the zip; or in one table, with a manifest that fits it."""
    if data.draw(st.booleans(), "in the zip"):
        archive = bytearray(packed(members))
        for _ in range(data.draw(st.integers(1, 8))):
            archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
        evil = bytes(archive[: data.draw(st.integers(len(archive) - 200, len(archive)))])
    else:
        name = data.draw(st.sampled_from(sorted(name for name in members if name.startswith("tables/"))))
        table = bytearray(members[name])
        for _ in range(data.draw(st.integers(1, 4)) if table else 0):
            table[data.draw(st.integers(0, len(table) - 1))] = data.draw(st.integers(0, 255))
        evil = packed({**members, name: bytes(table)})
    path = tmp_path / "fuzzed.zip"
    path.write_bytes(evil)
    before, sentence = rows_of(there.store), ""
    try:
        taken = there.services.restoring.take_in(path)
        # A letter of a text, a digit of a number: as good as what was there, and gone again for the next example.
        there.services.erasing.erase(None, taken.athlete_id, taken.name)
    except CoachError as error:
        sentence = str(error)
    assert "\n" not in sentence
    assert not sentence or rows_of(there.store) == before

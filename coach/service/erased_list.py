"""The list of who was erased: a file beside the database, of no dump of it, so that it survives that one is restored.

Every process with a database writes on its own list what the database knows, so that any of them says the same. Of
what is said of one athlete the newest counts, in whichever order the lines are.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from coach.errors import StoreUnavailable

LIST = "erased.jsonl"
_ERASED, _TAKEN_IN = "erased_at", "taken_in_at"


class Said(NamedTuple):
    """What was last said of an athlete: taken in again counts after erased at the same moment."""

    at: datetime
    taken_in: bool


def id_hash(athlete_id: str) -> str:
    """Return what is kept of an erased athlete's id. It is random, so that nobody finds it by trying."""
    return hashlib.sha256(athlete_id.encode()).hexdigest()


def newest(lists: Iterable[Iterable[tuple[str, Said]]]) -> dict[str, Said]:
    """Return the newest that any list says of each athlete, by the hash of the id."""
    known: dict[str, Said] = {}
    for each in lists:
        for hashed, said in each:
            known[hashed] = max(said, known.get(hashed, said))
    return known


def said_in(path: Path) -> dict[str, Said]:
    """Return what a list says, by the hash of the id. Raises StoreUnavailable where it cannot be read."""
    try:
        entries = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
        return newest([[_entry(each) for each in entries]])
    except OSError as error:
        raise StoreUnavailable(
            f"The list of erased athletes {path} cannot be read ({error.strerror}): look for the file and its "
            "permissions; without the list a restore would bring back who was erased."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreUnavailable(
            f"The list of erased athletes {path} cannot be read ({error}): mend that line; without the list a restore "
            "would bring back who was erased."
        ) from None


def said_beside(directory: Path) -> dict[str, Said]:
    """Return what the list in a folder says; where there is none, nobody was erased. Raises StoreUnavailable."""
    return said_in(directory / LIST) if (directory / LIST).exists() else {}


def erased_ids(directory: Path) -> set[str]:
    """Return the hashes of whom the list in a folder says to be erased. Raises StoreUnavailable."""
    return {hashed for hashed, said in said_beside(directory).items() if not said.taken_in}


def write(directory: Path, news: Mapping[str, Said]) -> int:
    """Write on the list in a folder what is newer than what it says; return of how many. Raises StoreUnavailable."""
    known = said_beside(directory)
    fresh = {hashed: said for hashed, said in news.items() if hashed not in known or said > known[hashed]}
    try:
        if fresh:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for hashed, said in fresh.items():
            what = _TAKEN_IN if said.taken_in else _ERASED
            _append(directory / LIST, json.dumps({"id_sha256": hashed, what: said.at.isoformat()}))
    except OSError as error:
        raise StoreUnavailable(f"The list {directory / LIST} cannot be written ({error.strerror}).") from error
    return len(fresh)


def _entry(entry: Mapping[str, str]) -> tuple[str, Said]:
    taken_in = _ERASED not in entry
    at = datetime.fromisoformat(entry[_TAKEN_IN if taken_in else _ERASED])
    if at.tzinfo is None:
        raise ValueError(f"the time {at} has no time zone")
    return entry["id_sha256"], Said(at, taken_in)


def _append(path: Path, line: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{line}\n".encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)

"""The known notifications of real products and of their makers' tests: bytes, what they mean, who says so.

`vectors.json` is the table, one vector a line. A test that reads vectors takes them by `@reads(1, 2, …)`; by that
`test_vectors.py` knows which are accounted for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True, slots=True)
class Vector:
    """One vector. expected: what the source states. derived: computed by its stated method, not stated by it.

    family: whose it is; "polar" where its models share it. stream: whether it carries samples. truncated: only the
    head of a frame is known. context: what a decoder must know besides (range, factor, …), and what was written to
    get it.
    """

    number: int
    family: str
    stream: bool
    device: str
    characteristic: str | None
    data: bytes
    kind: str
    truncated: bool
    context: dict[str, Any]
    expected: dict[str, Any]
    derived: dict[str, Any]
    source: str


def _load() -> dict[int, Vector]:
    rows = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
    return {row["number"]: Vector(data=bytes.fromhex(row.pop("hex")), **row) for row in rows}


VECTORS: dict[int, Vector] = _load()

# Vectors that no decoder of ours reads, and why.
NOT_READ: dict[int, str] = dict.fromkeys(
    (81, 82, 83, 84),
    "Colmi ring: no profile; worn on a finger, at a low and irregular rate it tells nothing of a trunk.",
)


def reads(*numbers: int) -> pytest.MarkDecorator:
    """Run a test for each of these vectors, given as `vector`."""
    chosen = [VECTORS[number] for number in numbers]
    return pytest.mark.parametrize("vector", chosen, ids=[f"{one.number} {one.device}" for one in chosen])

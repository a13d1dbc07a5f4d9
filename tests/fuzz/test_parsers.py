"""Whatever reaches a parser: it reads it or says so by the errors that it names, in bounded time and memory.

`make test` tries some damaged examples of each and everything that was ever found; `make proof` gives each of the six
kinds (packets, chunk codec, files, iCalendar, webhook, config) ten minutes under a fuzzer that is guided by the code,
shared by its parsers, each of which has at least a minute (just that where CI is set), in a process of its own.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT, in_ci
from tests.fuzz.parser import Parser
from tests.fuzz.rows import BY_NAME, KINDS, share_s

CORPUS = Path(__file__).parent / "corpus"
# Bytes above what the process has, and s: far above what any example takes, below what hurts.
MEMORY_MAX, LONGEST_S = 1_500_000_000, 10
# s of the long run: of each kind of parser, and the least of one parser; only this where CI bounds all long marks
# together.
KIND_S, LEAST_S = 600, 60


class Hangs(BaseException):
    """An example took too long; no `except Exception` may swallow it."""


@contextmanager
def bounded() -> Iterator[None]:
    """Bound the memory of this process and the time of what runs."""

    def ring(*_: Any) -> None:
        raise Hangs(f"longer than {LONGEST_S} s")

    before = resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    handler = signal.signal(signal.SIGALRM, ring)
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY_MAX, before[1]))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


def one(parser: Parser, data: bytes) -> str | None:
    """Parse; return the sentence of a refusal, None for what was taken."""
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    try:
        parser.run(data)
    except parser.errors as error:
        # Out of memory is told as something else by whoever catches everything.
        if "allocate" in str(error):
            raise MemoryError from error
        return str(error)
    return None


@st.composite
def damaged(draw: st.DrawFn, parser: Parser, seeds: list[bytes]) -> bytes:
    """Draw a sound input with a few things wrong, or anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.integers(0, 5))
        if kind == 0:
            del data[at:]
        elif kind == 1:
            del data[at : at + draw(st.integers(1, 30))]
        elif kind == 2:
            data[at:at] = draw(st.sampled_from(parser.words) if parser.words else st.binary(max_size=8))
        elif kind == 3:
            other = draw(st.sampled_from(seeds))
            data[at:] = other[draw(st.integers(0, len(other))) :]
        elif kind == 4:
            data[at : at + 4] = draw(st.sampled_from([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\0\0\0\x80"]))
        else:
            data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
    return bytes(data[: parser.longest])


@pytest.mark.parametrize("name", BY_NAME)
def test_damaged_examples(name: str) -> None:
    parser = BY_NAME[name]
    seeds = parser.seeds()

    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(damaged(parser, seeds))
    def run(data: bytes) -> None:
        one(parser, data)

    with bounded():
        for seed in seeds:
            one(parser, seed)
        run()


FOUND = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_before(path: Path) -> None:
    with bounded():
        told = one(BY_NAME[path.parent.name], path.read_bytes())
    assert told, "what once broke the parser is refused with a sentence"


def test_every_parser_is_of_one_kind_and_each_kind_has_its_ten_minutes() -> None:
    assert sorted(name for rows in KINDS.values() for name in rows) == sorted(BY_NAME)
    for rows in KINDS.values():
        assert sum(share_s(name, KIND_S, LEAST_S) for name in rows) >= KIND_S


@pytest.mark.proof
@pytest.mark.parametrize("name", BY_NAME)
def test_guided(
    name: str,
    full_or_quick: Callable[[int, int], int],
    figure: Callable[[str, object, str], None],
    tmp_path: Path,
) -> None:
    """Only at its full figure: a guided run that is too short to be guided tells nothing that the others do not."""
    seconds = full_or_quick(LEAST_S if in_ci() else share_s(name, KIND_S, LEAST_S), 0)
    if not seconds:
        assert BY_NAME[name].seeds()
        return
    pytest.importorskip("atheris", reason="the guided fuzzer is for Linux")
    kept = Path(os.environ.get("FUZZ_FOLDER", tmp_path)) / name
    kept.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.guided", name, str(seconds), str(kept)],
        cwd=ROOT, capture_output=True, text=True, timeout=seconds + 240,
    )  # fmt: skip
    told = done.stdout + done.stderr
    found = [path.name for path in kept.iterdir() if path.name.startswith(("crash-", "timeout-", "oom-"))]
    assert (done.returncode, found) == (0, []), told[-6000:]
    tried = re.search(r"number_of_executed_units: (\d+)", told)
    assert tried, told[-3000:]
    figure(f"examples, {name}", int(tried[1]), f"in {seconds} s, nothing found")
    assert int(tried[1]) > seconds

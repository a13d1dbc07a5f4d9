"""Fuzz one parser for some time, guided by what its code does: `python -m tests.fuzz.guided NAME SECONDS FOLDER`.

A process of its own, for the fuzzer ends the process. What breaks a promise, or takes more than ten seconds or two
gigabytes, is written to FOLDER as `crash-…`, `timeout-…` or `oom-…`; what was new to the code to FOLDER/seen.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import warnings
from pathlib import Path

import atheris

# s and MB that one example may take. Own bounds: all of them are read in milliseconds on a few megabytes.
_LONGEST_S, _MOST_MB = 10, 2048


def main(name: str, seconds: str, folder: str) -> None:
    """Run until the time is over or something is found."""
    with atheris.instrument_imports(include=["coach", "devices", "programs"]):
        from tests.fuzz.rows import BY_NAME
    parser, seen = BY_NAME[name], Path(folder) / "seen"
    seen.mkdir(parents=True, exist_ok=True)
    kept = Path(__file__).parent / "corpus" / name
    for number, seed in enumerate([*parser.seeds(), *(each.read_bytes() for each in sorted(kept.glob("*")))]):
        (seen / f"seed-{number}").write_bytes(seed)
    if parser.words:
        said = ('"' + "".join(rf"\x{byte:02x}" for byte in word) + '"' for word in parser.words if word)
        (Path(folder) / "words").write_text("\n".join(said) + "\n", encoding="ascii")

    def one(data: bytes) -> None:
        try:
            with contextlib.suppress(parser.errors):
                parser.run(data)
        except BaseException:
            # The fuzzer writes down what hangs or takes too much; what is raised it only prints.
            (Path(folder) / f"crash-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)
            raise

    warnings.simplefilter("error")
    flags = [
        f"-max_total_time={seconds}",
        f"-max_len={parser.longest}",
        f"-timeout={_LONGEST_S}",
        f"-rss_limit_mb={_MOST_MB}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        *([f"-dict={folder}/words"] if parser.words else []),
    ]
    atheris.Setup([sys.argv[0], *flags, str(seen)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:4])

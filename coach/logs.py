"""Log lines: where they go, and what each carries, so that one can be followed to an athlete, a recording, a chunk.

`about` says what the work is about; every line that is written meanwhile carries it, and so does every error that
leaves, to the line that is written about it farther out. Ids only: names and what people wrote stay out of logs.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from coach.config import LogSection

# Our secrets are 43 characters of this alphabet, ids 32; an address may carry one, and an error an address.
_SECRET = re.compile(r"[A-Za-z0-9_-]{40,}")
_HIDDEN = "[hidden]"
_NOTED = "backstop_about"

_about: ContextVar[Mapping[str, str]] = ContextVar("about", default={})  # noqa: B039 - never changed in place


@contextmanager
def about(**ids: object) -> Iterator[None]:
    """Let every line carry these ids: athlete, stream, chunk, wearable, request, tick. None is left out."""
    told = {**_about.get(), **{name: str(value) for name, value in ids.items() if value is not None}}
    before = _about.set(told)
    try:
        yield
    except Exception as error:
        # The innermost knows most.
        if not hasattr(error, _NOTED):
            setattr(error, _NOTED, told)
        raise
    finally:
        _about.reset(before)


def ids_of(record: logging.LogRecord) -> dict[str, str]:
    """Return what a line is about: of the error that it tells of, and of the work that goes on."""
    error = record.exc_info[1] if record.exc_info else None
    return {**getattr(error, _NOTED, {}), **_about.get()}


def configure(config: LogSection, stream: TextIO | None = None) -> None:
    """Send all lines to one place in one form; called once by a command. stream: standard error unless told."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Json() if config.format == "json" else _Text())
    logging.basicConfig(level=config.level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    # Without bluetoothctl bleak only guesses BlueZ's version, which changes nothing for us; not a line for an owner.
    logging.getLogger("bleak.backends.bluezdbus.version").setLevel(logging.ERROR)


class _Text(logging.Formatter):
    """A line for people: time, level, part, sentence, ids."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s%(about)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        ids = ids_of(record)
        record.about = f" [{' '.join(f'{name}={value}' for name, value in ids.items())}]" if ids else ""
        return _SECRET.sub(_HIDDEN, super().format(record))


class _Json(JsonFormatter):
    """A line for programs: one object, ids as fields of their own."""

    def __init__(self) -> None:
        super().__init__(["levelname", "name", "message"], rename_fields={"levelname": "level", "name": "part"})

    def add_fields(
        self, log_data: dict[str, object], record: logging.LogRecord, message_dict: dict[str, object]
    ) -> None:
        """Begin with the time; add the ids."""
        log_data["at"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        super().add_fields(log_data, record, message_dict)
        log_data.update(ids_of(record))

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        return _SECRET.sub(_HIDDEN, super().format(record))

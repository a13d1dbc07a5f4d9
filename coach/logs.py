"""Log lines: where they go, and what each carries, so that one can be followed to an athlete, a recording, a chunk.

`about` says what the work is about; every line that is written meanwhile carries it, and so does every error that
leaves, to the line that is written about it farther out. Ids only: names and what people wrote stay out of logs.
"""

from __future__ import annotations

import errno
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from coach.config import LogSection
from coach.errors import CoachError, InvalidInput
from devices.errors import DeviceError
from programs.errors import ProgramError

# Our secrets are 43 characters of this alphabet, ids 32; an address may carry one, and an error an address.
_SECRET = re.compile(r"[A-Za-z0-9_-]{40,}")
_HIDDEN = "[hidden]"
_NOTED = "backstop_about"
# Errors whose sentences are ours.
_OWN = (CoachError, DeviceError, ProgramError)

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
    # At their lowest levels these write down what passes through them: rows with all that people wrote, and packets.
    for name in ("sqlalchemy", "bleak", "dbus_fast"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    threading.excepthook = _on_thread
    # Without bluetoothctl bleak only guesses BlueZ's version, which changes nothing for us; not a line for an owner.
    logging.getLogger("bleak.backends.bluezdbus.version").setLevel(logging.ERROR)


def _on_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        name = ended.thread.name if ended.thread else "one that is gone"
        logging.getLogger(__name__).error("the thread %s ended by an error", name, exc_info=ended.exc_value)


def traceback_of(error: BaseException) -> str:
    """Return where an error came from, and where its causes did; what a foreign one says is left out.

    A foreign error repeats what it was given, and that may be what somebody wrote of their health.
    """
    chain: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in chain:
        chain.insert(0, found)
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    told = []
    for each in chain:
        frames = "".join(traceback.format_list(traceback.extract_tb(each.__traceback__)))
        told.append(f"{frames}{type(each).__module__}.{type(each).__qualname__}{_said(each)}")
    return "\nwhich led to\n".join(told)


def _said(error: BaseException) -> str:
    """Return what of an error's own words may be written down."""
    if isinstance(error, _OWN) and not isinstance(error, InvalidInput):
        return f": {error}"
    return f": {errno.errorcode.get(error.errno, error.errno)}" if isinstance(error, OSError) and error.errno else ""


class _Traceback:
    """Formats errors by `traceback_of`."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """Return an error's lines."""
        return "" if ei[1] is None else traceback_of(ei[1])


class _Text(_Traceback, logging.Formatter):
    """A line for people: time, level, part, sentence, ids."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s%(about)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        ids = ids_of(record)
        record.about = f" [{' '.join(f'{name}={value}' for name, value in ids.items())}]" if ids else ""
        return _SECRET.sub(_HIDDEN, super().format(record))


class _Json(_Traceback, JsonFormatter):
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

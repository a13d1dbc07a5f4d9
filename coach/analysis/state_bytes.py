"""A state as bytes and back: dataclasses by field name, arrays as they lie in memory; reading runs no code."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
import numpy as np

from coach.analysis.errors import AnalysisError

T = TypeVar("T")

MAGIC = b"BSAS"
_HEAD = struct.Struct("<4sH")  # magic, version


def encode(value: Any, version: int) -> bytes:
    """Return a dataclass tree as bytes: a header, then MessagePack in which an array is its type, shape and bytes."""
    return _HEAD.pack(MAGIC, version) + _ENCODER.encode(value)


def decode(kind: type[T], data: bytes, version: int) -> T:
    """Return what `encode` was given. Raises AnalysisError for other bytes and for another version."""
    if len(data) < _HEAD.size or data[:4] != MAGIC:
        raise AnalysisError("The stored analysis state is not one: delete it, and the recording is analysed anew.")
    _, found = _HEAD.unpack_from(data)
    if found != version:
        raise AnalysisError(
            f"The stored analysis state has version {found}, this program reads {version}: "
            "delete it, and the recording is analysed anew."
        )
    try:
        value: T = _decoder(cast(Any, kind)).decode(memoryview(data)[_HEAD.size :])
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise AnalysisError(
            f"The stored analysis state is damaged ({error}): delete it, and the recording is analysed anew."
        ) from None
    return value


def _plain(value: Any) -> Any:
    """Return an array as its type, shape and bytes, and a number of numpy's as one of Python's."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a state holds no {type(value).__name__}")


def _array(_: type, plain: Any) -> np.ndarray[Any, Any]:
    dtype, shape, data = plain
    return np.frombuffer(data, np.dtype(dtype)).reshape(shape).copy()


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)


@lru_cache(maxsize=64)
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    """Return what reads a type: made once, for a state is read for every chunk."""
    return msgspec.msgpack.Decoder(kind, dec_hook=_array)

"""A state as bytes and back: frozen dataclasses by field name, arrays as they lie in memory; reading runs no code."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from coach.analysis.errors import AnalysisError

T = TypeVar("T")
Reader = Callable[[Any, "_Arrays"], Any]

MAGIC = b"BSAS"
_HEAD = struct.Struct("<4sHI")  # magic, version, length of the JSON part


def encode(value: Any, version: int) -> bytes:
    """Return a dataclass tree as bytes: a header, its plain values as JSON, then the arrays."""
    arrays: list[bytes] = []
    text = json.dumps(_plain(value, arrays), separators=(",", ":")).encode()
    return b"".join((_HEAD.pack(MAGIC, version, len(text)), text, *arrays))


def decode(kind: type[T], data: bytes, version: int) -> T:
    """Return what `encode` was given. Raises AnalysisError for other bytes and for another version."""
    if len(data) < _HEAD.size or data[:4] != MAGIC:
        raise AnalysisError("The stored analysis state is not one: delete it, and the recording is analysed anew.")
    _, found, length = _HEAD.unpack_from(data)
    if found != version:
        raise AnalysisError(
            f"The stored analysis state has version {found}, this program reads {version}: "
            "delete it, and the recording is analysed anew."
        )
    try:
        plain = json.loads(data[_HEAD.size : _HEAD.size + length])
        value: T = _reader(kind)(plain, _Arrays(memoryview(data), _HEAD.size + length))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise AnalysisError(
            f"The stored analysis state is damaged ({error}): delete it, and the recording is analysed anew."
        ) from None
    return value


class _Arrays:
    """Reads the arrays in the order in which they were written."""

    def __init__(self, data: memoryview, place: int) -> None:
        self._data, self._place = data, place

    def take(self, dtype: str, shape: list[int]) -> np.ndarray[Any, Any]:
        kind = np.dtype(dtype)
        count = math.prod(shape)
        array = np.frombuffer(self._data, dtype=kind, count=count, offset=self._place).reshape(shape).copy()
        self._place += count * kind.itemsize
        return array


def _plain(value: Any, arrays: list[bytes]) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, np.ndarray):
        arrays.append(value.tobytes())
        return [value.dtype.str, list(value.shape)]
    if is_dataclass(value):
        return {name: _plain(getattr(value, name), arrays) for name in _readers(cast(Any, type(value)))}
    if isinstance(value, dict) or (value and isinstance(value[0], (int, float, str))):
        return value  # numbers, text and lists of them, as they are; an enumeration of texts is a text
    return [_plain(item, arrays) for item in value]


@lru_cache(maxsize=64)
def _readers(kind: Any) -> dict[str, Reader]:
    hints = get_type_hints(kind)
    return {part.name: _reader(hints[part.name]) for part in fields(kind)}


def _reader(kind: Any) -> Reader:
    """Return what turns a plain value back into the type; made once per field, for a state is read for every chunk."""
    if is_dataclass(kind):
        build: Any = kind
        return lambda plain, arrays: build(
            **{name: read(plain[name], arrays) for name, read in _readers(build).items()}
        )
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        inner = _reader(next(part for part in parts if part is not type(None)))
        return lambda plain, arrays: None if plain is None else inner(plain, arrays)
    if origin is np.ndarray:
        return lambda plain, arrays: arrays.take(*plain)
    if origin is tuple:
        return _tuple_reader(parts)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda plain, arrays: kind(plain)
    return lambda plain, arrays: plain


def _tuple_reader(parts: tuple[Any, ...]) -> Reader:
    if all(part in (int, float, str, Ellipsis) for part in parts):
        return lambda plain, arrays: tuple(plain)
    if len(parts) == 2 and parts[1] is Ellipsis:
        inner = _reader(parts[0])
        return lambda plain, arrays: tuple(inner(item, arrays) for item in plain)
    each = [_reader(part) for part in parts]
    return lambda plain, arrays: tuple(read(item, arrays) for read, item in zip(each, plain, strict=True))

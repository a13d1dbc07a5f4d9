"""A state as bytes and back: frozen dataclasses by field name, arrays as they lie in memory; reading runs no code."""

from __future__ import annotations

import json
import struct
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from coach.analysis.errors import AnalysisError

T = TypeVar("T")

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
        value: T = _typed(kind, plain, _Arrays(memoryview(data), _HEAD.size + length))
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
        size = int(np.prod(shape)) * kind.itemsize
        part = self._data[self._place : self._place + size]
        self._place += size
        return np.frombuffer(part, dtype=kind).reshape(shape).copy()


def _plain(value: Any, arrays: list[bytes]) -> Any:
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, np.ndarray):
        arrays.append(value.tobytes())
        return [value.dtype.str, list(value.shape)]
    if is_dataclass(value):
        return {name: _plain(getattr(value, name), arrays) for name in _field_types(cast(Any, type(value)))}
    if isinstance(value, dict):
        return {name: _plain(item, arrays) for name, item in value.items()}
    return [_plain(item, arrays) for item in value]


def _typed(kind: Any, plain: Any, arrays: _Arrays) -> Any:
    if is_dataclass(kind):
        types = _field_types(cast(Any, kind))
        return cast(Any, kind)(**{name: _typed(part, plain[name], arrays) for name, part in types.items()})
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        chosen = next(part for part in parts if part is not type(None))
        return None if plain is None else _typed(chosen, plain, arrays)
    if origin is np.ndarray:
        return arrays.take(*plain)
    if origin is tuple:
        kinds = [parts[0]] * len(plain) if len(parts) == 2 and parts[1] is Ellipsis else parts
        return tuple(_typed(part, item, arrays) for part, item in zip(kinds, plain, strict=True))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(plain)
    return plain


@lru_cache(maxsize=64)
def _field_types(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {part.name: hints[part.name] for part in fields(kind)}

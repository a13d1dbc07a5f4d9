"""Values as JSON that is the same byte for byte wherever and whenever it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

# What is JSON as it is; a kind of one of these may not be.
_AS_IT_IS = frozenset({str, int, float, bool, type(None)})


def plain(value: Any) -> Any:
    """Return frozen values as JSON values: dataclasses and mappings as objects, tuples as lists."""
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, frozenset, set)):
        items = [plain(each) for each in value]
        return sorted(items) if isinstance(value, (frozenset, set)) else items
    return value


@cache
def _names(of: Any) -> tuple[str, ...]:
    return tuple(part.name for part in fields(of))


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and without spaces. Raises ValueError for NaN, which is no JSON."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

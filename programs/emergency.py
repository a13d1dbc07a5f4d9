"""The emergency number of a time zone, where it is known beyond doubt (emergency.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


def number_in(time_zone: str) -> str:
    """Return the emergency number where that IANA time zone is, "" where it is not known.

    Source: emergency.toml names one for each number.
    """
    return _numbers().get(time_zone, "")


@cache
def _numbers() -> Mapping[str, str]:
    text = files("programs").joinpath("emergency.toml").read_text(encoding="utf-8")
    return {zone: each["number"] for each in tomllib.loads(text)["number"] for zone in each["zones"]}

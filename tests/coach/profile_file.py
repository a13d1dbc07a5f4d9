"""A profile of one's own for a test: the shipped general one with other limits of repeated bending."""

from __future__ import annotations

import re
from pathlib import Path

import coach

GENERAL = Path(coach.__file__).parent / "profiles" / "general.toml"


def own_profile(folder: Path, profile_id: str = "general", **limits: float) -> Path:
    """Write <profile_id>.toml into the folder. limits: of repeated_bending, by name."""
    before, start, rest = GENERAL.read_text(encoding="utf-8").partition("[detectors.repeated_bending]")
    table, mark, after = rest.partition("\n\n")
    for name, value in limits.items():
        table, count = re.subn(rf"({name} = {{ value = )[0-9.]+", rf"\g<1>{value}", table)
        assert count == 1, name
    text = before.replace('id = "general"', f'id = "{profile_id}"') + start + table + mark + after
    path = folder / f"{profile_id}.toml"
    path.write_text(text, encoding="utf-8")
    return path

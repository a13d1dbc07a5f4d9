"""Every parser: one row each. A new one is added to the table of its kind."""

from __future__ import annotations

from tests.fuzz import files, signals, texts
from tests.fuzz.parser import Parser

BY_NAME: dict[str, Parser] = {each.name: each for each in (*signals.PARSERS, *files.PARSERS, *texts.PARSERS)}

"""The library's exercises as somebody reads them: name, aim, cues, levels and the way back, in the language of now."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from coach import language
from programs.exercises import LIBRARY_FILE
from programs.types import Exercise

_FILE = Path(str(files("programs").joinpath(LIBRARY_FILE)))


def in_words(one: Exercise) -> Exercise:
    """Return an exercise with its texts in the language of now; a coach's own stays in the coach's words."""
    return _read(one, language.current())


@lru_cache(maxsize=512)
def _read(one: Exercise, spoken: str) -> Exercise:
    with language.speaking(spoken):
        return replace(
            one,
            name=language.of_data(_FILE, one.id, "name", one.name),
            target=language.of_data(_FILE, one.id, "target", one.target),
            cues=tuple(language.of_data(_FILE, one.id, "cues", one.cues)),
            levels=tuple(language.of_data(_FILE, one.id, "levels", one.levels)),
            regression=language.of_data(_FILE, one.id, "regression", one.regression),
        )

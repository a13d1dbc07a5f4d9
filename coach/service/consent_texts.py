"""The texts that people agree to, by purpose and version, read from consents.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from coach.errors import ConfigError
from coach.service.types import Purpose

TEXTS_FILE = "consents.toml"


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One text as it is shown. says: sentences; the last tells what withdrawing does."""

    purpose: Purpose
    version: int
    title: str
    says: tuple[str, ...]


def read_texts(content: str) -> dict[Purpose, ConsentText]:
    """Return the newest text of each purpose. Raises ConfigError: a purpose without one, or versions out of order."""
    newest: dict[Purpose, ConsentText] = {}
    for each in tomllib.loads(content)["text"]:
        text = ConsentText(Purpose(each["purpose"]), each["version"], each["title"], tuple(each["says"]))
        before = newest[text.purpose].version if text.purpose in newest else 0
        if text.version != before + 1:
            raise ConfigError(f"{TEXTS_FILE}: {text.purpose.value} {text.version} does not follow {before}.")
        newest[text.purpose] = text
    missing = [purpose.value for purpose in Purpose if purpose not in newest]
    if missing:
        raise ConfigError(f"{TEXTS_FILE} has no text for {', '.join(missing)}.")
    return newest


@lru_cache(maxsize=1)
def texts() -> dict[Purpose, ConsentText]:
    """Return the newest text of each purpose."""
    return read_texts(files("coach.service").joinpath(TEXTS_FILE).read_text(encoding="utf-8"))

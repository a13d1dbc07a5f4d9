"""Which passwords are taken: long ones that are not made of what everybody tries first. All kinds of signs do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources

from coach.errors import InvalidInput

# Characters. Source: NIST SP 800-63B-4, 3.1.1.2: 15 where the password is the only factor. With a second factor 8 would
# do, but that can be switched off again: one number for all.
PASSWORD_MIN = 15
# Own choice: a passphrase of forty words fits; longer ones only cost time. The source asks for 64 at least.
PASSWORD_MAX = 256
# Own heuristic: a password of so few known pieces, with so few signs beside them, is among the first that are tried.
_PIECES, _SIGNS_BESIDE = 2, 3
# Signs; shorter pieces are no words, and everything would be made of them.
_PIECE_MIN, _PIECE_MAX, _RUN_MIN = 3, 24, 3
_PRODUCT = "backstop"
# What stands for a letter, as everybody writes it.
_LEET = str.maketrans("013457@$!|", "oieastasil")
# Rows of keyboards and what is counted, forwards and backwards.
_ROWS = (
    "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
    "abcdefghijklmnopqrstuvwxyz", "01234567890", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "!@#$%^&*()_+", "!\"§$%&/()=",
)  # fmt: skip


def normal(password: str) -> str:
    """Return the password as it is hashed: the same signs, whatever keyboard composed them.

    Source: NIST SP 800-63B-4, 3.1.1.2 (Normalization Form C).
    """
    return unicodedata.normalize("NFC", password)


def check_password(password: str, name: str) -> None:
    """Raise InvalidInput for a password that is too short, too long, or too easy to guess. name: whose it is."""
    length = len(normal(password))
    if length < PASSWORD_MIN:
        raise InvalidInput(
            f"The password has {length} characters: take at least {PASSWORD_MIN}. Four or five words that have nothing "
            "to do with each other are easy to keep in mind."
        )
    if length > PASSWORD_MAX:
        raise InvalidInput(f"The password has {length} characters: take at most {PASSWORD_MAX}.")
    try:
        password.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput("The password holds a sign that is no text: type it anew.") from None
    if is_easy(password, name):
        raise InvalidInput(
            "This password is made of what everybody tries first (common words, names, rows of keys, repeats): take "
            "four or five words that have nothing to do with each other."
        )


def is_easy(password: str, name: str) -> bool:
    """Tell whether a password is made of very few pieces that guessing programs know. Own heuristic."""
    plain = normal(password).casefold()
    own = {*re.findall(r"\w{3,}", name.casefold()), "".join(name.casefold().split()), _PRODUCT}
    known = own | _common()
    return any(_made_of_few(text, known) for text in {plain, plain.translate(_LEET), _squeezed(plain)})


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    text = resources.files("coach.service").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def _squeezed(text: str) -> str:
    """Return the text without blanks and signs between its words: pass-word pass-word is passwordpassword."""
    return re.sub(r"[\W_]+", "", text)


def _made_of_few(text: str, known: frozenset[str] | set[str]) -> bool:
    """Tell whether the text is at most `_PIECES` different known pieces with `_SIGNS_BESIDE` other signs.

    A piece that comes again costs nothing: what is repeated is as easy as what is said once.
    """
    unit = _unit(text)
    # best[i]: for each set of pieces that spells the first i signs, the fewest signs beside them.
    best: list[dict[frozenset[str], int]] = [{} for _ in range(len(unit) + 1)]
    best[0][frozenset()] = 0
    for at in range(len(unit)):
        for pieces, beside in best[at].items():
            if beside < _SIGNS_BESIDE:
                _keep(best[at + 1], pieces, beside + 1)
            for end, piece in _pieces_at(unit, at, known):
                joined = pieces | {piece} if piece else pieces
                if len(joined) <= _PIECES:
                    _keep(best[end], joined, beside)
    return bool(best[-1])


def _keep(kept: dict[frozenset[str], int], pieces: frozenset[str], beside: int) -> None:
    kept[pieces] = min(beside, kept.get(pieces, beside))


def _unit(text: str) -> str:
    """Return the shortest beginning whose repetition is the whole text."""
    for size in range(1, len(text) // 2 + 1):
        if (text[:size] * (len(text) // size + 1)).startswith(text):
            return text[:size]
    return text


def _pieces_at(text: str, at: int, known: frozenset[str] | set[str]) -> Iterator[tuple[int, str]]:
    """Yield the end of each known piece that begins there, and the piece; runs are empty, for they add nothing."""
    for end in range(at + _PIECE_MIN, min(len(text), at + _PIECE_MAX) + 1):
        if text[at:end] in known:
            yield end, text[at:end]
    for end in range(at + _RUN_MIN, len(text) + 1):
        part = text[at:end]
        if not _is_run(part):
            return
        yield end, ""


def _is_run(part: str) -> bool:
    """Tell whether a part is one sign again and again, or lies in a row of keys or of what is counted, or is digits."""
    if len(set(part)) == 1:
        return True
    if part.isdecimal() and len(part) <= 8:
        return True  # a date, a year, a number: all of them are tried
    return any(part in row or part in row[::-1] for row in _ROWS)

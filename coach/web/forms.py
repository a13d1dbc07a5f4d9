"""What a person typed into a field, read as a number or a day. Everything wrong is an InvalidInput."""

from __future__ import annotations

from datetime import date

from flask import Flask, g, request

from coach.errors import InvalidInput

# Own bounds: nobody types longer numbers, and Python refuses to read thousands of digits; what a sentence repeats.
_TYPED_MAX, _DIGITS_MAX, _SHOWN_MAX = 200, 6, 20


def whole_in(name: str, called: str = "") -> int | None:
    """Return a whole number of the form, None where the field is empty. Raises InvalidInput.

    called: what the field is called, where its name does not say it.
    """
    text = request.form.get(name, "").strip()
    if not text:
        return None
    if not text.isdecimal() or len(text) > _DIGITS_MAX:
        said = called or name.replace("_", " ").removesuffix(" min").removesuffix(" years")
        raise InvalidInput(f"The {said} is a whole number, not '{text[:_SHOWN_MAX]}'.")
    return int(text)


def number(text: str) -> float:
    """Return what was typed as a number, with a comma or a point. Raises InvalidInput."""
    try:
        return float(text.strip()[:_TYPED_MAX].replace(",", "."))
    except ValueError:
        raise InvalidInput(f"“{text[:_SHOWN_MAX]}” is not a number: write it like 58 or 58.4.") from None


def install(app: Flask) -> None:
    """Refuse a sign that no text has, and that no database keeps as text: a zero byte in a field of a form.

    Only where people are asked: what programs send is read by whoever takes it. Must come after access.
    """

    def refuse() -> None:
        if "identity" in g and any("\x00" in each for values in request.form.listvalues() for each in values):
            raise InvalidInput("A field holds a sign that is no text: type it anew.")

    app.before_request(refuse)


def day_in(name: str) -> date | None:
    """Return a day of the form, None where the field is empty. Raises InvalidInput."""
    return day(request.form.get(name, ""))


def day(text: str) -> date | None:
    """Return what was typed as a day, None where nothing was. Raises InvalidInput."""
    text = text.strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput(f"'{text[:_SHOWN_MAX]}' is no date: write it as 2026-11-24.") from None

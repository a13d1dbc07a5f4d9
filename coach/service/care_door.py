"""The door of health entries, and what can be entered.

Whoever may see the athlete and read health text may read them: the athlete, a guardian, a coach with the consent to it.
For an athlete without a sign-in the coach takes them down, as with the safety questions, and so reads them.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from coach.errors import InvalidInput, NoSuch
from coach.service.permission import may_see, require, require_athlete
from coach.service.types import Identity, Level, Purpose
from coach.store.engine import Tx
from coach.store.rows import Row

# Own bounds of what can be entered.
KEY_MAX, WORDS_MAX, NOTE_MAX, NAME_MAX = 100, 200, 1000, 200
# Whoever enters late may look back so far. Own choice: a long course of back pain.
LATE = timedelta(days=730)


def require_care(tx: Tx, by: Identity, athlete_id: str, need: Level = Level.VIEW) -> Row:
    """Return an athlete whose health entries `by` may read, and with a higher need write. Raises NoSuch, NotAllowed."""
    require(tx, by, athlete_id, need, Purpose.PAIN_TEXT)
    return require_athlete(tx, by, athlete_id, need)


def require_entry(tx: Tx, by: Identity, row: Row | None, what: str, need: Level = Level.VIEW) -> Row:
    """Return an entry that `by` may read, and with a higher need change. Raises NoSuch (another's), NotAllowed."""
    if row is None or not may_see(tx, by, row["athlete_id"]):
        raise NoSuch(f"There is no such {what} on your list.")
    require_care(tx, by, row["athlete_id"], need)
    return row


def local_today(athlete: Row, now: datetime) -> date:
    """Return the athlete's local date."""
    return now.astimezone(ZoneInfo(athlete["time_zone"])).date()


def checked_day(day: date, today: date, what: str) -> date:
    """Return a day that can be entered. Raises InvalidInput for one ahead or too long ago."""
    if not today - LATE <= day <= today:
        raise InvalidInput(f"{what}: {day} is not between {today - LATE} and today.")
    return day


def checked_key(key: str) -> str:
    """Return the key of a form. Raises InvalidInput."""
    if not 1 <= len(key) <= KEY_MAX:
        raise InvalidInput("This form is incomplete: open it anew.")
    return key


def checked_text(text: str, what: str, longest: int) -> str | None:
    """Return text without surrounding blanks, None for none. Raises InvalidInput when it is too long."""
    text = text.strip()
    if len(text) > longest:
        raise InvalidInput(f"{what}: write at most {longest} characters; these are {len(text)}.")
    return text or None

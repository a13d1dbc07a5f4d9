"""The rules of data: for each table whose its rows are, whether they are exported, how long they are kept.

Export, import, erase and retention read this; a table without a rule fails a test. Erasing deletes whatever belongs to
the athlete, in every table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import ColumnElement, Table, false, select

from coach.store.every_table import metadata


class Kept(StrEnum):
    """What kind of data a row is, which says how long it is kept: a key of [retention] without its `_days`."""

    ACCOUNT = "account"  # as long as the athlete is here; no key
    SIGNAL = "signal"  # raw samples
    FEATURES = "features"  # what was seen in them, by the chunk and by the minute
    FINDINGS = "findings"  # days, answers and findings
    DIARY = "diary"  # what people entered
    LOGS = "logs"  # what happened, links to wearables
    REMINDERS = "reminders"  # reminders.log_days
    LEDGER = "ledger"  # who read what
    SIGN_IN = "sign_in"  # sign-ins and one-time links that have ended


@dataclass(frozen=True, slots=True)
class Rule:
    """One table's rule.

    path: from a row to its athlete: columns that are foreign keys, the last one holds the athlete's id. Empty: of no
    athlete; such a row is exported when an exported row names it (named), and never erased.
    exported: or the reason why not. hidden: columns that stay here, with the reason. beside: columns of bytes that lie
    beside the rows in an export.. aged_by: the column that says how old a row is.
    """

    path: tuple[str, ...]
    kept: Kept = Kept.ACCOUNT
    exported: bool = True
    why_not: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    named: bool = False
    aged_by: str | None = None


_OWN = ("athlete_id",)
_STREAM = ("stream_id", "athlete_id")
_USER = ("user_id", "athlete_id")
_SORTED = "how a coach sorts their own list, in their own words; nothing of the athlete is in it"
_WORK_HERE = "when this server analysed again what it has; what it found is in days and findings"
_STUCK = "signal that could not be stored; sent again by the owner of the machine, it is signal like all other"
_LETS_IN = "a secret that lets somebody in; it is of no use elsewhere"

RULES: dict[str, Rule] = {
    # People and what they wear
    "athlete": Rule(("id",), hidden={"calendar_token": "the address of the calendar feed is a secret; made anew"}),
    # Beside the athlete's own one: the name and role of whoever entered or decided something.
    "user_account": Rule(_OWN, named=True, hidden={"password_hash": _LETS_IN}),
    "sign_in_link": Rule(_USER, Kept.SIGN_IN, exported=False, why_not=_LETS_IN, aged_by="expires_at"),
    "sign_in_session": Rule(
        _USER, Kept.SIGN_IN, exported=False, why_not="it says where somebody is signed in here", aged_by="seen_at"
    ),
    "passkey": Rule(_USER, exported=False, why_not="it works with the address that it was made for only"),
    "used_challenge": Rule((), exported=False, why_not="of nobody; forgotten when a later one is used"),
    "second_factor": Rule(_USER, exported=False, why_not=_LETS_IN),
    "recovery_code": Rule(_USER, exported=False, why_not=_LETS_IN),
    "failed_sign_in": Rule(
        _USER, Kept.SIGN_IN, exported=False, why_not="what others tried here is no data of the person", aged_by="hour"
    ),
    "sign_in_notice": Rule(
        _USER, Kept.SIGN_IN, exported=False, why_not="told at the next sign-in here, then over", aged_by="at"
    ),
    "coach_athlete": Rule(_OWN),
    "guardian_athlete": Rule(_OWN),
    "athlete_group": Rule((), exported=False, why_not=_SORTED),
    "athlete_group_member": Rule(_OWN, exported=False, why_not=_SORTED),
    "consent": Rule(_OWN),
    "invitation": Rule(_OWN, Kept.SIGN_IN, exported=False, why_not=_LETS_IN, aged_by="expires_at"),
    "doctor_link": Rule(_OWN, Kept.SIGN_IN, exported=False, why_not=_LETS_IN, aged_by="expires_at"),
    "ledger_entry": Rule(_OWN, Kept.LEDGER, aged_by="hour"),
    "api_token": Rule(_OWN, exported=False, why_not=_LETS_IN),
    "personal_token": Rule(_USER, exported=False, why_not=_LETS_IN),
    "wearable": Rule(_OWN),
    "connection_log": Rule(_OWN, Kept.LOGS, aged_by="updated_at"),
    "event": Rule(_OWN, Kept.LOGS, aged_by="at"),
    "wall_tile": Rule(
        _OWN, exported=False, why_not="whom a coach looks at is the coach's choice; the ledger says when"
    ),
    "erasure": Rule((), exported=False, why_not="of nobody: that somebody was erased, without who it was"),
    # Signal, and what is seen in it
    "stream": Rule(_OWN),
    "stream_state": Rule(_STREAM),
    "chunk": Rule(_STREAM, Kept.SIGNAL, beside=("blob",), aged_by="start_utc_s"),
    "set_aside": Rule(("chunk_id", *_STREAM)),
    "dead_letter": Rule(_OWN, Kept.LOGS, exported=False, why_not=_STUCK, aged_by="last_at"),
    "heart_block": Rule(_OWN, Kept.SIGNAL, aged_by="start_utc_s"),
    "recording_import": Rule(_OWN),
    "phone_session": Rule(("wearable_id", "athlete_id")),
    "phone_message": Rule(("session_id", "wearable_id", "athlete_id")),
    "feature": Rule(_OWN, Kept.FEATURES, aged_by="start_utc_s"),
    "exposure": Rule(_OWN, Kept.FEATURES, aged_by="start_utc_s"),
    "stretch": Rule(_OWN, Kept.FEATURES, aged_by="start_utc_s"),
    # Days
    "edition": Rule((), named=True),
    "day_due": Rule(_OWN),
    "athlete_day": Rule(_OWN, Kept.FINDINGS, aged_by="local_date"),
    "answer": Rule(_OWN, Kept.FINDINGS, aged_by="local_date"),
    "finding": Rule(_OWN, Kept.FINDINGS, aged_by="ended_at"),
    "reanalysis": Rule(_OWN, Kept.LOGS, exported=False, why_not=_WORK_HERE, aged_by="ended_at"),
    "reanalysis_day": Rule(_OWN, Kept.LOGS, exported=False, why_not=_WORK_HERE, aged_by="ended_at"),
    # What people entered
    "checkin": Rule(_OWN, Kept.DIARY, aged_by="at"),
    "training": Rule(_OWN, Kept.DIARY, aged_by="at"),
    "treatment": Rule(_OWN, Kept.DIARY, aged_by="ended_on"),
    "questionnaire": Rule(_OWN, Kept.DIARY, aged_by="answered_at"),
    "imaging": Rule(_OWN, Kept.DIARY, beside=("file",), aged_by="created_at"),
    # What holds a program back stays as long as the athlete: forgetting it would lift it.
    "doctor_plan": Rule(_OWN),
    "triage_answer": Rule(_OWN),
    "spasm": Rule(_OWN),
    "spasm_follow_up": Rule(_OWN),
    "first_run": Rule(_OWN),
    "sent_answer": Rule(
        _USER, Kept.LOGS, exported=False, why_not="it says that a browser's answer came here once", aged_by="taken_at"
    ),
    # Programs and tests
    "plan": Rule(_OWN),
    "planned_session": Rule(_OWN),
    "session_outcome": Rule(("session_id", "athlete_id")),
    "guided_session": Rule(_OWN),
    "guided_set": Rule(_OWN),
    "program_change": Rule(_OWN),
    "declined_exercise": Rule(_OWN),
    "plan_author": Rule(("plan_id", "athlete_id")),
    "program_template": Rule((), exported=False, why_not="of no athlete: a coach's own, which their page hands out"),
    "own_exercise": Rule((), exported=False, why_not="of no athlete: a program that has one holds it"),
    "session_message": Rule(("session_id", "athlete_id"), Kept.DIARY, aged_by="written_at"),
    # Private among coaches. It is about the athlete, who may have what is kept about them (GDPR Art. 15).
    "coach_note": Rule(_OWN, Kept.DIARY, aged_by="written_at"),
    "assessment": Rule(_OWN),
    "assessment_trial": Rule(_OWN),
    "job": Rule(_OWN),
    # Processes
    "server_key": Rule((), exported=False, why_not="secrets of the server, of nobody"),
    "process": Rule((), exported=False, why_not="what runs here, of nobody; forgotten after a day"),
    "upload_piece": Rule(_USER, exported=False, why_not="a file on its way to an import; gone within two hours"),
    # Reminders
    "reminder_settings": Rule(_OWN),
    "push_subscription": Rule(
        _OWN,
        exported=False,
        why_not="it holds the keys of a browser, and works with the server that it was made for only",
    ),
    "webhook_target": Rule(_OWN, exported=False, why_not="its address and its key are secrets of whoever receives"),
    "reminder": Rule(_OWN, Kept.REMINDERS, aged_by="event_at"),
    "delivery": Rule(_OWN, Kept.REMINDERS, aged_by="at"),
}


def of_athlete(table: Table, athlete_id: str) -> ColumnElement[bool]:
    """Return the condition that holds for the rows of an athlete. Raises KeyError for a table without a rule."""
    return _along(table, RULES[table.name].path, athlete_id)


def _along(table: Table, path: tuple[str, ...], athlete_id: str) -> ColumnElement[bool]:
    if not path:
        return false()
    column = table.c[path[0]]
    if len(path) == 1:
        return column == athlete_id
    (key,) = column.foreign_keys
    there = key.column.table
    return column.in_(select(key.column).where(_along(there, path[1:], athlete_id)))


def exported_tables() -> list[Table]:
    """Return the tables that an export holds, each after those that its rows name."""
    return [table for table in metadata.sorted_tables if RULES[table.name].exported]


def erased_tables() -> list[Table]:
    """Return the tables that erasing empties of an athlete, each before those that its rows name."""
    return [table for table in reversed(metadata.sorted_tables) if RULES[table.name].path]

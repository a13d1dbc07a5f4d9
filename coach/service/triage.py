"""Safety questions before the first program and again in pain: what they lock, and how a lock ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from coach.errors import Conflict, InvalidInput, Locked, NotAllowed
from coach.service import spasm_rows
from coach.service.accounts import checked_name
from coach.service.ground import Ground
from coach.service.permission import may_answer, may_decide, require_athlete, speaks_for
from coach.service.types import Identity, TriageShown, TriageView
from coach.store import athletes, diary, events, sessions
from coach.store import triage as answers_table
from coach.store.engine import Tx
from coach.store.rows import Row
from programs import triage as rules
from programs.emergency import number_in
from programs.errors import ProgramError
from programs.types import Answer, Lock, TriageLevel, TriageQuestion, TriageResult, strictest

# What a coach reads instead of the athlete's own messages. Source: the facts on red flags; own words.
PAUSED = "Paused: medical review advised."
WAITS = "Paused until the athlete has answered every safety question."
# Sessions whose time passed in the lock are not made up for: they would come all at once.
_MISSED = timedelta(hours=1)
# The day may have begun elsewhere on earth.
_ELSEWHERE = timedelta(days=1)


class Triage:
    """Ask, store what was answered and shown, lock and clear."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def questions(self) -> tuple[TriageQuestion, ...]:
        """Return the questions in the order to ask."""
        return rules.questions()

    def answer(
        self, by: Identity, athlete_id: str, answers: Mapping[str, Answer], age_years: int | None = None
    ) -> TriageResult:
        """Store the answers and what is shown for them; the result's lock holds from now on.

        A question that is missing counts as unknown. Only the athlete answers; for an athlete without a sign-in the
        coach may enter the answers. What a clinician lifts stands until then, whatever is answered later. Where the
        acute plan is switched off nothing falls back: a lock of starting is one of all.
        Raises NoSuch, NotAllowed, InvalidInput.
        """
        try:
            result = rules.triage(answers, age_years)
        except ProgramError as error:
            raise InvalidInput(str(error)) from None
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            if not may_answer(tx, by, athlete_id):
                raise NotAllowed("The safety questions are the athlete's own to answer: ask them to sign in.")
            result = self._named(result, athlete)
            result = self._as_here(_with_standing_lock(answers_table.newest(tx, athlete_id), result))
            values = {
                "athlete_id": athlete_id,
                "answered_by": by.user_id,
                "answered_at": now,
                "age_years": age_years,
                "questions_version": rules.QUESTIONS_VERSION,
                "answers": {
                    question.id: answers.get(question.id, Answer.UNKNOWN).value for question in self.questions()
                },
                "level": result.level.value,
                "lock": result.lock.value,
                "messages": list(result.messages),
                "reasons": list(result.reasons),
            }
            answer_id = answers_table.add(tx, values)
            spasm_rows.link_answers(tx, athlete_id, answer_id)
            self._set_lock(tx, athlete_id, result.lock, now)
            action = f"answered, locked: {result.lock.value}" if result.locked else "answered"
            events.record(tx, now, by.user_id, action, "triage", str(answer_id), athlete_id)
        return result

    def view_for(self, by: Identity, athlete_id: str) -> TriageView:
        """Return what `by` may see of the answers that stand, and whether the questions are due. Raises NoSuch."""
        with self._ground.store.read() as tx:
            require_athlete(tx, by, athlete_id)
            row = answers_table.newest(tx, athlete_id)
            must_ask = questions_due(tx, athlete_id, row, self._ground.now())
            own = may_answer(tx, by, athlete_id)
            if row is None:
                return TriageView(None, None, None, must_ask, own)
            return TriageView(shown_of(tx, by, row), row["answered_at"], row["cleared_by"], must_ask, own)

    def _named(self, result: TriageResult, athlete: Row) -> TriageResult:
        """Name the emergency number of the athlete's place."""
        number = self._ground.config.care.emergency_number or number_in(athlete["time_zone"])
        return replace(result, messages=tuple(rules.naming(each, number) for each in result.messages))

    def _as_here(self, result: TriageResult) -> TriageResult:
        """Lock all where nothing may fall back."""
        falls_back = self._ground.config.care.acute_plan
        return result if falls_back or result.lock is Lock.NONE else replace(result, lock=Lock.ALL)

    def clear(self, by: Identity, athlete_id: str, clinician: str, seen_on: str) -> None:
        """Lift a lock: a clinician has seen the athlete. clinician: their name; seen_on: the date, ISO form.

        The questions are asked again before: the newest answers are of that day or later, and less than a week old.
        Raises NoSuch, NotAllowed, InvalidInput, Conflict when nothing is locked, or the questions come first.
        """
        now = self._ground.now()
        try:
            day = date.fromisoformat(seen_on)
        except ValueError:
            raise InvalidInput(f"The date {seen_on!r} is none: write it as 2026-11-24.") from None
        clinician = checked_name(clinician)
        with self._ground.store.begin() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            if not may_decide(tx, by, athlete_id):
                raise NotAllowed("The lock is lifted by the coach: tell them that a clinician has seen you.")
            row, since = answers_table.newest(tx, athlete_id), answers_table.standing_since(tx, athlete_id)
            if row is None or since is None:
                raise Conflict("Nothing is locked for this athlete.")
            if not (since["answered_at"] - _ELSEWHERE).date() <= day <= (now + _ELSEWHERE).date():
                raise InvalidInput(f"The date {seen_on} is not between the answers and today.")
            open_still = rules.OPEN in row["messages"]
            late = (row["answered_at"] + _ELSEWHERE).date() < day or now - row["answered_at"] >= rules.ASK_EVERY
            if open_still or late or questions_due(tx, athlete_id, row, now):
                raise Conflict(
                    f"The safety questions come first: {athlete['name']} answers them again, then the pause can end."
                )
            changes = {"cleared_at": now, "cleared_by": clinician, "cleared_seen_on": day}
            answers_table.change(tx, row["id"], **changes)
            self._set_lock(tx, athlete_id, Lock.NONE, now)
            events.record(tx, now, by.user_id, "lifted the lock", "triage", str(row["id"]), athlete_id)

    def _set_lock(self, tx: Tx, athlete_id: str, lock: Lock, now: datetime) -> None:
        found = athletes.get(tx, athlete_id)
        before = Lock(found["lock"]) if found else Lock.NONE
        athletes.change(tx, athlete_id, lock=lock.value)
        if Lock.STARTING in (before, lock) and before is not lock:
            sessions.touch_planned(tx, athlete_id, now)
        if before is Lock.ALL and lock is not Lock.ALL:
            for session_id in sessions.cancel_planned(tx, athlete_id, now, due_before=now - _MISSED):
                events.record(tx, now, "service", "cancelled", "session", session_id, athlete_id, "paused by the lock")


def stands(row: Row) -> bool:
    """Tell whether a row of answers locks now: it did when it was given, and no clinician has lifted it."""
    return row["lock"] != Lock.NONE and row["cleared_at"] is None


def shown_of(tx: Tx, by: Identity, row: Row) -> TriageShown:
    """Return what `by` may see: the athlete, and a coach who took the answers down, all; another coach no details."""
    locked = stands(row)
    lock = Lock(row["lock"]) if locked else Lock.NONE
    level = TriageLevel(row["level"])
    if by.user_id == row["answered_by"] or speaks_for(tx, by, row["athlete_id"]):
        messages = tuple(row["messages"]) if locked or row["lock"] == Lock.NONE else ()
        return TriageShown(lock, messages, level, tuple(row["reasons"]))
    return TriageShown(lock, (PAUSED if level in rules.LOCKS else WAITS,) if locked else ())


def refuse_locked(tx: Tx, by: Identity, athlete: Row, now: datetime) -> None:
    """Raise Locked, whose message is what to show, while nothing may begin or go up: never asked, locked, due again.

    What begins is a program, a test, a step of progress. In the first days after a spasm nothing does. Releases follow
    the lock of the athlete's row, which the same answers set (store/sessions.py); a test holds both to each other.
    """
    answers = answers_table.newest(tx, athlete["id"])
    if answers is None:
        raise Locked(f"The safety questions were not answered yet: {athlete['name']} answers them first.")
    if stands(answers):
        raise Locked(" ".join(shown_of(tx, by, answers).messages) or PAUSED)
    if athlete["lock"] != Lock.NONE or questions_due(tx, athlete["id"], answers, now):
        raise Locked(f"The safety questions are due again: {athlete['name']} answers them first.")
    if spasm_rows.in_first_days(tx, athlete["id"]):
        raise Locked(spasm_rows.WAITS)


def hold_until_asked(tx: Tx, athlete_id: str, now: datetime) -> None:
    """Hold back everything until the safety questions are answered anew; the answers then set the lock.

    A spasm that was past its first days is back in them.
    """
    spasm_rows.fall_back(tx, athlete_id, now)
    athletes.change(tx, athlete_id, lock=Lock.ALL.value)
    events.record(tx, now, "service", "paused", "athlete", athlete_id, athlete_id)


def questions_due(tx: Tx, athlete_id: str, answers: Row | None, now: datetime) -> bool:
    """Tell whether the safety questions are to be asked (again) before anything begins."""
    if answers is not None and spasm_rows.asked_anew(tx, athlete_id, answers["answered_at"]):
        return True
    pain = diary.latest_pain(tx, athlete_id)
    return rules.must_ask(
        answers["answered_at"] if answers else None,
        now,
        pain["pain"] if pain else None,
        pain["at"] if pain else None,
    )


def _standing_part(row: Row) -> TriageResult:
    """Return what only a clinician lifts of stored answers: without what was open and may have been answered since."""
    level = TriageLevel(row["level"])
    reasons = [
        reason
        for reason in row["reasons"]
        if row["answers"].get(reason) != Answer.UNKNOWN or reason in rules.UNSURE_IS_YES
    ]
    messages = [message for message in row["messages"] if message != rules.OPEN]
    return TriageResult(level, rules.LOCKS[level], tuple(messages), tuple(reasons))


def _with_standing_lock(row: Row | None, result: TriageResult) -> TriageResult:
    if row is None or not stands(row) or TriageLevel(row["level"]) not in rules.LOCKS:
        return result
    standing = _standing_part(row)
    urgent_first = sorted((standing, result), key=lambda each: list(TriageLevel).index(each.level))
    gravest = urgent_first[0].level
    # As in programs.triage: who is sent to an emergency department should not also read of a review.
    shown = [each for each in urgent_first if gravest is not TriageLevel.EMERGENCY or each.level is gravest]
    messages = dict.fromkeys(message for each in shown for message in each.messages)
    if rules.OPEN in result.messages:  # what is open has to be answered, whatever else stands
        messages[rules.OPEN] = None
    reasons = dict.fromkeys(reason for each in urgent_first for reason in each.reasons)
    lock = strictest(standing.lock, result.lock)
    return replace(urgent_first[0], lock=lock, messages=tuple(messages), reasons=tuple(reasons))

"""Spasm now: what begins with one press, how it goes, what comes next, and how the program comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from coach.errors import Conflict, InvalidInput, NoSuch, NotAllowed
from coach.service import spasm_rows
from coach.service.care_door import checked_key, require_care
from coach.service.diary import CheckIn, store_checkin
from coach.service.ground import Ground
from coach.service.permission import may_answer, require_athlete
from coach.service.session_pains import calm_mornings
from coach.service.spasm_course import course_of, is_clear
from coach.service.spasm_program import bring_back, program_after, stop_for_now
from coach.service.spasm_views import Comfort, SpasmView, ToldView
from coach.service.triage import hold_until_asked
from coach.service.types import Identity
from coach.store import athletes, diary, events, plans, sessions, spasms
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.acute import Feels, Follows, follows
from programs.phases import COMFORT_MAX_MINUTES, COMFORT_MIN_MINUTES, RECURS_WITHIN, guide, sport_share, standing
from programs.types import Phase

# Own choice: a press by mistake is noticed within the hour.
UNDO_WITHIN = timedelta(hours=1)


class Spasms:
    """Begin, tell, go on, end."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def begin(self, by: Identity, athlete_id: str, key: str) -> None:
        """Begin at once: everything waits for the safety questions, and walking and rest stand in for what is planned.

        Pressed again in the first days it is the same spasm, asked about anew; later it is another one. Where the
        acute plan is switched off, the next three days are left free and the program goes one step back; nothing else.
        Raises NoSuch, NotAllowed (a coach, for an athlete who has a sign-in), InvalidInput.
        """
        now, key = self._ground.now(), checked_key(key)
        with self._ground.store.begin() as tx:
            athlete = _own(tx, by, athlete_id)
            if spasms.with_key(tx, athlete_id, key) is not None:
                return
            row = spasms.going_on(tx, athlete_id)
            if row is not None and row["phase"] == Phase.ACUTE:
                spasms.change(tx, row["id"], ask_since=now, walked_10_min=None)
                events.record(tx, now, by.user_id, "pressed again", "spasm", row["id"], athlete_id)
            else:
                row = self._add(tx, by, athlete, row, key, now)
            hold_until_asked(tx, athlete_id, now)
            if self._ground.config.care.acute_plan:
                spasm_rows.ask_later(tx, athlete_id, row["id"], now)
                spasm_rows.give_way(tx, athlete_id, now)
            else:
                spasms.change(tx, row["id"], ended_at=now, ended_why="plan off")
                stop_for_now(tx, self._ground, athlete, row, now)

    def _add(self, tx: Tx, by: Identity, athlete: Row, open_one: Row | None, key: str, now: datetime) -> Row:
        athlete_id, before = athlete["id"], spasms.newest(tx, athlete["id"])
        if open_one is not None:
            spasms.change(tx, open_one["id"], ended_at=now, ended_why="again")
        values = {
            "athlete_id": athlete_id,
            "key": key,
            "begun_at": now,
            "ask_since": now,
            "phase": Phase.ACUTE.value,
            "phase_since": now,
            "recurred": before is not None and now - before["begun_at"] <= RECURS_WITHIN,
            "entered_by": by.user_id,
            **program_after(tx, athlete, open_one, now),
        }
        spasm_id = spasms.add(tx, values)
        events.record(tx, now, by.user_id, "began", "spasm", spasm_id, athlete_id)
        # What waits for a yes was thought of before this.
        waiting = plans.in_state(tx, athlete_id, "proposed")
        if waiting is not None:
            plans.move(tx, waiting["id"], "proposed", state="superseded", decided_at=now)
            events.record(tx, now, "service", "superseded", "plan", waiting["id"], athlete_id, "a spasm")
            athletes.change(tx, athlete_id, replan_wanted=True)
        return {**values, "id": spasm_id}

    def tell(
        self,
        by: Identity,
        athlete_id: str,
        pain: int,
        feels: Feels,
        key: str,
        walked_10_min: bool | None = None,
        full_motion: bool | None = None,
    ) -> Follows:
        """Store how it is: pain in motion, 0 to 10, and against the time before. Answers the question that is due.

        walked_10_min, full_motion: None leaves what was said before. Worse, much pain, or pain that has risen asks the
        safety questions again. The same key is the same answer. Raises NoSuch, NotAllowed, InvalidInput, Conflict.
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            athlete = _own(tx, by, athlete_id)
            row = _going_on(tx, athlete_id)
            told = [each for each in spasms.follow_ups(tx, row["id"]) if each["answered_at"] is not None]
            before = told[-1]["pain_in_motion"] if told else _first_pain(tx, row)
            checkin_id, new = store_checkin(tx, by, athlete, CheckIn(pain_in_motion=pain), key, now)
            after_h = (now - row["begun_at"]) / timedelta(hours=1)
            said = follows(feels, pain, before, after_h)
            if not new:
                return said
            self._keep(tx, row, {"answered_at": now, "feels": feels.value, "checkin_id": checkin_id}, now)
            said_more = {"walked_10_min": walked_10_min, "full_motion": full_motion}
            changes: dict[str, object] = {name: value for name, value in said_more.items() if value is not None}
            if said.ask:
                changes["ask_since"] = now
            if changes:
                spasms.change(tx, row["id"], **changes)
            events.record(tx, now, by.user_id, "told how it is", "spasm", row["id"], athlete_id)
            if said.ask:
                hold_until_asked(tx, athlete_id, now)
            return said

    def _keep(self, tx: Tx, row: Row, answer: dict[str, object], now: datetime) -> None:
        due = _due(spasms.follow_ups(tx, row["id"]), now)
        if due is not None and spasms.answer_follow_up(tx, due["id"], **answer):
            return
        spasms.add_follow_up(
            tx, {"athlete_id": row["athlete_id"], "spasm_id": row["id"], "after_h": None, "due_at": now, **answer}
        )

    def go_on(self, by: Identity, athlete_id: str) -> None:
        """Say yes to the next phase: what of the program belongs to it comes back, a step easier than it was.

        Raises NoSuch, NotAllowed, Conflict (the next phase still waits for something; or the week has no time for it).
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            athlete = _own(tx, by, athlete_id)
            row = _going_on(tx, athlete_id)
            ahead = guide(Phase(row["phase"]), course_of(tx, athlete, row, now))
            if not _later(ahead.phase, Phase(row["phase"])):
                raise Conflict(f"The next phase still waits: {'; '.join(ahead.next_when) or 'there is none'}.")
            spasms.change(tx, row["id"], phase=ahead.phase.value, phase_since=now)
            events.record(tx, now, by.user_id, f"went on to {ahead.phase.value}", "spasm", row["id"], athlete_id)
            bring_back(tx, self._ground, athlete, row, ahead.phase, now)

    def over(self, by: Identity, athlete_id: str) -> None:
        """End a spasm that has come to its last phase. Raises NoSuch, NotAllowed, Conflict."""
        self._end(by, athlete_id, "over", lambda row, now: row["phase"] == Phase.STRENGTH)

    def undo(self, by: Identity, athlete_id: str) -> None:
        """Take back a press by mistake, within the hour; the safety questions still wait for their answers.

        Raises NoSuch, NotAllowed, Conflict.
        """
        self._end(by, athlete_id, "mistake", _may_undo)

    def _end(self, by: Identity, athlete_id: str, why: str, may: Callable[[Row, datetime], bool]) -> None:
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            _own(tx, by, athlete_id)
            row = _going_on(tx, athlete_id)
            if not may(row, now):
                raise Conflict("It goes on: tell how it is, and go on phase by phase.")
            spasms.drop_unasked(tx, row["id"])
            spasms.change(tx, row["id"], ended_at=now, ended_why=why)
            events.record(tx, now, by.user_id, f"ended: {why}", "spasm", row["id"], athlete_id)
            if why == "mistake":
                sessions.stand_in(tx, athlete_id, now, False, spasm_rows.OPEN_STATES)

    def comfort(self, by: Identity, athlete_id: str, what: Comfort | None, minutes: int = COMFORT_MIN_MINUTES) -> None:
        """Run the timer of cold or warmth, 15 to 20 minutes; None takes it off.

        Raises NoSuch, NotAllowed, InvalidInput, Conflict (the safety questions come first).
        """
        if not COMFORT_MIN_MINUTES <= minutes <= COMFORT_MAX_MINUTES:
            raise InvalidInput(f"The timer runs for {COMFORT_MIN_MINUTES} to {COMFORT_MAX_MINUTES} minutes.")
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            _own(tx, by, athlete_id)
            row = _going_on(tx, athlete_id)
            if what is not None and not is_clear(tx, row, now):
                raise Conflict("The safety questions come first.")
            until = None if what is None else now + timedelta(minutes=minutes)
            spasms.change(tx, row["id"], comfort=what and what.value, comfort_until=until)

    def view(self, by: Identity, athlete_id: str) -> SpasmView | None:
        """Return where somebody stands, None without a spasm that goes on. Raises NoSuch, NotAllowed."""
        now = self._ground.now()
        with self._ground.store.read() as tx:
            athlete = require_care(tx, by, athlete_id)
            row = spasms.going_on(tx, athlete_id)
            return None if row is None else _view(tx, athlete, row, now)


def _view(tx: Tx, athlete: Row, row: Row, now: datetime) -> SpasmView:
    phase, course = Phase(row["phase"]), course_of(tx, athlete, row, now)
    ahead, asked = guide(phase, course), spasms.follow_ups(tx, row["id"])
    told = tuple(
        ToldView(each["answered_at"], each["after_h"], Feels(each["feels"]), each["pain_in_motion"])
        for each in sorted(asked, key=lambda each: each["answered_at"] or now, reverse=True)
        if each["answered_at"] is not None
    )
    due = _due(asked, now)
    return SpasmView(
        spasm_id=row["id"],
        athlete_id=row["athlete_id"],
        begun_at=row["begun_at"],
        phase=phase,
        phase_since=row["phase_since"],
        answered=course.clear,
        now=standing(phase, course),
        next_title=ahead.title if _later(ahead.phase, phase) else None,
        due_h=due["after_h"] if due is not None else None,
        told=told,
        doctor=_doctor(told, _first_pain(tx, row), row["begun_at"]),
        comfort=Comfort(row["comfort"]) if row["comfort"] else None,
        comfort_until=row["comfort_until"],
        may_undo=_may_undo(row, now),
        gave_way=row["plan_id"] is not None,
        sport_share=sport_share(_trainings(tx, row, now)) if phase is Phase.STRENGTH else None,
    )


def _trainings(tx: Tx, row: Row, now: datetime) -> int:
    """Return the trainings since this phase began after which the next morning was no worse than usual.

    The first day counts from what came after the phase began. Source of "no next-day rise": biomechanics 5.4.
    """
    first, after = row["phase_since"].date(), now.date() + timedelta(days=2)
    told = diary.trainings_between(tx, row["athlete_id"], first, after)
    since = [each["local_date"] for each in told if each["at"] >= row["phase_since"]]
    return calm_mornings(tx, row["athlete_id"], since)


def _doctor(told: tuple[ToldView, ...], first_pain: int | None, begun_at: datetime) -> bool:
    """Tell whether the newest answer, three days or later, was not better."""
    if not told or told[0].pain is None:
        return False
    before = next((each.pain for each in told[1:]), first_pain)
    return follows(told[0].feels, told[0].pain, before, (told[0].at - begun_at) / timedelta(hours=1)).doctor


def _due(asked: list[Row], now: datetime) -> Row | None:
    """Return the newest question whose time has come, None when something was told since."""
    due = [each for each in asked if each["after_h"] is not None and each["due_at"] <= now]
    newest = due[-1] if due else None
    if newest is None or any(each["answered_at"] and each["answered_at"] >= newest["due_at"] for each in asked):
        return None
    return newest


def _first_pain(tx: Tx, row: Row) -> int | None:
    told = spasms.pain_since(tx, row["athlete_id"], row["begun_at"])
    found = next((each["pain_in_motion"] for each in told if each["pain_in_motion"] is not None), None)
    return None if found is None else int(found)


def _may_undo(row: Row, now: datetime) -> bool:
    return bool(row["phase"] == Phase.ACUTE and now - row["begun_at"] <= UNDO_WITHIN)


def _later(one: Phase, other: Phase) -> bool:
    return list(Phase).index(one) > list(Phase).index(other)


def _own(tx: Tx, by: Identity, athlete_id: str) -> Row:
    athlete = require_athlete(tx, by, athlete_id)
    if not may_answer(tx, by, athlete_id):
        raise NotAllowed("A spasm is the athlete's own to tell: ask them to sign in.")
    return athlete


def _going_on(tx: Tx, athlete_id: str) -> Row:
    row = spasms.going_on(tx, athlete_id)
    if row is None:
        raise NoSuch("No spasm goes on: press “Spasm now” when one begins.")
    return row

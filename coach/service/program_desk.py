"""The program desk: what waits for a coach's yes, changed by hand, decided for one or for many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from coach.errors import CoachError, Conflict, InvalidInput, NotAllowed, StoreUnavailable
from coach.language import gettext as _
from coach.said import said
from coach.service import planning
from coach.service.change_views import ChangeView, change_view
from coach.service.ground import Ground
from coach.service.histories import history_of
from coach.service.own_exercises import shelf_for
from coach.service.permission import coaches, require_plan
from coach.service.plain import prescription_from_plain
from coach.service.plan_differences import MadeFrom, Proposal, proposal_of
from coach.service.plans import Plans
from coach.service.progress import Progress
from coach.service.proposing import propose, require_decider
from coach.service.types import Identity, PlanState, PlanView
from coach.store import athletes, plan_templates, plans, program_desk
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.compose import Chosen, compose, with_items
from programs.errors import ProgramError
from programs.exercises import known
from programs.types import Exercise, Lock

# Decisions in one request. Own bound: more than any coach has athletes, less than a form has fields.
MANY_MAX = 200
# Signs of a reason or a word on a decision. Own bound.
WORD_MAX = 500


class Held(StrEnum):
    """Why an athlete's proposal cannot be accepted now, as far as a list can tell; accepting tells the rest."""

    PAUSED = "paused"
    NEVER_ASKED = "never_asked"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One athlete of the desk. proposal, step: what waits, at least one of them. held: None where a yes may do."""

    athlete_id: str
    name: str
    time_zone: str
    held: Held | None
    proposal: Proposal | None
    step: ChangeView | None


@dataclass(frozen=True, slots=True)
class Planned:
    """An athlete whose program a coach decides on. plan_id, title: of what runs, None while nothing does."""

    athlete_id: str
    name: str
    plan_id: str | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one athlete among many. problem: the sentence where nothing was done, None where it was."""

    athlete_id: str | None
    name: str
    problem: str | None
    plan_id: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Editing:
    """What the page of editing needs: the plan, beside what runs. shelf: what may be chosen from, own exercises too."""

    plan: PlanView
    athlete_name: str
    shelf: tuple[Exercise, ...]
    proposal: Proposal


class ProgramDesk:
    """Look at what waits, change it by hand, decide on many. Each decision is the one that is made for one."""

    def __init__(self, ground: Ground, plans_of: Plans, progress: Progress) -> None:
        self._ground = ground
        self._plans = plans_of
        self._progress = progress

    def waiting(self, by: Identity) -> tuple[Waiting, ...]:
        """Return what waits for a coach, by name of the athlete. Raises NotAllowed for who is no coach."""
        _require_coach(by)
        with self._ground.store.read() as tx:
            rows = program_desk.athletes_planned_for(tx, by.user_id)
            ids = [row["id"] for row in rows]
            proposed = program_desk.plans_in_state(tx, ids, PlanState.PROPOSED.value)
            steps = program_desk.steps_proposed(tx, ids)
            running = program_desk.plans_in_state(tx, proposed, PlanState.ACCEPTED.value)
            authors = plan_templates.authors(tx, [row["id"] for row in proposed.values()])
        now = self._ground.now()
        for athlete in rows:
            ended = running.get(athlete["id"])
            if ended is not None and ended["ends_on"] <= planning.local_day(athlete, now):
                del running[athlete["id"]]
        return tuple(
            Waiting(
                row["id"],
                row["name"],
                row["time_zone"],
                _held(row),
                proposal_of(plan, running.get(row["id"]), authors) if plan is not None else None,
                change_view(step) if step is not None else None,
            )
            for row in rows
            if (plan := proposed.get(row["id"])) is not None or row["id"] in steps
            for step in (steps.get(row["id"]),)
        )

    def planned_for(self, by: Identity) -> tuple[Planned, ...]:
        """Return whose programs a coach decides on, and what runs. Raises NotAllowed for who is no coach."""
        _require_coach(by)
        with self._ground.store.read() as tx:
            rows = program_desk.athletes_planned_for(tx, by.user_id)
            running = program_desk.plans_in_state(tx, [row["id"] for row in rows], PlanState.ACCEPTED.value)
        now, found = self._ground.now(), []
        for row in rows:
            plan = running.get(row["id"])
            runs = plan is not None and plan["ends_on"] > planning.local_day(row, now)
            title = plan["prescription"]["title"] if plan is not None and runs else None
            found.append(Planned(row["id"], row["name"], plan["id"] if plan is not None and runs else None, title))
        return tuple(found)

    def editing(self, by: Identity, plan_id: str) -> Editing:
        """Return a proposal, or a program that runs, to be changed by hand. Raises NoSuch, NotAllowed, Conflict."""
        with self._ground.store.read() as tx:
            row = _require_editable(tx, by, plan_id)
            athlete = require_decider(tx, by, row["athlete_id"])
            running = planning.has_running(tx, athlete, self._ground.now())
            authors = plan_templates.authors(tx, [plan_id])
            shelf = shelf_for(tx, by)
        program = prescription_from_plain(row["prescription"])
        # What it holds already may be kept, also where its coach has deleted or never owned it.
        shelf = {**shelf, **{one.id: one for item in program.exercises if (one := known(item)) is not None}}
        return Editing(
            planning.plan_view(row, {}),
            athlete["name"],
            tuple(shelf.values()),
            proposal_of(row, running, authors),
        )

    def edit(
        self, by: Identity, plan_id: str, chosen: Sequence[Chosen], sessions_per_week: int, weeks: int
    ) -> PlanView:
        """Store a proposal, or a program that runs, as changed by hand: a new proposal, which waits for its yes.

        Rest that goes with the program stays. Raises NoSuch, NotAllowed, Conflict (decided meanwhile), InvalidInput:
        what must not be given to this athlete, or what is no program, with the sentence.
        """
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            athlete = require_decider(tx, by, require_plan(tx, by, plan_id)["athlete_id"])
            athletes.lock(tx, athlete["id"])
            row = _require_editable(tx, by, plan_id)
            program = prescription_from_plain(row["prescription"])
            try:
                items = compose(chosen, shelf_for(tx, by), program.exercises, history_of(tx, athlete, now))
                changed = with_items(program, items, sessions_per_week, weeks)
            except ProgramError as error:
                raise InvalidInput(said(str(error))) from None
            if changed == program:
                raise InvalidInput(_("Nothing was changed: the proposal stays as it is."))
            new_id = propose(tx, by, athlete, changed, row["need_kinds"], row["finding_ids"], MadeFrom.EDITED, now)
        return self._plans.get(by, new_id)

    def accept_many(
        self, by: Identity, plan_ids: Sequence[str], change_ids: Sequence[str] = (), note: str | None = None
    ) -> tuple[Outcome, ...]:
        """Accept proposals and steps, each by the call that accepts one; who is refused holds up nobody.

        Raises InvalidInput: nothing chosen, or too much.
        """
        plans_, progress = self._plans, self._progress
        return self._each(
            by, plan_ids, change_ids, lambda each: plans_.accept(each, by, note), lambda each: progress.accept(each, by)
        )

    def decline_many(
        self, by: Identity, plan_ids: Sequence[str], change_ids: Sequence[str] = (), reason: str | None = None
    ) -> tuple[Outcome, ...]:
        """Decline proposals and steps, each by the call that declines one. Raises InvalidInput."""
        plans_, progress = self._plans, self._progress
        return self._each(
            by,
            plan_ids,
            change_ids,
            lambda each: plans_.decline(each, by, reason),
            lambda each: progress.decline(each, by),
        )

    def _each(
        self,
        by: Identity,
        plan_ids: Sequence[str],
        change_ids: Sequence[str],
        decide_plan: Callable[[str], PlanView],
        decide_step: Callable[[str], ChangeView],
    ) -> tuple[Outcome, ...]:
        check_many(len(plan_ids) + len(change_ids))
        found = [self._one(by, each, self._plans.get, decide_plan) for each in dict.fromkeys(plan_ids)]
        return (*found, *(self._one(by, each, self._progress.get, decide_step) for each in dict.fromkeys(change_ids)))

    def _one(
        self,
        by: Identity,
        each: str,
        get: Callable[[Identity, str], PlanView | ChangeView],
        decide: Callable[[str], PlanView | ChangeView],
    ) -> Outcome:
        athlete_id, name = None, ""
        try:
            athlete_id = get(by, each).athlete_id
            name = self._name(athlete_id)
            decide(each)
        except StoreUnavailable:
            raise
        except CoachError as error:
            return Outcome(athlete_id, name, said(str(error)))
        return Outcome(athlete_id, name, None, each)

    def _name(self, athlete_id: str) -> str:
        with self._ground.store.read() as tx:
            return name_of_athlete(tx, athlete_id)


def name_of_athlete(tx: Tx, athlete_id: str) -> str:
    """Return an athlete's name, for who was let see them before."""
    found = athletes.get(tx, athlete_id)
    return str(found["name"]) if found is not None else ""


def check_many(count: int) -> None:
    """Raise InvalidInput for no athlete, or for more than one request decides on."""
    if not count:
        raise InvalidInput(_("Nobody was chosen: tick whom it is for."))
    if count > MANY_MAX:
        raise InvalidInput(_("%(count)s at once are too many: choose up to %(most)s.", count=count, most=MANY_MAX))


def _require_coach(by: Identity) -> None:
    if not coaches(by):
        raise NotAllowed(_("Only a coach has a program desk."))


def _held(row: Row) -> Held | None:
    if row["lock"] != Lock.NONE:
        return Held.PAUSED
    return None if row["asked"] else Held.NEVER_ASKED


def _require_editable(tx: Tx, by: Identity, plan_id: str) -> Row:
    row = require_plan(tx, by, plan_id)
    if row["state"] not in (PlanState.PROPOSED.value, PlanState.ACCEPTED.value):
        raise Conflict(_("This proposal was decided already: look at the newest one."))
    if row["state"] == PlanState.ACCEPTED.value and plans.in_state(tx, row["athlete_id"], PlanState.PROPOSED.value):
        raise Conflict(_("A proposal waits already: edit or decline that one first."))
    return row

"""Templates of a coach's own: made from a program or by hand, applied as proposals that the rules still check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from coach.coaching import answered_by
from coach.errors import CoachError, Conflict, InvalidInput, NoSuch, NotAllowed, StoreUnavailable
from coach.language import gettext as _
from coach.said import said
from coach.service import planning
from coach.service.ground import Ground
from coach.service.histories import history_of
from coach.service.own_exercises import shelf_for
from coach.service.permission import coaches, require_athlete, require_plan
from coach.service.plain import exercises_from_plain, exercises_to_plain, prescription_from_plain
from coach.service.plan_differences import MadeFrom
from coach.service.program_desk import Outcome, check_many
from coach.service.proposing import propose, require_decider
from coach.service.types import Identity
from coach.store import athletes, events, plan_templates
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.compose import AT_TODAY, CHOSEN, FROM_TEMPLATE, Chosen, Fitted, check_course, compose, fit
from programs.dose import session_duration_min
from programs.errors import ProgramError
from programs.rest import rest
from programs.types import History, PrescribedExercise, Prescription

# Templates of one coach, and signs of a name. Own bounds.
TEMPLATES_MAX, NAME_MAX = 100, 80


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A template. exercises: with levels and doses; nothing in them is of an athlete."""

    template_id: str
    name: str
    exercises: tuple[PrescribedExercise, ...]
    sessions_per_week: int
    weeks: int
    session_duration_min: int
    changed_at: datetime


class PlanTemplates:
    """List, make, delete, apply."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def of_coach(self, by: Identity) -> tuple[TemplateView, ...]:
        """Return a coach's templates by name; nobody else's. Raises NotAllowed for who is no coach."""
        _require_coach(by)
        with self._ground.store.read() as tx:
            return tuple(_view(row) for row in plan_templates.of_coach(tx, by.user_id))

    def get(self, by: Identity, template_id: str) -> TemplateView:
        """Return one. Raises NoSuch, also for another coach's, NotAllowed."""
        _require_coach(by)
        with self._ground.store.read() as tx:
            return _view(_require(tx, by, template_id))

    def make(
        self, by: Identity, name: str, chosen: Sequence[Chosen], sessions_per_week: int, weeks: int
    ) -> TemplateView:
        """Make a template from the library and the coach's own exercises. Raises NotAllowed, InvalidInput, Conflict."""
        _require_coach(by)
        with self._ground.store.begin() as tx:
            try:
                check_course(sessions_per_week, weeks)
                items = compose(chosen, shelf_for(tx, by), (), History())
            except ProgramError as error:
                raise InvalidInput(said(str(error))) from None
            return self._add(tx, by, name, items, sessions_per_week, weeks)

    def make_from(self, by: Identity, plan_id: str, name: str) -> TemplateView:
        """Make a template from a program or proposal, without because, sides and rest, which are of the athlete.

        Raises NoSuch, NotAllowed, InvalidInput (rest only, or a name that is none), Conflict (a name twice).
        """
        _require_coach(by)
        with self._ground.store.begin() as tx:
            row = require_plan(tx, by, plan_id)
            require_decider(tx, by, row["athlete_id"])
            program = prescription_from_plain(row["prescription"])
            if not program.exercises:
                raise InvalidInput(_("This program is rest only: there is nothing to make a template of."))
            return self._add(tx, by, name, program.exercises, program.sessions_per_week, program.weeks)

    def _add(
        self,
        tx: Tx,
        by: Identity,
        name: str,
        items: Sequence[PrescribedExercise],
        sessions_per_week: int,
        weeks: int,
    ) -> TemplateView:
        now, called = self._ground.now(), " ".join(name.split())
        if not called or len(called) > NAME_MAX:
            raise InvalidInput(_("Give the template a name of 1 to %(most)s characters.", most=NAME_MAX))
        have = plan_templates.of_coach(tx, by.user_id)
        if len(have) >= TEMPLATES_MAX:
            raise InvalidInput(
                _("There are %(most)s templates already: delete one that you do not use.", most=TEMPLATES_MAX)
            )
        if any(each["name"].casefold() == called.casefold() for each in have):
            raise Conflict(_("There is a template “%(name)s” already: choose another name.", name=called))
        # Whose it was stays with them: a template is of nobody.
        bare = tuple(replace(item, because="", first_side=None, extra_set=False) for item in items)
        values = {
            "coach_id": by.user_id,
            "name": called,
            "exercises": exercises_to_plain(bare),
            "sessions_per_week": sessions_per_week,
            "weeks": weeks,
            "created_at": now,
            "changed_at": now,
        }
        template_id = plan_templates.add(tx, values)
        events.record(tx, now, by.user_id, "made", "template", template_id)
        return _view(_require(tx, by, template_id))

    def drop(self, by: Identity, template_id: str) -> None:
        """Delete a template; what was proposed from it stays. Raises NoSuch, NotAllowed."""
        _require_coach(by)
        with self._ground.store.begin() as tx:
            if not plan_templates.drop(tx, by.user_id, template_id):
                raise NoSuch(_("There is no template %(template)s of yours.", template=template_id[:40]))
            events.record(tx, self._ground.now(), by.user_id, "deleted", "template", template_id)

    def apply(
        self, by: Identity, template_id: str, athlete_ids: Sequence[str], more: bool = False
    ) -> tuple[Outcome, ...]:
        """Propose a template to athletes, each by itself; who is refused holds up nobody, and nothing runs yet.

        more: a yes to the template's own levels and doses; without it nothing goes above what an athlete does today,
        and what is new begins at its easiest. What must not be given to somebody is left out, and said.
        Raises NoSuch, NotAllowed (no coach), InvalidInput (nobody chosen, or too many).
        """
        template = self.get(by, template_id)
        check_many(len(athlete_ids))
        return tuple(self._apply_one(by, template, each, more) for each in dict.fromkeys(athlete_ids))

    def _apply_one(self, by: Identity, template: TemplateView, athlete_id: str, more: bool) -> Outcome:
        name = ""
        try:
            with self._ground.store.begin() as tx:
                name = str(require_athlete(tx, by, athlete_id)["name"])
                athlete = require_decider(tx, by, athlete_id)
                athletes.lock(tx, athlete_id)
                return self._propose(tx, by, template, athlete, more)
        except StoreUnavailable:
            raise
        except (ProgramError, CoachError) as error:
            return Outcome(athlete_id, name, said(str(error)))

    def _propose(self, tx: Tx, by: Identity, template: TemplateView, athlete: Row, more: bool) -> Outcome:
        now = self._ground.now()
        history = history_of(tx, athlete, now, planning.trains_now(tx, athlete, now))
        fitted = fit(template.exercises, history, more)
        needs = planning.needs_of(tx, athlete["id"], now)
        notes = _notes(fitted)
        prescription = Prescription(
            title=template.name,
            exercises=fitted.items,
            sessions_per_week=template.sessions_per_week,
            weeks=template.weeks,
            session_duration_min=session_duration_min(item.dose for item in fitted.items),
            rest=rest(needs, template.weeks),
            because=" ".join((CHOSEN, FROM_TEMPLATE.format(name=template.name), *notes)),
        )
        answered = answered_by(fitted.items, needs)
        finding_ids = [finding_id for need in needs if need.kind in answered for finding_id in need.finding_ids]
        made_from = MadeFrom.TEMPLATE
        plan_id = propose(tx, by, athlete, prescription, answered, finding_ids, made_from, now, template.name)
        return Outcome(athlete["id"], athlete["name"], None, plan_id, notes)


def _notes(fitted: Fitted) -> tuple[str, ...]:
    left_out = tuple(map(str, fitted.left_out))
    if not fitted.held:
        return left_out
    return (*left_out, AT_TODAY.format(names=", ".join(fitted.held)))


def _require_coach(by: Identity) -> None:
    if not coaches(by):
        raise NotAllowed(_("Only a coach has templates."))


def _require(tx: Tx, by: Identity, template_id: str) -> Row:
    row = plan_templates.get(tx, by.user_id, template_id)
    if row is None:
        raise NoSuch(_("There is no template %(template)s of yours.", template=template_id[:40]))
    return row


def _view(row: Row) -> TemplateView:
    items = exercises_from_plain(row["exercises"])
    return TemplateView(
        row["id"],
        row["name"],
        items,
        row["sessions_per_week"],
        row["weeks"],
        session_duration_min(item.dose for item in items),
        row["changed_at"],
    )

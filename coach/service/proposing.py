"""Writing a proposal by a person: it takes the place of what waits, and nothing of it runs before a yes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from coach.errors import NotAllowed
from coach.language import gettext as _
from coach.service.permission import may_decide, require_athlete
from coach.service.plain import prescription_to_plain
from coach.service.plan_differences import MadeFrom
from coach.service.types import Identity, Level, PlanState
from coach.store import events, plan_templates, plans
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.types import Prescription


def require_decider(tx: Tx, by: Identity, athlete_id: str) -> Row:
    """Return an athlete whose program `by` decides on. Raises NoSuch, NotAllowed."""
    athlete = require_athlete(tx, by, athlete_id, Level.PLAN)
    if not may_decide(tx, by, athlete_id):
        raise NotAllowed(_("Your coach decides on your program: ask them."))
    return athlete


def propose(
    tx: Tx,
    by: Identity,
    athlete: Row,
    prescription: Prescription,
    need_kinds: Sequence[str],
    finding_ids: Sequence[str],
    made_from: MadeFrom,
    now: datetime,
    template_name: str | None = None,
) -> str:
    """Store a person's proposal in the place of the one that waits; return its id.

    need_kinds, finding_ids: what of the athlete's findings it answers.
    """
    older = plans.in_state(tx, athlete["id"], PlanState.PROPOSED.value)
    if older is not None:
        plans.move(tx, older["id"], PlanState.PROPOSED.value, state=PlanState.SUPERSEDED.value, decided_at=now)
        events.record(tx, now, by.user_id, "superseded", "plan", older["id"], athlete["id"])
    values = {
        "athlete_id": athlete["id"],
        "state": PlanState.PROPOSED.value,
        "prescription": prescription_to_plain(prescription),
        "need_kinds": sorted(need_kinds),
        "finding_ids": list(finding_ids),
        "created_at": now,
    }
    plan_id = plans.add(tx, values)
    plan_templates.say_author(tx, plan_id, by.user_id, made_from.value, template_name)
    events.record(tx, now, by.user_id, "proposed", "plan", plan_id, athlete["id"], made_from.value)
    return plan_id

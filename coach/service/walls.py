"""The live wall: whose signal a coach may look at now, and whom of them they have put on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coach.errors import InvalidInput, NoSuch, NotAllowed
from coach.language import gettext as _
from coach.service.athlete_views import athlete_view
from coach.service.ground import Ground
from coach.service.links import LinkBoard
from coach.service.permission import coaches
from coach.service.types import AthleteView, Identity
from coach.store import walls, wearables
from coach.store.engine import Tx
from devices.types import LinkState

# Own choice: what a desk shows at once, and what was measured at 50 Hz each.
TILES_MAX = 12


@dataclass(frozen=True, slots=True)
class OfferedTile:
    """Somebody who may be put on the wall. streams: whether a wearable of theirs sends now."""

    athlete: AthleteView
    streams: bool


class Walls:
    """Offer, choose, show. Who has ended the sharing or the measuring is neither offered nor shown."""

    def __init__(self, ground: Ground, links: LinkBoard) -> None:
        self._ground, self._links = ground, links

    def offered(self, by: Identity) -> tuple[OfferedTile, ...]:
        """Return whose live signal a coach may see now, by name. Raises NotAllowed for who is no coach."""
        self._require_coach(by)
        with self._ground.store.read() as tx:
            rows, streaming = walls.offered(tx, by.user_id), self._streaming(tx)
        return tuple(OfferedTile(athlete_view(row), row["id"] in streaming) for row in rows)

    def chosen(self, by: Identity) -> tuple[AthleteView, ...]:
        """Return who is on the wall and may be seen now, in the order of the tiles. Raises NotAllowed."""
        self._require_coach(by)
        with self._ground.store.read() as tx:
            may = {row["id"]: row for row in walls.offered(tx, by.user_id)}
            wanted = walls.chosen(tx, by.user_id)
        return tuple(athlete_view(may[each]) for each in wanted if each in may)

    def choose(self, by: Identity, athlete_ids: Sequence[str]) -> None:
        """Put these on the wall, in this order, and nobody else.

        Raises NotAllowed, NoSuch (not offered), InvalidInput (more than there are tiles).
        """
        self._require_coach(by)
        wanted = list(dict.fromkeys(athlete_ids))
        if len(wanted) > TILES_MAX:
            raise InvalidInput(_("The wall has %(most)s tiles: choose %(most)s athletes at most.", most=TILES_MAX))
        with self._ground.store.begin() as tx:
            may = {row["id"] for row in walls.offered(tx, by.user_id)}
            for each in wanted:
                if each not in may:
                    raise NoSuch(_("There is no athlete %(athlete_id)s whose signal you see.", athlete_id=each))
            walls.choose(tx, by.user_id, wanted)

    def _streaming(self, tx: Tx) -> set[str]:
        """Return the athletes of whom a wearable sends now."""
        statuses = ((row["athlete_id"], self._links.status(row["id"])) for row in wearables.in_use(tx))
        return {whose for whose, status in statuses if status is not None and status.state is LinkState.STREAMING}

    def _require_coach(self, by: Identity) -> None:
        if not coaches(by):
            raise NotAllowed(_("Only a coach has a live wall."))

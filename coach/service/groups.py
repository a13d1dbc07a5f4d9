"""Groups that a coach makes of their athletes: the coach's own. An athlete is in as many as fit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from coach.errors import InvalidInput, NoSuch, NotAllowed
from coach.language import gettext as _
from coach.service.ground import Ground
from coach.service.permission import coaches, may_see
from coach.service.types import Identity
from coach.store import groups
from coach.store.engine import Tx
from coach.store.rows import Row

# Own bounds: what fits into a list that somebody still looks through.
_NAME_MAX, _GROUPS_MAX = 60, 40


@dataclass(frozen=True, slots=True)
class GroupView:
    """One group. athlete_ids: who is in it, of those who share with the coach now."""

    group_id: str
    name: str
    athlete_ids: frozenset[str]


class Groups:
    """Make, fill, rename, remove."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def of_coach(self, by: Identity) -> tuple[GroupView, ...]:
        """Return the coach's groups by name. Raises NotAllowed for who is no coach."""
        with self._ground.store.read() as tx:
            return groups_of(tx, by)

    def make(self, by: Identity, name: str, athlete_ids: Collection[str] = ()) -> GroupView:
        """Make a group of athletes on the coach's list. Raises NotAllowed, InvalidInput (the name), NoSuch."""
        _require_coach(by)
        with self._ground.store.begin() as tx:
            if len(groups.of_coach(tx, by.user_id)) >= _GROUPS_MAX:
                raise InvalidInput(_("There are %(most)s groups already: remove one first.", most=_GROUPS_MAX))
            name = _free_name(tx, by, name)
            _check_listed(tx, by, athlete_ids)
            group_id = groups.add(tx, by.user_id, name, name.casefold(), self._ground.now())
            groups.put(tx, group_id, athlete_ids)
        return GroupView(group_id, name, frozenset(athlete_ids))

    def change(self, by: Identity, group_id: str, name: str, athlete_ids: Collection[str]) -> GroupView:
        """Give a group a name and the athletes who are in it. Raises NotAllowed, InvalidInput (the name), NoSuch.

        Who is in it and does not share now is not shown, and stays in it for when they share again.
        """
        with self._ground.store.begin() as tx:
            _require_own(tx, by, group_id)
            name = _free_name(tx, by, name, group_id)
            _check_listed(tx, by, athlete_ids)
            seen = next(each.athlete_ids for each in groups_of(tx, by) if each.group_id == group_id)
            groups.rename(tx, group_id, name, name.casefold())
            groups.put(tx, group_id, athlete_ids)
            groups.take_out(tx, group_id, seen - set(athlete_ids))
        return GroupView(group_id, name, frozenset(athlete_ids))

    def remove(self, by: Identity, group_id: str) -> None:
        """Remove a group; its athletes stay on the list. Raises NotAllowed, NoSuch."""
        with self._ground.store.begin() as tx:
            _require_own(tx, by, group_id)
            groups.remove(tx, group_id)


def groups_of(tx: Tx, by: Identity) -> tuple[GroupView, ...]:
    """Return the coach's groups by name. Raises NotAllowed for who is no coach."""
    _require_coach(by)
    inside: dict[str, set[str]] = {}
    for row in groups.members(tx, by.user_id):
        inside.setdefault(row["group_id"], set()).add(row["athlete_id"])
    return tuple(
        GroupView(row["id"], row["name"], frozenset(inside.get(row["id"], ())))
        for row in groups.of_coach(tx, by.user_id)
    )


def _require_coach(by: Identity) -> None:
    if not coaches(by):
        raise NotAllowed(_("Only a coach has groups of athletes."))


def _require_own(tx: Tx, by: Identity, group_id: str) -> Row:
    _require_coach(by)
    found = groups.get(tx, group_id)
    if found is None or found["coach_id"] != by.user_id:
        raise NoSuch(_("There is no group %(group)s of yours.", group=group_id[:40]))
    return found


def _free_name(tx: Tx, by: Identity, name: str, group_id: str | None = None) -> str:
    """Return the name as it is stored. Raises InvalidInput where it is none, too long or taken by another group."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= _NAME_MAX:
        raise InvalidInput(_("A group's name has 1 to %(most)s characters.", most=_NAME_MAX))
    taken = groups.by_name(tx, by.user_id, name.casefold())
    if taken is not None and taken["id"] != group_id:
        raise InvalidInput(_("You have a group %(name)s already: choose another name.", name=taken["name"]))
    return name


def _check_listed(tx: Tx, by: Identity, athlete_ids: Collection[str]) -> None:
    stranger = next((each for each in athlete_ids if not may_see(tx, by, each)), None)
    if stranger is not None:
        raise NoSuch(_("There is no athlete %(athlete)s on your list.", athlete=stranger[:40]))

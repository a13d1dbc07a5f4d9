"""Groups are the coach's own, hold only who is on their list, and lose who leaves it."""

from __future__ import annotations

import pytest

from coach.errors import InvalidInput, NoSuch, NotAllowed
from coach.service.types import Identity, Purpose, Role
from coach.store.group_tables import athlete_group_member
from coach.store.rows import many
from tests.coach.club import Club


@pytest.fixture
def lou(club: Club) -> Identity:
    found = club.services.accounts.identity(club.services.accounts.create_user("Lou", Role.COACH))
    assert found is not None
    return found


def test_a_group_is_made_filled_renamed_and_removed(club: Club) -> None:
    groups = club.services.groups
    zoe = club.services.athletes.create("Zoe", "UTC", club.coach.user_id)
    made = groups.make(club.coach, "  Back   after summer ", {club.athlete_id})
    assert (made.name, made.athlete_ids) == ("Back after summer", {club.athlete_id})
    changed = groups.change(club.coach, made.group_id, "Autumn", {zoe})
    assert groups.of_coach(club.coach) == (changed,)
    assert (changed.name, changed.athlete_ids) == ("Autumn", {zoe})
    groups.remove(club.coach, made.group_id)
    assert groups.of_coach(club.coach) == ()
    assert {row.athlete.name for row in club.services.athletes.roster(club.coach)} == {"Ada", "Zoe"}


def test_another_coach_neither_sees_nor_changes_it_and_may_use_the_same_name(club: Club, lou: Identity) -> None:
    groups = club.services.groups
    made = groups.make(club.coach, "Rowers", {club.athlete_id})
    assert groups.of_coach(lou) == ()
    for change in (
        lambda: groups.change(lou, made.group_id, "Mine", ()),
        lambda: groups.remove(lou, made.group_id),
    ):
        with pytest.raises(NoSuch):
            change()
    assert groups.make(lou, "rowers").name == "rowers"
    assert groups.of_coach(club.coach) == (made,)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "rOWERS"])
def test_a_name_that_is_none_too_long_or_taken_is_refused(club: Club, name: str) -> None:
    club.services.groups.make(club.coach, "Rowers")
    with pytest.raises(InvalidInput):
        club.services.groups.make(club.coach, name)
    assert len(club.services.groups.of_coach(club.coach)) == 1


def test_who_is_not_on_the_list_comes_into_no_group(club: Club, lou: Identity) -> None:
    with pytest.raises(NoSuch):
        club.services.groups.make(lou, "Mine", {club.athlete_id})
    assert club.services.groups.of_coach(lou) == ()
    with pytest.raises(NotAllowed):
        club.services.groups.make(club.athlete, "Mine")


def test_there_is_a_bound_of_groups(club: Club) -> None:
    for number in range(40):
        club.services.groups.make(club.coach, f"Group {number}")
    with pytest.raises(InvalidInput, match="40 groups"):
        club.services.groups.make(club.coach, "One more")


def test_who_pauses_sharing_is_not_shown_and_comes_back_into_the_same_groups(club: Club) -> None:
    groups, consents = club.services.groups, club.services.consents
    made = groups.make(club.coach, "Rowers", {club.athlete_id})
    consents.withdraw(club.athlete, club.athlete_id, Purpose.SHARING)
    assert groups.of_coach(club.coach)[0].athlete_ids == frozenset()
    groups.change(club.coach, made.group_id, "Rowing", ())  # who is not shown is not taken out either
    consents.agree(club.athlete, club.athlete_id, Purpose.SHARING)
    assert groups.of_coach(club.coach)[0].athlete_ids == {club.athlete_id}


def test_who_ends_what_a_coach_sees_leaves_the_groups_for_good(club: Club) -> None:
    club.services.groups.make(club.coach, "Rowers", {club.athlete_id})
    club.services.sharing.end(club.athlete, club.athlete_id, club.coach.user_id)
    with club.store.read() as tx:
        assert many(tx, athlete_group_member.select()) == []

"""Tokens of programs: one athlete, one purpose, shown once, ended at once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from coach.errors import Conflict, InvalidInput, NoSuch, NotAllowed
from coach.service.tokens import Scope
from coach.service.types import Identity, Role
from coach.store.tables import api_token
from tests.coach.club import START, Club


def test_a_token_speaks_for_its_athlete_until_it_is_revoked(club: Club) -> None:
    tokens = club.services.tokens
    token = tokens.issue(club.athlete, club.athlete_id, "  Ada's   laptop ")
    club.clock.forward(days=400)
    holder = tokens.holder(token, Scope.GATEWAY)
    assert (holder.athlete_id, holder.label) == (club.athlete_id, "Ada's laptop")
    (view,) = tokens.of_athlete(club.athlete, club.athlete_id)
    assert view.token_id == holder.token_id
    tokens.revoke(club.athlete, view.token_id)
    with pytest.raises(NotAllowed, match="make a new one"):
        tokens.holder(token, Scope.GATEWAY)
    assert tokens.of_athlete(club.athlete, club.athlete_id) == ()
    with pytest.raises(NoSuch):
        tokens.revoke(club.athlete, view.token_id)


def test_a_wrong_secret_under_a_right_id_is_refused(club: Club) -> None:
    tokens = club.services.tokens
    one, two = (tokens.issue(club.athlete, club.athlete_id, name) for name in ("one", "two"))
    crossed = f"{one.partition('-')[0]}-{two.partition('-')[2]}"
    for wrong in (crossed, one[:-1], one.partition("-")[0], one.partition("-")[2], "", "-", "ä-\udcff", one + "x"):
        with pytest.raises(NotAllowed):
            tokens.holder(wrong, Scope.GATEWAY)
    assert tokens.holder(one, Scope.GATEWAY).label == "one"


def test_a_token_for_something_else_opens_nothing(club: Club) -> None:
    token = club.services.tokens.issue(club.athlete, club.athlete_id, "laptop")
    with club.store.begin() as tx:
        tx.execute(sa.update(api_token).values(scope="calendar"))
    with pytest.raises(NotAllowed):
        club.services.tokens.holder(token, Scope.GATEWAY)


def test_the_last_use_is_told_to_the_minute(club: Club) -> None:
    tokens = club.services.tokens
    token = tokens.issue(club.athlete, club.athlete_id, "laptop")

    def last_used() -> object:
        return tokens.of_athlete(club.athlete, club.athlete_id)[0].last_used_at

    assert last_used() is None
    tokens.holder(token, Scope.GATEWAY)
    assert last_used() == START
    club.clock.forward(seconds=59)
    tokens.holder(token, Scope.GATEWAY)
    assert last_used() == START
    later = club.clock.forward(seconds=1)
    tokens.holder(token, Scope.GATEWAY)
    assert last_used() == later


def test_nobody_makes_or_ends_tokens_of_others(club: Club) -> None:
    stranger, tokens = Identity("somebody", Role.COACH, "Lee", None), club.services.tokens
    tokens.issue(club.athlete, club.athlete_id, "laptop")
    (view,) = tokens.of_athlete(club.coach, club.athlete_id)
    for act in (
        lambda: tokens.issue(stranger, club.athlete_id, "x"),
        lambda: tokens.of_athlete(stranger, club.athlete_id),
        lambda: tokens.revoke(stranger, view.token_id),
    ):
        with pytest.raises(NoSuch):
            act()
    assert len(tokens.of_athlete(club.athlete, club.athlete_id)) == 1


def test_labels_and_numbers_have_bounds(club: Club) -> None:
    tokens = club.services.tokens
    for label in ("", "   ", "x" * 61):
        with pytest.raises(InvalidInput):
            tokens.issue(club.athlete, club.athlete_id, label)
    for number in range(20):
        tokens.issue(club.athlete, club.athlete_id, f"machine {number}")
    with pytest.raises(Conflict, match="revoke one"):
        tokens.issue(club.athlete, club.athlete_id, "one more")

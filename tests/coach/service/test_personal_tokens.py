"""Personal tokens: their person's rights, limited, for a while, shown once, ended at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from coach.errors import Conflict, InvalidInput, NoSuch, NotAllowed, StoreUnavailable
from coach.service.personal_tokens import DAYS_MAX, TOKENS_MAX, TokenScope, is_personal
from coach.service.tokens import Scope
from coach.store.engine import Store
from coach.store.tables import event, user_account
from coach.store.token_tables import personal_token
from tests.coach.club import START, Club

READ = [TokenScope.READ_PLANS, TokenScope.READ_ATHLETE]


def test_a_token_is_its_person_limited_until_it_is_revoked(club: Club) -> None:
    tokens = club.services.personal_tokens
    made = tokens.make(club.athlete, "  my   script ", READ)
    asked = tokens.identity(made.secret)
    assert replace(asked, scopes=None) == club.athlete
    assert asked.scopes == {"read:plans", "read:athlete"}
    (view,) = tokens.mine(club.athlete)
    assert view == replace(made.view, last_used_at=START)
    assert (view.name, view.scopes) == ("my script", (TokenScope.READ_ATHLETE, TokenScope.READ_PLANS))
    tokens.revoke(club.athlete, view.token_id)
    with pytest.raises(NotAllowed, match="make a new one"):
        tokens.identity(made.secret)
    assert tokens.mine(club.athlete) == ()
    with pytest.raises(NoSuch):
        tokens.revoke(club.athlete, view.token_id)


def test_only_a_hash_of_the_secret_is_kept_and_nothing_of_it_in_the_audit(club: Club) -> None:
    secret = club.services.personal_tokens.make(club.athlete, "script", READ).secret
    kept = secret.split("-", 2)[2]
    with club.store.read() as tx:
        rows = [*tx.execute(sa.select(personal_token)), *tx.execute(sa.select(event))]
    assert any("read:athlete read:plans" in str(row) for row in rows)
    assert not any(kept in str(row) for row in rows)


def test_a_full_disk_keeps_no_program_out(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = club.services.personal_tokens.make(club.athlete, "script", READ).secret

    def full(_: Store) -> None:
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(Store, "begin", full)
    assert club.services.personal_tokens.identity(secret).user_id == club.athlete.user_id


def test_it_ends_by_itself(club: Club) -> None:
    tokens = club.services.personal_tokens
    short, usual = (
        tokens.make(club.athlete, "a", READ, days=1).secret,
        tokens.make(club.athlete, "b", READ).secret,
    )
    club.clock.forward(days=1)
    with pytest.raises(NotAllowed, match="ended on"):
        tokens.identity(short)
    assert tokens.identity(usual).user_id == club.athlete.user_id
    assert [each.name for each in tokens.mine(club.athlete)] == ["b"]
    club.clock.forward(days=89)
    with pytest.raises(NotAllowed, match="ended on"):
        tokens.identity(usual)


def test_what_its_person_loses_it_loses(club: Club) -> None:
    tokens = club.services.personal_tokens
    secret = tokens.make(club.athlete, "script", READ).secret
    club.services.accounts.set_password(club.athlete.user_id, "a password of many words")
    with pytest.raises(NotAllowed):
        tokens.identity(secret)
    now = club.services.accounts.identity(club.athlete.user_id)
    assert now is not None
    assert tokens.mine(now) == ()
    # Whoever is no coach any more is none by token either.
    secret = tokens.make(now, "script", READ).secret
    with club.store.begin() as tx:
        tx.execute(sa.update(user_account).where(user_account.c.id == now.user_id).values(name="Ada II"))
    assert tokens.identity(secret).name == "Ada II"


def test_a_token_makes_and_ends_no_tokens(club: Club) -> None:
    tokens = club.services.personal_tokens
    made = tokens.make(club.athlete, "script", list(TokenScope))
    program = tokens.identity(made.secret)
    with pytest.raises(NotAllowed):
        tokens.make(program, "another", READ)
    with pytest.raises(NotAllowed):
        tokens.revoke(program, made.view.token_id)


def test_nobody_ends_the_token_of_another(club: Club) -> None:
    tokens = club.services.personal_tokens
    made = tokens.make(club.athlete, "script", READ)
    with pytest.raises(NoSuch):
        tokens.revoke(club.coach, made.view.token_id)
    assert tokens.mine(club.coach) == ()
    assert tokens.identity(made.secret)


def test_wrong_secrets_and_other_kinds_of_token_are_refused(club: Club) -> None:
    tokens = club.services.personal_tokens
    one, two = (tokens.make(club.athlete, name, READ).secret for name in ("one", "two"))
    gateway = club.services.tokens.issue(club.athlete, club.athlete_id, "laptop")
    crossed = "-".join([*one.split("-")[:2], two.split("-", 2)[2]])
    for wrong in (crossed, one[:-1], one + "x", gateway, "backstop-", "backstop--", "", "-", "ä-\udcff", one[9:]):
        with pytest.raises(NotAllowed):
            tokens.identity(wrong)
    with pytest.raises(NotAllowed):
        club.services.tokens.holder(one, Scope.GATEWAY)
    assert (is_personal(one), is_personal(gateway)) == (True, False)


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [
        (" ", READ, 90),
        ("n" * 61, READ, 90),
        ("n", [], 90),
        ("n", ["read:everything"], 90),
        ("n", READ, 0),
        ("n", READ, DAYS_MAX + 1),
    ],
)
def test_what_cannot_be_is_refused(club: Club, name: str, scopes: list[str], days: int) -> None:
    with pytest.raises(InvalidInput):
        club.services.personal_tokens.make(club.athlete, name, scopes, days)


def test_there_is_an_end_to_tokens(club: Club) -> None:
    tokens = club.services.personal_tokens
    for number in range(TOKENS_MAX):
        tokens.make(club.athlete, f"script {number}", READ)
    with pytest.raises(Conflict):
        tokens.make(club.athlete, "one more", READ)
    tokens.revoke(club.athlete, tokens.mine(club.athlete)[0].token_id)
    assert tokens.make(club.athlete, "one more", READ)

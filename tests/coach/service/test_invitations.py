"""One-time codes: who may make and use them, of two who try one does, and a minor needs a guardian."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest

from coach.errors import CoachError, InvalidInput, NoSuch, NotAllowed
from coach.service.invitations import InvitationKind, NewAthlete, fresh_code
from coach.service.types import Identity, Level, Purpose, Role
from tests.coach.club import Club

NEW = NewAthlete("Bo", "Europe/Berlin", date(1990, 5, 1))
# On Tuesday 24 November 2026: sixteen tomorrow, and sixteen today.
TOMORROW_16, TODAY_16 = date(2010, 11, 25), date(2010, 11, 24)


def person(club: Club, name: str, role: Role) -> Identity:
    found = club.services.accounts.identity(club.services.accounts.create_user(name, role))
    assert found is not None
    return found


def who(club: Club, user_id: str) -> Identity:
    found = club.services.accounts.identity(user_id)
    assert found is not None
    return found


def may_see(club: Club, by: Identity, athlete_id: str) -> bool:
    try:
        club.services.athletes.get(by, athlete_id)
    except NoSuch:
        return False
    return True


def level_of(club: Club, athlete_id: str, coach: Identity) -> Level | None:
    seen = club.services.sharing.seen(coach)
    return next((level for each, level in seen if each.athlete_id == athlete_id), None)


def test_a_code_is_readable_and_read_as_people_type_it(club: Club) -> None:
    assert all(set(fresh_code()) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ-") for _ in range(200))
    owner = person(club, "Ola", Role.OWNER)
    code = club.services.invitations.make(owner, InvitationKind.COACH)
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert club.services.invitations.look(typed).by == "Ola"


def test_an_owner_invites_a_coach_who_invites_an_athlete_who_agrees_to_less(club: Club) -> None:
    invitations, owner = club.services.invitations, person(club, "Ola", Role.OWNER)
    coach = who(club, invitations.join(invitations.make(owner, InvitationKind.COACH), "Lee"))
    assert (coach.role, coach.name) == (Role.COACH, "Lee")
    code = invitations.make(coach, InvitationKind.ATHLETE, Level.PLAN)
    with pytest.raises(InvalidInput, match="to that or to less"):
        invitations.join_as_athlete(code, NEW, Level.FULL, set())
    user_id, child_id = invitations.join_as_athlete(code, NEW, Level.VIEW, {Purpose.SENSING})
    athlete = who(club, user_id)
    assert child_id is None
    assert athlete.athlete_id is not None
    assert level_of(club, athlete.athlete_id, coach) is Level.VIEW
    stands = {each.text.purpose for each in club.services.consents.of_athlete(athlete, athlete.athlete_id).now
              if each.stands}  # fmt: skip
    assert stands == {Purpose.SENSING, Purpose.SHARING}
    assert all(each.given_by == "Bo" for each in club.services.consents.of_athlete(athlete, athlete.athlete_id).past)
    with pytest.raises(NotAllowed, match="“plan”"):
        club.services.athletes.set_profile(coach, athlete.athlete_id, "golf")


def test_what_failed_leaves_nobody_behind_and_the_code_unused(club: Club) -> None:
    invitations = club.services.invitations
    code = invitations.make(club.coach, InvitationKind.ATHLETE, Level.VIEW)
    for wrong in (NewAthlete("Ada", "UTC", NEW.born_on), NewAthlete("Bo", "Nowhere", NEW.born_on)):
        with pytest.raises(InvalidInput):
            invitations.join_as_athlete(code, wrong, Level.VIEW, set())
    assert {user.name for user in club.services.accounts.users()} == {"Kim", "Ada"}
    assert [each.athlete.name for each in club.services.athletes.roster(club.coach)] == ["Ada"]
    assert invitations.look(code).level is Level.VIEW


def test_an_athletes_code_lets_one_coach_see_at_its_level_until_the_athlete_lowers_or_ends_it(club: Club) -> None:
    services, lee, moe = club.services, person(club, "Lee", Role.COACH), person(club, "Moe", Role.COACH)
    code = services.invitations.make(club.athlete, InvitationKind.OFFER, Level.PLAN, club.athlete_id)
    assert not may_see(club, lee, club.athlete_id)
    assert services.invitations.accept(lee, code) == club.athlete_id
    with pytest.raises(NoSuch):
        services.invitations.accept(moe, code)
    services.athletes.set_born_on(lee, club.athlete_id, date(1990, 1, 1))
    services.sharing.set_level(club.athlete, club.athlete_id, lee.user_id, Level.VIEW)
    with pytest.raises(NotAllowed):
        services.athletes.set_born_on(lee, club.athlete_id, None)
    services.sharing.end(club.athlete, club.athlete_id, lee.user_id)
    assert not may_see(club, lee, club.athlete_id)
    assert may_see(club, club.coach, club.athlete_id)


@pytest.mark.parametrize("tries", [2, 8])
def test_of_many_who_use_a_code_at_the_same_moment_one_does(club: Club, tries: int) -> None:
    invitations = club.services.invitations
    code = invitations.make(club.athlete, InvitationKind.OFFER, Level.VIEW, club.athlete_id)
    coaches = [person(club, f"Coach {number}", Role.COACH) for number in range(tries)]
    at_once, told = threading.Barrier(tries), list[str]()

    def race(coach: Identity) -> None:
        at_once.wait(10)
        try:
            told.append(invitations.accept(coach, code))
        except CoachError as error:
            told.append(type(error).__name__)

    threads = [threading.Thread(target=race, args=(coach,)) for coach in coaches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(told) == sorted([club.athlete_id] + ["NoSuch"] * (tries - 1))
    assert sum(may_see(club, coach, club.athlete_id) for coach in coaches) == 1


def test_a_code_ends_by_itself_and_when_it_is_taken_back(club: Club) -> None:
    invitations, lee = club.services.invitations, person(club, "Lee", Role.COACH)
    first, second = (
        invitations.make(club.athlete, InvitationKind.OFFER, Level.VIEW, club.athlete_id) for _ in range(2)
    )
    kept = {each.invitation_id for each in invitations.mine(club.athlete)}
    for invitation_id in kept:
        with pytest.raises(NoSuch):
            invitations.end(lee, invitation_id)  # somebody else's
    invitations.end(club.athlete, invitations.mine(club.athlete)[0].invitation_id)
    working = [code for code in (first, second) if works(club, code)]
    assert len(working) == 1
    club.clock.forward(days=club.config.trust.invitation_days)
    assert not works(club, working[0])
    with pytest.raises(NoSuch):
        invitations.accept(lee, working[0])


def works(club: Club, code: str) -> bool:
    try:
        club.services.invitations.look(code)
    except NoSuch:
        return False
    return True


def test_withdrawing_sharing_ends_the_codes_that_would_open_it_again(club: Club) -> None:
    services, lee = club.services, person(club, "Lee", Role.COACH)
    code = services.invitations.make(club.athlete, InvitationKind.OFFER, Level.FULL, club.athlete_id)
    services.consents.withdraw(club.athlete, club.athlete_id, Purpose.SHARING)
    with pytest.raises(NoSuch):
        services.invitations.accept(lee, code)
    assert not may_see(club, lee, club.athlete_id)
    assert not may_see(club, club.coach, club.athlete_id)


def test_only_those_make_a_code_whose_it_is_to_invite(club: Club) -> None:
    make, owner = club.services.invitations.make, person(club, "Ola", Role.OWNER)
    for by, kind, level, athlete_id in (
        (club.coach, InvitationKind.COACH, None, None),
        (club.athlete, InvitationKind.COACH, None, None),
        (owner, InvitationKind.ATHLETE, Level.VIEW, None),
        (club.athlete, InvitationKind.ATHLETE, Level.VIEW, None),
        (club.coach, InvitationKind.OFFER, Level.FULL, club.athlete_id),
        (owner, InvitationKind.OFFER, Level.FULL, club.athlete_id),
        (club.coach, InvitationKind.GUARDIAN, None, club.athlete_id),
    ):
        with pytest.raises((NotAllowed, NoSuch)):
            make(by, kind, level, athlete_id)
    for kind, level, athlete_id in (
        (InvitationKind.OFFER, None, club.athlete_id),
        (InvitationKind.OFFER, Level.VIEW, None),
        (InvitationKind.GUARDIAN, Level.VIEW, club.athlete_id),
    ):
        with pytest.raises(InvalidInput):
            make(club.athlete, kind, level, athlete_id)


def test_under_sixteen_the_guardian_agrees_and_the_child_cannot(club: Club) -> None:
    services, invitations = club.services, club.services.invitations
    assert club.clock.now == datetime(2026, 11, 24, 14, tzinfo=UTC)
    code = invitations.make(club.coach, InvitationKind.ATHLETE, Level.PLAN)
    with pytest.raises(InvalidInput, match="a guardian agrees"):
        invitations.join_as_athlete(code, NewAthlete("Kit", "UTC", TOMORROW_16), Level.PLAN, {Purpose.SENSING})
    joined = NewAthlete("Kit", "UTC", TOMORROW_16, guardian="Pat")
    guardian_id, child_id = invitations.join_as_athlete(code, joined, Level.VIEW, {Purpose.SENSING})
    assert child_id is not None
    pat, kit = who(club, guardian_id), who(club, child_id)
    assert (pat.role, kit.role) == (Role.GUARDIAN, Role.ATHLETE)
    athlete_id = kit.athlete_id or ""
    assert {each.given_by for each in services.consents.of_athlete(kit, athlete_id).past} == {"Pat"}
    for refused in (
        lambda: services.consents.agree(kit, athlete_id, Purpose.RESEARCH),
        lambda: services.sharing.set_level(kit, athlete_id, club.coach.user_id, Level.FULL),
        lambda: invitations.make(kit, InvitationKind.OFFER, Level.VIEW, athlete_id),
        lambda: services.doctor_links.make(kit, athlete_id, "Dr. Weber"),
        lambda: services.sharing.end_guardian(kit, athlete_id, pat.user_id),
    ):
        with pytest.raises(NotAllowed):
            refused()
    # Less may be shared by the child alone, at any age.
    services.consents.withdraw(kit, athlete_id, Purpose.SENSING)
    services.sharing.end(kit, athlete_id, club.coach.user_id)
    services.consents.agree(pat, athlete_id, Purpose.RESEARCH)
    assert services.consents.in_research() == (athlete_id,)
    # From the birthday on the child agrees alone, and ends that somebody stands in.
    club.clock.forward(days=1)
    services.consents.agree(kit, athlete_id, Purpose.SENSING)
    for too_late in (
        lambda: services.consents.agree(pat, athlete_id, Purpose.SHARING),
        lambda: services.sharing.set_level(pat, athlete_id, club.coach.user_id, Level.FULL),
        lambda: invitations.make(pat, InvitationKind.OFFER, Level.VIEW, athlete_id),
        lambda: invitations.make(pat, InvitationKind.GUARDIAN, None, athlete_id),
        lambda: services.doctor_links.make(pat, athlete_id, "Dr. Weber"),
        lambda: services.athletes.set_born_on(pat, athlete_id, None),
        lambda: services.athletes.set_born_on(pat, athlete_id, date(2015, 1, 1)),
        lambda: services.erasing.erase(pat, athlete_id, "Kit"),
    ):
        with pytest.raises((NotAllowed, NoSuch)):
            too_late()
    assert not services.sharing.of_athlete(pat, athlete_id).may_agree
    services.sharing.end_guardian(kit, athlete_id, pat.user_id)
    assert not may_see(club, pat, athlete_id)


def test_a_guardians_open_codes_end_with_the_guardian(club: Club) -> None:
    services, invitations = club.services, club.services.invitations
    code = invitations.make(club.coach, InvitationKind.ATHLETE, Level.PLAN)
    joined = NewAthlete("Kit", "UTC", TOMORROW_16, guardian="Pat")
    guardian_id, child_id = invitations.join_as_athlete(code, joined, Level.VIEW, set())
    kit, pat = who(club, child_id or ""), who(club, guardian_id)
    codes = [
        invitations.make(pat, InvitationKind.GUARDIAN, None, kit.athlete_id),
        invitations.make(pat, InvitationKind.OFFER, Level.FULL, kit.athlete_id),
    ]
    club.clock.forward(days=1)
    services.sharing.end_guardian(kit, kit.athlete_id or "", pat.user_id)
    for each in codes:
        with pytest.raises(NoSuch):
            invitations.look(each)


def test_no_other_date_of_birth_makes_a_child_grown_up_or_somebody_a_child(club: Club) -> None:
    services, invitations = club.services, club.services.invitations
    code = invitations.make(club.coach, InvitationKind.ATHLETE, Level.PLAN)
    joined = NewAthlete("Kit", "UTC", TOMORROW_16, guardian="Pat")
    guardian_id, child_id = invitations.join_as_athlete(code, joined, Level.PLAN, set())
    kit, pat = who(club, child_id or ""), who(club, guardian_id)
    athlete_id = kit.athlete_id or ""
    for by in (kit, club.coach):
        for born_on in (date(1990, 5, 1), None):
            with pytest.raises(NotAllowed, match="guardian changes"):
                services.athletes.set_born_on(by, athlete_id, born_on)
    services.athletes.set_born_on(kit, athlete_id, TOMORROW_16)
    services.athletes.set_born_on(pat, athlete_id, TODAY_16)
    services.athletes.set_born_on(club.coach, athlete_id, date(2009, 5, 1))
    for by in (pat, club.coach):
        with pytest.raises(NotAllowed, match="Only the athlete"):
            services.athletes.set_born_on(by, athlete_id, TOMORROW_16)
    services.athletes.set_born_on(kit, athlete_id, None)


def test_who_is_sixteen_today_needs_nobody(club: Club) -> None:
    code = club.services.invitations.make(club.coach, InvitationKind.ATHLETE, Level.PLAN)
    user_id, child_id = club.services.invitations.join_as_athlete(
        code, NewAthlete("Kit", "UTC", TODAY_16), Level.PLAN, set()
    )
    assert child_id is None
    assert who(club, user_id).role is Role.ATHLETE


def test_a_minor_who_is_here_already_names_a_guardian_by_a_code(club: Club) -> None:
    services = club.services
    services.athletes.set_born_on(club.athlete, club.athlete_id, TOMORROW_16)
    with pytest.raises(NotAllowed, match="a guardian agrees"):
        services.consents.agree(club.athlete, club.athlete_id, Purpose.SENSING)
    code = services.invitations.make(club.athlete, InvitationKind.GUARDIAN, None, club.athlete_id)
    pat = who(club, services.invitations.join(code, "Pat"))
    services.consents.agree(pat, club.athlete_id, Purpose.SENSING)
    standing = services.consents.of_athlete(pat, club.athlete_id).now[0]
    assert (standing.version, standing.given_by, standing.asks) == (1, "Pat", False)
    other = services.athletes.create("Bo", "UTC")
    assert not may_see(club, pat, other)
    assert [each.name for each in services.sharing.children(pat)] == ["Ada"]

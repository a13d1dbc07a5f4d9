"""Consents: a withdrawal holds for the next request, a new text is asked anew, and what was before is carried over."""

from __future__ import annotations

import pytest

from coach.errors import Conflict, InvalidInput, NoSuch, NotAllowed
from coach.log import pack
from coach.service import consents as module
from coach.service.care_views import TreatmentKind
from coach.service.consent_texts import read_texts, texts
from coach.service.diary import CheckIn
from coach.service.permission import NOT_SHARED
from coach.service.tokens import Scope
from coach.service.types import Level, Purpose, Role
from devices.codec import encode_chunk
from tests.coach.club import START, Club, bending_chunks

TEXT = '[[text]]\npurpose = "{}"\nversion = {}\ntitle = "T"\nsays = ["a", "b"]\n'


def test_without_sensing_signal_is_refused_at_every_door_and_taken_again_after_a_yes(club: Club) -> None:
    services = club.services
    body = pack([encode_chunk(chunk) for chunk in bending_chunks(0.5, 6, START.timestamp())])
    gateway = services.tokens.issue(club.athlete, club.athlete_id, "laptop")
    _, phone = services.phones.add(club.athlete, club.athlete_id, "phone", "chest")
    services.consents.withdraw(club.athlete, club.athlete_id, Purpose.SENSING)
    for receive in (
        lambda: services.ingest.receive(services.tokens.holder(gateway, Scope.GATEWAY), body),
        lambda: services.phones.receive(services.tokens.holder(phone, Scope.PHONE), b"{}"),
    ):
        with pytest.raises(NotAllowed, match="does not agree to measuring"):
            receive()
    assert services.wearables.all() == ()
    assert not services.motion.pending_streams()
    services.consents.agree(club.athlete, club.athlete_id, Purpose.SENSING)
    assert len(services.ingest.receive(services.tokens.holder(gateway, Scope.GATEWAY), body)) == 6
    assert [each.athlete_id for each in services.wearables.all()] == [club.athlete_id]


def test_a_gateway_that_serves_hears_at_once_that_there_is_nothing_to_serve(club: Club) -> None:
    heard: list[str] = []
    club.services.links.listen(heard.append)
    club.services.consents.withdraw(club.athlete, club.athlete_id, Purpose.SENSING)
    assert heard == [club.wearable_id]


def test_without_sharing_no_coach_sees_anything_and_the_levels_wait(club: Club) -> None:
    services = club.services
    services.sharing.set_level(club.athlete, club.athlete_id, club.coach.user_id, Level.PLAN)
    services.consents.withdraw(club.athlete, club.athlete_id, Purpose.SHARING)
    for ask in (
        lambda: services.athletes.get(club.coach, club.athlete_id),
        lambda: services.plans.session(club.coach, "any"),
        lambda: services.triage.view_for(club.coach, club.athlete_id),
    ):
        with pytest.raises(NoSuch):
            ask()
    assert services.athletes.roster(club.coach) == []
    # Nobody decides for her any more, so she does.
    assert services.plans.may_decide(club.athlete, club.athlete_id)
    services.consents.agree(club.athlete, club.athlete_id, Purpose.SHARING)
    assert services.sharing.seen(club.coach)[0][1] is Level.PLAN
    assert not services.plans.may_decide(club.athlete, club.athlete_id)


def test_without_pain_text_a_coach_sees_numbers_and_no_words(club: Club) -> None:
    services = club.services
    told = CheckIn(
        4, sites=("lower_back",), symptoms=("stiff",), note="since the garden", pain_by_site={"lower_back": 4}
    )
    checkin = services.diary.check_in(club.athlete, club.athlete_id, told, "k").checkin_id
    services.treatments.add(club.athlete, club.athlete_id, TreatmentKind.HEAT, "t", note="helps")
    for agreed in (False, True, False):
        settle = services.consents.agree if agreed else services.consents.withdraw
        settle(club.athlete, club.athlete_id, Purpose.PAIN_TEXT)
        seen = services.diary.checkin(club.coach, checkin).told
        assert seen.pain_at_rest == 4
        assert seen == (told if agreed else CheckIn(4))
        if agreed:
            assert services.treatments.of_athlete(club.coach, club.athlete_id)[0].note == "helps"
            assert services.reports.make(club.coach, club.athlete_id).tried[0].treatment.note == "helps"
        else:
            for ask in (services.treatments.of_athlete, services.reports.make, services.questionnaires.of_athlete):
                with pytest.raises(NotAllowed) as refused:
                    ask(club.coach, club.athlete_id)
                assert str(refused.value) == NOT_SHARED
        assert services.diary.checkin(club.athlete, checkin).told == told


def test_pain_text_opens_no_more_than_the_level_does(club: Club) -> None:
    services = club.services
    services.consents.agree(club.athlete, club.athlete_id, Purpose.PAIN_TEXT)
    services.sharing.set_level(club.athlete, club.athlete_id, club.coach.user_id, Level.PLAN)
    assert services.treatments.of_athlete(club.coach, club.athlete_id) == ()
    with pytest.raises(NotAllowed, match="“full”"):
        services.reports.make(club.coach, club.athlete_id)
    with pytest.raises(NotAllowed, match="“full”"):
        services.treatments.add(club.coach, club.athlete_id, TreatmentKind.HEAT, "t")


def test_research_counts_in_who_agrees_now(club: Club) -> None:
    consents = club.services.consents
    assert consents.in_research() == ()
    consents.agree(club.athlete, club.athlete_id, Purpose.RESEARCH)
    assert consents.in_research() == (club.athlete_id,)
    consents.withdraw(club.athlete, club.athlete_id, Purpose.RESEARCH)
    assert consents.in_research() == ()


def test_what_the_owner_set_up_is_version_0_and_is_asked_to_be_confirmed(club: Club) -> None:
    shown = {each.text.purpose: each for each in club.services.consents.of_athlete(club.athlete, club.athlete_id).now}
    versions = {purpose: (each.version, each.asks) for purpose, each in shown.items()}
    assert versions == {
        Purpose.SENSING: (0, True),
        Purpose.SHARING: (0, True),
        Purpose.PAIN_TEXT: (None, False),
        Purpose.RESEARCH: (None, False),
    }
    club.services.consents.agree(club.athlete, club.athlete_id, Purpose.SENSING, 1)
    now = club.services.consents.of_athlete(club.athlete, club.athlete_id).now[0]
    assert (now.version, now.given_by, now.asks) == (1, "Ada", False)


def test_a_new_text_is_asked_anew_and_an_old_page_cannot_agree_to_it(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    consents, purpose = club.services.consents, Purpose.SENSING
    consents.agree(club.athlete, club.athlete_id, purpose)
    second = "".join(
        TEXT.format(each.value, version)
        for each in Purpose
        for version in (1, 2)
        if (each, version) != (Purpose.RESEARCH, 2)
    )
    monkeypatch.setattr(module, "texts", lambda: read_texts(second))
    now = consents.of_athlete(club.athlete, club.athlete_id).now[0]
    assert (now.version, now.text.version, now.asks) == (1, 2, True)
    with pytest.raises(Conflict, match="changed meanwhile"):
        consents.agree(club.athlete, club.athlete_id, purpose, 1)
    consents.agree(club.athlete, club.athlete_id, purpose, 2)
    assert not consents.of_athlete(club.athlete, club.athlete_id).now[0].asks
    # Both were agreed to; withdrawing ends both.
    consents.withdraw(club.athlete, club.athlete_id, purpose)
    assert not consents.of_athlete(club.athlete, club.athlete_id).now[0].stands


def test_a_coach_neither_sees_nor_settles_consents(club: Club) -> None:
    services, somebody = club.services, club.services.accounts.create_user("Ola", Role.OWNER)
    owner = services.accounts.identity(somebody)
    assert owner is not None
    for by, kind in ((club.coach, NotAllowed), (owner, NoSuch)):
        for ask in (
            lambda by=by: services.consents.of_athlete(by, club.athlete_id),
            lambda by=by: services.consents.agree(by, club.athlete_id, Purpose.PAIN_TEXT),
            lambda by=by: services.consents.withdraw(by, club.athlete_id, Purpose.SHARING),
            lambda by=by: services.sharing.set_level(by, club.athlete_id, club.coach.user_id, Level.FULL),
            lambda by=by: services.doctor_links.make(by, club.athlete_id, "Dr. Weber"),
            lambda by=by: services.ledger.of_athlete(by, club.athlete_id),
        ):
            with pytest.raises(kind):
                ask()


@pytest.mark.parametrize(
    "versions", [(("sensing", 1), ("sensing", 3)), (("sensing", 2),), (("sensing", 1),)], ids=["gap", "late", "missing"]
)
def test_texts_that_skip_a_version_or_a_purpose_are_refused(versions: tuple[tuple[str, int], ...]) -> None:
    from coach.errors import ConfigError

    with pytest.raises(ConfigError):
        read_texts("".join(TEXT.format(*each) for each in versions))


def test_every_purpose_has_a_text_that_says_what_withdrawing_does() -> None:
    for text in texts().values():
        assert text.version >= 1
        assert len(text.says) >= 2
        assert text.says[-1].startswith("Withdrawn: ")


def test_a_label_is_asked_for_and_links_are_bounded(club: Club) -> None:
    links = club.services.doctor_links
    for label in ("", "  ", "x" * 61):
        with pytest.raises(InvalidInput):
            links.make(club.athlete, club.athlete_id, label)
    for number in range(10):
        links.make(club.athlete, club.athlete_id, f"Dr. {number}")
    with pytest.raises(Conflict):
        links.make(club.athlete, club.athlete_id, "one more")

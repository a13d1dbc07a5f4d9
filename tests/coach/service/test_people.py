"""Who gets in, and who sees whom."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from coach.config import Config
from coach.errors import CoachError, Conflict, InvalidInput, NoSuch, NotAllowed
from coach.service import build_services
from coach.service.demo import ADDRESS, ensure_demo, local_time_zone
from coach.service.roster import Attention
from coach.service.sign_in_types import Asker, LetIn
from coach.service.types import Identity, Role
from coach.store.engine import Store
from coach.store.every_table import metadata
from devices.types import LinkState, LinkStatus
from tests.coach.club import START, Club, FakeClock

GOOD = "correct horse battery"
HERE = Asker("Firefox on Linux")


def test_a_sign_in_link_works_once(club: Club) -> None:
    accounts = club.services.accounts
    token = accounts.issue_sign_in_link(club.coach.user_id)
    sign_ins = club.services.sign_ins
    assert sign_ins.by_link(token, HERE).identity == club.coach
    with pytest.raises(NotAllowed):
        sign_ins.by_link(token, HERE)
    with pytest.raises(NotAllowed):
        sign_ins.by_link("guess", HERE)
    with pytest.raises(NoSuch):
        accounts.issue_sign_in_link("nobody")


def test_a_sign_in_link_works_once_also_when_raced(club: Club) -> None:
    accounts = club.services.accounts
    token = accounts.issue_sign_in_link(club.coach.user_id)
    entered: list[Identity] = []
    start = threading.Barrier(8)

    def enter() -> None:
        start.wait()
        try:
            entered.append(club.services.sign_ins.by_link(token, HERE).identity)
        except NotAllowed:
            return

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert entered == [club.coach]


def test_a_sign_in_link_grows_old(club: Club) -> None:
    accounts = club.services.accounts
    token = accounts.issue_sign_in_link(club.coach.user_id)
    club.clock.forward(hours=24)
    with pytest.raises(NotAllowed):
        club.services.sign_ins.by_link(token, HERE)


def test_no_secret_is_stored_as_it_is(club: Club) -> None:
    accounts = club.services.accounts
    link = accounts.issue_sign_in_link(club.coach.user_id)
    bearer = club.services.tokens.issue(club.athlete, club.athlete_id, "laptop")
    accounts.set_password(club.coach.user_id, GOOD)
    with club.store.read() as tx:
        dump = " ".join(
            str(value) for table in metadata.sorted_tables for row in tx.execute(table.select()) for value in row
        )
    for secret in (link, bearer.partition("-")[2], GOOD):
        assert secret not in dump
    assert "argon2id" in dump


def test_passwords(club: Club) -> None:
    accounts, sign_ins = club.services.accounts, club.services.sign_ins
    with pytest.raises(InvalidInput):
        accounts.set_password(club.coach.user_id, "short")
    with pytest.raises(NotAllowed):
        sign_ins.by_password("Kim", GOOD, HERE)  # has none yet
    renewed = accounts.set_password(club.coach.user_id, GOOD)
    assert renewed == replace(club.coach, epoch=club.coach.epoch + 1)  # sessions of the older epoch have ended
    found = sign_ins.by_password(" kim ", GOOD, HERE)
    assert isinstance(found, LetIn)
    assert found.identity == accounts.identity(club.coach.user_id) == renewed
    for name, password in (("Kim", "wrong horse battery"), ("Nobody", GOOD), ("Ada", GOOD), ("Kim", "\ud800" * 12)):
        with pytest.raises(NotAllowed):
            sign_ins.by_password(name, password, HERE)
    with pytest.raises(NoSuch):
        accounts.set_password("nobody", GOOD)


def test_users_are_checked(club: Club) -> None:
    accounts = club.services.accounts
    for name, role, athlete_id in (
        ("kim", Role.COACH, None),
        ("  ", Role.COACH, None),
        ("x" * 201, Role.COACH, None),
        ("New", Role.ATHLETE, None),
        ("New", Role.COACH, club.athlete_id),
        ("New", Role.ATHLETE, "nobody"),
        ("New", Role.ATHLETE, club.athlete_id),
    ):
        with pytest.raises(InvalidInput):
            accounts.create_user(name, role, athlete_id=athlete_id)
    assert [user.name for user in accounts.users()] == ["Ada", "Kim"]
    assert accounts.identity("nobody") is None


def test_strangers_see_nothing(club: Club) -> None:
    services = club.services
    coach = Identity(services.accounts.create_user("Lou", Role.COACH), Role.COACH, "Lou", None)
    athlete = Identity("z", Role.ATHLETE, "Bo", services.athletes.create("Bo", "UTC"))
    for by in (coach, athlete):
        with pytest.raises(NoSuch):
            services.athletes.get(by, club.athlete_id)
        with pytest.raises(NoSuch):
            services.wearables.get(by, club.wearable_id)
        with pytest.raises(NoSuch):
            services.wearables.add(by, club.athlete_id, "new", "movella-dot", "x", "chest")
        with pytest.raises(NoSuch):
            services.triage.answer(by, club.athlete_id, {})
        for change in (services.wearables.forget, services.poses.begin, services.poses.look):
            with pytest.raises(NoSuch):
                change(by, club.wearable_id)
    with pytest.raises(NotAllowed):
        services.athletes.roster(athlete)
    assert services.athletes.roster(coach) == []
    services.athletes.link_coach(coach.user_id, club.athlete_id)
    services.athletes.link_coach(coach.user_id, club.athlete_id)
    assert [row.athlete.name for row in services.athletes.roster(coach)] == ["Ada"]
    with pytest.raises(InvalidInput):
        services.athletes.link_coach(club.athlete.user_id, club.athlete_id)


def test_the_coach_does_not_answer_for_an_athlete_who_can(club: Club) -> None:
    with pytest.raises(NotAllowed):
        club.services.triage.answer(club.coach, club.athlete_id, {})
    alone = club.services.athletes.create("Bo", "UTC", club.coach.user_id)
    assert club.services.triage.answer(club.coach, alone, {}).locked
    with pytest.raises(InvalidInput):
        club.services.triage.answer(club.coach, alone, {"horoscope": "yes"})  # type: ignore[dict-item]


def test_the_roster_shows_who_needs_the_coach_first(club: Club) -> None:
    services = club.services
    services.athletes.create("Zoe", "UTC", club.coach.user_id)
    locked = services.athletes.create("Jon", "UTC", club.coach.user_id)
    services.triage.answer(club.coach, locked, {})
    status = LinkStatus(LinkState.STREAMING, 0.0)
    services.links.show(club.wearable_id, lambda: status)
    rows = services.athletes.roster(club.coach)
    assert [row.athlete.name for row in rows] == ["Jon", "Ada", "Zoe"]
    assert [[each.kind for each in row.reasons] for row in rows] == [[Attention.PAUSED], [], []]
    assert rows[1].wearable_state == "streaming"


def test_another_place_ends_the_calibration_the_same_one_does_not(club: Club) -> None:
    wearables, heard = club.services.wearables, list[str]()
    wearables.calibrate(club.athlete, club.wearable_id, (0, 0, 1), (1, 0, 0))
    club.services.links.listen(heard.append)
    wearables.set_placement(club.athlete, club.wearable_id, "chest")
    kept = wearables.get(club.athlete, club.wearable_id)
    assert (kept.upright, kept.forward, heard) == ((0, 0, 1), (1, 0, 0), [])
    wearables.set_placement(club.athlete, club.wearable_id, "hip")
    gone = wearables.get(club.athlete, club.wearable_id)
    assert (gone.placement, gone.upright, gone.forward, gone.calibrated_at) == ("hip", None, None, None)
    assert heard == [club.wearable_id]


def test_wearables(club: Club) -> None:
    wearables = club.services.wearables
    heard: list[str] = []
    stop = club.services.links.listen(heard.append)
    with pytest.raises(Conflict):
        wearables.add(club.coach, club.athlete_id, ADDRESS, "movella-dot", "again", "chest")
    with pytest.raises(InvalidInput, match="nope"):
        wearables.add(club.coach, club.athlete_id, "C0:FF:EE:00:00:77", "nope", "x", "chest")
    for address, placement in (("", "chest"), ("A" * 101, "chest"), ("new", "nose")):
        with pytest.raises(InvalidInput):
            wearables.add(club.coach, club.athlete_id, address, "movella-dot", "x", placement)
    for wrong in ((0, 0, 0), (1, 2), (float("nan"), 0, 1)):
        with pytest.raises(InvalidInput):
            wearables.calibrate(club.coach, club.wearable_id, wrong)
    wearables.calibrate(club.coach, club.wearable_id, (3, 0, 4), (0, -2, 0))
    assert wearables.get(club.coach, club.wearable_id).upright == pytest.approx((0.6, 0, 0.8))
    assert wearables.get(club.coach, club.wearable_id).forward == (0, -1, 0)
    assert wearables.get(club.coach, club.wearable_id).calibrated_at == START
    assert wearables.get(club.coach, club.wearable_id).status is None
    wearables.forget(club.athlete, club.wearable_id)
    assert wearables.all() == wearables.for_athlete(club.athlete_id) == ()
    assert heard == [club.wearable_id] * 2
    stop()
    wearables.add(club.coach, club.athlete_id, ADDRESS, "movella-dot", "again", "hip")
    assert len(heard) == 2


def test_the_demo_makes_people_once_and_seeds_no_finding(store: Store) -> None:
    services = build_services(store, Config(), FakeClock())
    demo = ensure_demo(services, Config(), "Europe/Berlin")
    assert ensure_demo(services, Config(), "Europe/Berlin") == demo
    assert services.findings.for_athlete(demo.athlete_id) == ()
    assert services.plans.proposal(demo.athlete_id) is None
    (wearable,) = services.wearables.for_athlete(demo.athlete_id)
    assert (wearable.wearable_id, wearable.simulated, wearable.placement) == (demo.wearable_id, True, "chest")
    coach = services.accounts.identity(demo.coach_user_id)
    assert coach is not None
    view = services.triage.view_for(coach, demo.athlete_id)
    assert view.result is not None
    assert not view.result.locked
    assert services.athletes.get(coach, demo.athlete_id).simulated
    assert not services.motion.has_recordings(demo.wearable_id)


def test_the_demo_does_not_take_a_real_persons_name(club: Club) -> None:
    club.services.accounts.create_user("Robin (simulated)", Role.COACH)
    with pytest.raises(CoachError, match="taken"):
        ensure_demo(club.services, Config())


def test_the_machines_time_zone(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.delenv("TZ", raising=False)
    (tmp_path / "zoneinfo" / "Asia").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Asia" / "Tokyo").touch()
    (tmp_path / "localtime").symlink_to(tmp_path / "zoneinfo" / "Asia" / "Tokyo")
    assert local_time_zone(tmp_path / "localtime") == "Asia/Tokyo"
    assert local_time_zone(tmp_path / "missing") == "UTC"
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert local_time_zone() == "Europe/Berlin"
    monkeypatch.setenv("TZ", "nonsense")
    assert local_time_zone() == "UTC"

"""People whose pages say as much as pages can: a busy athlete in three states, the demonstration, one reminded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from coach.config import Config
from coach.live import LiveFeed
from coach.notify.types import Channel
from coach.service import build_services
from coach.service.assessment_views import Kind
from coach.service.demo import ADDRESS, ensure_demo
from coach.service.spasm_views import Comfort
from coach.service.types import Identity, Purpose, Role, SessionState
from coach.store.engine import Store, migrate, open_store
from coach.web import create_app
from coach.worker import Worker
from devices.sim.motions import lifting
from devices.types import Chunk
from programs.acute import Feels
from programs.types import Answer
from tests.coach.club import START, Club, FakeClock, bending_chunks, found_club
from tests.coach.every_answer import store_every_answer
from tests.coach.held import done_by_hand, started
from tests.coach.notify.receivers import Browser, HttpReceiver, MailServer, http_receiver, mail_server
from tests.coach.reports.conftest import suffer
from tests.coach.service.reminded import BERLIN, config_of, reminded_club, tick
from tests.words.rendered import EACH_MAX, Walk, of_json

JOB = {"model": "lifft", "tasks": "1", "name": "Unloading the van", "0.load_kg": "10", "0.reach_m": "0.5"}
DEMO_MINUTES, DEMO_RATE_HZ = 15, 30.0
# Pages of one kind that are walked in a state in which only some pages differ.
FEW = 3


@dataclass(frozen=True)
class Walked:
    """What was read on every page, by the state that the athlete was in and by reader. app: what answered."""

    club: Club
    app: Any
    walks: dict[str, Walk]


def site(club: Club, folder: Path) -> Any:
    """Return the app over a club's services."""
    config = Config(storage={"directory": folder})  # type: ignore[arg-type]
    app = create_app(club.services, LiveFeed(3), config, "k" * 32, clock=club.clock)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def signed_in(app: Any, club: Club, who: Identity) -> Any:
    """Return a browser of somebody."""
    client = app.test_client()
    assert client.get(f"/enter/{club.services.accounts.issue_sign_in_link(who.user_id)}").status_code == 303
    return client


def answer(club: Club, **other: Answer) -> None:
    """Answer no to all safety questions but some."""
    given = {question.id: Answer.NO for question in club.services.triage.questions()} | other
    club.services.triage.answer(club.athlete, club.athlete_id, given, 30)


def train(club: Club) -> None:
    """Bend much, get a program, do one session with pain and leave one out."""
    services = club.services
    services.log.append(bending_chunks(13, 6, club.clock.utc_s() - 13 * 60))
    Worker(services, LiveFeed()).drain()
    services.days.judge_due()
    answer(club)
    done_by_hand(club)
    started(club, Kind.TRUNK_ROTATION, by_hand=True, key="going on")
    services.plans.replan(club.athlete_id)
    proposal = services.plans.proposal(club.athlete_id)
    assert proposal is not None
    services.plans.accept(proposal.plan_id, club.coach)
    done, missed, *_ = services.plans.week(club.athlete_id, club.clock.now.date())
    services.plans.record_outcome(done.session_id, club.athlete, SessionState.DONE, effort=5, pain_during=3)
    services.plans.record_outcome(missed.session_id, club.athlete, SessionState.SKIPPED, reason="a long day")


def pages(club: Club) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what an athlete's and a coach's walk begin with beside `/`: parts that scripts fetch, and exports."""
    own = f"/athletes/{club.athlete_id}"
    token = club.services.plans.calendar_token(club.athlete, club.athlete_id)
    found = club.services.findings.for_athlete(club.athlete_id, limit=5)
    exports = (
        f"{own}/findings.json",
        f"{own}/day.json",
        *(f"/findings/{each.finding_id}/finding.json" for each in found),
    )
    athlete = (
        "/today",
        "/week",
        "/tests",
        "/safety",
        "/reminders",
        "/diary",
        "/days",
        "/account",
        "/wearables/look",
        "/spasm",
        "/spasm/timer",
        "/offline",
        "/offline/held",
        "/offline/spasm",
        "/offline.json",
        "/start",
        "/start/next",
        "/start/step/body",
        "/start/body",
        "/start/consents",
    )
    desk = (own, f"{own}/signals", f"{own}/time-line", f"{own}/safety", f"{own}/jobs/new")
    reports = (f"{own}/treatments", f"{own}/everyday", f"{own}/for-the-doctor", f"{own}/versions", f"{own}/profile")
    return (*athlete, *reports, *exports, f"/calendar/{token}.ics"), (*desk, *exports)


def walk_both(app: Any, club: Club, each_max: int = EACH_MAX) -> tuple[Walk, Walk]:
    """Walk the site as the athlete and as the coach."""
    athlete, coach = pages(club)
    return (
        Walk(signed_in(app, club, club.athlete), each_max).from_("/", also=athlete),
        Walk(signed_in(app, club, club.coach), each_max).from_("/", also=coach),
    )


def spasm(club: Club) -> None:
    """Have one, with warmth on the back."""
    club.services.spasms.begin(club.athlete, club.athlete_id, "s")
    answer(club)
    club.services.spasms.tell(club.athlete, club.athlete_id, 4, Feels.SAME, "t")
    club.services.spasms.comfort(club.athlete, club.athlete_id, Comfort.WARMTH)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """A busy athlete: in training, then after thirteen weeks of pain, then in an emergency."""
    folder = tmp_path_factory.mktemp("busy")
    with open_store(folder / "backstop.db") as store:
        migrate(store)
        club = found_club(store, FakeClock())
        app = site(club, folder)
        stranger = Walk(app.test_client()).from_("/", also=("/sign-in",))
        train(club)
        finding = club.services.findings.for_athlete(club.athlete_id)[0]
        store_every_answer(store, club.config, club.athlete_id, finding.windows[0]["stream_id"], club.clock.now)
        coach = signed_in(app, club, club.coach)
        assert coach.post(f"/athletes/{club.athlete_id}/jobs", data=JOB | {"0.repetitions": "500"}).status_code == 303
        walks = {"a stranger": stranger}
        walks["the athlete in training"], walks["the coach of one in training"] = walk_both(app, club)
        spasm(club)
        walks["the athlete in a spasm"], walks["the coach of one in a spasm"] = walk_both(app, club, FEW)
        suffer(club)
        club.services.consents.agree(club.athlete, club.athlete_id, Purpose.PAIN_TEXT)
        walks["the athlete in pain"], walks["the coach of one in pain"] = walk_both(app, club, FEW)
        answer(club, CES=Answer.YES)
        walks["the athlete in an emergency"], walks["the coach of one in an emergency"] = walk_both(app, club, FEW)
        yield Walked(club, app, walks)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """The people of the first start, after a quarter of an hour of simulated lifting."""
    folder = tmp_path_factory.mktemp("demo")
    with open_store(folder / "backstop.db") as store:
        migrate(store)
        club = _demo(store)
        app = site(club, folder)
        proposed = walk_both(app, club)
        proposal = club.services.plans.proposal(club.athlete_id)
        assert proposal is not None
        club.services.plans.accept(proposal.plan_id, club.coach)
        accepted = walk_both(app, club)
        names = ("the athlete with a proposal", "the coach with a proposal", "the athlete", "the coach")
        yield Walked(club, app, dict(zip(names, (*proposed, *accepted), strict=True)))


def _demo(store: Store) -> Club:
    clock, config = FakeClock(), Config()
    services = build_services(store, config, clock)
    made = ensure_demo(services, config, "Europe/Berlin")
    n, per = round(DEMO_MINUTES * 60 * DEMO_RATE_HZ), round(5 * DEMO_RATE_HZ)
    acc, gyr = lifting(7).samples(0, n, DEMO_RATE_HZ)
    start = START.timestamp() - DEMO_MINUTES * 60
    services.log.append(
        [
            Chunk(
                ADDRESS, "r", seq, start + at / DEMO_RATE_HZ, at, DEMO_RATE_HZ, acc[at : at + per], gyr[at : at + per]
            )
            for seq, at in enumerate(range(0, n, per))
        ]
    )
    Worker(services, LiveFeed()).drain()
    clock.now += timedelta(minutes=1)
    services.days.judge_due()
    services.plans.replan(made.athlete_id)
    people = {user.user_id: user for user in services.accounts.users()}
    coach, athlete = people[made.coach_user_id], people[made.athlete_user_id]
    assert (coach.role, athlete.role) == (Role.COACH, Role.ATHLETE)
    return Club(store, services, clock, config, coach, athlete, made.athlete_id, made.wearable_id)


Arrived = list[tuple[str, str, str]]


# An exercise that the library does not know is called by its id.
NAMED = """replace(exercises, '"bird_dog"', '"' || ? || '"')"""


def _taken(mails: MailServer, hook: HttpReceiver, browser: Browser) -> list[tuple[str, str]]:
    """Return what came to the ends since the last time, as (channel, text)."""
    told = [("mail", f"{mail['Subject']}\n{mail.get_payload(decode=True).decode()}") for mail in mails.mails]
    for each in hook.received:
        fields = browser.read(each.body) if each.path == "/push" else json.loads(each.body)
        told.append((each.path[1:], "\n".join(of_json(fields))))
    mails.mails.clear()
    hook.received.clear()
    return told


def remind(folder: Path, name: str = "bird_dog") -> Arrived:
    """Return what arrives at real ends, as (kind of reminder, channel, text): a session, due tests, a channel's test.

    Also of how a spasm goes, a day after it. name: what bird-dog is called in the athlete's sessions.
    """
    browser, arrived = Browser(), Arrived()
    with open_store(folder / "backstop.db") as store, mail_server() as mails, http_receiver() as hook:
        migrate(store)
        club = reminded_club(store, FakeClock(), config_of(folder, mails.port), mail_on=True)
        own = club.services.reminder_settings
        own.set_webhook(club.athlete, club.athlete_id, f"{hook.url}/webhook")
        own.add_device(club.athlete, club.athlete_id, f"{hook.url}/push", label="Phone", **browser.keys())
        train(club)
        with store.begin() as tx:
            tx.exec_driver_sql(f"UPDATE planned_session SET exercises = {NAMED}", (name,))

        def take(kind: str) -> None:
            arrived.extend((kind, *each) for each in _taken(mails, hook, browser))

        for channel in Channel:
            own.try_channel(club.athlete, club.athlete_id, channel)
            club.clock.forward(minutes=2)
            tick(club)
        take("test")
        week = club.services.plans.week(club.athlete_id, club.clock.now.date())
        tick(club, min(each.due_at for each in week if each.state is SessionState.PLANNED) - timedelta(minutes=30))
        take("session")
        retest = club.services.assessments.retest(club.athlete_id)
        assert retest is not None
        # The sessions before that day are over by then.
        nine = datetime.combine(retest.due_on, time(9), BERLIN)
        tick(club, nine - timedelta(minutes=1))
        take("late session")
        tick(club, nine)
        take("retest")
        club.services.spasms.begin(club.athlete, club.athlete_id, "s")
        answer(club)
        tick(club, club.clock.now + timedelta(hours=24, minutes=-1))
        take("later session")
        club.clock.forward(minutes=1)
        tick(club)
        take("follow-up")
    return arrived


@pytest.fixture(scope="module")
def reminded(tmp_path_factory: pytest.TempPathFactory) -> Arrived:
    """What arrives at somebody who is reminded of everything."""
    return remind(tmp_path_factory.mktemp("reminded"))

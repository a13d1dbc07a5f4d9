"""Tests of a person in a browser: a simulated side bridge over bleak to its result, and how every page looks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from coach.analysis.assessment_types import AssessmentTest, TrialOutcome
from coach.commands.embedded import Embedded
from coach.config import Config, Simulate
from coach.service import Services
from coach.service.assessment_views import Kind, Stage, TrialState
from coach.service.demo import ensure_demo
from coach.service.entered import Entered
from coach.service.may_test import QUESTIONS
from coach.service.types import Identity
from devices.hostclock import HostClock
from devices.sim.battery import SIDE_BRIDGE_LEFT, HoldMotion, HoldPlan
from devices.sim.wearable import SimWearable
from devices.types import FloatArray
from tests.browser.test_pages_in_browser import looks_right
from tests.coach.held import worn

pytestmark = pytest.mark.browser

MOTION = HoldMotion(11, HoldPlan(SIDE_BRIDGE_LEFT, hold_s=15.0))
SPEED, REPLAY_S = 8.0, 85.0
WAIT_MS = 30_000
# Lies on the side, at rest, from this second of the motion to that one; for so long before it goes on.
LIES_FROM_S, LIES_TO_S, LIES_FOR_S = 26.5, 29.5, 48.0


class LyingFirst:
    """The motion from where it lies ready, after a while of lying there: time to connect and to press Start."""

    duration_s = None

    def samples(self, start_index: int, count: int, rate_hz: float) -> tuple[FloatArray, FloatArray]:
        """Return acc and gyr (count, 3): stillness that is played there and back, then the motion."""
        numbers = np.arange(start_index, start_index + count)
        first, last, waits = (round(at * rate_hz) for at in (LIES_FROM_S, LIES_TO_S, LIES_FOR_S))
        span = last - first
        lying = first + np.abs((numbers - waits) % (2 * span) - span)
        at = np.where(numbers < waits, lying, numbers - waits + last)
        low, high = int(at.min()), int(at.max())
        acc, gyr = MOTION.samples(low, high - low + 1, rate_hz)
        return acc[at - low], gyr[at - low]


class OneBridge(Embedded):
    """The whole of `backstop run`, whose simulated wearable does one side bridge, eight times as fast as anybody."""

    def _wearable(self, address: str, clock: HostClock) -> SimWearable:
        return SimWearable(
            address=address, product="movella-dot", motion=LyingFirst(), clock=clock, rate_hz=60.0, seed=11
        )


@contextmanager
def a_bridge(folder: Path) -> Iterator[tuple[OneBridge, Services, str]]:
    """Serve it; the roles wait for `start`."""
    config = Config(simulate=Simulate(replay_s=REPLAY_S, replay_speed=SPEED))
    embedded = OneBridge(config, folder)
    embedded.prepare()
    server = make_server("127.0.0.1", 0, embedded.make_app(), threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield embedded, embedded._ready(), f"http://127.0.0.1:{server.server_port}"
    finally:
        embedded.stop()
        server.shutdown()
        thread.join(10)
        server.server_close()


def answered(page: Page) -> None:
    """Answer what is asked before the tests, with nothing to tell, and go on."""
    page.get_by_label("Pain now, 0 to 10").select_option("0")
    for question in QUESTIONS:
        page.locator(f"input[name={question.id}][value=no]").check()
    page.get_by_role("button", name="Go on").click()


def left_out(page: Page) -> None:
    """Leave the test out that is next."""
    page.get_by_text("Enter it by hand, or leave it out").click()
    page.get_by_label("Why it is left out").fill("only the left side bridge today")
    page.get_by_role("button", name="Leave it out").click()


def test_a_side_bridge_over_bleak_ends_in_the_truth(browser: Browser, tmp_path: Path, keep) -> None:  # type: ignore[no-untyped-def]
    (hold,) = MOTION.holds(100.0)
    told: list[str] = []
    with a_bridge(tmp_path) as (embedded, services, base):
        demo = ensure_demo(services, Config())
        athlete = services.accounts.identity(demo.athlete_user_id)
        assert athlete is not None
        worn(services, athlete, demo.wearable_id, MOTION)
        page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        page.on("console", lambda said: told.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(f"{base}/enter/{services.accounts.issue_sign_in_link(demo.athlete_user_id)}")
        page.get_by_role("link", name="Me", exact=True).last.click()
        page.get_by_role("link", name="My tests").click()
        page.get_by_role("link", name="Trunk endurance").click()
        answered(page)
        while page.locator("h1").inner_text() != "Side bridge, left":
            before = page.locator("h1").inner_text()
            left_out(page)
            expect(page.locator("h1")).not_to_have_text(before)
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        embedded.start()
        expect(page.locator(".big-sentence")).to_contain_text("Lift into the position", timeout=WAIT_MS)
        expect(page.locator(".big-sentence")).to_contain_text("Hold. Breathe on.", timeout=WAIT_MS)
        keep(page, "tests-holding-390-light")
        # It ends by itself; then the stored signal is judged.
        expect(page.get_by_role("button", name="Stop")).to_be_hidden(timeout=WAIT_MS)
        assessment_id = page.url.rsplit("/", 1)[-1].partition("?")[0]
        while page.locator("h1").inner_text() != "That is all":
            before = page.locator("h1").inner_text()
            left_out(page)
            expect(page.locator("h1")).not_to_have_text(before)
        expect(page.get_by_text("The stored signal is awaited")).to_be_hidden(timeout=WAIT_MS)
        page.get_by_role("button", name="See the results").click()
        shown = page.locator(".result", has_text="Side bridge, left").locator(".big-number")
        expect(shown).to_contain_text("s")
        looks_right(page)
        keep(page, "tests-result-390-light")
        assert told == []
        view = services.assessments.get(athlete, assessment_id)
        page.context.close()
    trial = next(each for each in view.trials if each.test is AssessmentTest.SIDE_BRIDGE_LEFT)
    assert trial.state is TrialState.SETTLED
    assert trial.result is not None
    assert trial.live is not None
    assert trial.result.outcome is TrialOutcome.HELD
    assert trial.result.value == pytest.approx(hold.end_s - hold.start_s, abs=0.5)
    assert trial.live.value == pytest.approx(hold.end_s - hold.start_s, abs=0.5)
    assert trial.result.coverage_share == pytest.approx(1.0, abs=0.02)


def battery_by_hand(services: Services, athlete: Identity, seconds: tuple[float, ...], key: str) -> str:
    """Do a battery by hand, below the pages; the times belong to extensor, flexor, left and right."""
    assert athlete.athlete_id is not None
    no = {question.id: "no" for question in QUESTIONS}
    found = services.trials.start(athlete, athlete.athlete_id, Kind.TRUNK_ENDURANCE, None, no, 0, key)
    order = (
        AssessmentTest.EXTENSOR,
        AssessmentTest.FLEXOR,
        AssessmentTest.SIDE_BRIDGE_LEFT,
        AssessmentTest.SIDE_BRIDGE_RIGHT,
    )
    while (step := services.trials.step(athlete, found)).stage is not Stage.OVER:
        assert step.test is not None
        told = Entered(step.test, (seconds[order.index(step.test)],))
        services.trials.enter(athlete, found, told, f"hand-{step.number}")
    services.trials.finish(athlete, found)
    return found


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "dark")])
def test_every_page_of_the_tests_reads_well(browser, make_site, keep, width: int, scheme: str) -> None:  # type: ignore[no-untyped-def]
    site = make_site()
    site.say_no_to_all()
    athlete = site.services.accounts.identity(site.athlete_user_id)
    battery_by_hand(site.services, athlete, (100.0, 160.0, 75.0, 66.0), "first")
    battery_by_hand(site.services, athlete, (170.0, 165.0, 75.0, 70.0), "second")

    def seen(page: Page, name: str) -> None:
        looks_right(page)
        keep(page, f"tests-{name}-{width}-{scheme}")

    page = site.page(browser, site.athlete_user_id, width, scheme)
    page.goto(f"{site.base}/tests")
    seen(page, "overview")
    page.get_by_role("link", name="Trunk endurance").first.click()
    page.get_by_label("By hand").check()
    seen(page, "before")
    answered(page)
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    seen(page, "ready")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("The stopwatch runs")).to_be_visible()
    expect(page.locator(".hold-time")).to_contain_text("2", timeout=10_000)
    seen(page, "stopwatch")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Rest. Next:")).to_be_visible()
    page.get_by_text("Enter it by hand, or leave it out").click()
    page.get_by_label("Why it is left out").fill("no bench")
    # The page asks again every second; what was typed and opened stays.
    page.wait_for_timeout(2500)
    expect(page.get_by_label("Why it is left out")).to_have_value("no bench")
    expect(page.get_by_label("Why it is left out")).to_be_visible()
    seen(page, "rest")
    page.goto(f"{site.base}/tests")
    page.locator("a.list-row", has_text="Side bridge").first.click()
    expect(page.get_by_role("heading", name="What has changed")).to_be_visible()
    seen(page, "results")
    page.goto(f"{site.base}/athletes/{site.athlete_id}/tests/enter")
    seen(page, "entry")
    assert site.told == []
    page.context.close()
    coach = site.page(browser, site.coach_id, width, scheme)
    coach.goto(f"{site.base}/athletes/{site.athlete_id}/tests")
    seen(coach, "coach")
    assert site.told == []
    coach.context.close()

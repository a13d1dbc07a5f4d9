"""The live wall: twelve wearables through bleak, gateway and one stream; what the browser has is what they sent."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from coach.config import Config
from coach.gateway import Gateway, request_from
from coach.live import LiveAnalysis
from coach.serving import LiveDoor, LocalServing
from devices.hostclock import SystemClock
from devices.hub import BleHub
from devices.profiles import recognise
from devices.sim.bus import SimBus
from devices.sim.exercises import squats
from devices.sim.motions import desk, lifting
from devices.sim.wearable import SimWearable

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform != "linux", reason="the simulated BlueZ needs Linux"),
]

NAMES = ("Ada", "Ben", "Cleo", "Dara", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jon", "Kaya", "Liv")
RATE_HZ = 50.0
# It sends both sensors in each frame, so that every sample that was sent has an angle.
PRODUCT = "witmotion"
MOTIONS = (lifting, squats, desk)
# Short, so that the end of a lost link's signal is handed on soon.
CHUNK_S = 1.0
# The marks of the wall.
REDRAWS_A_SECOND, TASK_MS = 30.0, 100.0

WATCH_TASKS = """() => { window.tasks = [];
  new PerformanceObserver(list => window.tasks.push(...list.getEntries().map(each => each.duration)))
    .observe({ type: 'longtask' }); }"""
HAS = """([sent, left]) => Object.entries(sent).every(
  ([whose, count]) => window.backstop.wall.tiles[whose].samples >= count - left)"""
TOLD = "() => JSON.parse(JSON.stringify(window.backstop.wall.tiles))"


@dataclass
class Team:
    """The athletes of a wall, in its order, each with the wearable that is theirs."""

    site: Any
    wearables: dict[str, SimWearable]
    names: dict[str, str]

    @property
    def ids(self) -> list[str]:
        return list(self.wearables)

    def coach(self) -> Any:
        return self.site.services.accounts.identity(self.site.coach_id)


def a_team(site: Any, count: int) -> Team:
    services, coach = site.services, site.services.accounts.identity(site.coach_id)
    team = Team(site, {}, {})
    for number, name in enumerate(NAMES[:count]):
        athlete_id = services.athletes.create(name, "Europe/Berlin", site.coach_id, sport="lifting")
        wearable = SimWearable(
            motion=MOTIONS[number % len(MOTIONS)](number), clock=SystemClock(), product=PRODUCT,
            rate_hz=RATE_HZ, address=f"C0:FF:EE:00:05:{number:02X}", seed=number,
        )  # fmt: skip
        seen = wearable.advertisement()
        profile = recognise(seen) if seen is not None else None
        assert profile is not None
        services.wearables.add(coach, athlete_id, wearable.address, profile.family, f"Belt {name}", "chest")
        team.wearables[athlete_id], team.names[athlete_id] = wearable, name
    return team


@contextmanager
def sending(team: Team) -> Iterator[None]:
    """Link to all of them through bleak, as the server's own gateway does; nobody else's wearable is there."""
    services, feed, clock = team.site.services, team.site.feed, SystemClock()
    analysis = LiveAnalysis(feed, services.athletes.analysis_params)
    addresses = {each.address for each in team.wearables.values()}
    asked = request_from(Config(), clock)

    def request_of(view, recording_id):  # type: ignore[no-untyped-def]
        request = asked(view, recording_id) if view.address in addresses else None
        # A machine that is busy with other tests is no wearable that fell silent.
        return request and replace(request, rate_hz=RATE_HZ, chunk_duration_s=CHUNK_S, silence_s=60.0)

    with SimBus(list(team.wearables.values())).running(), BleHub() as hub:
        serving = LocalServing(services, LiveDoor(services, analysis), feed)
        gateway = Gateway(hub, serving, services.log, request_of)
        analysis.start()
        gateway.start()
        try:
            yield
        finally:
            gateway.close()
            analysis.close()


def out_of_reach(wearable: SimWearable) -> None:
    """End the link for good."""
    wearable.stop_advertising()
    wearable.drop_link()


def wall_of(team: Team, browser: Any, width: int = 1440, scheme: str = "light") -> Page:
    team.site.services.walls.choose(team.coach(), team.ids)
    page = team.site.page(browser, team.site.coach_id, width, scheme)
    page.goto(f"{team.site.base}/wall")
    page.wait_for_function("() => window.backstop?.wall?.page?.stream.connected")
    return page


@pytest.mark.proof
def test_every_sample_of_twelve_wearables_is_on_the_wall(
    browser, make_site, keep, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    site = make_site()
    team = a_team(site, len(NAMES))
    page = wall_of(team, browser)
    with sending(team):
        page.wait_for_function(
            f"() => Object.values(window.backstop.wall.tiles).every(each => each.samples > {RATE_HZ:.0f})",
            timeout=60_000,
        )
        keep(page, "wall-1440-light")
        page.evaluate(WATCH_TASKS)
        before, began_s = page.evaluate(TOLD), time.monotonic()
        page.wait_for_timeout(1000 * full_or_quick(60, 3))
        after, took_s = page.evaluate(TOLD), time.monotonic() - began_s
        tasks = page.evaluate("window.tasks")
        assert site.feed.readers == 1
        for wearable in team.wearables.values():
            wearable.go_silent(True)
        sent = {whose: len(wearable.truth.numbers_sent) for whose, wearable in team.wearables.items()}
        # What is on its way arrives; the last quarter of a second waits for more of its block.
        page.wait_for_function(HAS, arg=[sent, 0.3 * RATE_HZ], timeout=30_000)
        # A lost link waits a chunk's time for the wearable to come back, then hands on what is left.
        for wearable in team.wearables.values():
            out_of_reach(wearable)
        expect(page.locator(".wall-tile.lost")).to_have_count(len(NAMES), timeout=30_000)
        page.wait_for_function(HAS, arg=[sent, 0], timeout=30_000)
        shown = page.evaluate(TOLD)
    redraws = [(after[whose]["redraws"] - before[whose]["redraws"]) / took_s for whose in team.ids]
    latency_s = sorted(page.evaluate("window.backstop.wall.latency_s"))
    figure("samples sent by the wearables", sum(sent.values()), "")
    figure("samples on the wall", sum(each["samples"] for each in shown.values()), "")
    figure(
        "samples a second and tile",
        round(min((after[w]["samples"] - before[w]["samples"]) / took_s for w in sent), 1),
        "Hz",
    )
    figure("redraws a second, mean and slowest tile", f"{sum(redraws) / len(redraws):.1f}, {min(redraws):.1f}", "")
    figure("longest task of the main thread", round(max(tasks, default=0)), "ms, of 50 or more")
    figure("live block to tile, p50 and p99", _spread_ms(latency_s), "ms")
    assert {whose: each["samples"] for whose, each in shown.items()} == sent
    assert {each["missing"] for each in shown.values()} == {0}
    assert page.evaluate(
        "Object.values(window.backstop.wall.tiles).every(each => Object.keys(each.first).length === 1)"
    )
    if full_or_quick(1, 0):
        assert sum(redraws) / len(redraws) >= REDRAWS_A_SECOND
        assert max(tasks, default=0) <= TASK_MS
    assert site.told == []
    page.context.close()


def _spread_ms(latency_s: list[float]) -> str:
    return f"{1000 * latency_s[len(latency_s) // 2]:.0f}, {1000 * latency_s[int(len(latency_s) * 0.99)]:.0f}"

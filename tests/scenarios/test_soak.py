"""Simulated days with faults and restarts: nothing grows, and every sample is stored or told as a gap."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from coach.instance import database_path
from coach.service.types import Role
from tests.scenarios.house import House, a_house, wait_for
from tests.scenarios.processes import Server, rows
from tests.scenarios.soak import Account, Watch, Wearers, accounts
from tests.scenarios.soak_wearers import Plan, Worn, worn_of
from tests.scenarios.test_gateway_away import Browser

# Frames with several samples where the product has them; each with a clock of its own, so that a gap has a length.
KINDS = [
    ("polar-h10", "lifting"),
    ("polar-verity-sense", "desk"),
    ("movesense", "walking"),
    ("polar-h10", "desk"),
    ("polar-verity-sense", "walking"),
    ("polar-h10", "idle"),
    ("movella-dot", "walking"),
    ("polar-verity-sense", "lifting"),
    ("movesense", "squats"),
    ("polar-h10", "bows"),
]
PLACES = ["chest", "lower_back", "thigh_left", "thigh_right"]
# Bounds of growth per hour of the wearables' time, over the longest stretch without a restart.
RSS_MB_PER_H, HANDLES_PER_H, THREADS_PER_H = 1.5, 0.3, 0.3
# The most that may be held, and the log beside the database.
RSS_MB_MAX, HANDLES_MAX, THREADS_MAX, WAL_MB_MAX = 1000.0, 250.0, 120.0, 64.0
# Times real time that two cores manage with twenty wearables, nothing else to do. Measured.
SPEED_ON_TWO_CORES = 15.0
# s by which a gap may be off for each restart of a wearable's own clock: its length is told by the host's clock, which
# goes on in steps of the pump here, 0.6 s of it at the fastest.
RESTART_S = 0.7
# The share of the day that is left out of the growth, after each start.
WARM_SHARE = 0.08
# h of such a stretch from which a slope says something: the caches of pooled connections fill for the first two.
_LEAST_H = 4.0
PENDING = "select count(*) from stream s join stream_state t on t.stream_id = s.id where s.max_seq > t.last_seq"


@pytest.mark.proof
def test_a_soak_with_restarts_grows_nothing_and_accounts_for_every_sample(
    tmp_path: Path, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    count, day_s = full_or_quick(20, 3), full_or_quick(the_day_s(), 1_200)
    speed, each_s = full_or_quick(60, 150), full_or_quick(5, 1)
    per_athlete = min(4, count)
    start_utc_s = time.time() - day_s - 7200.0
    server = Server(tmp_path / "server")
    with a_house(tmp_path / "server") as house:
        everybody = [
            athlete_with(house, tmp_path, number, per_athlete, server.url, start_utc_s, day_s, speed)
            for number in range(count // per_athlete)
        ]
        link = house.services.accounts.issue_sign_in_link(house.athlete.user_id)
    here, began_s = Watch(), time.monotonic()
    # When in the day, and what.
    due = full_or_quick(3, 1)
    restarts = [(0.35, "kill the server"), (0.55, "restart the server"), (0.75, "restart the gateways")][:due]
    try:
        server.start()
        browser = Browser(server.url, link)
        for each in everybody:
            each.start(start_utc_s, start_utc_s + day_s)
        while not all(each.over for each in everybody):
            day_now_s = min(each.now_s for each in everybody) - start_utc_s
            assert server.process is not None
            here.look(server.process.pid, day_now_s, Path(f"{database_path(server.folder)}-wal"))
            for each in everybody:
                if each.process is not None and not each.over:
                    each.watch.look(each.process.pid, each.now_s - start_utc_s)
            assert "Backstop" in browser.get("/")
            if restarts and day_now_s >= restarts[0][0] * day_s:
                restart(restarts.pop(0)[1], server, here, everybody, start_utc_s + day_s)
            time.sleep(each_s)
        assert not restarts, "the day was over before everything was restarted"
        delivered_s = time.monotonic() - began_s
        wait_for(lambda: analysed(server.folder), 1800, "the analysis of everything", each_s=1.0)
    finally:
        for each in everybody:
            each.stop(kill=True)
        server.stop()
    said = (server.folder / "server.log").read_text(encoding="utf-8")
    failed = [line for line in said.splitlines() if " ERROR " in line]
    assert not failed, f"{len(failed)} failures, the first: {failed[0]}"
    told = accounts(server.folder, everybody)
    accounted(told, figure)
    figure("simulated, in real time", f"{count} wearables x {day_s / 3600:.2f} h in {delivered_s:.0f}", "s")
    figure("times real time", round(day_s / delivered_s, 1), "")
    faults = sum((Counter(books["faults"]) for each in everybody for books in each.books()), Counter())
    figure("faults", json.dumps(dict(faults)), "")
    bounded("server", here, day_s, figure)
    for number, each in enumerate(everybody):
        bounded(f"gateway {number + 1}", each.watch, day_s, figure)
    figure("most of the write-ahead log", round(here.wal_mb_max, 1), "MB")
    assert here.wal_mb_max <= WAL_MB_MAX


def the_day_s() -> int:
    """Return s of a whole day, or of as much of it as half of the proof's budget takes on two cores."""
    return round(min(86_400.0, 0.5 * SPEED_ON_TWO_CORES * float(os.environ.get("PROOF_BUDGET_S", "3600"))))


def athlete_with(
    house: House, folder: Path, number: int, count: int, url: str, start_utc_s: float, day_s: float, speed: float
) -> Wearers:
    """Make an athlete with wearables and a gateway's token."""
    services, name = house.services, f"Wearer {number + 1}"
    if number == 0:
        athlete, athlete_id = house.athlete, house.athlete_id
    else:
        athlete_id = services.athletes.create(name, "Europe/Berlin", house.coach.user_id)
        found = services.accounts.identity(services.accounts.create_user(name, Role.ATHLETE, athlete_id=athlete_id))
        assert found is not None
        athlete = found
    worn: list[Worn] = []
    for place in range(count):
        at = number * count + place
        worn.append(worn_of(at, KINDS, f"C0:FF:EE:00:{number:02X}:{place:02X}"))
        services.wearables.add(athlete, athlete_id, worn[-1].address, worn[-1].family, PLACES[place], PLACES[place])
    token = services.tokens.issue(athlete, athlete_id, "at home")
    plan = Plan(url, "", "", start_utc_s, start_utc_s + day_s, speed, tuple(worn))
    return Wearers(folder / f"wearers-{number}", token, plan)


def restart(what: str, server: Server, here: Watch, everybody: list[Wearers], end_utc_s: float) -> None:
    """Kill the server, end it in order, or end and begin anew what holds the links; half a minute passes unworn."""
    if what == "restart the gateways":
        for each in everybody:
            now_s = each.now_s
            if each.over or now_s > end_utc_s - 120.0:
                continue  # each goes at its own pace: its day is as good as over
            each.stop()
            each.watch.restarted()
            each.start(now_s + 30.0, end_utc_s)
        return
    if what == "kill the server":
        server.kill()
    else:
        server.stop()
    server.start()
    here.restarted()


def analysed(folder: Path) -> bool:
    return rows(folder, PENDING) == [(0,)]


def accounted(told: list[Account], figure: Callable[[str, object, str], None]) -> None:
    for each in told:
        assert each.stored == each.sent, each
        assert abs(each.gaps - (each.places - each.sent)) <= RESTART_S * 60.0 * each.restarts, each
    figure("samples sent = samples stored", sum(each.sent for each in told), "")
    figure("samples told as gaps", sum(each.gaps for each in told), "")
    figure("sent damaged, and told as gaps", sum(each.damaged for each in told), "")


def bounded(name: str, watch: Watch, day_s: float, figure: Callable[[str, object, str], None]) -> None:
    for of, bound, most in (
        ("rss_mb", RSS_MB_PER_H, RSS_MB_MAX),
        ("handles", HANDLES_PER_H, HANDLES_MAX),
        ("threads", THREADS_PER_H, THREADS_MAX),
    ):
        slope, over_h = watch.growth(of, WARM_SHARE * day_s)
        figure(f"{name}: {of}, most, and growth per h", f"{watch.most(of):.0f}, {slope:+.3f} over {over_h:.1f} h", "")
        assert over_h < _LEAST_H or slope <= bound, (name, of, slope)
        assert watch.most(of) <= most, (name, of)

"""A whole server whose machine's clock is set while it runs and while it is down."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coach.instance import database_path
from coach.remote_log import RemoteLog
from coach.service.types import Role
from coach.store.engine import open_store
from coach.uplink import Uplink
from tests.coach.club import Club, FakeClock, bending_chunks
from tests.coach.service.reminded import plan_sessions
from tests.power.shim import Shim
from tests.scenarios.house import House, a_house, wait_for
from tests.scenarios.processes import Server, rows
from tests.scenarios.test_gateway_away import Browser

ADDRESS = "C0:FF:EE:00:00:01"
HOUR, DAY, YEAR = 3600, 86_400, 365 * 86_400
QUICK = {"BACKSTOP_CLOCK__RELEASE_TICK_S": "1", "BACKSTOP_CLOCK__REMINDER_TICK_S": "1"}
RELEASED = "select id from planned_session where released_at is not null"


@pytest.mark.proof
def test_a_clock_that_is_set_stops_nothing_and_doubles_nothing(
    tmp_path: Path, full_or_quick: Callable[[int, int], int]
) -> None:
    whole = bool(full_or_quick(1, 0))
    with a_house(tmp_path / "server", at_noon()) as house:
        services = house.services
        services.wearables.add(house.athlete, house.athlete_id, ADDRESS, "movella-dot", "Strap", "chest")
        token = services.tokens.issue(house.athlete, house.athlete_id, "laptop")
        owner_id = services.accounts.create_user("Olga", Role.OWNER)
        links = [services.accounts.issue_sign_in_link(each) for each in (house.athlete.user_id, owner_id)]
    server, shim = Server(tmp_path / "server"), Shim(tmp_path, tmp_path / "server")
    uplink = Uplink(server.url, token)
    log, chunks = RemoteLog(uplink), iter(bending_chunks(10.0, 8, time.time() - 1200.0))
    sent: list[str] = []

    def jumps_to(ahead_s: int, says: str) -> None:
        shim.set_clock(ahead_s)
        wait_for(lambda: says in time_part(owner), 40, says, each_s=0.3)
        # The sign-in goes on, chunks are taken in their order, and the clock ticks.
        assert "Sign out" in athlete.get("/wearables")
        sent.extend(log.append([next(chunks) for _ in range(4)]))
        before = ticks(owner)
        wait_for(lambda: ticks(owner) > before, 30, "a tick", each_s=0.3)

    try:
        server.start(**shim.environment(journal=False), **QUICK)
        athlete, owner = (Browser(server.url, link) for link in links)
        # One that is due soon, one that is due tomorrow.
        due(server.folder, house, timedelta(seconds=12), timedelta(days=1, seconds=12))
        assert "runs evenly" in time_part(owner)
        jumps_to(-HOUR, "jumped back by 1:00:00")
        jumps_to(0, "jumped ahead by 1:00:00")
        wait_for(lambda: len(rows(server.folder, RELEASED)) == 1, 60, "the session of now", each_s=0.3)
        if whole:
            jumps_to(-DAY, "jumped back by 1 day")
            jumps_to(DAY, "jumped ahead by 2 days")
            wait_for(lambda: len(rows(server.folder, RELEASED)) == 2, 60, "the session of tomorrow", each_s=0.3)
            jumps_to(0, "jumped back by 1 day")

        # While it is down: a day back of what is stored.
        server.stop()
        shim.set_clock(-DAY)
        server.start(**shim.environment(journal=False), **QUICK)
        wait_for(lambda: "while Backstop was down" in time_part(owner), 40, "the jump", each_s=0.3)
        assert "Sign out" in athlete.get("/wearables")
        sent.extend(log.append([next(chunks) for _ in range(4)]))
        behind = "select count(*) from stream s join stream_state t on t.stream_id = s.id where s.max_seq > t.last_seq"
        wait_for(lambda: rows(server.folder, behind) == [(0,)], 60, "the worker")

        # A year ahead ends a sign-in of 30 days, as it says, and takes no signal though it is kept for 400 days.
        shim.set_clock(2 * YEAR)
        wait_for(lambda: "Sign out" not in athlete.get("/wearables"), 40, "the end of the sign-in", each_s=0.3)
    finally:
        uplink.close()
        server.stop()
    assert len(sent) == len(set(sent)) == (24 if whole else 12)
    stored = rows(server.folder, "select seq, length(blob) from chunk order by id")
    assert [seq for seq, _ in stored] == list(range(len(sent)))
    assert min(length for _, length in stored) > 100
    done = rows(server.folder, "select subject_id, count(*) from event where action = 'released' group by subject_id")
    assert {count for _, count in done} == {1}
    assert len(done) == (2 if whole else 1)


def due(folder: Path, house: House, *after: timedelta) -> None:
    """Plan sessions that are due so long from now."""
    with open_store(database_path(folder)) as store:
        clock = FakeClock(datetime.now(UTC))
        club = Club(store, house.services, clock, house.config, house.coach, house.athlete, house.athlete_id, "")
        plan_sessions(club, [clock.now + each for each in after], zone=at_noon())


def at_noon() -> str:
    """Return a time zone in which it is about noon: at night nothing is released."""
    ahead_h = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead_h:+d}" if ahead_h else "Etc/GMT"


def parts(owner: Browser) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in json.loads(owner.get("/readyz.json"))["parts"]}


def time_part(owner: Browser) -> str:
    return str(parts(owner)["time"]["says"])


def ticks(owner: Browser) -> float:
    told = owner.get("/metrics")
    return sum(
        float(line.rpartition(" ")[2])
        for line in told.splitlines()
        if line.startswith("backstop_role_done_total") and 'role="clock"' in line
    )

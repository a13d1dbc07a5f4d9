"""What the pages say of the heart: the day's line, what is missing for more, the rate of now, and to whom."""

from __future__ import annotations

import re

import numpy as np
import pytest

from devices.heartblock import BEATS, RR, HeartBlock
from devices.types import Chunk, HeartNow, LinkState, LinkStatus
from tests.coach.web.conftest import ADDRESS, START, World, analyse_all

# Unix time of a still quarter of an hour, before the bends of the club.
STILL_UTC_S = START.timestamp() - 3600
RATE_HZ = 25.0
# The club wears a Movella DOT, which has no heart rate; only its simulated twin tells one.
ADDED = " · made up by the simulator: the real product has none"


def keep(world: World, bpm: list[int], start_utc_s: float, rr_s: float | None = None, device_id: str = ADDRESS) -> None:
    """Store one notification a second; with rr_s its intervals are that, and 40 ms more, in turn."""
    beats = np.zeros(len(bpm), BEATS)
    beats["arrival_utc_s"], beats["heart_rate_bpm"] = start_utc_s + np.arange(len(bpm)), bpm
    beats["contact"] = 1
    intervals = np.empty(0, RR)
    if rr_s is not None:
        intervals = np.tile(np.array([rr_s, rr_s + 0.04], RR), len(bpm))
        at_s = np.cumsum(intervals, dtype=float)
        beats["rr_count"] = np.diff(np.searchsorted(at_s, np.arange(1, len(bpm) + 1), side="right"), prepend=0)
        intervals = intervals[: beats["rr_count"].sum(dtype=int)]
    ends = np.cumsum(beats["rr_count"], dtype=int)
    blocks = [
        HeartBlock(device_id, f"heart {start_utc_s}", k, beats[at : at + 5], part)
        for k, at in enumerate(range(0, len(bpm), 5))
        for part in [intervals[ends[at - 1] if at else 0 : ends[min(at + 5, len(bpm)) - 1]]]
    ]
    assert len(world.services.heart_log.append(blocks)) == len(blocks)


def stand_still(world: World, minutes: float) -> None:
    n = round(5 * RATE_HZ)
    acc, gyr = np.tile([9.81, 0.0, 0.0], (n, 1)), np.zeros((n, 3))
    chunks = [
        Chunk(ADDRESS, "still", seq, STILL_UTC_S + 5.0 * seq, seq * n, RATE_HZ, acc, gyr)
        for seq in range(round(12 * minutes))
    ]
    assert len(world.services.log.append(chunks)) == len(chunks)
    analyse_all(world.services)


def said(world: World) -> list[str]:
    """Return what athlete and coach are told of the day; both pages ask for it by themselves."""
    found = []
    for person, page in ((world.ada, "/today"), (world.kim, f"/athletes/{world.ada.athlete_id}")):
        client = world.client(person)
        asked = re.search(r'hx-get="([^"]+/heart)" hx-trigger="load', client.get(page).text)
        assert asked
        found.append(" ".join(re.sub(r"<[^>]+>", "", client.get(asked[1]).text).split()))
    return found


def test_the_days_line_is_the_same_for_athlete_and_coach(world: World) -> None:
    keep(world, [58, *[80] * 1000, *[88] * 500, *[100] * 959, 142], STILL_UTC_S)
    line = "Heart rate 58 to 142, median 88, 41 min recorded"
    needs = "RMSSD: not enough data: needs a chest strap with beat-to-beat intervals."
    meaning = "RMSSD tells how much the time from one beat to the next varies."
    assert said(world) == [f"{line} Beats a minute, today. {needs} {meaning}"] * 2


def test_rmssd_is_said_of_a_still_stretch_and_when_that_was(world: World) -> None:
    stand_still(world, 6)
    keep(world, [70] * 340, STILL_UTC_S + 2, rr_s=0.84)
    # Three in the afternoon in Berlin is when the club's clock stands.
    assert "RMSSD 40 ms, over 5 min with the trunk still from 14:00." in said(world)[0]
    world.services.wearables.set_placement(world.ada.identity, world.wearable_id, "wrist_left")
    world.clock.forward(days=1)
    keep(world, [70] * 340, STILL_UTC_S + 86400, rr_s=0.84)
    assert "needs a chest strap with beat-to-beat intervals" in said(world)[0]


def test_no_rmssd_while_nothing_sees_that_the_trunk_is_still(world: World) -> None:
    keep(world, [70] * 340, STILL_UTC_S, rr_s=0.84)
    assert "RMSSD: not enough data: needs 5 minutes with the trunk still, seen by a sensor on it" in said(world)[0]


def test_too_little_and_nothing_are_said_as_that(world: World) -> None:
    assert said(world) == ["", ""]  # nobody has a wearable that could
    world.services.wearables.add(world.ada.identity, world.ada.athlete_id, "AA:01", "heart-rate", "Strap", "chest")
    assert said(world)[0].startswith("Heart rate: not enough data: needs a wearable that measures it, worn today")
    keep(world, [70] * 31, STILL_UTC_S, device_id="AA:01")
    assert said(world)[0].startswith("Heart rate: not enough data: needs 60 s of heart rate; there are 30 s so far")
    keep(world, [70] * 90, STILL_UTC_S - 86400, device_id="AA:01")  # another day's
    assert "30 s so far" in said(world)[0]


def test_a_strange_coach_sees_no_heart(world: World) -> None:
    keep(world, [70] * 90, STILL_UTC_S)
    assert world.client(world.lou).get(f"/athletes/{world.ada.athlete_id}/heart").status_code == 404
    assert world.client(world.bo).get(f"/athletes/{world.ada.athlete_id}/heart").status_code in {403, 404}
    assert world.client().get("/today/heart").status_code in {302, 303, 401}


@pytest.mark.parametrize(
    ("heart", "age_s", "line"),
    [
        (HeartNow(72, True, 0), 1, f"Heart rate 72 a minute · on the skin{ADDED}"),
        (HeartNow(72, None, 0), 1, f"Heart rate 72 a minute{ADDED}"),
        (HeartNow(72, False, 0), 1, "Heart rate: no contact with the skin. Moisten the strap and tighten it."),
        (HeartNow(0, True, 0), 1, "Heart rate: it has found no beat yet."),
        (HeartNow(72, True, 0), 11, None),
        (None, 0, None),
    ],
)
def test_the_card_of_a_wearable_tells_the_rate_of_now(
    world: World, heart: HeartNow | None, age_s: float, line: str | None
) -> None:
    now = world.clock.utc_s()
    newest = heart and HeartNow(heart.heart_rate_bpm, heart.contact, now - age_s)
    world.services.links.show(world.wearable_id, lambda: LinkStatus(LinkState.STREAMING, now - 60, heart=newest))
    client = world.client(world.ada)
    for page in ("/wearables", f"/wearables/{world.wearable_id}/state"):
        lines = re.findall(r"<p class=\"small\">(Heart rate[^<]*)</p>", client.get(page).text)
        assert lines == ([line] if line else [])

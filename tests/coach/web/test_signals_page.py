"""An athlete's signals: the day's hours, a stretch closer and closer, the samples, and days without any."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from coach.errors import InvalidInput
from devices.types import Chunk, Gap
from tests.coach.web.conftest import MINUTES, RATE_HZ, START, analyse_all, standing_then_bending
from tests.coach.web.test_pages import text_of

BEGUN_S = START.timestamp() - 60 * MINUTES
DAY = "2026-11-24"


def ask(world, from_utc_s: float, to_utc_s: float, who=None, **more: str):
    query = {"from_utc_s": str(from_utc_s), "to_utc_s": str(to_utc_s), **more}
    client = world.client(who or world.ada)
    return client.get(f"/athletes/{world.ada.athlete_id}/signals.json", query_string=query)


def test_the_day_is_told_by_the_hour_with_the_bends_that_were_made(world) -> None:
    # Whether a sensor was worn is known some minutes later; when nothing more comes, the end is settled.
    world.clock.forward(minutes=20)
    assert world.services.motion.close_stale(world.clock.now) == 1
    raw = world.client(world.ada).get("/signals").text
    page = text_of(raw)
    # Six bends a minute after ten seconds of standing, over twelve minutes; the last one has not come down yet.
    told = int(re.search(r"<b>(\d+)</b> bends", raw)[1])
    assert 69 <= told <= 71
    hours = re.findall(r"<th scope=\"row\">(\d\d:\d\d)</th><td>([^<]+)</td>", raw)
    assert hours == [("14:00", "12 min")]  # in Berlin
    assert "Found on this day" in page
    assert re.search(r"data-show=\"[0-9.]+\" data-until=\"[0-9.]+\">14:4\d–1[45]:\d\d", raw)
    assert "Berlin time" in page


def test_a_minute_is_told_by_its_own_samples(world) -> None:
    begin = BEGUN_S + 120.0
    part = json.loads(ask(world, begin, begin + 60.0).text)
    raw = part["raw"]
    assert (raw["placement"], raw["rate_hz"]) == ("chest", RATE_HZ)
    t = np.array(raw["t_utc_s"])
    assert len(t) == pytest.approx(60 * RATE_HZ, abs=1)
    assert t[0] == pytest.approx(begin, abs=1e-3)
    sent = np.concatenate([chunk.acc_mps2 for chunk in standing_then_bending()])
    first = round(120.0 * RATE_HZ)
    told = np.array(raw["acc_mps2"], dtype=float).T
    # The codec keeps a value within half a 1/20,000 of the largest; three digits are told.
    assert np.abs(told - sent[first : first + len(t)]).max() < 2e-3
    line = part["line"]
    assert line["t_utc_s"][0] >= begin
    assert max(line["inclination_deg"]) == pytest.approx(50.0, abs=2.0)
    assert len(part["minutes"]["start_utc_s"]) in {1, 2}


def test_a_longer_stretch_has_no_samples_and_a_long_one_no_ticks(world) -> None:
    assert json.loads(ask(world, BEGUN_S, BEGUN_S + 61.0).text)["raw"] is None
    assert json.loads(ask(world, BEGUN_S, BEGUN_S + 700.0).text)["line"]["marks_utc_s"] == []


def test_a_gap_stays_a_gap_in_line_and_samples(world) -> None:
    services, lost = world.services, (20, 21)
    earlier = []
    for each in standing_then_bending()[:40]:  # the same afternoon, two hours before; ten seconds never came
        acc, gyr, gaps = each.acc_mps2.copy(), each.gyr_radps.copy(), ()
        if each.seq in lost:
            acc[:], gyr[:], gaps = np.nan, np.nan, (Gap(0, len(each)),)
        start = each.start_utc_s - 7200
        earlier.append(Chunk(each.device_id, "gap", each.seq, start, each.start_index, RATE_HZ, acc, gyr, gaps))
    services.log.append(earlier)
    analyse_all(services)
    begin = BEGUN_S - 7200 + 90.0
    part = json.loads(ask(world, begin, begin + 40.0).text)
    gap = begin + 10.0, begin + 20.0
    for t, values in (
        (part["raw"]["t_utc_s"], part["raw"]["acc_mps2"][0]),
        (part["line"]["t_utc_s"], part["line"]["inclination_deg"]),
    ):
        inside = [value for at, value in zip(t, values, strict=True) if gap[0] + 0.3 < at < gap[1] - 0.3]
        beside = [value for at, value in zip(t, values, strict=True) if not gap[0] - 0.3 < at < gap[1] + 0.3]
        assert all(value is None for value in inside)
        assert None in values  # the line is not led across
        assert len(beside) > 100
        assert None not in beside


def test_an_hour_without_signal_is_empty_and_no_guess(world) -> None:
    part = json.loads(ask(world, BEGUN_S - 50_000.0, BEGUN_S - 46_400.0).text)
    assert part["line"]["t_utc_s"] == []
    assert part["minutes"]["start_utc_s"] == []
    assert part["places"] == []


def test_days_without_signal_lead_to_the_nearest_with_some(world) -> None:
    page = world.client(world.ada).get("/signals?day=2026-11-20").text
    assert "No signal on this day" in text_of(page)
    assert f"/signals?day={DAY}" in page
    later = world.client(world.ada).get("/signals?day=2026-11-25").text
    assert f"/signals?day={DAY}" in later
    assert world.client(world.ada).get("/signals?day=1900-01-01").status_code == 422
    new = world.client(world.bo).get("/signals").text
    assert "Pair a wearable" in text_of(new)


@pytest.mark.parametrize(("begin", "end"), [(0.0, 0.0), (0.0, -5.0), (0.0, 60 * 3600.0)])
def test_a_stretch_of_no_length_or_of_days_is_refused(world, begin: float, end: float) -> None:
    with pytest.raises(InvalidInput, match="cannot be shown"):
        world.services.signals.part(world.ada.athlete_id, BEGUN_S + begin, BEGUN_S + end)
    assert ask(world, BEGUN_S + begin, BEGUN_S + end).status_code == 422


def test_a_coach_sees_what_is_shared_and_a_stranger_nothing(world) -> None:
    address = f"/athletes/{world.ada.athlete_id}/signals"
    assert "Signals: Ada" in text_of(world.client(world.kim).get(address).text)
    assert world.client(world.lou).get(address).status_code == 404
    assert ask(world, BEGUN_S, BEGUN_S + 60, world.lou).status_code == 404


def test_everything_of_ones_own_is_one_step_from_me(world) -> None:
    client = world.client(world.ada)
    page = client.get("/me").text
    places = re.findall(r'class="list-row" href="([^"]+)"', page)
    assert len(places) >= 14
    for each in places:
        assert client.get(each, follow_redirects=True).status_code == 200, each
    assert "My findings" in text_of(client.get("/findings").text)

"""Heart rate through the gateway here and one elsewhere: kept once, whatever the network does, and nobody else's."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from coach.errors import InvalidInput
from coach.log import pack
from coach.store import hearts
from coach.uplink import Uplink
from devices.heartblock import BEATS, HeartBlock, HeartGrouping, encode_heart
from devices.types import HeartNow, HeartRateSample
from tests.coach.club import ADDRESS, START, Club
from tests.coach.outposts import Away, Running
from tests.coach.test_gateway import HandHub, MoodyLog, gateway_over, until
from tests.coach.test_outpost import away as away

NOW_S = START.timestamp()
# A rate that no other number of the tests looks like.
BPM = 117


def beat(second: int) -> HeartRateSample:
    return HeartRateSample(BPM, (0.5 + second / 1024,), True)


def kept(club: Club) -> list[float]:
    """Return the stored arrivals, s after NOW_S, by recording and number."""
    with club.store.read() as tx:
        rows = list(hearts.between(tx, club.athlete_id, NOW_S - 3600, NOW_S + 3600))
    beats = np.frombuffer(b"".join(row["beats"] for row in rows), BEATS)
    return list((beats["arrival_utc_s"] - NOW_S).tolist())


def blocks(count: int, recording_id: str = "rec", device_id: str = ADDRESS) -> list[HeartBlock]:
    grouping = HeartGrouping(device_id, recording_id, 5.0)
    cuts = [grouping.take(beat(second), NOW_S + second, second) for second in range(5 * count)]
    return [each for each in (*cuts, grouping.finish()) if each is not None]


def send(running: Running, first: int, last: int) -> None:
    for second in range(first, last):
        running.hub.links[0].on_heart_rate(beat(second), NOW_S + second)


def test_a_local_gateway_keeps_what_came_also_when_it_is_closed_or_a_recording_ends(club: Club) -> None:
    hub = HandHub()
    gateway, _, _ = gateway_over(club, hub, club.services.log)
    gateway.start()
    until(lambda: bool(hub.links))
    link = hub.links[0]
    for second in range(12):
        link.on_heart_rate(beat(second), NOW_S + second)
    until(lambda: kept(club) == list(range(10)))
    status = club.services.wearables.get(club.athlete, club.wearable_id).status
    assert status is not None
    assert status.heart == HeartNow(BPM, True, NOW_S + 11)
    club.services.wearables.set_placement(club.athlete, club.wearable_id, "hip")
    until(lambda: len(kept(club)) == 12)
    link.on_heart_rate(beat(12), NOW_S + 12)
    gateway.close()
    assert sorted(kept(club)) == list(range(13))
    with club.store.read() as tx:
        rows = list(hearts.between(tx, club.athlete_id, NOW_S - 3600, NOW_S + 3600))
    assert {(row["recording_id"], row["placement"]) for row in rows} == set(
        zip(link.recordings, ("chest", "hip"), strict=True)
    )
    assert (gateway.counts.dropped, gateway.counts.refused, gateway.counts.waiting) == (0, 0, 0)


def test_what_nothing_follows_does_not_wait_for_the_next_beat(club: Club) -> None:
    hub = HandHub()
    config = club.config.model_copy(update={"chunk": club.config.chunk.model_copy(update={"duration_s": 1.0})})
    gateway, _, _ = gateway_over(replace(club, config=config), hub, club.services.log)
    gateway.start()
    until(lambda: bool(hub.links))
    hub.links[0].on_heart_rate(beat(0), NOW_S)
    until(lambda: kept(club) == [0.0], 5)
    gateway.close()
    assert kept(club) == [0.0]  # closing brought no second one
    assert (gateway.counts.dropped, gateway.counts.waiting) == (0, 0)


def test_a_store_that_is_away_is_tried_again(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = HandHub()
    moody = MoodyLog(club.services.heart_log, away=3)  # type: ignore[arg-type]
    gateway, _, _ = gateway_over(club, hub, club.services.log)
    gateway._serving.keep_heart = moody.append  # type: ignore[method-assign]
    gateway.start()
    until(lambda: bool(hub.links))
    for second in range(11):
        hub.links[0].on_heart_rate(beat(second), NOW_S + second)
    until(lambda: len(kept(club)) >= 10)
    gateway.close()
    assert moody.calls > 3
    assert kept(club) == list(range(11))


def test_a_gateway_elsewhere_spools_and_sends_again_and_each_beat_is_kept_once(
    away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    running, club = away.gateway(), away.club
    until(running.linked)
    away.moods.lose_answers = 2
    send(running, 0, 30)
    until(lambda: kept(club) == list(range(25)))
    until(lambda: running.spool.waiting == 0)
    assert away.moods.lose_answers == 0  # so these were sent more than once
    until(lambda: (status := away.status()) is not None and status.heart is not None)
    assert away.status().heart.heart_rate_bpm == BPM  # type: ignore[union-attr]
    away.moods.away = True
    send(running, 30, 41)
    until(lambda: running.spool.waiting >= 2)
    running.close()
    assert kept(club) == list(range(25))
    away.moods.away = False
    again = away.gateway()
    until(lambda: kept(club) == list(range(41)))
    until(lambda: again.spool.waiting == 0)
    # What a heart does is nobody's who reads a log.
    assert not [record for record in caplog.records if str(BPM) in record.getMessage()]
    assert not [sentence for sentence in away.said if str(BPM) in sentence]


def test_a_block_is_known_again_and_other_values_under_its_key_are_refused(club: Club) -> None:
    log, (first, second) = club.services.heart_log, blocks(2)
    assert log.append([first]) == (first.key,)
    assert log.append([first, second, second]) == (first.key, second.key, second.key)
    other = replace(first, rr_s=first.rr_s + 1)
    assert log.append([other]) == ()
    assert kept(club) == list(range(10))


def test_nobody_hands_in_a_heart_of_others_and_it_stays_theirs_when_the_wearable_goes_on(club: Club) -> None:
    log, services = club.services.heart_log, club.services
    (mine,) = blocks(1)
    bo = services.athletes.create("Bo", "UTC", club.coach.user_id)
    assert log.append([mine], bo) == ()
    assert log.append(blocks(1, device_id="C0:FF:EE:00:00:FF")) == ()
    assert log.append([mine], club.athlete_id) == (mine.key,)
    services.wearables.forget(club.athlete, club.wearable_id)
    services.wearables.add(club.coach, bo, ADDRESS, "heart-rate", "Strap", "chest")
    later = blocks(2)[1]
    assert log.append([later], bo) == ()
    assert log.append([later], club.athlete_id) == (later.key,)
    (theirs,) = blocks(1, "another")
    assert log.append([theirs], bo) == (theirs.key,)
    assert kept(club) == list(range(10))


def test_a_body_with_a_damaged_block_stores_nothing_and_says_so(away: Away) -> None:
    club, (block,) = away.club, blocks(1)
    data = bytearray(encode_heart(block))
    data[20] ^= 1
    uplink = Uplink(away.url, away.token)
    with pytest.raises(InvalidInput, match="checksum"):
        uplink.post("/api/v1/chunks", pack([encode_heart(block), bytes(data)]), "application/octet-stream")
    uplink.close()
    assert kept(club) == []

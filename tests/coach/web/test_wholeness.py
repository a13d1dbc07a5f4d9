"""How whole a recording is, said in words: the sentence that matters first, numbers that do not round to more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coach.analysis.integrity import (
    DEFAULT_PARAMS,
    GapSpan,
    Integrity,
    IntegrityState,
    add_integrity,
    integrity,
)
from coach.analysis.types import NotComputable, Quality, QualityFlag
from coach.service.types import RecordingView
from coach.web.wholeness import Wholeness, wholeness
from tests.coach.web.conftest import START

WHOLE = Integrity(
    duration_s=600.0,
    rate_hz=60.0,
    sampling_rate_hz=60.01,
    effective_rate_hz=60.01,
    expected=36_000,
    received=36_000,
    lost=0,
    duplicates=0,
    late=0,
    damaged=0,
    unjoined=0,
    restarts=0,
    coverage_share=1.0,
    gaps=(),
    gaps_by_class=((0.1, 0), (1.0, 0), (10.0, 0), (60.0, 0), (None, 0)),
    drift_ppm=-23.4,
    clock_uncertainty_s=0.0021,
    acc_clipped_share=0.0,
    gyr_clipped_share=0.0,
    limits_known=True,
    nonwear_share=None,
    still_share=0.0,
    loose_s=0.0,
    loose_since_s=None,
    calibration_age_s=600.0,
    not_computable=(NotComputable("non-wear", "60 min of samples"),),
)


def said(found: Integrity | None, needs: str | None = None, quality: tuple[Quality, ...] = ()) -> Wholeness:
    return wholeness(RecordingView("s", "r", "a", "w", "chest", START, START, False, found, needs, quality))


def test_a_sensor_worn_badly_comes_before_all_else_and_a_short_one_is_no_fault() -> None:
    gaps = Quality(QualityFlag.GAPS, "90% of the samples are there", fatal=False)
    loose = Quality(QualityFlag.LOOSE, "for 3 min the sensor moved as no trunk does", fatal=False)
    broken = Quality(QualityFlag.SENSORS_DISAGREE, "the sensors contradict each other", fatal=True)
    short = Quality(QualityFlag.TOO_SHORT, "0.5 s of samples; at least 1 s needed", fatal=True)
    found = said(WHOLE, quality=(gaps, loose))
    assert (found.sentence, found.notice) == ("For 3 min the sensor moved as no trunk does.", True)
    assert dict(found.lines)["wrong with it"] == f"{gaps.what}; {loose.what}"
    assert said(WHOLE, quality=(loose, broken)).sentence == "The sensors contradict each other."
    assert said(WHOLE, quality=(short,)).sentence == "10 min, nothing missing."
    assert said(WHOLE, quality=(gaps,)).sentence == "10 min, nothing missing."


def test_a_whole_recording_is_said_in_two_words_and_asks_for_nothing() -> None:
    whole = said(WHOLE)
    assert (whole.sentence, whole.notice) == ("10 min, nothing missing.", False)
    assert dict(whole.lines) == {
        "came": "36,000 of 36,000 samples (100\N{NO-BREAK SPACE}%), 0 lost",
        "rate": "60.01 samples a second; the sensor takes 60.01",
        "gaps": "none",
        "clock": "23 ppm slow, corrected; times within 2 ms",
        "worn": "100\N{NO-BREAK SPACE}% of the time moved (5 min rule)",
        "clipped": "acceleration 0\N{NO-BREAK SPACE}%, turning 0\N{NO-BREAK SPACE}%",
        "calibrated": "10 min before it began",
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"loose_since_s": 300.0, "nonwear_share": 0.4}, "The strap may have come loose 5 min into it: look at it."),
        ({"nonwear_share": 0.25, "coverage_share": 0.5}, "Not worn for 25\N{NO-BREAK SPACE}% of 10 min."),
        (
            {"coverage_share": 0.9, "gaps": (GapSpan(60.0, 32.0),)},
            "90\N{NO-BREAK SPACE}% of 10 min came; the longest gap was 32 s.",
        ),
        ({"gyr_clipped_share": 0.01}, "10 min, nothing missing, but some of it was beyond the sensor's range."),
    ],
)
def test_what_matters_most_comes_first(change: dict[str, object], sentence: str) -> None:
    whole = said(replace(WHOLE, **change))  # type: ignore[arg-type]
    assert (whole.sentence, whole.notice) == (sentence, True)


def test_what_cannot_be_told_says_what_it_needs() -> None:
    unknown = replace(
        WHOLE,
        drift_ppm=None,
        still_share=None,
        calibration_age_s=None,
        gyr_clipped_share=None,
        limits_known=False,
        not_computable=(
            NotComputable("clock drift", "a wearable with a clock of its own"),
            NotComputable("non-wear, short rule", "5 min of samples"),
            NotComputable("calibration age", "a calibration"),
        ),
    )
    lines = dict(said(unknown).lines)
    assert lines["clock"] == "not enough data: needs a wearable with a clock of its own"
    assert lines["worn"] == "not enough data: needs 5 min of samples"
    assert lines["calibrated"] == "not enough data: needs a calibration"
    assert "turning" not in lines["clipped"]
    assert "does not tell its range" in lines["clipped"]
    assert said(None, "not enough data: needs the analysis of its first seconds").sentence.startswith("Not enough data")


def test_a_clock_that_keeps_time_is_not_called_slow_by_nothing() -> None:
    assert dict(said(replace(WHOLE, drift_ppm=-0.3)).lines)["clock"].startswith("less than 1 ppm off")
    assert dict(said(replace(WHOLE, drift_ppm=0.6)).lines)["clock"].startswith("1 ppm fast")


@pytest.mark.parametrize(
    ("lost", "share"), [(1, "above 99.9"), (35_999, "below 0.1"), (0, "(100"), (36_000, "(0"), (1_800, "95.0")]
)
def test_nothing_rounds_to_whole_or_to_nothing(lost: int, share: str) -> None:
    received = WHOLE.expected - lost
    found = replace(WHOLE, received=received, lost=lost, coverage_share=received / WHOLE.expected)
    assert share in dict(said(found).lines)["came"]


def test_what_the_analysis_found_is_what_is_said() -> None:
    """A minute at 50 Hz of which three known pieces never came."""
    n, rate_hz = 3000, 50.0
    acc = np.random.default_rng(1).normal(0, 1, (n, 3)) + np.array([0, 9.81, 0])
    valid = np.ones(n, bool)
    for first, count in ((500, 200), (1500, 10), (2000, 500)):
        valid[first : first + count] = False
    acc[~valid] = np.nan
    state = add_integrity(DEFAULT_PARAMS, IntegrityState(), rate_hz, acc, acc * 0.1, valid)
    whole = said(integrity(state))
    lines = dict(whole.lines)
    assert lines["came"].startswith("2,290 of 3,000 samples (76.3\N{NO-BREAK SPACE}%), 710 lost")
    assert lines["gaps"] == "3; 10 s 40 s into it, 4 s 10 s into it"
    assert "the longest gap was 10 s" in whole.sentence


def test_athlete_and_coach_read_it_and_nobody_else(world) -> None:
    mine = world.client(world.ada).get("/wearables/recordings").text
    theirs = world.client(world.kim).get(f"/athletes/{world.ada.athlete_id}/recordings").text
    for shown in (mine, theirs):
        assert "Chest strap" in shown
        assert "12 min, nothing missing." in shown
        assert "still going on" in shown
        assert "As numbers" in shown
    world.clock.forward(minutes=30)
    assert "still going on" not in world.client(world.ada).get("/wearables/recordings").text
    assert "No recording yet" in world.client(world.bo).get("/wearables/recordings").text
    assert world.client(world.lou).get(f"/athletes/{world.ada.athlete_id}/recordings").status_code == 404

"""Bouts of repeated movement: where they begin and end, what is one movement, and the signs between first and last."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from coach.analysis.bouts import (
    BoutParams,
    bouts_of,
    repetition_from_plain,
    repetition_to_plain,
    swing_from_plain,
    swing_to_plain,
)
from coach.analysis.fatigue import Sign
from coach.analysis.motion_types import Repetition
from coach.analysis.recording import analyse_recording
from coach.analysis.swing_types import Swing, Turn
from coach.analysis.types import AnalysisParams
from tests.coach.analysis.motion import chunks, hinge

PARAMS = BoutParams()


def repetition(
    number: int, start_s: float, rom_deg: float = 60.0, up_s: float = 1.0, sparc: float = -1.5
) -> Repetition:
    wobble = 0.05 * ((round(start_s) * 7) % 5 - 2)  # durations that vary a little, alike all along
    down_s = 1.0 + wobble
    return Repetition(
        number, start_s, start_s + up_s, start_s + up_s + down_s, rom_deg, up_s, 0.0, down_s, 100.0, True, sparc, -5.0
    )


def sets(sizes: list[int], rest_s: float, start_s: float = 0.0, first: int = 1, **values: float) -> list[Repetition]:
    found, at = [], start_s
    for number, size in enumerate(sizes, first):
        for _ in range(size):
            found.append(repetition(number, at, **values))
            at += 3.0
        at += rest_s
    return found


def test_sets_with_short_rests_are_one_bout_and_a_long_pause_ends_it() -> None:
    early = sets([10, 10, 10], 120.0)
    late = sets([15, 15], 120.0, start_s=early[-1].end_s + 200.0, first=4)
    found = bouts_of(PARAMS, "s", 5000.0, [*early, *late])
    assert [(bout.count, bout.start_utc_s, bout.end_utc_s) for bout in found] == [
        (30, 5000.0 + early[0].start_s, 5000.0 + early[-1].end_s),
        (30, 5000.0 + late[0].start_s, 5000.0 + late[-1].end_s),
    ]
    assert all((bout.movement, bout.signs, bout.looked) == ("repetitions", (), 4) for bout in found)


def test_a_few_repetitions_between_long_sets_join_nothing() -> None:
    early = sets([30], 0.0)
    between = sets([4], 0.0, start_s=early[-1].end_s + 100.0, first=2)
    late = sets([30], 0.0, start_s=between[-1].end_s + 100.0, first=3)
    assert [bout.count for bout in bouts_of(PARAMS, "s", 0.0, [*early, *between, *late])] == [30, 30]
    # As much as a fifth and more is a set of its own; and what a lost packet cut off a set belongs to it.
    more = sets([7], 0.0, start_s=between[0].start_s, first=2)
    assert [bout.count for bout in bouts_of(PARAMS, "s", 0.0, [*early, *more, *late])] == [67]
    torn = sets([4], 0.0, start_s=early[-1].end_s + 5.0, first=2)
    assert [bout.count for bout in bouts_of(PARAMS, "s", 0.0, [*early, *torn])] == [34]
    assert [bout.count for bout in bouts_of(PARAMS, "s", 0.0, sets([4] * 8, 60.0))] == [32]


def test_a_pause_within_a_repetition_makes_no_bout_uneven() -> None:
    reps = sets([30], 0.0)
    paused = [
        replace(each, end_s=each.end_s + 7.0, hold_s=7.0) if n in (26, 28) else each for n, each in enumerate(reps)
    ]
    (bout,) = bouts_of(PARAMS, "s", 0.0, paused)
    assert (bout.count, bout.signs) == (28, ())
    # Slower and less even by degrees is told as ever.
    uneven = [
        replace(each, end_s=each.end_s + (0.5 if n % 2 else 0.0)) if n > 23 else each for n, each in enumerate(reps)
    ]
    (bout,) = bouts_of(PARAMS, "s", 0.0, uneven)
    assert (bout.count, bout.signs) == (30, (Sign.IRREGULAR.value,))


def test_too_few_are_no_bout() -> None:
    assert bouts_of(PARAMS, "s", 0.0, sets([12, 12], 60.0)) == ()
    assert len(bouts_of(PARAMS, "s", 0.0, sets([12, 13], 60.0))) == 1
    assert bouts_of(PARAMS, "s", 0.0, sets([12, 13], 200.0)) == ()
    assert bouts_of(PARAMS, "s", 0.0, []) == ()


def test_a_long_pause_within_a_set_ends_a_bout_too() -> None:
    first = sets([20], 0.0)
    same_set = sets([20], 0.0, start_s=first[-1].end_s + 300.0)
    assert bouts_of(PARAMS, "s", 0.0, [*first, *same_set]) == ()
    assert bouts_of(BoutParams(pause_s=301.0), "s", 0.0, [*first, *same_set])[0].count == 40


def test_two_movements_in_turn_are_two_bouts() -> None:
    small = [each for n in range(3) for each in sets([10], 0.0, 120.0 * n, 2 * n + 1, rom_deg=30.0)]
    large = [each for n in range(3) for each in sets([12], 0.0, 120.0 * n + 60.0, 2 * n + 2, rom_deg=90.0)]
    found = bouts_of(PARAMS, "s", 0.0, [*small, *large])
    assert [(bout.count, bout.start_utc_s) for bout in found] == [(30, 0.0), (36, 60.0)]
    assert all(bout.signs == () for bout in found)


@pytest.mark.parametrize(
    ("late", "sign", "value"),
    [
        ({"up_s": 1.25}, Sign.SLOWER, ("velocity_loss_share", 0.2)),
        ({"rom_deg": 54.0}, Sign.SMALLER, ("rom_loss_share", 0.1)),
        ({"sparc": -1.8}, Sign.JERKIER, ("sparc_loss", 0.3)),
    ],
)
def test_each_sign_from_its_limit_on(late: dict[str, float], sign: Sign, value: tuple[str, float]) -> None:
    whole = [*sets([20], 0.0), *sets([6], 0.0, 70.0, 2, **late)]
    (bout,) = bouts_of(PARAMS, "s", 0.0, whole)
    assert bout.signs == (sign.value,)
    assert getattr(bout, value[0]) == pytest.approx(value[1])


def test_uneven_repetitions_are_a_sign() -> None:
    late = [repetition(2, 70.0 + 6 * n, up_s=1.0 + 0.5 * (n % 2)) for n in range(6)]
    (bout,) = bouts_of(PARAMS, "s", 0.0, [*sets([20], 0.0), *late])
    assert Sign.IRREGULAR.value in bout.signs
    assert bout.duration_cv_ratio is not None
    assert bout.duration_cv_ratio > 1.5


def test_what_was_not_seen_whole_is_left_out() -> None:
    whole = sets([25], 0.0)
    torn = Repetition(1, 80.0, 80.2, 80.4, 12.0, 0.2, 0.0, 0.2, 100.0, whole=False)
    assert bouts_of(PARAMS, "s", 0.0, [*whole, torn])[0].count == 25


def strokes(peaks: list[float], gaps_s: list[float], clipped: bool = False) -> list[Swing]:
    times = np.cumsum([0.0, *gaps_s])
    return [Swing(float(t), peak, clipped, Turn.LEFT, None) for t, peak in zip(times, peaks, strict=True)]


def test_two_of_the_signs_are_looked_for_in_strokes() -> None:
    peaks = [1500.0] * 20 + [1150.0] * 10
    gaps = [20.0 + (n % 3) for n in range(20)] + [20.0 + 12.0 * (n % 2) for n in range(9)]
    (bout,) = bouts_of(PARAMS, "s", 100.0, [], strokes(peaks, gaps))
    assert (bout.movement, bout.count, bout.looked) == ("strokes", 30, 2)
    assert bout.signs == (Sign.SLOWER.value, Sign.IRREGULAR.value)
    assert bout.velocity_loss_share == pytest.approx(1 - 1150 / 1500)
    assert (bout.rom_loss_share, bout.sparc_loss) == (None, None)
    assert (bout.start_utc_s, bout.end_utc_s) == (100.0, 100.0 + sum(gaps))


def test_cut_off_peaks_tell_no_loss_and_a_pause_parts_strokes() -> None:
    (bout,) = bouts_of(PARAMS, "s", 0.0, [], strokes([2000.0] * 30, [20.0 + n % 3 for n in range(29)], clipped=True))
    assert (bout.looked, bout.velocity_loss_share) == (1, None)
    assert bouts_of(PARAMS, "s", 0.0, [], strokes([1500.0] * 30, [20.0] * 14 + [181.0] + [20.0] * 14)) == ()


def test_bouts_of_what_was_stored_are_the_same() -> None:
    rate = 50.0
    t = np.arange(round(200 * rate)) / rate
    angle = np.where(t < 10, 0.0, 30 * (1 - np.cos(2 * np.pi * (t - 10) / 4)) * (1 - 0.0015 * t))
    acc, gyr = hinge(angle, rate, noise=True)
    told = analyse_recording("chest", chunks(acc, gyr, rate), AnalysisParams()).motion.repetitions
    back = [repetition_from_plain(json.loads(json.dumps(repetition_to_plain(each)))) for each in told]
    straight, stored = (bouts_of(PARAMS, "s", 0.0, each) for each in (told, back))
    assert len(straight) == len(stored) == 1
    assert (straight[0].count, straight[0].signs) == (stored[0].count, stored[0].signs)
    assert straight[0].rom_loss_share == pytest.approx(stored[0].rom_loss_share, abs=1e-3)
    # The range falls in a straight line: by 0.15 % a second, between the middles of the first and the last fifth.
    assert straight[0].rom_loss_share == pytest.approx(0.0015 * 152 / (1 - 0.0015 * 29), abs=0.02)


def test_strokes_survive_being_stored() -> None:
    for swing in (Swing(12.25, 1500.5, False, Turn.RIGHT, 3.5), Swing(1.0, 900.0, True, None, None)):
        assert swing_from_plain(json.loads(json.dumps(swing_to_plain(swing)))) == swing


def test_pauses_and_a_lost_stroke_are_not_unevenness() -> None:
    """Strokes that end slower and less even: a stroke lost at the beginning, or a break, hides neither sign."""
    # The usual eight seconds, now longer and now shorter: by a twentieth at first, by three twentieths in the end.
    shares = np.repeat([0.05, 0.15], [48, 12]) * np.tile([-1.0, 1.0], 30)
    times_s = 10.0 + np.concatenate(([0.0], np.cumsum(8.0 * (1 + shares))))
    strokes = [Swing(at, 1000.0 if n < 31 else 750.0, False, Turn.LEFT, 8.0) for n, at in enumerate(times_s.tolist())]
    late = [replace(each, time_s=each.time_s + 60.0 * (n > 5)) for n, each in enumerate(strokes)]
    for seen in (strokes, [each for n, each in enumerate(strokes) if n != 3], late):
        (bout,) = bouts_of(PARAMS, "s", 0.0, [], seen)
        assert bout.signs == ("slower", "less even in time")
        assert bout.duration_cv_ratio == pytest.approx(3.0, rel=0.06)


def test_what_leads_to_a_stroke_and_back_is_no_repetition() -> None:
    """Thirty strokes with their way back, which the wrist repeats as evenly as an exercise."""
    strokes = [Swing(10.0 + 8 * n, 1000.0, False, Turn.LEFT, 8.0) for n in range(30)]
    back = [repetition(1, 10.5 + 8 * n) for n in range(30)]
    assert {bout.movement for bout in bouts_of(PARAMS, "s", 0.0, back, strokes)} == {"strokes"}
    apart = [repetition(1, 400.0 + 4 * n) for n in range(30)]
    assert [bout.movement for bout in bouts_of(PARAMS, "s", 0.0, apart, strokes)] == ["strokes", "repetitions"]

"""The tempo of sets with a known answer."""

from __future__ import annotations

import pytest

from coach.analysis.motion_types import Repetition
from coach.analysis.recording import analyse_recording
from coach.analysis.tempo import estimate_tempo
from coach.analysis.types import AnalysisParams
from tests.coach.analysis.limb import limb, repeated, strokes
from tests.coach.analysis.motion import chunks

RATE = 50.0


def told(*parts: tuple[float, float]) -> tuple[Repetition, ...]:
    acc, gyr = limb(strokes(RATE, (4.0, 0.0), *parts, (4.0, 0.0)), RATE)
    return analyse_recording("wrist_left", chunks(acc, gyr, RATE), AnalysisParams()).motion.repetitions


def test_an_even_tempo() -> None:
    tempo = estimate_tempo(told(*repeated(8, 1.0, 2.0, 2.0, 1.0, 60.0)))
    assert tempo.up_s == pytest.approx(1.0, abs=0.2)
    assert tempo.hold_s == pytest.approx(2.0, abs=0.3)
    assert tempo.down_s == pytest.approx(2.0, abs=0.3)
    assert tempo.rom_deg == pytest.approx(60.0, abs=1.5)
    assert tempo.cycle_cv < 0.03


def test_a_single_repetition_has_no_spread() -> None:
    assert estimate_tempo([Repetition(1, 0.0, 1.0, 2.0, 60.0, 1.0, 0.0, 1.0, 90.0)]).cycle_cv == 0.0

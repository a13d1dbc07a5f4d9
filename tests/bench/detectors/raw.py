"""The slow level of the benchmark: a day's raw motion, as radio and strap leave it, through the product's analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from coach.analysis.bouts import BoutParams, bouts_of
from coach.analysis.detectors.assemble import StreamMinute, bending_stretch, day_of, minutes_of
from coach.analysis.detectors.types import BendingStretch, Bout, Day, Kind, Minutes, Profile
from coach.analysis.recording import RecordingResult, analyse_recording
from coach.analysis.relative import LinePart, relative_turns
from coach.analysis.types import AnalysisParams, BendingParams
from devices.types import Chunk, Gap, Reception
from tests.bench.detectors import mishaps
from tests.bench.detectors.exposures import morning
from tests.bench.detectors.judging import BEGINS_S, DAY_S, entered_of
from tests.bench.detectors.losses import lost_rows
from tests.bench.detectors.motion import ACC_LIMIT_MPS2, GYR_LIMIT_RADPS, RATE_HZ, Signal, arm_signal, trunk_signal
from tests.bench.detectors.truth import TrueDay

CHUNK = 6000
TRUNK, PELVIS, ARM = "chest", "hip", "wrist_right"


@dataclass(frozen=True, slots=True)
class Condition:
    """What is done to a day's signals. lost_share: of the samples. mishap: of the trunk sensor, "" for none."""

    name: str
    lost_share: float = 0.0
    mishap: str = ""


CONDITIONS = (
    Condition("0 %"),
    Condition("2 %", 0.02),
    Condition("10 %", 0.10),
    Condition("30 %", 0.30),
    Condition("loose strap", 0.0, "loose"),
    Condition("wrong mounting", 0.0, "turned"),
)
MISHAPS = tuple(condition.name for condition in CONDITIONS if condition.mishap)


def params_of(profile: Profile) -> AnalysisParams:
    """Return what the product hands to the analysis for a profile."""
    bending = profile.detectors[Kind.REPEATED_BENDING]
    return AnalysisParams(
        bending=BendingParams(
            rate_per_min=bending["rate_per_min"].value,
            min_duration_s=bending["duration_min"].value * 60.0,
            min_range_deg=bending["range_deg"].value,
            coverage_share=profile.least["coverage_share"].value,
        ),
        swing=profile.stroke,
    )


def signals_of(true: TrueDay, places: tuple[str, ...], drift_ppm: float, seed: list[int]) -> list[Signal]:
    """Return what the sensors measure before anything befalls them. drift_ppm: by which their clocks run fast."""
    if true.course is None:
        return []
    rate_hz = RATE_HZ * (1 + drift_ppm * 1e-6)
    made = []
    for number, place in enumerate(places):
        make = arm_signal if place == ARM else trunk_signal
        made.append(make(true.course, place, rate_hz, np.random.default_rng([*seed, number])))
    return made


def raw_day(
    profile: Profile,
    true: TrueDay,
    signals: Sequence[Signal],
    condition: Condition,
    drift_ppm: float,
    draw: np.random.Generator,
) -> Day:
    """Return the day as the product puts it together from the signals of its sensors."""
    start, params = true.ordinal * DAY_S, params_of(profile)
    begins = start + BEGINS_S
    by_place: dict[str, Minutes] = {}
    lines: dict[str, list[LinePart]] = {}
    bending, bouts = list[BendingStretch](), list[Bout]()
    for signal in signals:
        place, stream = signal.place, f"{signal.place}-{true.ordinal}"
        worn = _befallen(signal, condition.mishap, draw) if place == TRUNK and condition.mishap else signal
        result = _analysed(params, worn, begins, drift_ppm, condition, draw)
        bouts += bouts_of(BoutParams(), stream, begins, result.motion.repetitions, result.swings)
        if result.yaw_line is not None:
            line = result.yaw_line
            lines[place] = [LinePart(begins + line.start_s, line.rate_hz, line.tenths)]
        rows: list[StreamMinute] = [(stream, begins + row.start_s, row) for row in result.minutes]
        by_place[place] = minutes_of(rows)
        bending += [bending_stretch(stream, begins, RATE_HZ, run) for run in result.bending]
    both = TRUNK in lines and PELVIS in lines
    return day_of(
        true.ordinal,
        start,
        start + DAY_S,
        True,
        by_place,
        counts_strokes=profile.stroke is not None,
        bending=bending,
        bouts=bouts,
        entered=entered_of(true),
        rmssd_s=morning(true.rmssd_s, condition.lost_share, draw),
        turns=relative_turns(params.turn, lines[TRUNK], lines[PELVIS]) if both else None,
    )


def _analysed(
    params: AnalysisParams,
    signal: Signal,
    start_utc_s: float,
    drift_ppm: float,
    condition: Condition,
    draw: np.random.Generator,
) -> RecordingResult:
    """Run the signal through the stream's own function, chunk by chunk."""
    chunks = _chunks(signal, start_utc_s, drift_ppm, condition, draw)
    if signal.place == ARM:
        return analyse_recording(signal.place, chunks, params)
    upright, forward = ((float(x), float(y), float(z)) for x, y, z in (signal.upright, signal.forward))
    return analyse_recording(signal.place, chunks, params, upright, forward)


def _befallen(signal: Signal, mishap: str, draw: np.random.Generator) -> Signal:
    """Return the signal of a trunk sensor on a loose strap, or turned against its calibration, in a drawn manner."""
    both = (signal.acc_mps2, signal.gyr_radps)
    n = len(both[0])
    if mishap == "turned":
        both = mishaps.mounted(both, mishaps.quarter_turn(int(draw.integers(0, 3)), int(draw.integers(1, 4))))
        return Signal(signal.place, *both, signal.upright, signal.forward)
    kind, row = str(draw.choice(["slack", "hanging", "fallen"])), int(draw.uniform(0.05, 0.4) * n)
    if kind == "fallen":
        both = mishaps.fallen(both, RATE_HZ, draw, row)
    elif kind == "hanging":
        both = mishaps.from_row(both, row, lambda part: mishaps.hanging(part, RATE_HZ, draw))
    else:
        wobble, pace = float(draw.uniform(15.0, 30.0)), float(draw.uniform(1.5, 3.0))
        both = mishaps.from_row(both, row, lambda part: mishaps.slack(part, RATE_HZ, draw, wobble, pace))
    return Signal(signal.place, *both, signal.upright, signal.forward)


def _chunks(
    signal: Signal, start_utc_s: float, drift_ppm: float, condition: Condition, draw: np.random.Generator
) -> Iterator[Chunk]:
    acc, gyr = signal.acc_mps2.copy(), signal.gyr_radps.copy()
    lost = lost_rows(len(acc), RATE_HZ, condition.lost_share, draw)
    acc[lost] = gyr[lost] = np.nan
    told = Reception(drift_ppm=drift_ppm, acc_limit_mps2=ACC_LIMIT_MPS2, gyr_limit_radps=GYR_LIMIT_RADPS)
    for seq, first in enumerate(range(0, len(acc), CHUNK)):
        part = slice(first, first + CHUNK)
        at = start_utc_s + first / (RATE_HZ * (1 + drift_ppm * 1e-6))
        yield Chunk(signal.place, "day", seq, at, first, RATE_HZ, acc[part], gyr[part], _gaps(lost[part]), told)


def _gaps(lost: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[Gap, ...]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], lost.astype(np.int8), [0])))).reshape(-1, 2)
    return tuple(Gap(int(a), int(b - a)) for a, b in edges)

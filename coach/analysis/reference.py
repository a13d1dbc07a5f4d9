"""Which pose counts as upright, and the samples that wait until it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from coach.analysis.frames import Vector, mean_up, up_direction
from coach.analysis.orientation import Oriented
from coach.analysis.quality import BoolArray
from coach.analysis.types import Reference, ReferenceParams
from devices.types import FloatArray, IntArray

# VQF follows the accelerometer with this time constant (its default `tauAcc`); after it the start is forgotten.
SETTLE_S = 3.0
SECOND_S = 1.0
# Squared rates are summed as whole numbers of 1e-12 rad^2/s^2: sums of whole numbers do not depend on where they began.
_PER_UNIT = 1e12
# More than any sensor's range, and still far from overflow in a window of some seconds.
_MOVING = 10**15

Quat32 = NDArray[np.float32]


def _no_quat() -> Quat32:
    return np.empty((0, 4), dtype=np.float32)


def _no_valid() -> BoolArray:
    return np.empty(0, dtype=bool)


def _no_rates() -> IntArray:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class ReferenceState:
    """upright: unit vector in sensor axes, None until known; source: which pose it is.

    While unknown, the samples from number `first` on wait: quat (m, 4) and valid (m,).
    speed2: squared rates of the newest still_s. settled: samples in the present run of settled ones; second_end: end
    of the first settled second, -1 before. first is -1 before the first sample; the search begins at `search_from`.
    """

    upright: Vector | None = None
    source: Reference | None = None
    first: int = -1
    search_from: int = -1
    quat: Quat32 = field(default_factory=_no_quat)
    valid: BoolArray = field(default_factory=_no_valid)
    speed2: IntArray = field(default_factory=_no_rates)
    settled: int = 0
    second_end: int = -1


@dataclass(frozen=True, slots=True)
class Released:
    """Samples whose reference is known, or that carry nothing: the first has number `start`.

    quat: (n, 4), valid: (n,), whole: all of it is True, up: (3, n), as in `Oriented`.
    """

    start: int
    quat: FloatArray
    valid: BoolArray
    whole: bool
    up: FloatArray

    def rows(self, first: int, end: int) -> Released:
        """Return some of the samples."""
        return Released(
            self.start + first,
            self.quat[first:end],
            self.valid[first:end],
            self.whole or bool(self.valid[first:end].all()),
            self.up[:, first:end],
        )


def settle_reference(
    params: ReferenceParams, state: ReferenceState, rate_hz: float, start: int, oriented: Oriented
) -> tuple[ReferenceState, Released]:
    """Take the next samples; return those that need not wait any longer, in order.

    start: number of the first. The reference is the first `still_s` without a gap in which the
    root mean square of the rate is below `still_gyr_rms_degps`; when `search_s` pass without, the first settled second.
    """
    n = oriented.valid.size
    if state.upright is not None or n == 0 or (state.first < 0 and not oriented.valid.any()):
        return state, Released(start, oriented.quat, oriented.valid, oriented.whole, oriented.up)
    if state.first < 0:
        state = replace(state, first=start, search_from=start + int(np.argmax(oriented.valid)))
    waiting = _append(state, rate_hz, oriented)
    limit = max(round(params.search_s * rate_hz), 1)
    still, speed2 = _still_end(params, state, rate_hz, start, oriented)
    if 0 <= still - state.search_from <= limit:
        settled = _settle(waiting, still, round(params.still_s * rate_hz), Reference.STILL)
    elif start + n - state.search_from >= limit:
        settled = _settle_by_second(waiting, rate_hz, state.search_from + limit)
    else:
        return replace(waiting, speed2=speed2), _nothing(state.first)
    return settled.state, _release(waiting, settled.end, start, oriented)


def finish_reference(state: ReferenceState, rate_hz: float) -> tuple[ReferenceState, Released]:
    """Settle with what there is; return the samples that waited."""
    if state.upright is not None or state.first < 0:
        return state, _nothing(max(state.first, 0))
    end = state.first + state.valid.size
    settled = _settle_by_second(state, rate_hz, end)
    return settled.state, _waited(state.first, *_kept(state))


@dataclass(frozen=True, slots=True)
class _Settled:
    state: ReferenceState
    end: int  # one past the sample that decided


def _append(state: ReferenceState, rate_hz: float, oriented: Oriented) -> ReferenceState:
    number = state.first + state.valid.size
    ready = oriented.valid & (oriented.age >= math.ceil(SETTLE_S * rate_hz))
    rows = np.arange(ready.size)
    broken = np.maximum.accumulate(np.where(ready, -1 - state.settled, rows))
    run = rows - broken
    need = max(round(SECOND_S * rate_hz), 1)
    end = state.second_end
    if end < 0 and (run >= need).any():
        end = number + int(np.argmax(run >= need)) + 1
    return replace(
        state,
        quat=np.concatenate((state.quat, oriented.quat.astype(np.float32))),
        valid=np.concatenate((state.valid, oriented.valid)),
        settled=int(run[-1]),
        second_end=end,
    )


def _still_end(
    params: ReferenceParams, state: ReferenceState, rate_hz: float, start: int, oriented: Oriented
) -> tuple[int, IntArray]:
    """Return one past the end of the first still stretch that ends here, -1 for none; and the rates to keep."""
    window = max(round(params.still_s * rate_hz), 1)
    x, y, z = (np.where(oriented.valid, oriented.gyr[:, axis], 0.0) for axis in range(3))
    scaled = np.minimum((x * x + y * y + z * z) * _PER_UNIT, _MOVING)
    speed2 = np.concatenate((state.speed2, np.where(oriented.valid, scaled, _MOVING).astype(np.int64)))
    total = np.concatenate(([0], np.cumsum(speed2)))
    limit = math.radians(params.still_gyr_rms_degps) ** 2 * _PER_UNIT * window
    still = total[window:] - total[:-window] < limit
    end = start - state.speed2.size + window + int(np.argmax(still)) if still.any() else -1
    return end, speed2[-(window - 1) :] if window > 1 else _no_rates()


def _settle(waiting: ReferenceState, end: int, count: int, source: Reference) -> _Settled:
    rows = slice(max(end - count - waiting.first, 0), end - waiting.first)
    chosen = waiting.quat[rows][waiting.valid[rows]]
    return _Settled(ReferenceState(mean_up(chosen.astype(np.float64)), source), end)


def _settle_by_second(waiting: ReferenceState, rate_hz: float, end: int) -> _Settled:
    count = max(round(SECOND_S * rate_hz), 1)
    if 0 <= waiting.second_end <= end:
        settled = _settle(waiting, waiting.second_end, count, Reference.SETTLED)
        return _Settled(settled.state, end)
    # Too short to settle: the newest second that carries values is the most settled one there is.
    covered = np.flatnonzero(waiting.valid[: end - waiting.first])[-count:]
    chosen = waiting.quat[covered].astype(np.float64)
    return _Settled(ReferenceState(mean_up(chosen), Reference.SETTLED), end)


def _release(waiting: ReferenceState, end: int, start: int, oriented: Oriented) -> Released:
    """Return all samples that waited. Those up to `end` went through float32 whatever the cut; later ones never did."""
    quat, valid = _kept(waiting)
    exact = min(start + oriented.valid.size - end, oriented.valid.size)
    if exact > 0:
        quat[quat.shape[0] - exact :] = oriented.quat[-exact:]
    return _waited(waiting.first, quat, valid)


def _kept(state: ReferenceState) -> tuple[FloatArray, BoolArray]:
    return state.quat.astype(np.float64), state.valid.copy()


def _waited(start: int, quat: FloatArray, valid: BoolArray) -> Released:
    return Released(start, quat, valid, bool(valid.all()), up_direction(quat))


def _nothing(start: int) -> Released:
    return Released(start, np.empty((0, 4)), _no_valid(), True, np.empty((3, 0)))

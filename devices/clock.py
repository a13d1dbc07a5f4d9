"""Device ticks -> UTC: unwrap, notice a restart of the device's clock, fit the arrivals on line.

A notification arrives late, never early: by the radio, by the operating system, by a busy program. So the best line
through (device time, lateness) is the one that lies under all points. Limits, stated: the shortest delay of the radio
path is part of the told time, because nothing tells it from an offset; and a link whose connection interval equals the
sample period shows no drift at all until it slips by one interval. `uncertainty_s` covers the rest.
Source of the line: the lower hull's edge over the mean is the lowest-sum line under all points (linear programming).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from devices.types import FloatArray, IntArray

# One point of the fit stands for this long; it is the least late arrival of it (own heuristic).
_WINDOW_S = 2.0
# Ten minutes of points: enough for 1 ppm, short enough to follow a crystal that warms up (own heuristic).
_WINDOWS_MAX = 300
_SPAN_MAX_S = _WINDOW_S * _WINDOWS_MAX
# Before this there is no slope; then it is trusted as far as the scatter of the points allows (own heuristic).
_SPAN_MIN_S = 10.0
# Drift that is thought likely before anything was seen: crystals of wearables lie within 50 ppm, 200 ppm is asked for.
_PRIOR_PPM = 200.0
# Crystal oscillators of wearables stay far inside this (own heuristic, ten times a common 50 ppm).
_DRIFT_MAX_PPM = 500.0
# A crystal's own change over ten minutes: no line is better than this (own heuristic).
_WANDER_PPM = 1.0
# How much an old arrival is allowed to lie under the line, at most, per s of age.
_LOOSEST_PPM = 50.0
# The line is as certain as its lowest points are dense: the height of the sixth tells (own heuristic).
_EDGE_RANK = 5
# Arrivals come in steps of connection events, which hide a slope of less than about a step (own heuristic: 1 ms).
_GRAIN_S = 1e-3
# Drift is told to people when it is certain to this.
_DRIFT_CERTAIN_PPM = 20.0
# Points off the line by more than this, and by five times the usual scatter, tell of a host clock that was set: at
# once when they are early, which no delay explains, after a minute when all are late (own heuristic).
_STEP_S = 0.05
_STEP_SCATTERS = 5.0
_LATE_WINDOWS = 30
# The told time follows the fit at most this fast, so that it never goes backwards (own heuristic).
_SLEW_SHARE = 0.05
# Device time between two points of the told time, and how many of them are kept: 10 minutes.
_KNOT_S = 0.25
_KNOTS_MAX = 2400
# Counters this wide never wrap, and their half does not fit 64 bits.
_NO_WRAP = 2**62


@dataclass(frozen=True, slots=True)
class ClockParams:
    """What is known of a device clock.

    step_max_s: a longer step forward, or one further back than this, needs the next sample to agree, because a damaged
    time stamp looks the same. tolerance_s: how far device and host may disagree about a pause before it counts as
    a restart; scale it by the host clock's speed.
    """

    ticks_per_s: int
    tick_wrap: int
    step_max_s: float = 1.0
    tolerance_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Timed:
    """Samples on one unbroken tick axis.

    ticks: (n,) unwrapped. kept: (n,) their positions among those given. restarts: positions in `ticks` at which the
    device's clock began anew. damaged: how many were dropped for a time stamp that no neighbour agrees with.
    undecided: the last one given waits for its successor; give it again at the front of the next call.
    """

    ticks: IntArray
    kept: IntArray
    restarts: tuple[int, ...] = ()
    damaged: int = 0
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    """Lateness under all points, in s: offset + slope * device time."""

    offset_s: float
    slope: float

    def at(self, t_s: float) -> float:
        return self.offset_s + self.slope * t_s


@dataclass(frozen=True, slots=True)
class _Knot:
    """From device time t_s on, the told lateness goes from told_s towards the line."""

    t_s: float
    told_s: float
    line: _Line

    def at(self, t_s: float) -> float:
        reach = _SLEW_SHARE * max(t_s - self.t_s, 0.0)
        away = self.line.at(t_s) - self.told_s
        return self.told_s + min(max(away, -reach), reach)


class DeviceClock:
    """One wearable's clock across link losses. Feed every sample to `take`; ask `utc_s` for what has been taken."""

    def __init__(self, params: ClockParams) -> None:
        self._params = params
        self._begun = False
        # The last sample taken: its ticks as sent, and unwrapped.
        self._last_raw = self._last = 0
        self._origin_tick = 0
        self._origin_utc_s = 0.0
        # The newest _WINDOWS_MAX least late arrivals, closed windows only, and the one of the open window.
        self._points: list[tuple[float, float]] = []
        self._least: tuple[float, float] | None = None
        self._window = -1
        self._late_windows = 0
        self._line = _Line(0.0, 0.0)
        # Slope: what is thought of it before the points are looked at, and how sure it is now; ppm.
        self._prior_slope, self._prior_ppm = 0.0, _PRIOR_PPM
        self._unsure_ppm = _PRIOR_PPM
        # How far the points usually lie above the line, and how well the lowest of them fix it.
        self._scatter_s = self._edge_s = 0.0
        self._knots: list[_Knot] = []
        self._knot_times: list[float] = []

    def take(self, ticks: IntArray, arrival_utc_s: FloatArray) -> Timed:
        """Unwrap device ticks (n,) as sent and learn from their arrivals (n,), in order of arrival."""
        if ticks.size == 0:
            return Timed(ticks, ticks)
        if not self._begun:
            self._begin(int(ticks[0]), float(arrival_utc_s[0]))
        steps = self._signed(np.diff(ticks, prepend=self._last_raw))
        if (np.abs(steps) <= self._params.step_max_s * self._params.ticks_per_s).all():
            unwrapped: IntArray = self._last + np.cumsum(steps)
            timed = Timed(unwrapped, np.arange(ticks.size, dtype=np.int64))
            self._last_raw, self._last = int(ticks[-1]), int(unwrapped[-1])
        else:
            timed = self._take_one_by_one(ticks, arrival_utc_s)
        fresh = timed.restarts[-1] if timed.restarts else 0
        self._learn(timed.ticks[fresh:], arrival_utc_s[timed.kept[fresh:]])
        return timed

    def utc_s(self, tick: int) -> float:
        """Return the Unix time of an unwrapped tick. It never falls as the tick rises, however the fit changes."""
        t_s = (tick - self._origin_tick) / self._params.ticks_per_s
        if not self._knots:
            return self._origin_utc_s + t_s
        knot = self._knots[max(bisect_right(self._knot_times, t_s) - 1, 0)]
        return self._origin_utc_s + t_s + knot.at(t_s)

    @property
    def drift_ppm(self) -> float | None:
        """Return how much faster than UTC the device's clock runs, None until it is certain to 20 ppm."""
        # A device clock that runs fast makes later samples look less late.
        return -self._line.slope * 1e6 if self._unsure_ppm <= _DRIFT_CERTAIN_PPM else None

    @property
    def uncertainty_s(self) -> float | None:
        """Return how far the newest told time may be off, apart from the shortest delay of the radio path.

        None before there are three points to judge by.
        """
        if len(self._points) < 3 or not self._knots:
            return None
        t_s = self._knots[-1].t_s
        span_s = min(t_s - self._points[0][0], _SPAN_MAX_S)
        told_off_s = abs(self._knots[-1].told_s - self._line.at(t_s))
        return 2 * self._edge_s + self._unsure_ppm * 1e-6 * span_s / 2 + told_off_s

    def _begin(self, tick: int, arrival_utc_s: float) -> None:
        self._begun = True
        self._last_raw = self._last = self._origin_tick = tick
        self._origin_utc_s = arrival_utc_s

    def _signed(self, steps: IntArray) -> IntArray:
        if self._params.tick_wrap >= _NO_WRAP:
            return steps
        half = self._params.tick_wrap // 2
        return (steps + half) % self._params.tick_wrap - half

    def _step(self, step: int) -> int:
        half = self._params.tick_wrap // 2
        return (step + half) % self._params.tick_wrap - half

    def _take_one_by_one(self, ticks: IntArray, arrival_utc_s: FloatArray) -> Timed:
        """Take a batch with an unusual step in it; rare, and short."""
        limit = self._params.step_max_s * self._params.ticks_per_s
        unwrapped: list[int] = []
        kept: list[int] = []
        restarts: list[int] = []
        damaged, undecided = 0, False
        raws = ticks.tolist()
        for i, raw in enumerate(raws):
            step = self._step(raw - self._last_raw)
            if abs(step) > limit:
                if i + 1 == len(raws):
                    undecided = True
                    break
                if abs(self._step(raws[i + 1] - raw)) > limit:
                    damaged += 1
                    continue
                step, restarted = self._jump(raw, float(arrival_utc_s[i]))
                if restarted:
                    restarts.append(len(unwrapped))
            self._last_raw, self._last = raw, self._last + step
            unwrapped.append(self._last)
            kept.append(i)
        as_ticks = np.array(unwrapped, dtype=np.int64)
        return Timed(as_ticks, np.array(kept, dtype=np.int64), tuple(restarts), damaged, undecided)

    def _jump(self, raw: int, arrival_utc_s: float) -> tuple[int, bool]:
        """Return how many ticks have passed since the last sample, and whether the device's clock began anew."""
        p = self._params
        passed_s = arrival_utc_s - self.utc_s(self._last)
        step = (raw - self._last_raw) % p.tick_wrap
        wraps = max(round((passed_s * p.ticks_per_s - step) / p.tick_wrap), 0)
        step += wraps * p.tick_wrap
        if abs(step / p.ticks_per_s - passed_s) <= p.tolerance_s + _DRIFT_MAX_PPM * 1e-6 * abs(passed_s):
            return step, False
        self._forget_points()
        return max(round(passed_s * p.ticks_per_s), 1), True

    def _learn(self, ticks: IntArray, arrival_utc_s: FloatArray) -> None:
        if ticks.size == 0:
            return
        t_s = (ticks - self._origin_tick) / self._params.ticks_per_s
        late_s = arrival_utc_s - self._origin_utc_s - t_s
        least = int(np.argmin(late_s))
        self._add_point(float(t_s[least]), float(late_s[least]))
        self._tell(float(t_s.max()))

    def _add_point(self, t_s: float, late_s: float) -> None:
        """Keep the least late arrival of each window; draw the line anew when a window ends."""
        window = int(t_s // _WINDOW_S)
        if window < self._window:
            return
        off_s = late_s - self._line.at(t_s)
        if self._knots and off_s < -max(_STEP_S, _STEP_SCATTERS * self._scatter_s):
            self._forget_points()
        if window > self._window:
            if self._least is not None:
                self._close_window(self._least)
            self._window, self._least = window, (t_s, late_s)
            self._fit()
        elif self._least is None or late_s < self._least[1]:
            self._least = (t_s, late_s)
            if off_s < 0:
                self._line = _Line(self._line.offset_s + off_s, self._line.slope)
        if not self._knots:
            self._line = _Line(late_s - self._line.slope * t_s, self._line.slope)

    def _close_window(self, point: tuple[float, float]) -> None:
        off_s = point[1] - self._line.at(point[0])
        late = off_s > max(_STEP_S, _STEP_SCATTERS * self._scatter_s)
        self._late_windows = self._late_windows + 1 if late else 0
        if self._late_windows >= _LATE_WINDOWS:
            del self._points[: -_LATE_WINDOWS + 1]
            self._late_windows = 0
        self._points.append(point)
        del self._points[:-_WINDOWS_MAX]

    def _forget_points(self) -> None:
        """Begin the fit anew, with the slope that was found: it belongs to the same crystal."""
        self._prior_slope, self._prior_ppm = self._line.slope, max(self._unsure_ppm, _DRIFT_CERTAIN_PPM)
        self._points.clear()
        self._least, self._window, self._late_windows = None, -1, 0

    def _fit(self) -> None:
        """Draw the line: slope between what was thought before and what the hull says, as sure as each is."""
        points = [*self._points, *([self._least] if self._least is not None else [])]
        t_s, late_s = np.array(points).T
        now_s, span_s = float(t_s[-1]), float(t_s[-1] - t_s[0])
        slope, unsure_ppm = self._prior_slope, self._prior_ppm
        if span_s >= _SPAN_MIN_S:
            found = _slope_under(points)
            above_s = late_s - found * t_s
            edge_s = _edge(above_s)
            found_ppm = (2.0 * edge_s + _GRAIN_S) / span_s * 1e6 + _WANDER_PPM
            trust = self._prior_ppm**2 / (self._prior_ppm**2 + found_ppm**2)
            slope += trust * (found - slope)
            slope = min(max(slope, -_DRIFT_MAX_PPM * 1e-6), _DRIFT_MAX_PPM * 1e-6)
            unsure_ppm = found_ppm * trust**0.5
        self._unsure_ppm = unsure_ppm
        # Each arrival says that the line is not above it; an old one says so less sharply, for the slope is unsure.
        slack = min(unsure_ppm, _LOOSEST_PPM) * 1e-6
        offset_s = float((late_s - slope * t_s + slack * (now_s - t_s)).min())
        self._line = _Line(offset_s, slope)
        if len(points) >= 3:
            above_s = late_s - slope * t_s
            self._scatter_s, self._edge_s = float(np.median(above_s) - above_s.min()), _edge(above_s)

    def _tell(self, t_s: float) -> None:
        """Lay down what is told from t_s on; what has been laid down stays."""
        if not self._knots:
            told_s = self._line.at(t_s)
        elif t_s - self._knots[-1].t_s >= _KNOT_S:
            told_s = self._knots[-1].at(t_s)
        else:
            return
        self._knots.append(_Knot(t_s, told_s, self._line))
        self._knot_times.append(t_s)
        if len(self._knots) > 2 * _KNOTS_MAX:
            del self._knots[:-_KNOTS_MAX]
            del self._knot_times[:-_KNOTS_MAX]


def _edge(above_s: FloatArray) -> float:
    """Return how high above the lowest point the sixth lowest lies: near it the points are about a fifth as far apart."""
    rank = min(_EDGE_RANK, len(above_s) - 1)
    return float(np.partition(above_s, rank)[rank] - above_s.min())


def _slope_under(points: list[tuple[float, float]]) -> float:
    """Return the slope of the lower hull's edge over the mean abscissa. points: ascending in the first value."""
    hull: list[tuple[float, float]] = []
    for x, y in points:
        while len(hull) >= 2 and _turns_down(hull[-2], hull[-1], (x, y)):
            hull.pop()
        hull.append((x, y))
    mean = sum(x for x, _ in points) / len(points)
    for (x0, y0), (x1, y1) in pairwise(hull):
        if x1 >= mean:
            return (y1 - y0) / (x1 - x0)
    return 0.0


def _turns_down(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) <= (b[1] - a[1]) * (c[0] - a[0])

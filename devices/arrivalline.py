"""The line under all arrivals: how late a stream's own time is against the host's, and how sure that is.

A notification arrives late, never early: by the radio, by the operating system, by a busy program. So the best line
through (stream time, lateness) is the one that lies under all points.
Source of the line: the lower hull's edge over the mean is the lowest-sum line under all points (linear programming).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from devices.types import FloatArray

# How much an old arrival is allowed to lie under the line, at most, per s of age (own heuristic).
_LOOSEST_PPM = 50.0
# The line is as certain as its lowest points are dense: the height of the sixth tells (own heuristic).
_EDGE_RANK = 5
# Arrivals come in steps of connection events, which hide a slope of less than about a step (own heuristic: 1 ms).
_GRAIN_S = 1e-3
# Points off the line by more than step_s, and by five times the usual scatter, tell of a host clock that was set: at
# once when they are early, which no delay explains, after a while when all are late (own heuristic).
_STEP_SCATTERS = 5.0
_LATE_WINDOWS = 30
# Newest notifications by which is judged whether they keep step with the radio (own heuristic).
_STEP_NOTIFICATIONS = 64
# Connection intervals are 7.5 ms at least (Bluetooth Core Specification, vol. 4, part E, 7.8.12), a share of the 50 ms
# taken for the longest. Waits spread over as much show the interval, to half as much again (own heuristic).
_SHORTEST_SHARE, _SHOWN_FACTOR = 0.15, 1.5


@dataclass(frozen=True, slots=True)
class LineParams:
    """window_s: one point of the fit stands for this long, the least late arrival of it. windows: points kept.

    span_min_s: before this there is no slope. prior_ppm: slopes thought likely before anything was seen; max_ppm: none
    is steeper. wander_ppm: how much the slope itself changes while the points last. certain_ppm: how sure a slope may
    be at most when the fit begins anew. step_s: points further off may tell of a host clock that was set.
    """

    window_s: float
    windows: int
    span_min_s: float
    prior_ppm: float
    max_ppm: float
    wander_ppm: float
    certain_ppm: float
    step_s: float = 0.05

    def scaled(self, speed: float) -> LineParams:
        """Return the same for a host's clock that runs faster than real time, in which delays last longer."""
        return replace(
            self,
            window_s=self.window_s * speed,
            span_min_s=self.span_min_s * speed,
            step_s=self.step_s * speed,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """Lateness in s: offset + slope * stream time."""

    offset_s: float = 0.0
    slope: float = 0.0

    def at(self, t_s: float) -> float:
        return self.offset_s + self.slope * t_s


class ArrivalLine:
    """Feed every batch of arrivals to `add`, in order; read `line`, and how sure it is."""

    def __init__(self, params: LineParams) -> None:
        self._params = params
        # The least late arrivals of the closed windows, and that of the open one.
        self._points: list[tuple[float, float]] = []
        self._least: tuple[float, float] | None = None
        self._window = -1
        self._late_windows = 0
        self._begun = False
        self.line = Line()
        # The slope as thought of before the points are looked at.
        self._prior_slope, self._prior_ppm = 0.0, params.prior_ppm
        self.unsure_ppm = params.prior_ppm
        # How far the points usually lie above the line, and how well the lowest of them fix it.
        self.scatter_s = self._edge_s = 0.0

    def uncertainty_s(self, t_s: float) -> float | None:
        """Return how far the line may be off at t_s, None before there are three points to judge by."""
        if len(self._points) < 3:
            return None
        span_s = min(t_s - self._points[0][0], self._params.window_s * self._params.windows)
        return 2 * self._edge_s + self.unsure_ppm * 1e-6 * span_s / 2

    def add(self, t_s: FloatArray, late_s: FloatArray) -> None:
        """Take samples: stream time (n,), lateness (n,) in s."""
        if not len(t_s):
            return
        window = t_s // self._params.window_s
        if window.min() == window.max():
            least = int(np.argmin(late_s))
            self._add_point(float(t_s[least]), float(late_s[least]))
            return
        # The least late one of each window, in order of time.
        order = np.lexsort((late_s, window))
        first = order[np.flatnonzero(np.diff(window[order], prepend=-np.inf))]
        for at, late in zip(t_s[first].tolist(), late_s[first].tolist(), strict=True):
            self._add_point(at, late)

    def _add_point(self, t_s: float, late_s: float) -> None:
        """Keep the least late arrival of each window; draw the line anew when a window ends."""
        window = int(t_s // self._params.window_s)
        if window < self._window:
            return
        off_s = late_s - self.line.at(t_s)
        if self._begun and off_s < -self._far_s():
            self.forget()
        if window > self._window:
            if self._least is not None:
                self._close_window(self._least)
            self._window, self._least = window, (t_s, late_s)
            self._fit()
        elif self._least is None or late_s < self._least[1]:
            self._least = (t_s, late_s)
            if off_s < 0:
                self.line = Line(self.line.offset_s + off_s, self.line.slope)
        self._begun = True

    def forget(self) -> None:
        """Begin the fit anew, with the slope that was found: it belongs to the same crystal."""
        self._prior_slope = self.line.slope
        self._prior_ppm = max(self.unsure_ppm, self._params.certain_ppm)
        self._points.clear()
        self._least, self._window, self._late_windows = None, -1, 0

    def _far_s(self) -> float:
        return max(self._params.step_s, _STEP_SCATTERS * self.scatter_s)

    def _close_window(self, point: tuple[float, float]) -> None:
        late = point[1] - self.line.at(point[0]) > self._far_s()
        self._late_windows = self._late_windows + 1 if late else 0
        if self._late_windows >= _LATE_WINDOWS:
            del self._points[: -_LATE_WINDOWS + 1]
            self._late_windows = 0
        self._points.append(point)
        del self._points[: -self._params.windows]

    def _fit(self) -> None:
        """Draw the line: slope between what was thought before and what the hull says, as sure as each is."""
        p = self._params
        points = [*self._points, *([self._least] if self._least is not None else [])]
        t_s, late_s = np.array(points).T
        now_s, span_s = float(t_s[-1]), float(t_s[-1] - t_s[0])
        slope, self.unsure_ppm = self._prior_slope, self._prior_ppm
        if span_s >= p.span_min_s:
            found = _slope_under(points)
            edge_s = _edge(late_s - found * t_s)
            found_ppm = (2.0 * edge_s + _GRAIN_S) / span_s * 1e6 + p.wander_ppm
            trust = self._prior_ppm**2 / (self._prior_ppm**2 + found_ppm**2)
            slope += trust * (found - slope)
            slope = min(max(slope, -p.max_ppm * 1e-6), p.max_ppm * 1e-6)
            self.unsure_ppm = found_ppm * trust**0.5
        # Each arrival says that the line is not above it; an old one says so less sharply, for the slope is unsure.
        slack = min(self.unsure_ppm, _LOOSEST_PPM) * 1e-6
        above_s = late_s - slope * t_s
        self.line = Line(float((above_s + slack * (now_s - t_s)).min()), slope)
        if len(points) >= 3:
            self.scatter_s, self._edge_s = float(np.median(above_s) - above_s.min()), _edge(above_s)


class SharedWait:
    """How long all notifications may have waited for the radio alike, so that no line under them can show it.

    Between two connection events everything waits. Samples that fall anywhere between them show that: some do not wait
    at all. Those that keep step with the events all wait as long, which looks like an offset.
    """

    def __init__(self) -> None:
        # Of each notification: arrival, stream time and lateness of its least late sample.
        self._seen: deque[tuple[float, float, float]] = deque(maxlen=_STEP_NOTIFICATIONS)

    def add(self, arrival_utc_s: FloatArray, t_s: FloatArray, late_s: FloatArray) -> None:
        """Take samples in order of arrival: arrival, stream time and lateness (n,) in s."""
        first = np.flatnonzero(np.diff(arrival_utc_s, prepend=-np.inf))[-_STEP_NOTIFICATIONS:]
        arrival, t, late = arrival_utc_s[first[0] :], t_s[first[0] :], late_s[first[0] :]
        # Stream time and lateness have a constant sum in a notification: its newest sample is the least late.
        newest = np.maximum.reduceat(t, first - first[0])
        least = np.minimum.reduceat(late, first - first[0])
        self._seen.extend(zip(arrival[first - first[0]].tolist(), newest.tolist(), least.tolist(), strict=True))

    def hidden_s(self, line: Line, interval_max_s: float) -> float:
        """Return how much of the wait the lateness over `line` leaves open: at most one interval, none if all is seen.

        Nothing waits longer than the next notification takes to come, nor than one connection interval.
        """
        if len(self._seen) < 2:
            return interval_max_s
        arrival, t_s, late_s = np.array(self._seen).T
        above_s = late_s - line.offset_s - line.slope * t_s
        # Waits spread evenly over an interval are half of it in the median.
        seen_s = 2 * float(np.median(above_s) - above_s.min())
        if seen_s < _SHORTEST_SHARE * interval_max_s:
            # Too alike to be waits: what differs is the host's own delay.
            seen_s, interval_s = 0.0, interval_max_s
        else:
            interval_s = min(_SHOWN_FACTOR * seen_s, interval_max_s)
        return max(float(np.minimum(np.diff(arrival), interval_s).mean()) - seen_s, 0.0)


def _edge(above_s: FloatArray) -> float:
    """Return the height of the sixth lowest point above the lowest."""
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

"""Device ticks -> UTC: unwrap, notice a restart of the device's clock, follow the arrivals on line.

Limits, stated: the shortest delay of the radio path is part of the told time, because nothing tells it from an offset;
and a link whose packets keep step with its connection interval shows no drift at all until it slips by one interval.
`uncertainty_s` covers all but the former.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from devices.arrivalline import ArrivalLine, Line, LineParams, SharedWait
from devices.types import FloatArray, IntArray

# Drift is told to people when it is certain to this.
_DRIFT_CERTAIN_PPM = 20.0
# Ten minutes of points: enough for 1 ppm, short enough to follow a crystal that warms up. Crystals of wearables lie
# within a common 50 ppm; 200 ppm is what is asked for, 500 ppm is far outside (own heuristics).
CRYSTAL_LINE = LineParams(
    window_s=2.0,
    windows=300,
    span_min_s=10.0,
    prior_ppm=200.0,
    max_ppm=500.0,
    wander_ppm=1.0,
    certain_ppm=_DRIFT_CERTAIN_PPM,
)
# The told time follows the fit at most this fast, so that it never goes backwards (own heuristic).
_SLEW_SHARE = 0.05
# Device time between two points of the told time, and how many of them are kept: 10 minutes.
_KNOT_S = 0.25
_KNOTS_MAX = 2400
# A sample this far back may have been overtaken by others on its way (own heuristic).
_OVERTAKEN_S = 5.0
# How sure the time since the last sample is, as a share of the tolerance: half a second in real time (own heuristic).
_MARGIN_SHARE = 0.1
# The longest connection interval that Linux asks for by itself: 40 times 1.25 ms.
# Source: Linux, net/bluetooth/hci_core.c, le_conn_max_interval.
INTERVAL_MAX_S = 0.05
# Counters this wide never wrap, and their half does not fit 64 bits.
_NO_WRAP = 2**62


@dataclass(frozen=True, slots=True)
class ClockParams:
    """What is known of a device clock.

    step_max_s: a longer step forward, or one further back than this, needs the next sample to agree, because a damaged
    time stamp looks the same. tolerance_s: how far device and host may disagree about a pause before it counts as
    a restart; interval_max_s: how long a packet waits for its connection event at most; scale both by the host clock's
    speed. line: what is thought of the clock's drift. counts_samples: the ticks number samples, there is no clock whose
    drift could be told.
    """

    ticks_per_s: int
    tick_wrap: int
    step_max_s: float = 1.0
    tolerance_s: float = 5.0
    interval_max_s: float = INTERVAL_MAX_S
    line: LineParams = CRYSTAL_LINE
    counts_samples: bool = False


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
class _Knot:
    """From device time t_s on, the told lateness goes from told_s towards the line."""

    t_s: float
    told_s: float
    line: Line

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
        self._line = ArrivalLine(params.line)
        self._wait = SharedWait()
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
        if self._params.counts_samples:
            return None
        # A device clock that runs fast makes later samples look less late.
        return -self._line.line.slope * 1e6 if self._line.unsure_ppm <= _DRIFT_CERTAIN_PPM else None

    @property
    def uncertainty_s(self) -> float | None:
        """Return how far the newest told time may be off, apart from the shortest delay of the radio path.

        None before there are three points to judge by.
        """
        if not self._knots:
            return None
        newest = self._knots[-1]
        off_s = self._line.uncertainty_s(newest.t_s)
        if off_s is None:
            return None
        hidden_s = self._wait.hidden_s(self._line.line, self._params.interval_max_s)
        return off_s + hidden_s + abs(newest.told_s - self._line.line.at(newest.t_s))

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
                together = arrival_utc_s[i:] == arrival_utc_s[i]
                step, restarted = self._jump(raw, float(arrival_utc_s[i]) - self._lead_s(ticks[i:][together]))
                if restarted:
                    restarts.append(len(unwrapped))
            self._last_raw, self._last = raw, self._last + step
            unwrapped.append(self._last)
            kept.append(i)
        as_ticks = np.array(unwrapped, dtype=np.int64)
        return Timed(as_ticks, np.array(kept, dtype=np.int64), tuple(restarts), damaged, undecided)

    def _lead_s(self, ticks: IntArray) -> float:
        """Return how long before the newest sample of its notification, ticks (n,), the first was taken."""
        steps = self._signed(np.diff(ticks))
        usual = np.abs(steps) <= self._params.step_max_s * self._params.ticks_per_s
        # A damaged time stamp ends the run.
        run = np.cumsum(steps[: len(steps) if usual.all() else int(np.argmin(usual))])
        return float(run.max(initial=0)) / self._params.ticks_per_s

    def _jump(self, raw: int, seen_utc_s: float) -> tuple[int, bool]:
        """Return how many ticks have passed since the last sample, and whether the device's clock began anew."""
        p = self._params
        passed_s = seen_utc_s - self.utc_s(self._last)
        back_s = -self._step(raw - self._last_raw) / p.ticks_per_s
        if 0 < back_s <= _OVERTAKEN_S and raw / p.ticks_per_s > passed_s + _MARGIN_SHARE * p.tolerance_s:
            # A clock that began anew cannot show more than the time that has passed: this one was overtaken.
            return self._step(raw - self._last_raw), False
        step = (raw - self._last_raw) % p.tick_wrap
        wraps = max(round((passed_s * p.ticks_per_s - step) / p.tick_wrap), 0)
        step += wraps * p.tick_wrap
        if abs(step / p.ticks_per_s - passed_s) <= p.tolerance_s + p.line.max_ppm * 1e-6 * abs(passed_s):
            return step, False
        self._line.forget()
        return max(round(passed_s * p.ticks_per_s), 1), True

    def _learn(self, ticks: IntArray, arrival_utc_s: FloatArray) -> None:
        if ticks.size == 0:
            return
        t_s = (ticks - self._origin_tick) / self._params.ticks_per_s
        late_s = arrival_utc_s - self._origin_utc_s - t_s
        self._line.add(t_s, late_s)
        self._wait.add(arrival_utc_s, t_s, late_s)
        if not self._knots:
            self._tell(float(t_s.min()))
        self._tell(float(t_s.max()))

    def _tell(self, t_s: float) -> None:
        """Lay down what is told from t_s on; what has been laid down stays."""
        if not self._knots:
            told_s = self._line.line.at(t_s)
        elif t_s - self._knots[-1].t_s >= _KNOT_S:
            told_s = self._knots[-1].at(t_s)
        else:
            return
        self._knots.append(_Knot(t_s, told_s, self._line.line))
        self._knot_times.append(t_s)
        if len(self._knots) > 2 * _KNOTS_MAX:
            del self._knots[:-_KNOTS_MAX]
            del self._knot_times[:-_KNOTS_MAX]

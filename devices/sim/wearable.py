"""A wearable that any user can run, with everything that may befall it: one switch for each fault.

Each switch works for every product. What was really injected is in `truth`.
"""

from __future__ import annotations

from devices.sim.model import WearableModel
from devices.sim.reach import Elsewhere, Pairing


class SimWearable(WearableModel):
    """One simulated wearable and its switches; see WearableModel for how it is made."""

    # The link

    def stop_advertising(self) -> None:
        """Be found by no scan and take no connection until `start_advertising`; a link that stands is not touched."""
        self.reach.advertises = False

    def start_advertising(self) -> None:
        """Advertise again."""
        self.reach.advertises = True

    def leave_reach(self, supervision_s: float = 2.0) -> None:
        """Be out of the radio's reach: nothing arrives, and the link is lost after `supervision_s` of the clock."""
        with self.lock:
            self.reach.supervision_s = supervision_s
            self.reach.away_since_s = self.time.utc_s()

    def come_back(self) -> None:
        """Be in reach again; a link that was not given up meanwhile goes on."""
        with self.lock:
            self._pass_over()
            if self.reach.away_since_s is not None:
                self._outbox.drop()
            self.reach.away_since_s = None

    def refuse_connects(self, count: int) -> None:
        """Refuse the next `count` connects."""
        self.reach.refusals = count

    def slow_connect(self, delay_s: float) -> None:
        """Let every connect from now on take `delay_s` of real time."""
        self.reach.connect_delay_s = delay_s

    def bond_elsewhere(self, state: Elsewhere) -> None:
        """Be held by another central, hidden from scans or seen and refusing; Elsewhere.NO ends it."""
        self.reach.elsewhere = state
        if state != Elsewhere.NO:
            self.drop_link()

    def want_pairing(self, state: Pairing) -> None:
        """Answer "not without pairing" until paired; refuse the pairing, or want none any more."""
        self.reach.pairing = state

    def go_silent(self, silent: bool) -> None:
        """Send nothing though the link stands; samples that fall due meanwhile are never sent."""
        with self.lock:
            self._pass_over()
            if self.silent:
                self._outbox.drop()
            self.silent = silent

    # The frames

    def truncate_every(self, every: int) -> None:
        """Cut every `every`-th frame short; 0 stops it."""
        self.faults.set("truncate", every)

    def corrupt_every(self, every: int) -> None:
        """Damage every `every`-th frame in a way that the product's own format shows; 0 stops it."""
        self.faults.set("corrupt", every)

    def duplicate_every(self, every: int) -> None:
        """Send every `every`-th frame twice; 0 stops it."""
        self.faults.set("duplicate", every)

    def reorder_every(self, every: int) -> None:
        """Send every `every`-th frame after its successor; 0 stops it."""
        self.faults.set("reorder", every)

    def foreign_every(self, every: int) -> None:
        """Send somebody else's frame after every `every`-th; 0 stops it."""
        self.faults.set("foreign", every)

    def delay_frames(self, delay_s: float) -> None:
        """Hand every frame over `delay_s` of the clock late, in order; 0 stops it."""
        self.faults.delay_s = delay_s

    # The device

    def drift(self, drift_ppm: float) -> None:
        """Let the device's clock run so much faster (or slower) from now on."""
        with self.lock:
            self.time.set_drift(drift_ppm)

    def power_cycle(self, uptime_s: float = 0.0) -> None:
        """Go off and on: the link is lost and the device's clock starts again at `uptime_s`; the motion goes on."""
        with self.lock:
            self._pass_over()
            elapsed_s = self.time.now_s()
            if self._motion_zero_s is not None:
                self._motion_zero_s -= elapsed_s
            self.time.restart(uptime_s)
            self._done_index = self._done_second = 0
            self._outbox.forget_clipped()
            self._ledger.restarts += 1
            # Before anybody can take a frame of the clock that began anew over the link that is gone.
            on_loss = self._on_loss
            self.close_link()
            self._told_time().powered_on()
        if on_loss is not None:
            on_loss()

    def near_wrap(self, before_s: float) -> None:
        """Go off and on with a counter that wraps in `before_s`; a product without such a counter only restarts."""
        wraps_s = self.firmware.clock_wraps_after_s
        self.power_cycle(0.0 if wraps_s is None else wraps_s - before_s)

    def set_battery(self, share: float) -> None:
        """Set the charge (0 to 1) and notify it; at 0 the wearable goes off, above it comes back."""
        with self.lock:
            if share <= 0 or self._battery_share <= 0:
                self.reach.off = share <= 0
            self._battery_share = share
            self._battery_changed = True
        if share <= 0:
            self.drop_link()

    def knock_every(self, every_s: float) -> None:
        """Hit the sensor every so many seconds, harder than its range: samples are clipped; 0 stops it."""
        with self.lock:
            self.sampler.knock_every(every_s)

    def loosen(self, loose: bool) -> None:
        """Let the strap come off: the sensor swings, falls and lies; False puts it back on.

        A product that went off meanwhile, for it was on no body, comes back with a clock that begins anew.
        """
        with self.lock:
            self._pass_over()
            utc_s = self.time.utc_s()
            intervals = self._ledger.loose_utc_s
            open_ended = bool(intervals) and intervals[-1][1] is None
            if loose and not open_ended:
                self.sampler.loosen(self._done_index + 1, self._scale())
                intervals.append((utc_s, None))
            elif not loose and open_ended:
                self.sampler.fasten()
                intervals[-1] = (intervals[-1][0], utc_s)
        if not loose and not self.reach.worn:
            self.reach.worn = True
            self.power_cycle()

    def _pass_over(self) -> None:
        """Settle what fell due before a switch was thrown, so that it takes effect with the next sample."""
        self._encode(self._due())

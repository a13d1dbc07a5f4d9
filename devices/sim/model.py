"""The model of a wearable without a transport: attribute table, battery, stream clock, motion.

The model is used by two transports, bluez.py (bleak's own BlueZ backend) and backend.py (bleak's `backend=` hook). A
transport connects, passes reads, writes and subscriptions on, and asks `take` for what is due; the wearable sends
nothing by itself. Its sample grid is fixed when it is switched on: sample k was taken k / rate after that, by the
device's own clock. The motion begins with the first measurement, so that no run loses its start to the search.
What can befall it is in wearable.py; what the product says is in its firmware.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence

import numpy as np

from devices.errors import Refused
from devices.hostclock import HostClock
from devices.profiles.sig_uuids import BATTERY_SERVICE, DEVICE_INFORMATION_SERVICE
from devices.sim.devicetime import DeviceTime
from devices.sim.faults import FrameFaults, Parcel
from devices.sim.firmware import Answer, Firmware
from devices.sim.gatt import AttCode, AttError, GattService, Notifications
from devices.sim.motions import MotionSource
from devices.sim.outbox import Outbox, beat, in_order
from devices.sim.products import make_firmware
from devices.sim.randomness import bell
from devices.sim.reach import Pairing, Reach
from devices.sim.sampler import Sampler, Scale
from devices.sim.truth import Grid, Ledger, Truth
from devices.types import Advertisement, IntArray

_ADDRESS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")
# Samples encoded at a time, so that a reader far behind does not make thousands of frames at once.
_STEP_SAMPLES = 256
# Own heuristic: a wearable an arm's length away.
_RSSI_DBM = -58
# What may be read without pairing, as on the products that want it.
_OPEN = (DEVICE_INFORMATION_SERVICE, BATTERY_SERVICE)
# A minute of seconds is told at most after a pause: nobody wants an hour of old heart rates.
_SECONDS_KEPT = 60


class WearableModel:
    """One simulated wearable. All methods may be called from any thread.

    address: static-random form (two top bits set). clock: what the stream runs by; share it with the listener.
    rate_hz: what it starts with, None for the product's own. drift_ppm: how much faster the device's clock runs than
    `clock`. uptime_s: how long it was on before (to see its counter wrap). Raises Refused for a product, an address or
    a rate that does not exist.
    """

    def __init__(
        self,
        *,
        motion: MotionSource,
        clock: HostClock,
        address: str = "C0:FF:EE:00:00:01",
        product: str = "movella-dot",
        rate_hz: float | None = None,
        seed: int = 7,
        battery_share: float = 0.87,
        drift_ppm: float = 0.0,
        uptime_s: float = 0.0,
    ) -> None:
        _check(address, battery_share)
        self.address = address
        self.motion = motion
        self.ended = threading.Event()  # set when a motion with an end is over and the wearable went off
        self.firmware = make_firmware(product, address, rate_hz)
        self.reach = Reach()
        self.faults = FrameFaults(seed)
        self.sampler = Sampler(motion, seed)
        self.time = DeviceTime(clock, drift_ppm, uptime_s)
        self.lock = threading.RLock()
        self.silent = False
        self._seed = seed
        self._battery_share = battery_share
        self._battery_changed = False
        self._ledger = Ledger()
        self._outbox = Outbox(self._ledger, self.firmware.has_gyroscope)
        self._motion_zero_s: float | None = None  # device time since power-on at which the motion began
        self._motion_start_utc_s: float | None = None
        self._on_loss: Callable[[], None] | None = None
        self._subscribed: set[str] = set()
        self._done_index = 0  # newest sample that was encoded, or passed over
        self._done_second = 0
        self._neighbours: dict[str, WearableModel] = {}

    def meet(self, wearables: Sequence[WearableModel]) -> None:
        """Get to know the wearables in the air: some keep time with each other."""
        self._neighbours = {one.address: one for one in wearables}
        self.firmware.hears = frozenset(self._neighbours)

    # What a transport needs

    @property
    def table(self) -> tuple[GattService, ...]:
        """Return the attribute table."""
        return self.firmware.table

    @property
    def name(self) -> str:
        """Return the advertised name (which a central may change)."""
        return self.firmware.name

    @property
    def connected(self) -> bool:
        """Tell whether a central holds the link."""
        return self._on_loss is not None

    @property
    def reachable(self) -> bool:
        """Tell whether a request over a standing link is answered."""
        return self.reach.away_since_s is None

    def advertisement(self) -> Advertisement | None:
        """Return what is on the air now; None while connected or out of reach."""
        with self.lock:
            if self.connected or not self.reach.heard:
                return None
            moment = int(self.time.utc_s() * 10)
            rssi = _RSSI_DBM + round(2 * float(bell(self._seed, 300, np.array([moment]))[0]))
            firmware = self.firmware
            data = {} if firmware.company_id is None else {firmware.company_id: firmware.company_data()}
            return Advertisement(self.address, firmware.name, firmware.advertised_uuids, data, rssi)

    def answer_connect(self) -> float | None:
        """Return how long in real s the answer to a connect takes, None for a refusal (which is used up)."""
        with self.lock:
            return self.reach.answer_connect()

    def open_link(self, on_loss: Callable[[], None]) -> None:
        """Take a central. `on_loss` is called once, from any thread, if the wearable loses it. Raises Refused."""
        with self.lock:
            if self.connected or not self.reach.heard:
                raise Refused(f"Wearable {self.address} takes no connection now: it is connected or out of reach.")
            self._on_loss = on_loss
            self._ledger.connects += 1

    def close_link(self) -> None:
        """Let the central go: it disconnected. Does not call `on_loss`."""
        with self.lock:
            # What was taken until now was taken with a link, though nobody asked for it (a dead daemon does not).
            self._encode(self._due())
            self._on_loss = None
            self._told_time().link_lost()
            self._subscribed.clear()
            self._outbox.put(self.faults.give_up())
            self._outbox.drop()

    def pair(self) -> bool:
        """Pair with this machine; tell whether the wearable agreed."""
        with self.lock:
            self.reach.bonded = self.reach.pairing != Pairing.REFUSED
            return self.reach.bonded

    def unpair(self) -> None:
        """Forget the bond."""
        self.reach.bonded = False

    def read(self, uuid: str) -> bytes:
        """Return a characteristic's value. Raises AttError."""
        with self.lock:
            self._admit(uuid)
            return self._told_time().read(uuid, self._battery_percent)

    def write(self, uuid: str, data: bytes) -> None:
        """Write a characteristic; what answers is sent before any later sample. Raises AttError."""
        with self.lock:
            self._admit(uuid)
            self._encode(self._due())
            was, was_rate_hz = self._streaming, self.firmware.rate_hz
            answers = self._told_time().write(uuid, data, self._battery_percent)
            for answer in answers:
                if answer.uuid in self._subscribed:
                    self._outbox.put_aside(answer)
            if self.firmware.rate_hz != was_rate_hz:
                self._done_index = self.time.due(self.firmware.rate_hz)
                self._outbox.forget_clipped()
            self._begin(was)

    def subscribe(self, uuid: str, wanted: bool) -> None:
        """Switch a characteristic's notifications or indications. Raises AttError if it has none."""
        known = [one for service in self.table for one in service.characteristics if one.uuid == uuid]
        if not known or not {"notify", "indicate"} & set(known[0].properties):
            raise AttError(AttCode.REQUEST_NOT_SUPPORTED, f"Characteristic {uuid} does not notify.")
        with self.lock:
            self._admit(uuid)
            self._encode(self._due())
            was = self._streaming
            if wanted:
                self._subscribed.add(uuid)
                self._done_second = max(self._done_second, int(self.time.now_s()))
            else:
                self._subscribed.discard(uuid)
                self._outbox.drop(uuid)
            self._told_time().subscribed(uuid, wanted)
            self._begin(was)

    def take(self, room: int) -> list[Notifications]:
        """Return what is due, at most `room` notifications; what finds no room waits and is not lost."""
        with self.lock:
            if not self.connected:
                return []
            if self._motion_over() or (self.firmware.power_off_asked and not self._outbox.waiting):
                self._switch_off()
                return []
            if self._left_body():
                self.reach.worn = False
            if not self.reach.worn or self.reach.lost_by_now(self.time.utc_s()):
                self.drop_link()
                return []
            due = self._due()
            while self._outbox.waiting < room and self._done_index < due:
                self._encode(min(due, self._done_index + _STEP_SAMPLES))
            self._tell_seconds()
            if self.silent or not self.reachable:
                self._outbox.drop()
                return []
            return self._outbox.take(room, self.time.utc_s())

    # What a person or a test wants to know

    @property
    def truth(self) -> Truth:
        """Return what really happened so far."""
        with self.lock:
            return self._ledger.truth(self.time.drift_ppm, self._motion_start_utc_s)

    @property
    def rate_hz(self) -> float:
        """Return the output rate now set."""
        return self.firmware.rate_hz

    @property
    def frames_sent(self) -> int:
        """Return the number of intact frames sent, without building the whole truth."""
        return self._ledger.frames_sent

    def drop_link(self) -> None:
        """Lose the link at once; advertising goes on."""
        with self.lock:
            on_loss = self._on_loss
            self.close_link()
        if on_loss is not None:
            on_loss()

    # Inside

    @property
    def _battery_percent(self) -> int:
        return round(100 * self._battery_share)

    @property
    def _streaming(self) -> bool:
        firmware = self.firmware
        return self.connected and firmware.measuring and not self._subscribed.isdisjoint(firmware.stream_uuids)

    def _told_time(self) -> Firmware:
        self.firmware.device_us = self.time.now_us()
        return self.firmware

    def _admit(self, uuid: str) -> None:
        """Refuse what wants pairing first: the services that are the product's own, not the standard information."""
        if self.reach.locked and not any(
            one.uuid == uuid for service in self.table if service.uuid in _OPEN for one in service.characteristics
        ):
            raise AttError(AttCode.INSUFFICIENT_AUTHENTICATION, f"Characteristic {uuid} wants a paired central.")

    def _scale(self) -> Scale:
        rate_hz = self.firmware.rate_hz
        return Scale(rate_hz, round((self._motion_zero_s or 0.0) * rate_hz), *self.firmware.ranges)

    def _grid(self) -> Grid:
        scale = self._scale()
        return Grid(scale.rate_hz, self.time.uptime_us, scale.zero)

    def _due(self) -> int:
        """Return the newest sample that can be sent: taken by now, and not after the motion's last."""
        due, end = self.time.due(self.firmware.rate_hz), self.sampler.end(self._scale())
        return due if end is None else min(due, end - 1)

    def _begin(self, was_streaming: bool) -> None:
        """Begin with the next sample when the stream starts; what fell due before was never sent."""
        if was_streaming or not self._streaming:
            return
        rate_hz = self.firmware.rate_hz
        self._done_index = max(self._done_index, self.time.due(rate_hz))
        if self._motion_zero_s is None:
            self._motion_zero_s = (self._done_index + 1) / rate_hz
            self._motion_start_utc_s = float(self.time.utc_at(np.array(self._motion_zero_s)))

    def _left_body(self) -> bool:
        """Tell whether the strap has been off for as long as the product waits before it goes off."""
        limit_s, intervals = self.firmware.off_body_s, self._ledger.loose_utc_s
        since_s = intervals[-1][0] if intervals and intervals[-1][1] is None else None
        return limit_s is not None and since_s is not None and self.time.utc_s() - since_s >= limit_s

    def _motion_over(self) -> bool:
        end = self.sampler.end(self._scale())
        return end is not None and self._streaming and self._done_index + 1 >= end and not self._outbox.waiting

    def _switch_off(self) -> None:
        self.firmware.power_off_asked = False
        self.reach.off = True
        self.drop_link()
        self.ended.set()

    def _encode(self, due: int) -> None:
        """Make the notifications of the samples up to grid number `due`; those without a listener are passed over."""
        scale = self._scale()
        first, count = self._done_index + 1, due - self._done_index
        if count <= 0:
            return
        self._done_index = due
        if not self._streaming:
            return
        indices = np.arange(first, first + count)
        measured = self.sampler.samples(scale, first, count)
        if measured.acc_clipped.any():
            self._outbox.mark_clipped("acc", indices[measured.acc_clipped])
        if self.firmware.has_gyroscope and measured.gyr_clipped.any():
            self._outbox.mark_clipped("gyr", indices[measured.gyr_clipped])
        stamps = self._stamps(indices, scale.rate_hz)
        made = self._told_time().encode(indices, stamps, measured.acc_mps2, measured.gyr_radps)
        listened = [one for one in made if one.uuid in self._subscribed and len(one.payloads)]
        if listened:
            self._send(in_order(listened, self._grid()))

    def _stamps(self, indices: IntArray, rate_hz: float) -> IntArray:
        """Return the time (n,) in us at samples of the grid: by its own clock, or by the one that it follows."""
        root = self._neighbours.get(self.firmware.follows or "")
        if root is None or root is self:
            return self.time.us_at(indices, rate_hz)
        return root.time.us_at_utc(self.time.utc_at(indices / rate_hz))

    def _send(self, parcels: list[Parcel]) -> None:
        self._outbox.produced(parcels)
        self._outbox.put(self.faults.apply(parcels, self.firmware, self.time.utc_s()))

    def _tell_seconds(self) -> None:
        """Send what comes once a second of device time, and the charge if it has changed."""
        second = int(self.time.now_s())
        for number in range(max(self._done_second, second - _SECONDS_KEPT), second):
            for answer in self._told_time().each_second(self._seed, number):
                if answer.uuid not in self._subscribed:
                    continue
                if answer.uuid in self.firmware.stream_uuids:
                    self._send([beat(answer, number, self._grid())])
                else:
                    self._outbox.put_aside(answer)
        self._done_second = max(self._done_second, second)
        if self._battery_changed:
            self._battery_changed = False
            for uuid in self.firmware.battery_uuids:
                if uuid in self._subscribed:
                    self._outbox.put_aside(Answer(uuid, self.firmware.read(uuid, self._battery_percent)))


def _check(address: str, battery_share: float) -> None:
    if not _ADDRESS.fullmatch(address) or int(address[:2], 16) < 0xC0:
        raise Refused(f"{address!r} is no static-random address; write it like C0:FF:EE:00:00:01.")
    if not 0 <= battery_share <= 1:
        raise Refused(f"A battery of {battery_share:g} is impossible; give a share from 0 to 1.")

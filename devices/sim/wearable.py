"""A wearable that any user can run: attribute table, battery, stream clock, motion and faults, without a transport.

The model is used by two transports, bluez.py (bleak's own BlueZ backend) and backend.py (bleak's `backend=` hook). A
transport connects, passes reads, writes and subscriptions on, and asks `take` for what is due; the wearable sends
nothing by itself. Its sample grid is fixed when it is switched on: sample k was taken k / rate after that, by the
device's own clock. The motion begins with the first measurement, so that no run loses its start to the search.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.errors import Refused
from devices.hostclock import HostClock
from devices.profiles import movella_dot_uuids as dot
from devices.sim import heart
from devices.sim.faults import FrameFaults, TickLog, ticks_at
from devices.sim.gatt import AttCode, AttError, GattService, Notifications
from devices.sim.motions import MotionSource
from devices.sim.movella_dot import MovellaDot, encode_frames
from devices.sim.randomness import bell
from devices.types import Advertisement, IntArray

PRODUCTS: dict[str, type[MovellaDot]] = {"movella-dot": MovellaDot}

_ADDRESS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")
# Frames are made ahead in blocks: numpy costs the same for 4 samples as for 256.
_BLOCK = 256
# Own heuristic: a wearable an arm's length away.
_RSSI_DBM = -58


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened, for a test to compare with.

    frames_produced: samples taken since the wearable was made, sent or not. frames_sent: intact frames handed to a
    listening central; frames_damaged and frames_foreign: spoilt and added ones. ticks_sent: device ticks of the intact
    frames in the order sent. connects: links opened. motion_start_utc_s: when the motion began, None before.
    """

    frames_produced: int
    frames_sent: int
    frames_damaged: int
    frames_foreign: int
    connects: int
    ticks_sent: IntArray
    motion_start_utc_s: float | None


class SimWearable:
    """One simulated wearable. All methods may be called from any thread.

    address: static-random form (two top bits set). clock: what the stream runs by; share it with the listener.
    drift_ppm: how much faster the device's clock runs than `clock`. uptime_s: how long it was on before (to see the
    tick counter wrap). Raises Refused for a product, an address or a rate that does not exist.
    """

    def __init__(
        self,
        *,
        motion: MotionSource,
        clock: HostClock,
        address: str = "C0:FF:EE:00:00:01",
        product: str = "movella-dot",
        rate_hz: float = 60,
        seed: int = 7,
        battery_share: float = 0.87,
        drift_ppm: float = 0.0,
        uptime_s: float = 0.0,
    ) -> None:
        _check(product, address, battery_share)
        self.address = address
        self.motion = motion
        self.faults = FrameFaults()
        self.ended = threading.Event()  # set when a motion with an end is over and the wearable went off
        self._firmware = PRODUCTS[product](address, rate_hz)
        self._clock = clock
        self._seed = seed
        self._battery_share = battery_share
        self._speed = 1 + drift_ppm * 1e-6
        self._lock = threading.RLock()
        self._power_on_utc_s = clock.utc_s()
        self._first_tick = round(uptime_s * 1e6)
        self._motion_zero_s: float | None = None  # device time since power-on at which the motion began
        self._motion_start_utc_s: float | None = None
        self._on_loss: Callable[[], None] | None = None
        self._subscribed: set[str] = set()
        self._sent_index = 0  # newest sample that was sent, or passed over
        self._sent_second = 0
        self._battery_changed = False
        self._block: tuple[int, int, NDArray[np.uint8]] | None = None  # rate, first index, frames
        self._advertises = True
        self._silent = False
        self._refusals = 0
        self._connect_delay_s = 0.0
        self._produced_before = 0
        self._damaged = self._foreign = self._connects = 0
        self._log = TickLog()

    # What a transport needs

    @property
    def table(self) -> tuple[GattService, ...]:
        """Return the attribute table."""
        return self._firmware.table

    @property
    def stream_uuid(self) -> str:
        """Return the characteristic that carries the stream."""
        return self._firmware.stream_uuid

    @property
    def frame_bytes(self) -> int:
        """Return the size of one intact frame of the stream."""
        return self._firmware.frame_bytes

    @property
    def name(self) -> str:
        """Return the advertised name (the tag, which a central may change)."""
        return self._firmware.tag

    @property
    def connected(self) -> bool:
        """Tell whether a central holds the link."""
        return self._on_loss is not None

    def advertisement(self) -> Advertisement | None:
        """Return what is on the air now; None while connected or silent."""
        with self._lock:
            if self.connected or not self._advertises:
                return None
            moment = int(self._clock.utc_s() * 10)
            rssi = _RSSI_DBM + round(2 * float(bell(self._seed, 300, np.array([moment]))[0]))
            data = {self._firmware.company_id: bytes.fromhex(self.address.replace(":", ""))[::-1]}
            return Advertisement(self.address, self.name, (), data, rssi)

    def answer_connect(self) -> float | None:
        """Return how long in real s the answer to a connect takes, None for a refusal (which is used up)."""
        with self._lock:
            if self._refusals:
                self._refusals -= 1
                return None
            return self._connect_delay_s

    def open_link(self, on_loss: Callable[[], None]) -> None:
        """Take a central. `on_loss` is called once, from any thread, if the wearable loses it. Raises Refused."""
        with self._lock:
            if self.connected or not self._advertises:
                raise Refused(f"Wearable {self.address} takes no connection now: it is connected or out of reach.")
            self._on_loss = on_loss
            self._connects += 1

    def close_link(self) -> None:
        """Let the central go: it disconnected. Does not call `on_loss`."""
        with self._lock:
            self._on_loss = None
            self._subscribed.clear()
            self._firmware.link_lost()

    def read(self, uuid: str) -> bytes:
        """Return a characteristic's value. Raises AttError."""
        with self._lock:
            return self._firmware.read(uuid, round(100 * self._battery_share))

    def write(self, uuid: str, data: bytes) -> None:
        """Write a characteristic. Raises AttError."""
        with self._lock:
            was, was_rate_hz = self._streaming, self._firmware.rate_hz
            self._firmware.write(uuid, data)
            if self._firmware.rate_hz != was_rate_hz:
                self._sent_index = self._due_index()
            self._passed_over(was)

    def subscribe(self, uuid: str, wanted: bool) -> None:
        """Switch a characteristic's notifications. Raises AttError if it has none."""
        known = [one for service in self.table for one in service.characteristics if one.uuid == uuid]
        if not known or "notify" not in known[0].properties:
            raise AttError(AttCode.REQUEST_NOT_SUPPORTED, f"Characteristic {uuid} does not notify.")
        with self._lock:
            was = self._streaming
            if wanted:
                self._subscribed.add(uuid)
                self._sent_second = max(self._sent_second, int(self._device_s()))
            else:
                self._subscribed.discard(uuid)
            self._passed_over(was)

    def take(self, room: int) -> list[Notifications]:
        """Return what is due, at most `room` frames of the stream; what finds no room waits and is not lost."""
        with self._lock:
            if not self.connected:
                return []
            if self._firmware.power_off_asked or self._motion_over():
                self._switch_off()
                return []
            sent = self._take_stream(room)
            if not self._silent:
                sent += self._take_slow()
            return sent

    # What a test or a person does to it

    def drop_link(self) -> None:
        """Lose the link at once, as when walking out of reach; advertising goes on."""
        with self._lock:
            on_loss = self._on_loss
            self.close_link()
        if on_loss is not None:
            on_loss()

    def stop_advertising(self) -> None:
        """Be found by no scan and take no connection until `start_advertising`; a link that stands is not touched."""
        self._advertises = False

    def start_advertising(self) -> None:
        """Advertise again."""
        self._advertises = True

    def refuse_connects(self, count: int) -> None:
        """Refuse the next `count` connects."""
        self._refusals = count

    def slow_connect(self, delay_s: float) -> None:
        """Let every connect from now on take `delay_s` of real time."""
        self._connect_delay_s = delay_s

    def go_silent(self, silent: bool) -> None:
        """Send nothing though the link stands; samples that fall due meanwhile are never sent."""
        with self._lock:
            self._silent = silent
            self._sent_index = max(self._sent_index, self._due_index())

    def truncate_every(self, every: int) -> None:
        """Cut every `every`-th frame short; 0 stops it."""
        self.faults.set("truncate", every)

    def corrupt_every(self, every: int) -> None:
        """Make one value of every `every`-th frame absurd; 0 stops it."""
        self.faults.set("corrupt", every)

    def foreign_every(self, every: int) -> None:
        """Send somebody else's frame after every `every`-th; 0 stops it."""
        self.faults.set("foreign", every)

    def set_battery(self, share: float) -> None:
        """Set the charge (0 to 1) and notify it."""
        with self._lock:
            self._battery_share = share
            self._battery_changed = True

    def power_cycle(self) -> None:
        """Go off and on: the link is lost and the tick counter starts at 0 again; the motion goes on."""
        with self._lock:
            elapsed_s = self._device_s()
            self._produced_before += self._due_index()
            if self._motion_zero_s is not None:
                self._motion_zero_s -= elapsed_s
            self._power_on_utc_s = self._clock.utc_s()
            self._first_tick = self._sent_index = self._sent_second = 0
            self._block = None
        self.drop_link()

    @property
    def truth(self) -> Truth:
        """Return what really happened so far."""
        with self._lock:
            return Truth(
                frames_produced=self._produced_before + self._due_index(),
                frames_sent=self._log.count,
                frames_damaged=self._damaged,
                frames_foreign=self._foreign,
                connects=self._connects,
                ticks_sent=self._log.ticks(),
                motion_start_utc_s=self._motion_start_utc_s,
            )

    @property
    def rate_hz(self) -> int:
        """Return the output rate now set."""
        return self._firmware.rate_hz

    @property
    def frames_sent(self) -> int:
        """Return the number of intact frames sent, without building the whole truth."""
        return self._log.count

    def motion_index(self, ticks: IntArray) -> IntArray:
        """Return the number (n,) of the motion's sample that was sent with each tick since the last power-on."""
        with self._lock:
            rate_hz = self._firmware.rate_hz
            since = (np.asarray(ticks, dtype=np.int64) - self._first_tick) % 2**32
            return np.asarray(np.round(since * (rate_hz / 1e6)).astype(np.int64) - self._motion_zero_index())

    # Inside

    @property
    def _streaming(self) -> bool:
        return self.connected and self._firmware.measuring and self._firmware.stream_uuid in self._subscribed

    def _device_s(self) -> float:
        return max(0.0, (self._clock.utc_s() - self._power_on_utc_s) * self._speed)

    def _due_index(self) -> int:
        return int(self._device_s() * self._firmware.rate_hz)

    def _motion_zero_index(self) -> int:
        return round((self._motion_zero_s or 0.0) * self._firmware.rate_hz)

    def _passed_over(self, was_streaming: bool) -> None:
        """Begin with the next sample when the stream starts; what fell due before was never sent."""
        if was_streaming or not self._streaming:
            return
        self._sent_index = max(self._sent_index, self._due_index())
        if self._motion_zero_s is None:
            self._motion_zero_s = (self._sent_index + 1) / self._firmware.rate_hz
            self._motion_start_utc_s = self._power_on_utc_s + self._motion_zero_s / self._speed

    def _motion_end_index(self) -> int | None:
        if self.motion.duration_s is None or self._motion_zero_s is None:
            return None
        # A hair above, so that a whole number of samples is not cut by rounding.
        return self._motion_zero_index() + int(self.motion.duration_s * self._firmware.rate_hz + 1e-6)

    def _motion_over(self) -> bool:
        end = self._motion_end_index()
        return end is not None and self._streaming and self._sent_index + 1 >= end

    def _switch_off(self) -> None:
        self._firmware.power_off_asked = False
        self._advertises = False
        self.drop_link()
        self.ended.set()

    def _take_stream(self, room: int) -> list[Notifications]:
        due, end = self._due_index(), self._motion_end_index()
        if end is not None:
            due = min(due, end - 1)
        if not self._streaming or self._silent:
            self._sent_index = max(self._sent_index, due)
            return []
        count = min(due - self._sent_index, room)
        if count <= 0:
            return []
        indices = np.arange(self._sent_index + 1, self._sent_index + 1 + count)
        sent, intact, joined = self.faults.apply(self._firmware.stream_uuid, self._frames(indices))
        self._sent_index += count
        self._log.add(indices[intact], self._firmware.rate_hz, self._first_tick)
        self._damaged += count - int(intact.sum())
        self._foreign += joined
        return sent

    def _frames(self, indices: IntArray) -> NDArray[np.uint8]:
        """Return the encoded frames (n, size) of consecutive grid indices, from a block made ahead."""
        rate_hz, first, count = self._firmware.rate_hz, int(indices[0]), len(indices)
        block = self._block
        if block is None or block[0] != rate_hz or not block[1] <= first <= first + count <= block[1] + len(block[2]):
            ahead = np.arange(first, first + max(_BLOCK, count))
            if (end := self._motion_end_index()) is not None:
                ahead = ahead[ahead < end]
            acc, gyr = self.motion.samples(first - self._motion_zero_index(), len(ahead), float(rate_hz))
            block = (rate_hz, first, encode_frames(ticks_at(ahead, rate_hz, self._first_tick), acc, gyr))
            self._block = block
        at = first - block[1]
        return block[2][at : at + count].copy()

    def _take_slow(self) -> list[Notifications]:
        """Return heart rate (once a second of device time) and battery (on a change) if they are subscribed."""
        sent = []
        if dot.HEART_RATE_MEASUREMENT in self._subscribed:
            second = int(self._device_s())
            for number in range(max(self._sent_second, second - 60), second):
                data = heart.measurement(self._seed, number)
                sent.append(Notifications(dot.HEART_RATE_MEASUREMENT, len(data), data))
            self._sent_second = max(self._sent_second, second)
        if self._battery_changed:
            self._battery_changed = False
            for uuid in (dot.BATTERY_LEVEL, dot.DOT_BATTERY):
                if uuid in self._subscribed:
                    data = self.read(uuid)
                    sent.append(Notifications(uuid, len(data), data))
        return sent


def _check(product: str, address: str, battery_share: float) -> None:
    if product not in PRODUCTS:
        raise Refused(f"No simulated product is called {product!r}; there is {', '.join(sorted(PRODUCTS))}.")
    if not _ADDRESS.fullmatch(address) or int(address[:2], 16) < 0xC0:
        raise Refused(f"{address!r} is no static-random address; write it like C0:FF:EE:00:00:01.")
    if not 0 <= battery_share <= 1:
        raise Refused(f"A battery of {battery_share:g} is impossible; give a share from 0 to 1.")

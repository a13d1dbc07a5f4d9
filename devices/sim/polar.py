"""The firmware of simulated Polar sensors: H10, Verity Sense (two generations), OH1.

Source: polarofficial/polar-ble-sdk: online_measurement.pdf v1.0 (the answers are its figures byte for byte),
documentation/products/*.md, SdkModeExplained.md, TimeSystemExplained.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from devices.profiles import polar_uuids as pmd
from devices.profiles import sig_uuids as sig
from devices.profiles.polar_uuids import Measurement, Op, Setting, Status
from devices.sim import heart, polar_frames
from devices.sim.firmware import Answer, FirmwareDefaults, Stretch, offered_rate
from devices.sim.gatt import AttCode, AttError, GattService, build_table
from devices.sim.polar_packing import Packer, Packing
from devices.types import FloatArray, IntArray

_G_MPS2 = 9.80665
_READ, _NOTIFY, _READ_NOTIFY = ("read",), ("notify",), ("read", "notify")
_TABLE: tuple[GattService, ...] = build_table(
    (
        (
            sig.DEVICE_INFORMATION_SERVICE,
            (
                (sig.MANUFACTURER_NAME, _READ),
                (sig.MODEL_NUMBER, _READ),
                (sig.SERIAL_NUMBER, _READ),
                (sig.FIRMWARE_REVISION, _READ),
            ),
        ),
        (sig.BATTERY_SERVICE, ((sig.BATTERY_LEVEL, _READ_NOTIFY),)),
        (sig.HEART_RATE_SERVICE, ((sig.HEART_RATE_MEASUREMENT, _NOTIFY), (sig.BODY_SENSOR_LOCATION, _READ))),
        (pmd.PMD_SERVICE, ((pmd.PMD_CONTROL, ("read", "write", "indicate")), (pmd.PMD_DATA, _NOTIFY))),
    )
)
_NS_PER_US = 1_000
# A tenth of the charge left is what the broadcast calls low (own heuristic).
_LOW_PERCENT = 10
# An error estimate of a calm beat (own heuristic); contact, and that there is a sensor for it.
_PPI_ERROR_MS, _PPI_WORN = 10, 0x06

Listed = tuple[tuple[Setting, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Sensor:
    """One measurement of a model. listed, sdk_listed: its settings in the order sent; factors: by range, None without.

    packing: how its samples become frames.
    """

    listed: Listed
    packing: Packing
    sdk_listed: Listed | None = None
    factors: Mapping[int, float] | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """What is different between the models.

    features: bits of the second feature byte. epoch_ns: where its clock begins.
    start_tail: what the answer to a start ends with where there is no factor. only_listed: lists of settings of
    measurements that are told and not streamed here.
    """

    product: str
    title: str
    measurements: tuple[Measurement, ...]
    features: int
    epoch_ns: int
    sensors: Mapping[Measurement, Sensor]
    rates_hz: tuple[float, ...]
    default_hz: float
    start_tail: bytes = b""
    only_listed: Mapping[Measurement, Listed] | None = None
    body_location: int = 0
    off_body_s: float | None = None


def _listed(rates: Sequence[int], ranges: Sequence[int], channels: bool = True) -> Listed:
    rows: Listed = ((Setting.RATE_HZ, tuple(rates)), (Setting.RESOLUTION_BITS, (16,)), (Setting.RANGE, tuple(ranges)))
    return (*rows, (Setting.CHANNELS, (3,))) if channels else rows


_S = pmd.NS_PER_S
# 1 January 2019, where an H10 begins again after it was off (TimeSystemExplained.md).
_EPOCH_2019_NS = 6_940 * 86_400 * _S
# Captures of a Verity Sense whose time nobody had set tell 2017 (issues #331, #187).
_EPOCH_2017_NS = 6_210 * 86_400 * _S
_SDK_RATES = (26, 52, 104, 208, 416)
# g and deg/s per unit; that of 8 g is the document's, the others are in proportion (unconfirmed).
_ACC_FACTORS = {2: 0.000061, 4: 0.000122, 8: 0.000244, 16: 0.000488}
_GYRO_FACTORS = {250: 0.00875, 500: 0.0175, 1000: 0.035, 2000: 0.07}


def _verity(product: str, acc: Packing, gyro: Packing, factors: bool) -> Model:
    sensors = {
        Measurement.ACC: Sensor(
            _listed((52,), (8,)), acc, _listed(_SDK_RATES, tuple(_ACC_FACTORS)), _ACC_FACTORS if factors else None
        ),
        Measurement.GYRO: Sensor(
            _listed((52,), (2000,)), gyro, _listed(_SDK_RATES, tuple(_GYRO_FACTORS)), _GYRO_FACTORS if factors else None
        ),
    }
    optical = (Measurement.PPG, Measurement.ACC, Measurement.PPI, Measurement.GYRO, Measurement.MAG)
    rates = tuple(float(rate) for rate in _SDK_RATES)
    return Model(product, "Sense", optical, pmd.FEATURE_SDK_MODE, _EPOCH_2017_NS, sensors, rates, 52.0, body_location=3)


H10 = Model(
    "polar-h10",
    "H10",
    (Measurement.ECG, Measurement.ACC),
    0,
    _EPOCH_2019_NS,
    {Measurement.ACC: Sensor(_listed((25, 50, 100, 200), (2, 4, 8), channels=False), Packing.PLAIN_MG)},
    (25.0, 50.0, 100.0, 200.0),
    200.0,
    start_tail=b"\x01",
    only_listed={Measurement.ECG: ((Setting.RATE_HZ, (130,)), (Setting.RESOLUTION_BITS, (14,)))},
    body_location=1,
    # It ends the link about 45 s after leaving the strap (KnownIssues.md).
    off_body_s=45.0,
)
VERITY_SENSE = _verity("polar-verity-sense", Packing.DELTA, Packing.DELTA, factors=True)
# Firmware that gives no factor and sends mg (issues #331, #443). That it sends angular rate as floats is not
# confirmed; the vendor's tests have such frames.
VERITY_SENSE_MG = _verity("polar-verity-sense-mg", Packing.DELTA_MG, Packing.DELTA_FLOAT, factors=False)
OH1 = Model(
    "polar-oh1",
    "OH1",
    (Measurement.PPG, Measurement.ACC, Measurement.PPI),
    0,
    _EPOCH_2019_NS,
    # The type of its frames is not known (unconfirmed); plain ones are the older.
    {Measurement.ACC: Sensor(_listed((50,), (8,)), Packing.PLAIN_MG)},
    (50.0,),
    50.0,
    only_listed={Measurement.PPG: ((Setting.RATE_HZ, (130,)), (Setting.RESOLUTION_BITS, (22,)))},
    body_location=3,
)


class Polar(FirmwareDefaults):
    """The registers behind Polar's characteristics."""

    company_id: int | None = pmd.COMPANY_ID
    table = _TABLE
    stream_uuids: tuple[str, ...] = (pmd.PMD_DATA,)
    advertised_uuids: tuple[str, ...] = (sig.HEART_RATE_SERVICE, pmd.FILE_TRANSFER_SERVICE)

    def __init__(self, model: Model, address: str, rate_hz: float | None = None) -> None:
        self.model, self.product = model, model.product
        self._serial = address.replace(":", "")[-8:]
        self.name = f"Polar {model.title} {self._serial}"
        self.rates_hz, self.off_body_s = model.rates_hz, model.off_body_s
        self.rate_hz = offered_rate(f"A Polar {model.title}", model.rates_hz, model.default_hz, rate_hz)
        self.has_gyroscope = Measurement.GYRO in model.sensors
        self.sdk_mode = False
        self._battery_percent = 100
        self._range = {one: max(dict(sensor.listed)[Setting.RANGE]) for one, sensor in model.sensors.items()}
        self._running: dict[Measurement, Packer] = {}
        self._to_say: list[Answer] = []
        self._tells_intervals = False

    @property
    def measuring(self) -> bool:
        """Tell whether any measurement runs."""
        return bool(self._running) or self._tells_intervals

    @property
    def ranges(self) -> tuple[float, float]:
        """Return the full scale now set, in m/s^2 and rad/s."""
        return self._range[Measurement.ACC] * _G_MPS2, math.radians(self._range.get(Measurement.GYRO, 0))

    def company_data(self) -> bytes:
        """Return the heart rate block that the sensor broadcasts."""
        second = self.device_us // 1_000_000
        bpm = round(heart.heart_rate_bpm(float(second)))
        return polar_frames.broadcast(self._battery_percent < _LOW_PERCENT, True, second, bpm, bpm)

    def link_lost(self) -> None:
        """End the streams; the mode stays as it is."""
        self._running.clear()
        self._tells_intervals = False

    def read(self, uuid: str, battery_percent: int) -> bytes:
        """Return the value of a readable characteristic. Raises AttError."""
        self._battery_percent = battery_percent
        texts = {
            sig.MANUFACTURER_NAME: "Polar Electro Oy",
            sig.MODEL_NUMBER: self.model.title,
            sig.SERIAL_NUMBER: self._serial,
            # Said aloud, so that nobody takes it for a product on sale.
            sig.FIRMWARE_REVISION: "5.0.0-simulated",
        }
        if uuid in texts:
            return texts[uuid].encode()
        if uuid == sig.BATTERY_LEVEL:
            return bytes((battery_percent,))
        if uuid == sig.BODY_SENSOR_LOCATION:
            return bytes((self.model.body_location,))
        if uuid == pmd.PMD_CONTROL:
            return polar_frames.features(self.model.measurements, self.model.features)
        raise AttError(AttCode.READ_NOT_PERMITTED, f"Characteristic {uuid} cannot be read.")

    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[Answer, ...]:
        """Take a command; every one is answered. Raises AttError."""
        if uuid != pmd.PMD_CONTROL:
            raise AttError(AttCode.WRITE_NOT_PERMITTED, f"Characteristic {uuid} cannot be written.")
        if not data:
            raise AttError(AttCode.INVALID_LENGTH, "An empty command.")
        op, measurement = data[0], data[1] if len(data) > 1 else 0
        status, parameters = self._obey(op, measurement, data[2:])
        return (Answer(uuid, polar_frames.answer(op, measurement, status, parameters)),)

    def end_streams(self, measurements: Sequence[Measurement]) -> None:
        """Stop these by the device's own will, as in its charger; it says so within a second."""
        for one in measurements:
            self._running.pop(one, None)
        self._to_say.append(Answer(pmd.PMD_CONTROL, polar_frames.stopped(measurements)))

    def encode(
        self, indices: IntArray, device_us: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray
    ) -> list[Stretch]:
        """Return the frames that these samples fill, each sensor in frames of its own."""
        stretches = []
        stamps_ns = self.model.epoch_ns + device_us * _NS_PER_US
        for measurement, packing in self._running.items():
            values = acc_mps2 if measurement == Measurement.ACC else gyr_radps
            sensor = ("acc" if measurement == Measurement.ACC else "gyr") if self.has_gyroscope else ""
            for data, first, end in packing.push(indices, stamps_ns, values):
                row = np.frombuffer(data, dtype=np.uint8)[None, :]
                stretches.append(Stretch(pmd.PMD_DATA, row, np.array([first]), np.array([end]), sensor))
        return stretches

    def each_second(self, seed: int, second: int) -> tuple[Answer, ...]:
        """Return what is due to say, the heart rate, of which there is none in SDK mode, and the pulse intervals."""
        told, self._to_say = tuple(self._to_say), []
        if self.sdk_mode:
            return told
        told = (*told, *super().each_second(seed, second))
        if not self._tells_intervals:
            return told
        bpm = round(heart.heart_rate_bpm(second + 1.0))
        beats = [(bpm, round(1000 * one), _PPI_ERROR_MS, _PPI_WORN) for one in heart.intervals_s(seed, second)]
        if not beats:
            return told
        data = polar_frames.frame(Measurement.PPI, 0, 0, polar_frames.pulse_intervals(beats))
        return (*told, Answer(pmd.PMD_DATA, data))

    def cut(self, payload: bytes) -> bytes:
        """Return the header and most of the first sample: less than any frame has."""
        return payload[: pmd.HEADER_BYTES + 5]

    def _obey(self, op: int, measurement: int, arguments: bytes) -> tuple[int, bytes]:
        """Return the status of a command and what its answer carries."""
        if op == Op.SDK_MODE_STATUS and self.model.features & pmd.FEATURE_SDK_MODE:
            return Status.OK, bytes((int(self.sdk_mode),))
        if op == Op.MEASUREMENT_STATUS:
            return Status.OK, bytes(one | (one in self._running) << 6 for one in self.model.measurements)
        if op in (Op.START, Op.STOP) and measurement == Measurement.SDK_MODE:
            return self._switch_mode(op == Op.START), b""
        if op not in (Op.GET_SETTINGS, Op.GET_SDK_SETTINGS, Op.START, Op.STOP):
            return Status.BAD_OP, b""
        if measurement not in self.model.measurements:
            return Status.BAD_MEASUREMENT, b""
        one = Measurement(measurement)
        if one == Measurement.PPI and op in (Op.START, Op.STOP):
            return self._switch_intervals(op == Op.START), b""
        if op in (Op.GET_SETTINGS, Op.GET_SDK_SETTINGS):
            listed = self._listed(one, op == Op.GET_SDK_SETTINGS)
            return (Status.NOT_SUPPORTED, b"") if listed is None else (Status.OK, polar_frames.settings(listed))
        if op == Op.STOP:
            return (Status.OK if self._running.pop(one, None) else Status.ALREADY_IN_STATE), b""
        return self._start(one, arguments)

    def _listed(self, one: Measurement, sdk: bool) -> Listed | None:
        sensor = self.model.sensors.get(one)
        if sensor is None:
            return None if sdk else (self.model.only_listed or {}).get(one)
        return sensor.sdk_listed if sdk or (self.sdk_mode and sensor.sdk_listed) else sensor.listed

    def _switch_mode(self, wanted: bool) -> int:
        if not self.model.features & pmd.FEATURE_SDK_MODE:
            return Status.NOT_SUPPORTED
        if self._running:
            return Status.WRONG_STATE
        if self.sdk_mode == wanted:
            return Status.ALREADY_IN_STATE
        self.sdk_mode = wanted
        return Status.OK

    def _switch_intervals(self, wanted: bool) -> int:
        if wanted and self.sdk_mode:
            return Status.WRONG_STATE
        if self._tells_intervals == wanted:
            return Status.ALREADY_IN_STATE
        self._tells_intervals = wanted
        return Status.OK

    def _start(self, one: Measurement, arguments: bytes) -> tuple[int, bytes]:
        sensor = self.model.sensors.get(one)
        if sensor is None:
            return Status.NOT_SUPPORTED, b""
        if one in self._running:
            return Status.ALREADY_IN_STATE, b""
        chosen = _parsed(arguments)
        if chosen is None:
            return Status.BAD_PARAMETER, b""
        for kind, values in self._listed(one, self.sdk_mode) or ():
            if chosen.get(kind) not in values:
                return _WRONG[kind], b""
        others = [other for other in self._running if other != one]
        if others and chosen[Setting.RATE_HZ] != self.rate_hz:
            # The simulation has one sample grid.
            return Status.BAD_RATE, b""
        self.rate_hz, self._range[one] = float(chosen[Setting.RATE_HZ]), chosen[Setting.RANGE]
        scale = sensor.factors[self._range[one]] if sensor.factors else 1.0
        self._running[one] = Packer(sensor.packing, one, scale)
        return Status.OK, polar_frames.factor(scale) if sensor.factors else self.model.start_tail


_WRONG = {
    Setting.RATE_HZ: Status.BAD_RATE,
    Setting.RESOLUTION_BITS: Status.BAD_RESOLUTION,
    Setting.RANGE: Status.BAD_RANGE,
    Setting.CHANNELS: Status.BAD_CHANNELS,
}


def _parsed(arguments: bytes) -> dict[Setting, int] | None:
    """Return the one value of each setting of a start, None for anything else."""
    chosen: dict[Setting, int] = {}
    while arguments:
        size = pmd.SETTING_BYTES.get(Setting(arguments[0]), 0) if arguments[0] in pmd.SETTING_BYTES else 0
        if not size or len(arguments) < 2 + size or arguments[1] != 1:
            return None
        chosen[Setting(arguments[0])] = int.from_bytes(arguments[2 : 2 + size], "little")
        arguments = arguments[2 + size :]
    return chosen

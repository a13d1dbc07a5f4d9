"""Polar H10, Verity Sense and OH1 by their measurement service (PMD): recognise, start, stop.

Source: polarofficial/polar-ble-sdk: online_measurement.pdf v1.0, documentation/products/*.md, SdkModeExplained.md,
KnownIssues.md. An order that matters: indications of the control point, commands, notifications, start.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass

from devices.errors import BadPacket, Refused
from devices.profiles import polar_uuids as pmd
from devices.profiles import standard
from devices.profiles.polar_advertisement import model_of
from devices.profiles.polar_control import (
    ControlPoint,
    Features,
    Settings,
    decode_features,
    decode_settings,
    start_command,
)
from devices.profiles.polar_decoder import TICK_WRAP, PmdDecoder, Stream
from devices.profiles.polar_uuids import Measurement, Op, Setting, Status
from devices.profiles.types import GattClient, NotifySink, Started, Wish, refuse_unoffered
from devices.types import Advertisement

_LOG = logging.getLogger(__name__)

_G_MPS2 = 9.80665
_RESOLUTION_BITS = 16
_NAMES = {Measurement.ACC: "acceleration", Measurement.GYRO: "angular rate"}
_RANGE_UNITS = {Measurement.ACC: "g", Measurement.GYRO: "deg/s"}


@dataclass(frozen=True, slots=True)
class PolarOptions:
    """Choices that the vendor's documents leave to the application.

    pulse_intervals: stream beat-to-beat intervals of the optical sensors as well. Off, because the wearable then tells
    the heart rate only every 5 s, and because the intervals are good only in complete rest (product pages). Whether
    every firmware gives them beside acceleration is unconfirmed: a refusal is said in the settings, and ignored.
    """

    pulse_intervals: bool = False


@dataclass(frozen=True, slots=True)
class PolarModel:
    """What is different between the models.

    names: in the advertised name, lower case; that of the Verity Sense and of the OH1 are known as keys of the vendor's
    software only (unconfirmed on the air). plain_rate_hz: the one rate outside SDK mode, None for a model without that
    mode. frame_samples: usual number of samples in a frame. lists_rate: whether its list of settings tells the rate.
    """

    family: str
    title: str
    names: tuple[str, ...]
    rates_hz: tuple[float, ...]
    measurements: tuple[Measurement, ...]
    frame_samples: int
    cannot: tuple[str, ...]
    proven: bool
    plain_rate_hz: float | None = None
    plain_ranges: Mapping[Measurement, float] | None = None
    lists_rate: bool = True


_NO_BUFFER = "It does not buffer for Backstop: samples taken while the link is down are gone."
_NO_GYROSCOPE = "It measures no angular rate: posture and bends come from acceleration alone."
_REST_ONLY = "Its beat-to-beat intervals are good in complete rest only, and are not streamed beside motion."

H10 = PolarModel(
    "polar-h10",
    "Polar H10",
    ("h10",),
    (25.0, 50.0, 100.0, 200.0),
    (Measurement.ACC,),
    # 226 bytes of the vendor's test frame.
    frame_samples=36,
    cannot=(
        _NO_GYROSCOPE,
        _NO_BUFFER,
        "It ends the link about 45 s after the strap has left the skin, and its clock begins anew a minute later.",
    ),
    proven=True,
)
VERITY_SENSE = PolarModel(
    "polar-verity-sense",
    "Polar Verity Sense",
    ("sense", "verity sense"),
    (26.0, 52.0, 104.0, 208.0, 416.0),
    (Measurement.ACC, Measurement.GYRO),
    # A frame every 1 to 2 s at 52 Hz (issue #317): the longer one.
    frame_samples=104,
    cannot=(
        "At another rate than 52 Hz, or another range than 8 g and 2000 deg/s, it gives no heart rate (SDK mode).",
        "It sends every 1 to 2 s: what is shown lags so much behind.",
        _REST_ONLY,
        _NO_BUFFER,
    ),
    proven=True,
    plain_rate_hz=52.0,
    plain_ranges={Measurement.ACC: 8.0, Measurement.GYRO: 2000.0},
)
OH1 = PolarModel(
    "polar-oh1",
    "Polar OH1",
    ("oh1", "oh1+"),
    (50.0,),
    (Measurement.ACC,),
    # Not known; taken as for its successor.
    frame_samples=104,
    cannot=(
        _NO_GYROSCOPE,
        _REST_ONLY,
        "It tells badly whether it is worn: a heart rate may be shown that nobody has (product page).",
        _NO_BUFFER,
    ),
    # No acceleration frame of this model is known.
    proven=False,
    lists_rate=False,
)


class PolarPmd:
    """The profile of one model; it has no state, one instance serves all wearables."""

    ticks_per_s: int | None = pmd.NS_PER_S
    tick_wrap: int = TICK_WRAP
    notify_uuids: tuple[str, ...] = (pmd.PMD_DATA,)
    service_uuids: tuple[str, ...] = (pmd.PMD_SERVICE,)

    def __init__(self, model: PolarModel, options: PolarOptions = PolarOptions()) -> None:
        self.family, self.title, self.cannot = model.family, model.title, model.cannot
        self.rates_offered_hz, self.proven = model.rates_hz, model.proven
        self.separate = len(model.measurements) > 1
        self.sensors: tuple[str, ...] = ("acc", "gyr", "heart") if self.separate else ("acc", "heart")
        self._model, self._options = model, options

    def recognise(self, advertisement: Advertisement) -> bool:
        """Tell by the model within the name; the company identifier is that of every Polar watch as well."""
        return model_of(advertisement.name) in self._model.names

    async def start(self, client: GattClient, wish: Wish, sink: NotifySink) -> Started:
        """Choose rate and ranges from what the wearable lists, start, hold the answer to it.

        Raises Refused, BadPacket, NoAnswer. PMD has no command that reads a running stream's settings: read back are
        what the start answers and what then runs; the rest is as the wearable accepted it.
        """
        refuse_unoffered(self, wish.rate_hz)
        features = decode_features(bytes(await client.read_gatt_char(pmd.PMD_CONTROL)))
        sdk_mode = self._needs_sdk_mode(wish)
        self._refuse_missing(features, sdk_mode)
        gate = _Gate(self.title, self._model.measurements, sink)
        control = ControlPoint(client, self.title, gate.on_stopped)
        await control.open()
        if features.sdk_mode:
            await self._set_mode(control, sdk_mode)
        chosen = {one: await self._choose(control, one, wish, sdk_mode) for one in self._model.measurements}
        await client.start_notify(pmd.PMD_DATA, gate.on_data)
        streams: dict[Measurement, Stream] = {}
        said = [("rate", f"{wish.rate_hz:g} Hz"), ("resolution", f"{_RESOLUTION_BITS} bit")]
        if sdk_mode:
            said.append(("mode", "SDK mode, no heart rate"))
        for measurement, settings in chosen.items():
            factor = await self._begin(control, measurement, settings)
            limit = _limit(measurement, settings)
            streams[measurement] = Stream(pmd.NS_PER_S / wish.rate_hz, limit, factor)
            said += _for_people(measurement, settings, factor)
        await self._refuse_idle(control)
        if self._options.pulse_intervals and features.has(Measurement.PPI) and not sdk_mode:
            said.append(("pulse intervals", await self._begin_intervals(control, streams)))
        gyroscope = streams.get(Measurement.GYRO)
        return Started(
            wish.rate_hz,
            PmdDecoder(streams),
            tuple(said),
            streams[Measurement.ACC].limit,
            gyroscope.limit if gyroscope else None,
            self._model.frame_samples / wish.rate_hz,
        )

    async def stop(self, client: GattClient) -> None:
        """Stop every stream and leave SDK mode; an H10 that still streams stays on until its battery is empty."""
        control = ControlPoint(client, self.title, lambda _stopped: None)
        # The indications so far go to the start's own talk.
        await client.stop_notify(pmd.PMD_CONTROL)
        await control.open()
        await self._stop_all(control)
        if self._model.plain_rate_hz is not None:
            await control.try_command(bytes((Op.STOP, Measurement.SDK_MODE)))

    async def read_battery_share(self, client: GattClient) -> float | None:
        """Return the charge, 0 to 1. A Verity Sense before firmware 2.2.6 does not update it while charging."""
        return await standard.read_battery_share(client)

    async def read_device_info(self, client: GattClient) -> tuple[tuple[str, str], ...]:
        """Return the standard texts."""
        return await standard.read_device_info(client)

    def _needs_sdk_mode(self, wish: Wish) -> bool:
        model = self._model
        if model.plain_rate_hz is None or model.plain_ranges is None:
            return False
        ranges = {Measurement.ACC: wish.acc_range_g, Measurement.GYRO: wish.gyr_range_degps}
        other_range = any(wanted not in (None, model.plain_ranges[one]) for one, wanted in ranges.items())
        return wish.rate_hz != model.plain_rate_hz or other_range

    def _refuse_missing(self, features: Features, sdk_mode: bool) -> None:
        for measurement in self._model.measurements:
            if not features.has(measurement):
                raise Refused(
                    f"{self.title} streams no {_NAMES[measurement]}: update its firmware with the maker's app."
                )
        if sdk_mode and not features.sdk_mode:
            raise Refused(
                f"{self.title} has no SDK mode, which other rates than {self._model.plain_rate_hz:g} Hz need: "
                "update its firmware with the maker's app."
            )

    async def _set_mode(self, control: ControlPoint, sdk_mode: bool) -> None:
        """Switch SDK mode if it is not as wanted. It cannot be switched while a stream runs."""
        status, parameters = await control.try_command(bytes((Op.SDK_MODE_STATUS,)))
        is_on = status == Status.OK and bool(parameters[:1].strip(b"\0"))
        # Firmware that does not tell its mode starts without it.
        if is_on == sdk_mode:
            return
        await self._stop_all(control)
        switch = Op.START if sdk_mode else Op.STOP
        await control.command(bytes((switch, Measurement.SDK_MODE)), "switch its SDK mode")

    async def _stop_all(self, control: ControlPoint) -> None:
        for measurement in (*self._model.measurements, *((Measurement.PPI,) if self._options.pulse_intervals else ())):
            # One that does not run is refused, which is as good.
            await control.try_command(bytes((Op.STOP, measurement)))

    async def _choose(
        self, control: ControlPoint, measurement: Measurement, wish: Wish, sdk_mode: bool
    ) -> dict[Setting, int]:
        op = Op.GET_SDK_SETTINGS if sdk_mode else Op.GET_SETTINGS
        listed = decode_settings(
            await control.command(bytes((op, measurement)), f"list its settings of {_NAMES[measurement]}")
        )
        range_wish = wish.acc_range_g if measurement == Measurement.ACC else wish.gyr_range_degps
        chosen = {
            Setting.RATE_HZ: self._pick(listed, Setting.RATE_HZ, wish.rate_hz, "Hz"),
            Setting.RESOLUTION_BITS: self._pick(listed, Setting.RESOLUTION_BITS, _RESOLUTION_BITS, "bit"),
            Setting.RANGE: self._pick(listed, Setting.RANGE, range_wish, _RANGE_UNITS[measurement]),
        }
        if Setting.CHANNELS in listed:
            chosen[Setting.CHANNELS] = self._pick(listed, Setting.CHANNELS, 3, "channels")
        return chosen

    def _pick(self, listed: Settings, kind: Setting, wanted: float | None, unit: str) -> int:
        """Return the wanted value, the largest listed for None. Raises Refused, naming what is listed."""
        values = listed.get(kind, ())
        if not values:
            raise BadPacket(f"{self.title} lists no value in {unit} for a setting it needs; connect again.")
        # The OH1 may list another rate than the one it streams at, and takes the listed one (KnownIssues.md).
        misled = kind == Setting.RATE_HZ and not self._model.lists_rate and wanted not in values
        if wanted is None or misled:
            return int(max(values))
        if wanted not in values:
            offered = ", ".join(f"{value:g}" for value in values)
            raise Refused(f"{self.title} does not offer {wanted:g} {unit}; choose one of {offered} {unit}.")
        return int(wanted)

    async def _begin(
        self, control: ControlPoint, measurement: Measurement, chosen: Mapping[Setting, int]
    ) -> float | None:
        """Start one measurement; return its factor, None if the answer gives none."""
        command, what = start_command(measurement, chosen), f"start {_NAMES[measurement]}"
        status, parameters = await control.try_command(command)
        if status == Status.ALREADY_IN_STATE:
            # Left by a program that ended without a stop, and perhaps with other settings.
            await control.try_command(bytes((Op.STOP, measurement)))
            status, parameters = await control.try_command(command)
        if status != Status.OK:
            raise control.refusal(status, what)
        answered = decode_settings(parameters)
        for kind, value in chosen.items():
            if kind in answered and answered[kind] != (value,):
                raise Refused(f"{self.title} does not {what} with {value} but with {answered[kind][0]:g}: choose that.")
        factor = answered.get(Setting.FACTOR, (None,))[0]
        if factor is not None and not (math.isfinite(factor) and factor > 0):
            raise BadPacket(f"{self.title} answers with a factor of {factor:g}; connect again.")
        return factor

    async def _refuse_idle(self, control: ControlPoint) -> None:
        """Raise Refused if the wearable says that something does not run though it was started."""
        status, parameters = await control.try_command(bytes((Op.MEASUREMENT_STATUS,)))
        # Bits 6 and 7: idle, online, offline, both. Firmware that does not tell is believed.
        told = {one & pmd.MEASUREMENT_MASK: one >> 6 for one in parameters} if status == Status.OK else {}
        for measurement in self._model.measurements:
            if told.get(measurement, pmd.ONLINE) not in (pmd.ONLINE, pmd.ONLINE_AND_OFFLINE):
                raise Refused(
                    f"{self.title} does not stream {_NAMES[measurement]} though it said so: switch it off and on again."
                )

    async def _begin_intervals(self, control: ControlPoint, streams: dict[Measurement, Stream]) -> str:
        status, _ = await control.try_command(bytes((Op.START, Measurement.PPI)))
        if status not in (Status.OK, Status.ALREADY_IN_STATE):
            return f"refused with status {status}"
        streams[Measurement.PPI] = Stream(0.0, 0.0)
        return "streamed"


class _Gate:
    """Passes frames on until the device itself stops one of the wanted streams.

    Half a stream is not what was asked for: with nothing passed on any more, the link notices the silence and starts
    all of it anew.
    """

    def __init__(self, title: str, wanted: tuple[Measurement, ...], sink: NotifySink) -> None:
        self._title, self._wanted, self._sink = title, wanted, sink
        self._shut = False

    def on_data(self, _characteristic: object, data: bytearray) -> None:
        """Take a notification."""
        if not self._shut:
            self._sink(bytes(data))

    def on_stopped(self, stopped: tuple[int, ...]) -> None:
        """Learn that the device stopped some measurements."""
        if any(one in self._wanted for one in stopped):
            _LOG.info("%s stopped its stream by itself; it is started anew.", self._title)
            self._shut = True


def _limit(measurement: Measurement, chosen: Mapping[Setting, int]) -> float:
    """Return the full scale in m/s^2 or rad/s."""
    full = chosen[Setting.RANGE]
    return full * _G_MPS2 if measurement == Measurement.ACC else math.radians(full)


def _for_people(measurement: Measurement, chosen: Mapping[Setting, int], factor: float | None) -> list[tuple[str, str]]:
    name, unit = _NAMES[measurement], _RANGE_UNITS[measurement]
    said = [(f"{name} range", f"{chosen[Setting.RANGE]} {unit}")]
    return [*said, (f"{name} factor", f"{factor:.6g} {unit}")] if factor is not None else said

"""`backstop simulate`: one or more wearables that need no radio, for a second Backstop on the same machine."""

from __future__ import annotations

import argparse
import difflib
import math
import shlex
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coach.commands.simulation_list import simulation_list
from coach.config import SHARED_CLOCK
from coach.errors import InvalidInput
from devices.hostclock import HostClock, ScaledClock, SystemClock
from devices.sim.bus import ADDRESS_VARIABLE, SimBus
from devices.sim.motions import MOTIONS, MotionSource
from devices.sim.products import PRODUCTS, make_firmware
from devices.sim.replay import RecordingMotion
from devices.sim.switches import FAULTS
from devices.sim.wearable import SimWearable

_STATUS_S = 5.0
_FIRST_ADDRESS = "C0:FF:EE:00:00:01"
_TICK_S = 0.05
# bleak keeps one connection open per wearable; a machine's radio holds about seven, a test of the software more.
_COUNT_MAX = 50


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault to come, `at_s` seconds of the wearables' clock after the start."""

    at_s: float
    name: str
    argument: float


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `simulate`."""
    parser = subparsers.add_parser("simulate", help="simulate wearables for a Backstop without Bluetooth (Linux)")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE.npz", help="replay this recording")
    parser.add_argument(
        "--product", action="append", metavar="NAME", help="which wearable (movella-dot); may be given again to mix"
    )
    parser.add_argument(
        "--motion", action="append", metavar="NAME", help="synthetic motion (lifting); may be given again to mix"
    )
    parser.add_argument("--place", metavar="NAME", help="which sensor of the recording")
    parser.add_argument("--repeat-to-s", type=float, metavar="S", help="repeat the recording to this length")
    parser.add_argument("--rate-hz", type=float, metavar="R", help="output rate the wearable starts with")
    parser.add_argument("--count", type=int, metavar="N", help="how many wearables, products and motions in turn")
    parser.add_argument("--seed", type=int, default=7, help="seed of the first; the next count up (7)")
    parser.add_argument("--speed", type=float, default=1.0, metavar="X", help="run the clock X times real time (1)")
    parser.add_argument("--battery", type=float, default=0.87, metavar="SHARE", help="charge, 0 to 1 (0.87)")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME[:ARG]@T_S", help="see --list; may be given again"
    )
    parser.add_argument("--duration-s", type=float, metavar="S", help="end after so many real seconds")
    parser.add_argument("--list", action="store_true", help="list products, rates, motions and faults, and end")
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Run the wearables until Ctrl-C, the duration, or the recording's end. Raises InvalidInput and DeviceError."""
    if args.list:
        print("\n".join(simulation_list()))
        return 0
    args.product = args.product or ["movella-dot"]
    named = max(len(args.product), len(args.motion or ()))
    args.count = named if args.count is None else args.count
    _check(args)
    faults = sorted((parse_fault(text) for text in args.fault), key=lambda fault: fault.at_s)
    if sys.platform != "linux":
        raise InvalidInput(
            "`backstop simulate` needs Linux; here use `backstop run`, which simulates a wearable itself."
        )
    motions = [_motion(args, number) for number in range(args.count)]
    clock = _clock(args.speed, motions[0])
    wearables = [_wearable(args, motion, clock, number) for number, motion in enumerate(motions)]
    bus = SimBus(wearables)
    bus.start()
    try:
        _announce(bus, clock, wearables)
        _watch(wearables, bus, clock, faults, args.duration_s)
    except KeyboardInterrupt:
        print("Ended.", flush=True)
    finally:
        bus.close()
    return 0


def parse_fault(text: str) -> PlannedFault:
    """Read NAME[:ARG]@T_S. Raises InvalidInput."""
    call, at, when = text.rpartition("@")
    name, colon, given = call.partition(":")
    if not at:
        raise InvalidInput(f"--fault {text}: write NAME[:ARG]@T_S, like drop_link@30; see --list.")
    if name not in FAULTS:
        near = ", ".join(difflib.get_close_matches(name, FAULTS, 3) or list(FAULTS)[:3])
        raise InvalidInput(f"--fault {text}: there is no fault {name!r}, but {near} and others; see --list.")
    takes = FAULTS[name].argument
    at_s = _number(when, f"--fault {text}: the time", 0, math.inf)
    if takes is None:
        if colon:
            raise InvalidInput(f"--fault {text}: {name} takes no argument; write {name}@{when}.")
        return PlannedFault(at_s, name, 0.0)
    if not given:
        if takes.default is None:
            raise InvalidInput(f"--fault {text}: {name} needs an argument; write {name}:{takes.word}@{when}.")
        return PlannedFault(at_s, name, takes.default)
    argument = _number(given, f"--fault {text}: {takes.word}", takes.low, takes.high)
    if takes.whole and not argument.is_integer():
        raise InvalidInput(f"--fault {text}: {takes.word} {given!r} is no whole number.")
    return PlannedFault(at_s, name, argument)


def _number(text: str, what: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and low <= value <= high):
        limits = f"from {low:g} up" if math.isinf(high) else f"from {low:g} to {high:g}"
        raise InvalidInput(f"{what} {text!r} is no number {limits}.")
    return value


def _check(args: argparse.Namespace) -> None:
    """Refuse what contradicts itself or lies outside its range, with one sentence that names the option."""
    for product in args.product:
        if product not in PRODUCTS:
            raise InvalidInput(f"--product {product}: there is {', '.join(sorted(PRODUCTS))}.")
    named = max(len(args.product), len(args.motion or ()))
    if 0 < args.count < named:
        raise InvalidInput(f"--count {args.count} is less than the {named} that are named; leave it out.")
    for motion in args.motion or ():
        if motion not in MOTIONS:
            raise InvalidInput(f"--motion {motion}: there is {', '.join(MOTIONS)}; a recording is given as FILE.npz.")
    if args.file is not None and args.motion:
        raise InvalidInput(f"Give either --motion {args.motion[0]} or the recording {args.file}, not both.")
    if args.file is None and (args.place is not None or args.repeat_to_s is not None):
        raise InvalidInput("--place and --repeat-to-s belong to a recording; name its FILE.npz.")
    ranges = (
        ("--count", args.count, 1, _COUNT_MAX),
        ("--seed", args.seed, 0, 2**31),
        ("--speed", args.speed, 0.01, 100),
        ("--battery", args.battery, 0, 1),
        ("--duration-s", args.duration_s, 0.001, 31e6),
        ("--repeat-to-s", args.repeat_to_s, 1, 86400),
    )
    for option, value, low, high in ranges:
        if value is not None and not low <= value <= high:
            raise InvalidInput(f"{option} {value:g}: give a number from {low:g} to {high:g}.")
    if args.rate_hz is not None:
        for product in args.product:
            make_firmware(product, _FIRST_ADDRESS, args.rate_hz)


def _motion(args: argparse.Namespace, number: int) -> MotionSource:
    if args.file is None:
        names = args.motion or ["lifting"]
        return MOTIONS[names[number % len(names)]](args.seed + number)
    return RecordingMotion.from_npz(args.file, args.place, args.repeat_to_s)


def _clock(speed: float, motion: MotionSource) -> HostClock:
    if speed == 1:
        return SystemClock()
    # A recording played fast is one that ends about now, so that its samples do not lie in the future.
    behind_s = motion.duration_s if motion.duration_s is not None and speed > 1 else 0.0
    return ScaledClock.starting_now(time.time() - behind_s, speed)


def _wearable(args: argparse.Namespace, motion: MotionSource, clock: HostClock, number: int) -> SimWearable:
    product = args.product[number % len(args.product)]
    rate_hz = args.rate_hz
    if rate_hz is None and isinstance(motion, RecordingMotion):
        rate_hz = motion.nearest_rate_hz(make_firmware(product, _FIRST_ADDRESS).rates_hz)
    return SimWearable(
        address=f"C0:FF:EE:00:00:{number + 1:02X}",
        product=product,
        motion=motion,
        clock=clock,
        rate_hz=rate_hz,
        seed=args.seed + number,
        battery_share=args.battery,
    )


def _announce(bus: SimBus, clock: HostClock, wearables: list[SimWearable]) -> None:
    line = f"{ADDRESS_VARIABLE}={bus.address} "
    if isinstance(clock, ScaledClock):
        line += f"{SHARED_CLOCK}={clock.to_text()} "
    print(f"{line}{_program()} run --no-simulate", flush=True)
    if isinstance(clock, ScaledClock) and clock.speed > 1:
        print(f"Time runs {clock.speed:g} times as fast for both: the recording may run ahead of the wall clock.")
    for one in wearables:
        print(f"{one.name} {one.address}, {one.rate_hz:g} Hz, is in reach. Ctrl-C ends it.", flush=True)


def _program() -> str:
    """Return how to call Backstop from the same place: by its name, or by the path that was used if it has to be."""
    called = Path(sys.argv[0])
    return shlex.quote(sys.argv[0]) if called.name == "backstop" and shutil.which("backstop") is None else "backstop"


def _watch(
    wearables: Sequence[SimWearable],
    bus: SimBus,
    clock: HostClock,
    faults: Sequence[PlannedFault],
    duration_s: float | None,
) -> None:
    """Wait for the end, let the faults happen in time, and say every few seconds what goes on."""
    over = threading.Event()
    # A process that is told to end leaves as with Ctrl-C, so that the socket's folder goes with it.
    before = signal.signal(signal.SIGTERM, lambda *_: over.set())
    began_s, clock_began_s = time.monotonic(), clock.utc_s()
    told_s = began_s
    waiting = list(faults)
    try:
        while not over.wait(_TICK_S) and not all(one.ended.is_set() for one in wearables):
            while waiting and clock.utc_s() - clock_began_s >= waiting[0].at_s:
                _happen(waiting.pop(0), wearables, bus)
            now_s = time.monotonic()
            if duration_s is not None and now_s - began_s >= duration_s:
                break
            if now_s - told_s >= _STATUS_S:
                told_s = now_s
                _status(wearables)
    finally:
        signal.signal(signal.SIGTERM, before)
        _status(wearables)
    if all(one.ended.is_set() for one in wearables):
        print("The recording is over; the wearables are off.", flush=True)


def _happen(planned: PlannedFault, wearables: Sequence[SimWearable], bus: SimBus) -> None:
    fault = FAULTS[planned.name]
    print(f"Now: {planned.name} ({fault.meaning}).", flush=True)
    if fault.on_service is not None:
        fault.on_service(bus)
    if fault.on_wearable is not None:
        for one in wearables:
            fault.on_wearable(one, planned.argument)


def _status(wearables: Sequence[SimWearable]) -> None:
    linked = sum(one.connected for one in wearables)
    frames = sum(one.frames_sent for one in wearables)
    print(f"{linked} of {len(wearables)} connected, {frames} frames sent.", flush=True)

"""`backstop record-raw`: write down what a wearable sends, byte by byte, for those who cannot hold the device."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import TextIO

from coach.commands.options import shared_clock
from coach.errors import CoachError, InvalidInput
from devices.errors import DeviceError
from devices.hostclock import SystemClock
from devices.hub import BleHub, Seen
from devices.link import LinkRequest
from devices.profiles import profile_of
from devices.profiles.types import Profile
from devices.rawlog import RawLog

_SECONDS, _SECONDS_MAX = 20.0, 3600.0
_SCAN_S = 5.0
# A wearable that was found takes a second or two to be connected and started.
_START_S = 30.0
_LOOK_S = 0.1
# Motion of the trunk and the limbs; more makes a longer file and tells no more of the layout.
_RATE_WANTED_HZ = 60.0


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `record-raw`."""
    parser = subparsers.add_parser("record-raw", help="write a wearable's raw notifications to a file to send to us")
    parser.add_argument("output", type=Path, metavar="FILE.txt", help="file to write; must not exist")
    parser.add_argument("--family", metavar="F", help="take the nearest wearable of this family")
    parser.add_argument("--address", metavar="A", help="take the wearable with this address")
    parser.add_argument("--seconds", type=float, default=_SECONDS, metavar="N", help=f"how long ({_SECONDS:g})")
    parser.add_argument("--rate-hz", type=float, metavar="R", help="rate to ask for (default: the next to 60)")
    parser.add_argument("--with-names", action="store_true", help="leave address, name and serial number in the file")
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Scan, choose, record. Raises InvalidInput and DeviceError."""
    if not 1 <= args.seconds <= _SECONDS_MAX:
        raise InvalidInput(f"--seconds {args.seconds:g}: give a number from 1 to {_SECONDS_MAX:g}.")
    if args.family is not None:
        profile_of(args.family)
    # Said before the radio listens; the open below stays for whatever happens meanwhile.
    if args.output.exists() or not args.output.parent.is_dir():
        why = "it is there already" if args.output.exists() else f"there is no folder {args.output.parent}"
        raise InvalidInput(f"{args.output} cannot be written ({why}): name a file that is not there.")
    with BleHub() as hub:
        print(f"Listening for wearables for {_SCAN_S:g} s …", flush=True)
        seen = _chosen(hub.scan(_SCAN_S), args.family, args.address)
        try:
            out = args.output.open("x", encoding="utf-8")
        except OSError as error:
            raise InvalidInput(
                f"{args.output} cannot be written ({error.strerror}): name a file that is not there."
            ) from error
        try:
            with out:
                return _record(hub, seen, args, out)
        except (CoachError, DeviceError):
            # Refused before anything was written: an empty file would stand in the way of the next try.
            args.output.unlink()
            raise


def _chosen(found: list[Seen], family: str | None, address: str | None) -> Seen:
    """Return the nearest that was asked for. Raises InvalidInput, naming what is in reach."""
    known = [one for one in found if one.family is not None]
    for one in known:
        named = address is None or one.advertisement.address.upper() == address.upper()
        if named and (family is None or one.family == family):
            return one
    reach = ", ".join(f"{one.advertisement.name} ({one.family}, {one.advertisement.address})" for one in known)
    raise InvalidInput(
        f"No such wearable was heard; in reach: {reach or 'none that Backstop knows'}. Switch it on, close other apps "
        "that use it, and name it by --family or --address."
    )


def _record(hub: BleHub, seen: Seen, args: argparse.Namespace, out: TextIO) -> int:
    profile = profile_of(seen.family or "")
    rates_hz = profile.rates_offered_hz
    # 0 is asked for as well, and refused by the product's own sentence.
    asked_hz: float | None = args.rate_hz
    rate_hz = min(rates_hz, key=lambda rate: abs(rate - _RATE_WANTED_HZ)) if asked_hz is None else asked_hz
    log = RawLog(out, seen.advertisement.address, seen.advertisement.name, redacted=not args.with_names)
    log.tell(family=profile.family, asked_rate_hz=f"{rate_hz:g}")
    request = LinkRequest(
        address=seen.advertisement.address,
        family=profile.family,
        rate_hz=rate_hz,
        recording_id="raw",
        clock=shared_clock() or SystemClock(),
        tap=log.note,
    )
    link = hub.open(request, lambda chunk: None)
    try:
        # Ctrl-C ends the recording; what is there is kept.
        with contextlib.suppress(KeyboardInterrupt):
            _wait(log, args.seconds)
    finally:
        link.close()
    status = link.status()
    shown = [pair for pair in status.device_info if args.with_names or pair[0] != "serial number"]
    log.tell(**{name.replace(" ", "_"): value for name, value in (*shown, *status.settings)})
    log.tell(bad_packets=status.bad_packets)
    if not log.notifications:
        print(f"Nothing was sent: {status.problem or 'is it worn and switched on?'}", file=sys.stderr)
        return 2
    print(_summary(profile, log.notifications, status.bad_packets, args.output))
    return 0


def _wait(log: RawLog, seconds: float) -> None:
    """Wait until the recording has its length, counted from the first notification."""
    give_up_s = time.monotonic() + _START_S
    while not log.notifications and time.monotonic() < give_up_s:
        time.sleep(_LOOK_S)
    if log.notifications:
        time.sleep(seconds)


def _summary(profile: Profile, notifications: int, bad_packets: int, output: Path) -> str:
    told = f"{notifications} notifications of a {profile.title} are in {output}, {bad_packets} of them not understood."
    if profile.proven:
        return told
    return (
        f"{told} This family is unproven on hardware: send the file, with a line on what the sensor did meanwhile, and "
        "it becomes a test."
    )

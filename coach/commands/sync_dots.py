"""`backstop sync-dots`: give several Movella DOTs one time line, made by the sensors among themselves."""

from __future__ import annotations

import argparse

from coach.errors import InvalidInput
from devices.hub import BleHub

_RATE_HZ = 60.0
# At most five stream well to one computer (user manual).
_MOST = 5


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `sync-dots`."""
    parser = subparsers.add_parser("sync-dots", help="let several Movella DOTs agree on one time (half a minute)")
    parser.add_argument("addresses", nargs="+", metavar="ADDRESS", help="two to five sensors; the first leads")
    parser.add_argument("--rate-hz", type=float, default=_RATE_HZ, metavar="R", help=f"rate of all ({_RATE_HZ:g})")
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Synchronise them and say so. Raises InvalidInput and DeviceError."""
    addresses = [address.upper() for address in args.addresses]
    if not 2 <= len(set(addresses)) == len(addresses) <= _MOST:
        raise InvalidInput(f"Name two to {_MOST} different sensors; {len(set(addresses))} were named.")
    with BleHub() as hub:
        print(f"{len(addresses)} sensors agree on one time; this takes half a minute …", flush=True)
        hub.synchronise_dots(addresses, args.rate_hz)
    print(f"They share the time of {addresses[0]}. Start Backstop now; switching one off ends it for that one.")
    return 0

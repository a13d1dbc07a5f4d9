"""The one border at which bleak's errors, and those of the layers below it, become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
)

from devices.errors import DeviceError, Disconnected, NeedsPerson, NoRadio, NotPaired, Refused

# bleak lets errors of the socket and of time-outs through, and dbus-fast an EOFError when the bus closes.
FOREIGN = (BleakError, TimeoutError, EOFError, OSError)

_REMEDY = (
    "plug in an adapter and start the Bluetooth service, or run `backstop simulate` and start Backstop with the line "
    "that it prints"
)
_ALLOW = (
    "allow it for Backstop in the system's privacy settings (on Linux: join the group `bluetooth`), then start again"
)
# What helps where bleak knows why; elsewhere an adapter or its service is missing.
_REMEDY_OF = {
    BleakBluetoothNotAvailableReason.POWERED_OFF: "switch it on in the system's Bluetooth settings",
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: "plug in an adapter for Bluetooth Low Energy",
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: _ALLOW,
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: _ALLOW,
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: _ALLOW,
}
# D-Bus and ATT answers that mean "not without pairing". ATT: 5 authentication, 8 authorisation, 15 encryption.
_PAIRING_WORDS = ("NotPermitted", "NotAuthorized", "Authentication")
_PAIRING_CODES = (5, 8, 15)
# D-Bus answers that mean that nobody serves Bluetooth any more.
_SERVICE_GONE = ("ServiceUnknown", "NameHasNoOwner", "NoReply")


def _says(error: BaseException) -> str:
    return str(error) or type(error).__name__


def no_radio(error: BaseException) -> NoRadio:
    """Return the sentence for a machine without usable Bluetooth."""
    why, remedy = _says(error), _REMEDY
    if isinstance(error, BleakBluetoothNotAvailableError):
        why, remedy = str(error.args[0]), _REMEDY_OF.get(error.reason, _REMEDY)
    elif isinstance(error, FileNotFoundError | ConnectionRefusedError):
        why = "no Bluetooth service answers"
    return NoRadio(f"This machine has no usable Bluetooth ({why.rstrip('.')}): {remedy}.")


def not_paired(error: BaseException, who: str) -> NotPaired:
    """Return the sentence for a wearable that answers only when it is paired."""
    return NotPaired(f"{who} wants to be paired ({_says(error)}): pair it in the system's Bluetooth settings.")


def not_pairing(error: BaseException, who: str) -> DeviceError:
    """Return the sentence for an attempt to pair that failed with a foreign error."""
    ours = translate(error, who, "pairing")
    if isinstance(ours, NoRadio):
        return ours
    return NeedsPerson(
        f"{who} refused to be paired ({_says(error)}): put it into pairing mode as its manual says, and remove it from "
        "the other phone or computer it belongs to."
    )


def translate(error: BaseException, who: str, doing: str) -> DeviceError:
    """Return our error for a foreign one that came up while `doing` something with the wearable `who`."""
    if isinstance(error, BleakBluetoothNotAvailableError | FileNotFoundError | ConnectionRefusedError):
        return no_radio(error)
    if isinstance(error, BleakDBusError):
        if any(word in error.dbus_error for word in _SERVICE_GONE):
            return no_radio(error)
        if any(word in error.dbus_error for word in _PAIRING_WORDS):
            return not_paired(error, who)
    if isinstance(error, BleakGATTProtocolError):
        if int(error.code) in _PAIRING_CODES:
            return not_paired(error, who)
        return Refused(f"{who} refused while {doing} ({_says(error)}): switch it off and on again.")
    if isinstance(error, TimeoutError):
        return Disconnected(f"{who} did not answer in time while {doing}; bring it closer.")
    return Disconnected(f"{who} could not be reached while {doing} ({_says(error)}); close other apps that use it.")


@contextmanager
def radio_errors(who: str, doing: str) -> Iterator[None]:
    """Raise our errors for foreign ones inside the block."""
    try:
        yield
    except FOREIGN as error:
        raise translate(error, who, doing) from error

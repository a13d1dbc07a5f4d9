"""What bleak and the layers below it raise becomes one sentence of ours."""

from __future__ import annotations

import asyncio

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from devices.errors import DeviceError, Disconnected, NeedsPerson, NoRadio, NotPaired, Refused
from devices.radio_errors import not_pairing, radio_errors


@pytest.mark.parametrize(
    ("foreign", "ours", "says"),
    [
        (FileNotFoundError(2, "No such file or directory"), NoRadio, "no Bluetooth service answers.*backstop simulate"),
        (
            BleakBluetoothNotAvailableError("No adapters found.", BleakBluetoothNotAvailableReason.NO_BLUETOOTH),
            NoRadio,
            r"\(No adapters found\): plug in",
        ),
        (
            BleakBluetoothNotAvailableError("Off.", BleakBluetoothNotAvailableReason.POWERED_OFF),
            NoRadio,
            "switch it on",
        ),
        (
            BleakBluetoothNotAvailableError("Old.", BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE),
            NoRadio,
            "Low Energy",
        ),
        (
            BleakBluetoothNotAvailableError("No.", BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM),
            NoRadio,
            "allow it",
        ),
        (BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", ["org.bluez is gone"]), NoRadio, "plug in"),
        (BleakDBusError("org.bluez.Error.NotPermitted", ["Not paired"]), NotPaired, "pair it"),
        (BleakDBusError("org.bluez.Error.AuthenticationFailed", []), NotPaired, "pair it"),
        (BleakDBusError("org.bluez.Error.Failed", ["br-connection-canceled"]), Disconnected, "close other apps"),
        (BleakGATTProtocolError(BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION), NotPaired, "pair it"),
        (BleakGATTProtocolError(BleakGATTProtocolErrorCode(0x80)), Refused, "off and on again"),
        (BleakError("device 'dev_C0_FF' not found"), Disconnected, "not found"),
        (TimeoutError(), Disconnected, "bring it closer"),
        (EOFError(), Disconnected, "EOFError"),
        (OSError(9, "Bad file descriptor"), Disconnected, "Bad file descriptor"),
    ],
)
def test_one_sentence_of_ours(foreign: Exception, ours: type[DeviceError], says: str) -> None:
    with pytest.raises(ours, match=says) as caught, radio_errors("Strap 7", "connecting"):
        raise foreign
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert caught.value.__cause__ is foreign


def test_what_is_ours_or_a_defect_passes_unchanged() -> None:
    for error in (Refused("No."), ZeroDivisionError(), asyncio.CancelledError()):
        with pytest.raises(type(error)) as caught, radio_errors("Strap 7", "connecting"):
            raise error
        assert caught.value is error


@pytest.mark.parametrize(
    ("foreign", "ours", "says"),
    [
        (
            BleakDBusError("org.bluez.Error.AuthenticationFailed", ["Authentication Failed"]),
            NeedsPerson,
            "pairing mode",
        ),
        (BleakDBusError("org.bluez.Error.AuthenticationRejected", []), NeedsPerson, "remove it from the other phone"),
        (TimeoutError(), NeedsPerson, "pairing mode"),
        (BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", ["org.bluez is gone"]), NoRadio, "plug in"),
    ],
)
def test_a_pairing_that_fails_says_what_to_do(foreign: Exception, ours: type[DeviceError], says: str) -> None:
    error = not_pairing(foreign, "Strap 7")
    assert type(error) is ours
    assert says in str(error)

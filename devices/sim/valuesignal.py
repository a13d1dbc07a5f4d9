"""Marshal a run of notifications as D-Bus signals at once: they differ in serial and payload only."""

from __future__ import annotations

import struct

import numpy as np
from dbus_fast import Message, MessageType, Variant
from numpy.typing import NDArray

from devices.sim.gatt import Notifications

PROPERTIES = "org.freedesktop.DBus.Properties"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"
# Offset of the serial in a message header. Source: D-Bus specification, "Message Format".
_SERIAL_AT = 8


def value_changed(path: str, value: bytes) -> Message:
    """Return the signal that says: this characteristic's value is now `value`."""
    return Message(
        path=path,
        interface=PROPERTIES,
        member="PropertiesChanged",
        message_type=MessageType.SIGNAL,
        signature="sa{sv}as",
        body=[CHARACTERISTIC, {"Value": Variant("ay", value)}, []],
        serial=1,
    )


class ValueSignals:
    """The signals of one characteristic, from a template per payload size."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._templates: dict[int, tuple[NDArray[np.uint8], int]] = {}

    def marshal(self, part: Notifications, first_serial: int) -> bytes:
        """Return the signals of `part`, end to end, with serials from `first_serial` on."""
        template, at = self._template(part.size)
        count = len(part)
        messages = np.tile(template, (count, 1))
        serials = np.arange(first_serial, first_serial + count, dtype="<u4")
        messages[:, _SERIAL_AT : _SERIAL_AT + 4] = serials.view(np.uint8).reshape(count, 4)
        messages[:, at : at + part.size] = np.frombuffer(part.data, dtype=np.uint8).reshape(count, part.size)
        return messages.tobytes()

    def _template(self, size: int) -> tuple[NDArray[np.uint8], int]:
        if size not in self._templates:
            marker = bytes((0xA5,)) * size
            data = bytes(value_changed(self._path, marker)._marshall(False))
            # The payload follows its own length, which tells it from anything alike.
            at = data.rindex(struct.pack("<I", size) + marker) + 4
            self._templates[size] = (np.frombuffer(data, dtype=np.uint8), at)
        return self._templates[size]

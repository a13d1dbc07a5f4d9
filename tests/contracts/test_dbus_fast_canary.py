"""The simulated bus leans on two private names of dbus-fast. Fail here, and say so, when they change."""

from __future__ import annotations

import sys
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="dbus-fast is installed on Linux only")

REMEDY = (
    "dbus-fast changed under devices/sim/minibus.py: {name}. Keep the pin in pyproject.toml below this version, or "
    "adapt minibus.py and valuesignal.py and then this test."
)


class Feed:
    """A stream that has nothing more to give answers None."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, count: int) -> bytes | None:
        taken, self.data = self.data[:count], self.data[count:]
        return taken or None


def call_message() -> Any:
    from dbus_fast import Message, Variant

    return Message(
        destination="org.bluez",
        path="/org/bluez/hci0",
        interface="org.bluez.GattCharacteristic1",
        member="WriteValue",
        signature="aya{sv}",
        body=[b"\x01\x02", {"type": Variant("s", "request")}],
        serial=77,
    )


def test_private_names_exist() -> None:
    import dbus_fast

    assert hasattr(dbus_fast.Message, "_marshall"), REMEDY.format(name="Message._marshall is gone")
    try:
        from dbus_fast._private.unmarshaller import Unmarshaller
    except ImportError:
        pytest.fail(REMEDY.format(name="dbus_fast._private.unmarshaller.Unmarshaller is gone"))
    assert callable(Unmarshaller.unmarshall)


def test_a_message_survives_the_round_trip_in_pieces() -> None:
    from dbus_fast._private.unmarshaller import Unmarshaller

    data = bytes(call_message()._marshall(False))
    feed = Feed(data[:30])
    reader = Unmarshaller(stream=feed, negotiate_unix_fd=False)  # type: ignore[arg-type]
    assert reader.unmarshall() is None, REMEDY.format(name="half a message is no longer answered with None")
    feed.data = data[30:] + data
    for _ in range(2):
        message = reader.unmarshall()
        assert message is not None, REMEDY.format(name="a stream in pieces is no longer read")
        assert (message.member, message.serial, bytes(message.body[0])) == ("WriteValue", 77, b"\x01\x02")
    assert reader.unmarshall() is None


def test_value_signals_equal_marshalling_one_by_one() -> None:
    from devices.sim.gatt import Notifications
    from devices.sim.valuesignal import ValueSignals, value_changed

    path = "/org/bluez/hci0/dev_C0_FF_EE_00_00_01/service0020/char0023"
    payloads = [bytes((number,)) * 40 for number in (0, 1, 0xA5, 255)]
    made = ValueSignals(path).marshal(Notifications("any", 40, b"".join(payloads)), 4000)
    expected = bytearray()
    for number, payload in enumerate(payloads):
        message = value_changed(path, payload)
        message.serial = 4000 + number
        expected += message._marshall(False)
    assert made == bytes(expected), REMEDY.format(name="Message._marshall lays a signal out differently")

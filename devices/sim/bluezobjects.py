"""The objects that the simulated Bluetooth daemon shows: their paths and properties.

Paths end in a handle of four hex digits, and bleak cuts a device's path off a characteristic's by its length, so their
form is fixed. Source: the daemon's D-Bus documentation (org.bluez.Adapter, .Device, .GattService, .GattCharacteristic).
"""

from __future__ import annotations

import asyncio

from dbus_fast import Message, Variant

from devices.sim.minibus import Connection
from devices.sim.valuesignal import CHARACTERISTIC, ValueSignals
from devices.sim.wearable import SimWearable
from devices.types import Advertisement

ADAPTER_PATH = "/org/bluez/hci0"
DEVICE = "org.bluez.Device1"
SERVICE = "org.bluez.GattService1"
# What BlueZ usually agrees on: a link of Bluetooth 4.2 with data length extension.
MTU_BYTES = 247

Properties = dict[str, Variant]


class SeenDevice:
    """What the daemon knows of one wearable."""

    def __init__(self, wearable: SimWearable) -> None:
        self.wearable = wearable
        self.path = f"{ADAPTER_PATH}/dev_{wearable.address.replace(':', '_')}"
        self.properties: Properties = {}  # empty until it was seen
        self.owner: Connection | None = None
        self.connecting: asyncio.Task[None] | None = None
        self.connect_call: tuple[Connection, Message] | None = None
        self.uuids: dict[str, str] = {}  # characteristic path -> UUID, while connected
        self.paths: dict[str, str] = {}  # and back
        self.listeners: dict[str, set[Connection]] = {}  # characteristic path -> who asked for notifications
        self.signals: dict[str, ValueSignals] = {}

    @property
    def connected(self) -> bool:
        return bool(self.uuids)

    def forget_link(self) -> None:
        """Know nothing of a link any more."""
        self.uuids, self.paths, self.listeners, self.owner = {}, {}, {}, None

    def gatt_objects(self) -> dict[str, dict[str, Properties]]:
        """Return the service and characteristic objects, services first."""
        objects: dict[str, dict[str, Properties]] = {}
        for service in self.wearable.table:
            service_path = f"{self.path}/service{service.handle:04x}"
            objects[service_path] = {
                SERVICE: {
                    "UUID": Variant("s", service.uuid),
                    "Primary": Variant("b", True),
                    "Device": Variant("o", self.path),
                }
            }
            for one in service.characteristics:
                objects[f"{service_path}/char{one.handle:04x}"] = {
                    CHARACTERISTIC: {
                        "UUID": Variant("s", one.uuid),
                        "Service": Variant("o", service_path),
                        "Flags": Variant("as", list(one.properties)),
                        "Notifying": Variant("b", False),
                        "MTU": Variant("q", MTU_BYTES),
                    }
                }
        return objects

    def characteristics(self) -> dict[str, str]:
        """Return the UUID of each characteristic by its path."""
        return {
            path: interfaces[CHARACTERISTIC]["UUID"].value
            for path, interfaces in self.gatt_objects().items()
            if CHARACTERISTIC in interfaces
        }

    def advertised(self, seen: Advertisement) -> Properties:
        """Return the properties that an advertisement tells."""
        data = {company: Variant("ay", value) for company, value in seen.manufacturer_data.items()}
        return {
            "RSSI": Variant("n", seen.rssi_dbm),
            "Name": Variant("s", seen.name),
            "Alias": Variant("s", seen.name),
            "ManufacturerData": Variant("a{qv}", data),
        }

    def first_seen(self, seen: Advertisement) -> Properties:
        """Return all properties of a device that was not known before."""
        states = ("Connected", "Trusted", "Blocked", "ServicesResolved")
        bonded = Variant("b", self.wearable.reach.bonded)
        return {
            "Address": Variant("s", seen.address),
            "AddressType": Variant("s", "random"),
            "Adapter": Variant("o", ADAPTER_PATH),
            "UUIDs": Variant("as", list(seen.service_uuids)),
            "Paired": bonded,
            "Bonded": bonded,
            **self.advertised(seen),
            **{state: Variant("b", False) for state in states},
        }


def adapter_properties(powered: bool, searching: bool) -> Properties:
    """Return the one adapter, which is able to be a central, as bleak asks for."""
    return {
        "Address": Variant("s", "C0:FF:EE:00:00:00"),
        "Name": Variant("s", "simulated"),
        "Alias": Variant("s", "simulated"),
        "Powered": Variant("b", powered),
        "Discovering": Variant("b", searching),
        "Roles": Variant("as", ["central"]),
    }

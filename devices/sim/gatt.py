"""Describe a GATT table without any transport, and the errors an attribute can answer with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class AttCode(IntEnum):
    """ATT error codes the simulated wearables answer with. Source: Bluetooth Core, Vol 3 Part F, 3.4.1.1."""

    READ_NOT_PERMITTED = 0x02
    WRITE_NOT_PERMITTED = 0x03
    INSUFFICIENT_AUTHENTICATION = 0x05
    REQUEST_NOT_SUPPORTED = 0x06
    ATTRIBUTE_NOT_FOUND = 0x0A
    INVALID_LENGTH = 0x0D
    VALUE_NOT_ALLOWED = 0x13
    # First code of the application's own range; here: not while measuring.
    WRONG_STATE = 0x80


class AttError(Exception):
    """A request that the wearable answered with an ATT error code. Transports turn it into their own error."""

    def __init__(self, code: AttCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class GattCharacteristic:
    """One characteristic: its attribute handle, UUID and the words bleak uses for its properties."""

    handle: int
    uuid: str
    properties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GattService:
    """One primary service with its characteristics."""

    handle: int
    uuid: str
    characteristics: tuple[GattCharacteristic, ...]


@dataclass(frozen=True, slots=True)
class Notifications:
    """Consecutive notifications of one characteristic, each `size` bytes, laid end to end in `data`."""

    uuid: str
    size: int
    data: bytes

    def __len__(self) -> int:
        return len(self.data) // self.size

    def payloads(self) -> list[bytes]:
        """Return the notifications one by one, in order."""
        return [self.data[at : at + self.size] for at in range(0, len(self.data), self.size)]


def build_table(layout: tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...]) -> tuple[GattService, ...]:
    """Number the attributes of a layout ((service uuid, ((characteristic uuid, properties), ...)), ...) from 0x0010 on.

    A characteristic takes its declaration, its value and, if it notifies or indicates, its configuration descriptor.
    """
    services = []
    # Below lie the generic access and attribute services, which no central of ours looks at.
    handle = 0x0010
    for service_uuid, rows in layout:
        service_handle = handle
        handle += 1
        characteristics = []
        for uuid, properties in rows:
            characteristics.append(GattCharacteristic(handle, uuid, properties))
            handle += 3 if {"notify", "indicate"} & set(properties) else 2
        services.append(GattService(service_handle, service_uuid, tuple(characteristics)))
    return tuple(services)

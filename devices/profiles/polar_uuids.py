"""Name the numbers of Polar's measurement service (PMD): UUIDs, commands, measurement types, settings, answers.

Source: polarofficial/polar-ble-sdk: online_measurement.pdf v1.0 (August 2024), PmdControlPointCommand.kt,
PmdControlPointResponse.kt, PmdSetting.kt, PmdMeasurementType.kt.
"""

from __future__ import annotations

from enum import IntEnum

# Bluetooth SIG company identifier of Polar Electro Oy.
COMPANY_ID = 0x006B

PMD_SERVICE = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
PMD_CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
PMD_DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
# Polar's file transfer, advertised by the models that have it.
FILE_TRANSFER_SERVICE = "0000feee-0000-1000-8000-00805f9b34fb"


class Measurement(IntEnum):
    """What can be measured; the low six bits of a type byte."""

    ECG = 0
    PPG = 1
    ACC = 2
    PPI = 3
    GYRO = 5
    MAG = 6
    SDK_MODE = 9


MEASUREMENT_MASK = 0x3F


class Op(IntEnum):
    """First byte of a command."""

    GET_SETTINGS = 0x01
    START = 0x02
    STOP = 0x03
    GET_SDK_SETTINGS = 0x04
    MEASUREMENT_STATUS = 0x05
    SDK_MODE_STATUS = 0x06


# How a measurement runs, in bits 6 and 7 of its byte in the answer to MEASUREMENT_STATUS; 0 is idle.
ONLINE, ONLINE_AND_OFFLINE = 1, 3
# First bytes of what the control point says: an answer, a stop by the device itself, the features when read.
ANSWER = 0xF0
STOPPED_BY_DEVICE = 0x01
FEATURES = 0x0F
# Feature bits: byte 1 has bit n for measurement n; byte 2 bit 1 is the SDK mode.
FEATURE_SDK_MODE = 0x02


class Setting(IntEnum):
    """Type of an entry of a settings list."""

    RATE_HZ = 0
    RESOLUTION_BITS = 1
    RANGE = 2
    RANGE_MILLI = 3
    CHANNELS = 4
    FACTOR = 5
    SECURITY = 6


# Bytes of one value of each setting.
SETTING_BYTES = {
    Setting.RATE_HZ: 2,
    Setting.RESOLUTION_BITS: 2,
    Setting.RANGE: 2,
    Setting.RANGE_MILLI: 4,
    Setting.CHANNELS: 1,
    Setting.FACTOR: 4,
    Setting.SECURITY: 16,
}


class Status(IntEnum):
    """Fourth byte of an answer."""

    OK = 0
    BAD_OP = 1
    BAD_MEASUREMENT = 2
    NOT_SUPPORTED = 3
    BAD_LENGTH = 4
    BAD_PARAMETER = 5
    ALREADY_IN_STATE = 6
    BAD_RESOLUTION = 7
    BAD_RATE = 8
    BAD_RANGE = 9
    BAD_MTU = 10
    BAD_CHANNELS = 11
    WRONG_STATE = 12
    IN_CHARGER = 13
    DISK_FULL = 14


# A data frame: measurement u8, time stamp u64, frame type u8; the samples follow.
HEADER_BYTES = 10
# Frame type: bit 7 says that the samples are delta-coded.
COMPRESSED = 0x80
FRAME_TYPE_MASK = 0x7F
# Time stamps are ns since 2000-01-01T00:00:00Z.
NS_PER_S = 1_000_000_000

"""Name the UUIDs, registers and scales that a WitMotion and its simulation share. Constants only.

Source: WITMOTION/WitBluetooth_BWT901BLE5_0 (vendor's SDK), WT901BLECL 5.0 manual pp. 16-18, ctroncozo/witmotion_ble
for the rates above 50 Hz, TimtheKingV/gymodo for what a WT901BLE67 was seen to do (30 September 2026).
"""

from __future__ import annotations

# The vendor's base ends in 9a34fb, not in the SIG's 9b34fb.
SERVICE = "0000ffe5-0000-1000-8000-00805f9a34fb"
NOTIFICATION = "0000ffe4-0000-1000-8000-00805f9a34fb"
COMMAND = "0000ffe9-0000-1000-8000-00805f9a34fb"

# Seen: WT901BLE67, WT901BLE68; the WT9011DCL is of the same series.
NAMES = ("WT9",)

HEAD = 0x55
MOTION, REGISTERS = 0x61, 0x71
FRAME_BYTES = 20
# Later firmware may add 8 bytes of date and time to each motion frame (unconfirmed over Bluetooth).
DATED_FRAME_BYTES = 28

# Registers, read by FF AA 27 r 00 and written by FF AA r low high.
COMMAND_HEAD = (0xFF, 0xAA)
SAVE, RATE, ALGORITHM, READ, VERSION, TEMPERATURE, BATTERY = 0x00, 0x03, 0x24, 0x27, 0x2E, 0x40, 0x64
MAGNETIC_FIELD, QUATERNION = 0x3A, 0x51
UNLOCK = bytes((*COMMAND_HEAD, 0x69, 0x88, 0xB5))
# 6 axes: without the magnetometer, whose yaw jumps after shocks.
SIX_AXES = 1

# Register 3. The sources disagree on 0x0A (125 or 200 Hz), which is left out; 20, 50 and 100 Hz were measured.
RATE_CODES = {1: 0x03, 2: 0x04, 5: 0x05, 10: 0x06, 20: 0x07, 50: 0x08, 100: 0x09, 200: 0x0B}
# Seen on a WT901BLE67: at most so many notifications a second, of several whole frames if need be.
NOTIFICATIONS_PER_S = 25
ACC_RANGE_G = 16
GYR_RANGE_DEGPS = 2000
FULL_SCALE_LSB = 32768
# Register 0x64 in hundredths of a volt: at least so many are this charge in percent (vendor's table, "read power").
BATTERY_PERCENT = (
    (397, 100),
    (393, 90),
    (387, 75),
    (382, 60),
    (379, 50),
    (377, 40),
    (373, 30),
    (370, 20),
    (368, 15),
    (350, 10),
    (340, 5),
    (0, 0),
)

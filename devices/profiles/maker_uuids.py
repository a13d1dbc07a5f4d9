"""Name the numbers of products that makers and schools own: Thingy:52, PineTime, Bangle.js and micro:bit, serial pipes.

Source: NordicSemiconductor/Nordic-Thingy52-FW: ble_tms.h, thingy_config.h; InfiniTimeOrg/InfiniTime:
doc/MotionService.md; espruino/BangleApps: apps/btadv/app.ts; lancaster-university/microbit-docs:
accelerometer-service.md; hbldh/bleak: examples/uart_service.py.
"""

from __future__ import annotations

THINGY_CONFIGURATION = "ef680100-9b35-4933-9b10-52ffa9740042"
THINGY_MOTION = "ef680400-9b35-4933-9b10-52ffa9740042"
THINGY_MOTION_CONFIG = "ef680401-9b35-4933-9b10-52ffa9740042"
THINGY_RAW = "ef680406-9b35-4933-9b10-52ffa9740042"
# Raw motion: acceleration in 1/1024 g, angular rate in 1/32 deg/s.
THINGY_ACC_PER_G = 1024
THINGY_GYR_PER_DEGPS = 32

INFINITIME_NAME = "InfiniTime"
INFINITIME_MOTION = "00030000-78fc-48fe-8e23-433b3a1942d0"
INFINITIME_STEPS = "00030001-78fc-48fe-8e23-433b3a1942d0"
INFINITIME_ACCELERATION = "00030002-78fc-48fe-8e23-433b3a1942d0"
INFINITIME_PER_G = 1024

MICROBIT_SERVICE = "e95d0753-251d-470a-a062-fa1922dfa9a8"
MICROBIT_DATA = "e95dca4b-251d-470a-a062-fa1922dfa9a8"
MICROBIT_PERIOD = "e95dfb24-251d-470a-a062-fa1922dfa9a8"
MICROBIT_PER_G = 1000

UART_SERVICE = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
UART_TO_DEVICE = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
UART_FROM_DEVICE = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"

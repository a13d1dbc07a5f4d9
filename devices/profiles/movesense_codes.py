"""Name the UUIDs, commands and paths that a Movesense and its simulation share. Constants only.

Source: the sample firmware's GATT client (GATTSensorDataClient, public copies), sensein/movesense-py (sensor.py,
docs/movesense-api.md), MariahSabioni/movesense-data-recorder.
"""

from __future__ import annotations

SERVICE = "34802252-7185-4d5d-b431-630e7050e8f0"
COMMAND = "34800001-7185-4d5d-b431-630e7050e8f0"
NOTIFICATION = "34800002-7185-4d5d-b431-630e7050e8f0"

NAME = "Movesense"
# Advertised: 0xFDF3 by newer firmware, 0xFE06 in a capture of 2021.
ADVERTISED = ("0000fdf3-0000-1000-8000-00805f9b34fb", "0000fe06-0000-1000-8000-00805f9b34fb")
# Bluetooth SIG company identifiers: Movesense Oy, and Suunto in the capture of 2021.
COMPANY_IDS = (0x0C93, 0x009F)

# First byte of a command. The second is a reference that the host chooses, not 0; what belongs to it bears it.
HELLO, SUBSCRIBE, UNSUBSCRIBE, GET = 0, 1, 2, 4
# First byte of a notification.
ANSWER, DATA, DATA_CONTINUED = 1, 2, 3

STATUS_OK = 200
# The subscription table is full: four in the sample firmware, which sends this status alone with the high byte first.
STATUS_FULL = 507
SUBSCRIPTIONS_MAX = 4

# The sample firmware's buffer for one notification: its MTU of 161 less 3.
NOTIFICATION_BYTES = 158

IMU_PATH = "/Meas/IMU6/"
HEART_PATH = "/Meas/HR"
ACC_CONFIG_PATH = "/Meas/Acc/Config"
GYR_CONFIG_PATH = "/Meas/Gyro/Config"
# Movesense API: the full scales of either sensor, in g and deg/s.
ACC_RANGES_G = (2, 4, 8, 16)
GYR_RANGES_DEGPS = (245, 500, 1000, 2000)
TICKS_PER_S = 1000

"""Name the UUIDs and numbers that a Movella DOT and its simulation share. Constants only: each side encodes by itself.

Source: vendor document XD0506P (28 October 2021) for the vendor's services, sig_uuids.py for the rest.
"""

from __future__ import annotations

# The simulated product carries these SIG services as well.
from devices.profiles.sig_uuids import BATTERY_LEVEL as BATTERY_LEVEL
from devices.profiles.sig_uuids import BATTERY_SERVICE as BATTERY_SERVICE
from devices.profiles.sig_uuids import BODY_SENSOR_LOCATION as BODY_SENSOR_LOCATION
from devices.profiles.sig_uuids import DEVICE_INFORMATION_SERVICE as DEVICE_INFORMATION_SERVICE
from devices.profiles.sig_uuids import FIRMWARE_REVISION as FIRMWARE_REVISION
from devices.profiles.sig_uuids import HARDWARE_REVISION as HARDWARE_REVISION
from devices.profiles.sig_uuids import HEART_RATE_MEASUREMENT as HEART_RATE_MEASUREMENT
from devices.profiles.sig_uuids import HEART_RATE_SERVICE as HEART_RATE_SERVICE
from devices.profiles.sig_uuids import MANUFACTURER_NAME as MANUFACTURER_NAME
from devices.profiles.sig_uuids import MODEL_NUMBER as MODEL_NUMBER
from devices.profiles.sig_uuids import SERIAL_NUMBER as SERIAL_NUMBER

# Bluetooth SIG company identifier 0x0886, in the advertisement's manufacturer data.
COMPANY_ID = 2182

# "Xsens DOT" is the tag's first name, "Movella DOT" the one of later firmware.
NAMES = ("Movella DOT", "Xsens DOT")

CONFIGURATION_SERVICE = "15171000-4947-11e9-8646-d663bd873d93"
DEVICE_INFO = "15171001-4947-11e9-8646-d663bd873d93"
DEVICE_CONTROL = "15171002-4947-11e9-8646-d663bd873d93"
DEVICE_REPORT = "15171004-4947-11e9-8646-d663bd873d93"

MEASUREMENT_SERVICE = "15172000-4947-11e9-8646-d663bd873d93"
MEASUREMENT_CONTROL = "15172001-4947-11e9-8646-d663bd873d93"
LONG_PAYLOAD = "15172002-4947-11e9-8646-d663bd873d93"
MEDIUM_PAYLOAD = "15172003-4947-11e9-8646-d663bd873d93"
SHORT_PAYLOAD = "15172004-4947-11e9-8646-d663bd873d93"
HEADING_CONTROL = "15172006-4947-11e9-8646-d663bd873d93"
HEADING_STATUS = "15172007-4947-11e9-8646-d663bd873d93"

DOT_BATTERY_SERVICE = "15173000-4947-11e9-8646-d663bd873d93"
DOT_BATTERY = "15173001-4947-11e9-8646-d663bd873d93"

# Message service: a message is written to CONTROL, its acknowledgement is read from ACKNOWLEDGE, other answers are
# notified. A message is identifier, length, data, and a byte that makes the sum of all a multiple of 256.
MESSAGE_SERVICE = "15177000-4947-11e9-8646-d663bd873d93"
MESSAGE_CONTROL = "15177001-4947-11e9-8646-d663bd873d93"
MESSAGE_ACKNOWLEDGE = "15177002-4947-11e9-8646-d663bd873d93"
MESSAGE_NOTIFICATION = "15177003-4947-11e9-8646-d663bd873d93"
# Messages about synchronisation have this identifier; the first byte of their data says what is meant.
MESSAGE_SYNC = 0x02
SYNC_START, SYNC_STOP, SYNC_RESULT, SYNC_QUERY = 0x01, 0x02, 0x03, 0x08
SYNC_STOPPED, SYNC_STATUS = 0x50, 0x51
SYNC_STATUS_SYNCED, SYNC_STATUS_UNSYNCED = 0x04, 0x09
# Results of a start: 0 done; 5 too few samples, 7 skew, 8 start time, 9 not started.
SYNC_DONE = 0
# Time from the disconnection of all sensors until the result can be read.
SYNC_WAIT_S = 14.0

# Heading reset control: what is written.
HEADING_RESET, HEADING_REVERT = b"\x01\x00", b"\x07\x00"

# Payload mode "rate quantities" without the magnetometer.
MODE_RATE_QUANTITIES = 21

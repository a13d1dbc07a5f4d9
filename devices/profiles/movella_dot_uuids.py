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

DOT_BATTERY_SERVICE = "15173000-4947-11e9-8646-d663bd873d93"
DOT_BATTERY = "15173001-4947-11e9-8646-d663bd873d93"

# Payload mode "rate quantities": u32 time stamp, 3 float32 acc (m/s^2), 3 float32 gyr (deg/s).
MODE_RATE_QUANTITIES = 21

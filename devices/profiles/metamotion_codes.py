"""Name the UUIDs, modules, registers and scales that a MetaMotion and its simulation share. Constants only.

Source: mbientlab/MetaWear-SDK-Cpp (accelerometer_bosch, gyro_bosch, magnetometer_bmm150, sensor_fusion, settings,
metawearboard and their tests).
"""

from __future__ import annotations

SERVICE = "326a9000-85cb-9195-d9dd-464cfbbae75a"
COMMAND = "326a9001-85cb-9195-d9dd-464cfbbae75a"
NOTIFICATION = "326a9006-85cb-9195-d9dd-464cfbbae75a"

# The vendor's name as shipped; that every model bears it is unconfirmed, so that the service counts as well.
NAMES = ("MetaWear",)

# Modules: the first byte of every command and notification.
ACCELEROMETER = 0x03
DATA_PROCESSOR = 0x09
EVENT = 0x0A
LOGGING = 0x0B
SETTINGS = 0x11
GYROSCOPE = 0x13
MAGNETOMETER = 0x15
SENSOR_FUSION = 0x19
DEBUG = 0xFE

# Registers: the second byte. READ asks for a register; the answer bears the same two bytes.
READ = 0x80
INFO = 0x00
POWER = 0x01
INTERRUPT = 0x02
CONFIG = 0x03
BATTERY = 0x0C
RESET = 0x01

# Implementation byte of the module's info: which chip it is.
ACC_BMI160, ACC_BMI270 = 1, 4
GYR_BMI160, GYR_BMI270 = 0, 1
# Revision of either module from which on the firmware packs three samples into a notification.
PACKED_SINCE = 1
PACKED_SAMPLES = 3

# Data registers (one sample, three samples). Register 5 of the gyroscope is one sample on a BMI160 and three on a
# BMI270, register 5 of the accelerometer an interrupt's configuration on a BMI160 and three samples on a BMI270.
ACC_DATA = {ACC_BMI160: (0x04, 0x1C), ACC_BMI270: (0x04, 0x05)}
GYR_DATA = {GYR_BMI160: (0x05, 0x07), GYR_BMI270: (0x04, 0x05)}

# Low nibble of the configuration byte: output rate in Hz, of both sensors on both chips.
RATE_CODES = {25: 0x06, 50: 0x07, 100: 0x08, 200: 0x09}
# The rest of the byte: filter in its normal mode; on the BMI270's accelerometer also its performance mode.
ACC_FILTER = {ACC_BMI160: 0x20, ACC_BMI270: 0xA0}
GYR_FILTER = 0x20

# Range byte of the accelerometer by full scale in g, of the gyroscope by full scale in deg/s.
ACC_RANGES = {ACC_BMI160: {2: 0x03, 4: 0x05, 8: 0x08, 16: 0x0C}, ACC_BMI270: {2: 0x00, 4: 0x01, 8: 0x02, 16: 0x03}}
GYR_RANGES = {2000: 0x00, 1000: 0x01, 500: 0x02, 250: 0x03, 125: 0x04}
# The vendor's divisors: LSB per g, LSB per deg/s.
ACC_LSB_PER_G = {2: 16384.0, 4: 8192.0, 8: 4096.0, 16: 2048.0}
GYR_LSB_PER_DEGPS = {2000: 16.4, 1000: 32.8, 500: 65.6, 250: 131.2, 125: 262.4}

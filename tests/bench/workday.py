"""A made day of a trunk-worn sensor: lying, sitting, walking, lifting. Realistic in shape only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from devices.types import Chunk, FloatArray

RATE_HZ = 100.0
G = 9.81
# Hours of the day: lying at night, lifting at work for eight minutes of each twenty, walking for four whenever awake.
NIGHT = range(0, 7)
WORK = range(8, 17)
WALK_HZ = 1.8
# Steps of the recorder: 16 g and 250 deg/s over int16.
ACC_STEP = 16 * G / 32768
GYR_STEP = np.radians(250.0) / 32768


def _hour(number: int, random: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    n = round(3600 * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    flexion, lean = 3 * np.sin(2 * np.pi * 0.13 * t), 2 * np.sin(2 * np.pi * 0.07 * t)
    step = np.zeros(n)
    if number % 24 in NIGHT:
        sides = np.repeat(random.choice([-85.0, 0.0, 85.0], size=6), n // 6)
        lean, flexion = _eased(sides) + 0.2 * lean, _eased(np.where(sides == 0.0, -85.0, 0.0)) + 0.1 * flexion
    else:
        minute = (t // 60).astype(int)
        working = (minute % 20 >= 12) & (number % 24 in WORK)
        walking = (minute % 20 >= 4) & (minute % 20 < 8)
        pace = np.repeat(random.uniform(0.10, 0.20, size=60), n // 60)
        depth = np.repeat(random.uniform(20.0, 70.0, size=60), n // 60)
        lift = depth / 2 * (1 - np.cos(2 * np.pi * np.cumsum(pace) / RATE_HZ))
        flexion = flexion + np.where(working, lift, 0.0)
        step = np.where(walking, 2.0 * np.sin(2 * np.pi * WALK_HZ * t), 0.0)
        lean = lean + np.where(walking, 3.0 * np.sin(np.pi * WALK_HZ * t), 0.0)
    a, b = np.radians(flexion), np.radians(lean)
    up = np.stack([np.cos(b) * np.cos(a), np.sin(b), -np.cos(b) * np.sin(a)], axis=1)
    acc = up * (G + step)[:, None] + random.normal(scale=0.05, size=(n, 3))
    gyr = np.stack([np.zeros(n), np.gradient(a) * RATE_HZ, np.gradient(b) * RATE_HZ], axis=1)
    gyr += random.normal(scale=0.003, size=(n, 3)) + 0.005
    return np.rint(acc / ACC_STEP) * ACC_STEP, np.rint(gyr / GYR_STEP) * GYR_STEP


def _eased(values: FloatArray) -> FloatArray:
    """Return the values with two seconds from one to the next."""
    width = round(2 * RATE_HZ)
    sums = np.cumsum(np.concatenate((np.full(width, values[0]), values)))
    return (sums[width:] - sums[:-width]) / width


@lru_cache(maxsize=1)
def workday(hours: int, first: int = 8) -> tuple[FloatArray, FloatArray]:
    """Return acc (n, 3) in m/s^2 and gyr (n, 3) in rad/s. first: hour of the day at which it begins."""
    random = np.random.default_rng(7)
    parts = [_hour(first + number, random) for number in range(hours)]
    return np.concatenate([acc for acc, _ in parts]), np.concatenate([gyr for _, gyr in parts])


def chunked(acc: FloatArray, gyr: FloatArray, count: int, times: int = 1) -> Iterator[Chunk]:
    """Yield the samples in chunks of `count`, the whole as often as `times`, one after the other."""
    seq = 0
    for turn in range(times):
        for first in range(0, len(acc), count):
            rows, index = slice(first, first + count), turn * len(acc) + first
            yield Chunk("bench", "r", seq, index / RATE_HZ, index, RATE_HZ, acc[rows], gyr[rows])
            seq += 1

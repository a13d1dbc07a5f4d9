"""One calibration: stand upright and still, then bow once. Blocks in, what is seen out; no clock, no store."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from coach.analysis.alignment import (
    STILL_GYR_RMS_DEGPS,
    Alignment,
    AlignmentRefused,
    Pose,
    estimate_alignment,
    estimate_upright,
)
from devices.types import Chunk, FloatArray, Placement

# s of stillness that are taken as the pose. Own choice: a breath in and out hardly turns the trunk in it.
STILL_S = 3.0
# s of signal that are kept: a pose, a slow bow, and time to read in between. Own choice.
_KEPT_S = 40.0
# s after which a pose without a bow is taken anew, because the athlete may have moved. Own choice.
_POSE_HOLDS_S = 25.0
# s of a piece whose stillness is judged by itself. Own choice.
_PIECE_S = 0.5
# Degrees: a bow has begun, and is over. Own choice, above what sway does and below the smallest bow that counts.
_BEGUN_DEG, _OVER_DEG = 15.0, 10.0
# s that the trunk must be back up before the bow counts as over. Own choice.
_BACK_S = 0.7
# s over which gravity is averaged for the angle that is shown. Own choice.
_SMOOTH_S = 0.3
# Degrees. Nobody bows further standing; it is a sensor in a hand. Own heuristic.
_DEEPEST_DEG = 130.0
# Where a bow tells which way is forward; elsewhere only the upright pose is taken.
BOWING = frozenset({Placement.CHEST, Placement.UPPER_BACK, Placement.LOWER_BACK, Placement.HIP})


class PoseStep(StrEnum):
    """How far a calibration is."""

    STILL = "still"
    BOW = "bow"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class PoseView:
    """What is seen now, in a sentence; why the last try was refused. share: how much of the stillness is there.

    angle_deg: how far the trunk is bent now, while a bow is waited for.
    """

    step: PoseStep
    sees: str
    refused: str | None = None
    share: float = 0.0
    angle_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What looks have made of the signal so far. pose_end: number of the first sample behind the pose."""

    pose: Pose | None = None
    pose_end: int = 0
    refused: str | None = None


class Calibration:
    """Holds the newest signal of one wearable. pose and alignment: what was found, None until then."""

    def __init__(self, placement: str) -> None:
        self._bows = placement in BOWING
        self._blocks: deque[Chunk] = deque()
        self._pose_end = 0
        self._refused: str | None = None
        self.pose: Pose | None = None
        self.alignment: Alignment | None = None

    @property
    def found(self) -> Found:
        """Return what looks have made of the signal so far."""
        return Found(self.pose, self._pose_end, self._refused)

    def adopt(self, found: Found) -> None:
        """Go on from what was found by looks at the same signal elsewhere."""
        self.pose, self._pose_end, self._refused = found.pose, found.pose_end, found.refused

    def take(self, block: Chunk) -> None:
        """Take the next live block; another recording begins the calibration anew."""
        blocks = self._blocks
        if blocks and blocks[-1].recording_id != block.recording_id:
            self.start_over()
        blocks.append(block)
        while block.start_index - blocks[0].start_index > _KEPT_S * block.rate_hz:
            blocks.popleft()

    def start_over(self) -> None:
        """Forget signal and pose."""
        self._blocks.clear()
        self.pose = None

    def look(self) -> PoseView:
        """Return what is seen, with one step taken where the signal allows it."""
        if not self._blocks:
            return PoseView(PoseStep.STILL, "Waiting for its first signal.")
        rate_hz, first, acc, gyr = _joined(self._blocks)
        if self.pose is None:
            return self._seek_pose(rate_hz, first, acc, gyr)
        at = max(0, self._pose_end - first)
        return self._seek_bow(self.pose, rate_hz, first + at, acc[at:], gyr[at:])

    def _seek_pose(self, rate_hz: float, first: int, acc: FloatArray, gyr: FloatArray) -> PoseView:
        n, piece = round(STILL_S * rate_hz), max(2, round(_PIECE_S * rate_hz))
        acc, gyr, end = acc[-n:], gyr[-n:], first + len(acc)
        still = 0
        while still + piece <= len(acc) and _is_still(acc[-still - piece :][:piece], gyr[-still - piece :][:piece]):
            still += piece
        share = min(1.0, still / n)
        if still == 0:
            return PoseView(PoseStep.STILL, "You are moving. Stand upright and still.", self._refused)
        if still + piece <= n or len(acc) < n:
            return PoseView(
                PoseStep.STILL, f"Still for {still / rate_hz:.0f} of {STILL_S:.0f} s.", self._refused, share
            )
        try:
            self.pose = estimate_upright(rate_hz, acc, gyr)
        except AlignmentRefused as error:
            self._refused = str(error)
            return PoseView(PoseStep.STILL, "Not still enough yet.", self._refused)
        self._pose_end, self._refused = end, None
        if not self._bows:
            return PoseView(PoseStep.DONE, "Upright pose taken.", share=1.0)
        return PoseView(
            PoseStep.BOW, "Upright pose taken. Now bow forward once and come back up.", share=1.0, angle_deg=0
        )

    def _seek_bow(self, pose: Pose, rate_hz: float, first: int, acc: FloatArray, gyr: FloatArray) -> PoseView:
        angle = _angle_deg(acc, pose, rate_hz)
        if not len(angle):
            return PoseView(PoseStep.BOW, "Now bow forward once and come back up.", self._refused, 1.0, 0.0)
        now_deg, deepest_deg = float(angle[-1]), float(angle.max())
        if deepest_deg < _BEGUN_DEG:
            if len(acc) > _POSE_HOLDS_S * rate_hz:
                self.pose, self._refused = None, "No bow came, so the pose is taken anew."
                return PoseView(PoseStep.STILL, "Stand upright and still.", self._refused)
            return PoseView(
                PoseStep.BOW, "Upright. Now bow forward once and come back up.", self._refused, 1.0, now_deg
            )
        if not (angle[-round(_BACK_S * rate_hz) :] < _OVER_DEG).all():
            if len(acc) > _POSE_HOLDS_S * rate_hz:
                self.pose, self._refused = None, "You did not come back to where you stood, so the pose is taken anew."
                return PoseView(PoseStep.STILL, "Stand upright and still.", self._refused)
            way = "Bowing" if now_deg > 0.9 * deepest_deg else "Coming back up"
            return PoseView(PoseStep.BOW, f"{way}: {now_deg:.0f}° from upright.", None, 1.0, now_deg)
        try:
            found = estimate_alignment(rate_hz, pose, acc, gyr)
            if found.bow_deg > _DEEPEST_DEG:
                raise AlignmentRefused(
                    f"It turned by {found.bow_deg:.0f}°, further than anybody bows: put it on first."
                )
        except AlignmentRefused as error:
            # The pose stands; the next bow is looked for behind this one.
            self._refused, self._pose_end = str(error), first + len(acc)
            return PoseView(PoseStep.BOW, "That bow cannot be used. Bow once more.", self._refused, 1.0, now_deg)
        self.alignment = found
        return PoseView(
            PoseStep.DONE,
            f"Bow seen: {found.bow_deg:.0f}° deep, straight within {found.spread_deg:.0f}°.",
            share=1.0,
            angle_deg=now_deg,
        )


def _joined(blocks: deque[Chunk]) -> tuple[float, int, FloatArray, FloatArray]:
    """Return rate, the number of the first sample, and acc and gyr (n, 3) on the grid, NaN where nothing came."""
    rate_hz, first, last = blocks[0].rate_hz, blocks[0].start_index, blocks[-1]
    n = max(last.start_index + len(last) - first, 0)
    acc, gyr = np.full((n, 3), np.nan), np.full((n, 3), np.nan)
    for block in blocks:
        at = block.start_index - first
        if at >= 0 and at + len(block) <= n:
            acc[at : at + len(block)], gyr[at : at + len(block)] = block.acc_mps2, block.gyr_radps
    return rate_hz, first, acc, gyr


def _is_still(acc: FloatArray, gyr: FloatArray) -> bool:
    """Tell whether a short piece is still: complete, and hardly turning; without a gyroscope, hardly shaking."""
    if not np.isfinite(acc).all():
        return False
    if not np.isfinite(gyr).any():
        # m/s^2; quiet stance stays below, a step does not. Own heuristic.
        return bool(acc.std(axis=0).max() < 0.3)
    rms_degps = math.degrees(float(np.sqrt(np.nanmean(np.sum(gyr * gyr, axis=1)))))
    return rms_degps < STILL_GYR_RMS_DEGPS


def _angle_deg(acc: FloatArray, pose: Pose, rate_hz: float) -> FloatArray:
    """Return the angle between smoothed gravity and upright, (m,), over the samples that came."""
    present = acc[np.isfinite(acc).all(axis=1)]
    width = max(1, round(_SMOOTH_S * rate_hz))
    if len(present) < width:
        return np.empty(0)
    sums = np.cumsum(np.vstack([np.zeros(3), present]), axis=0)
    mean = (sums[width:] - sums[:-width]) / width
    cosine = mean @ np.asarray(pose.upright) / np.linalg.norm(mean, axis=1)
    angle: FloatArray = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return angle

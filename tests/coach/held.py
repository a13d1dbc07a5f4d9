"""A simulated athlete who does the holds: live blocks and stored chunks of one recording; the truth is the motion's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from coach.service import Services
from coach.service.assessment_views import Kind
from coach.service.may_test import QUESTIONS
from coach.service.types import Identity
from devices.sim.synthetic import SyntheticMotion
from devices.types import Chunk
from programs.types import Answer
from tests.coach.club import ADDRESS, Club

RATE_HZ = 60.0
NO_TO_ALL = {question.id: "no" for question in QUESTIONS}


def blocks(
    motion: SyntheticMotion, start_utc_s: float, first_s: float, last_s: float, each_s: float, recording_id: str = "rec"
) -> Iterator[Chunk]:
    """Yield the motion's samples between two of its times; its time 0 is start_utc_s."""
    per = round(each_s * RATE_HZ)
    for seq, at in enumerate(range(round(first_s * RATE_HZ), round(last_s * RATE_HZ), per)):
        acc, gyr = motion.samples(at, per, RATE_HZ)
        yield Chunk(ADDRESS, recording_id, seq, start_utc_s + at / RATE_HZ, at, RATE_HZ, acc, gyr)


def worn(
    services: Services, by: Identity, wearable_id: str, motion: SyntheticMotion, placement: str = "lower_back"
) -> None:
    """Wear the sensor as the motion does, with its own calibration."""
    services.wearables.set_placement(by, wearable_id, placement)
    forward = np.array([0.0, 1.0, 0.0]) @ motion.mount
    services.wearables.calibrate(by, wearable_id, motion.upright_in_sensor().tolist(), forward.tolist())


def nothing_to_tell(services: Services, by: Identity, athlete_id: str) -> None:
    """Answer the safety questions with no throughout."""
    services.triage.answer(by, athlete_id, {each.id: Answer.NO for each in services.triage.questions()}, 30)


def started(club: Club, kind: Kind = Kind.TRUNK_ENDURANCE, by_hand: bool = False, key: str = "k") -> str:
    """Start an assessment that nothing stands against."""
    wearable_id = None if by_hand else club.wearable_id
    return club.services.trials.start(club.athlete, club.athlete_id, kind, wearable_id, NO_TO_ALL, 0, key)


def rested(club: Club) -> None:
    """Let the rest pass."""
    club.clock.forward(seconds=club.config.assessment.rest_s + 1)

"""A simulated athlete who does the holds: live blocks and stored chunks of one recording; the truth is the motion's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from coach.analysis.assessment_types import AssessmentTest
from coach.service import Services
from coach.service.assessment_views import Kind, Stage
from coach.service.entered import Entered
from coach.service.may_test import QUESTIONS
from coach.service.types import Identity
from devices.sim.battery import HoldMotion
from devices.sim.synthetic import SyntheticMotion
from devices.types import Chunk
from programs.types import Answer
from tests.coach.club import ADDRESS, Club

RATE_HZ = 60.0
# s of a motion before its ready position.
READY_S = 27.0
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


def step(club: Club, assessment_id: str):  # type: ignore[no-untyped-def]
    return club.services.trials.step(club.athlete, assessment_id)


def by_hand_to(club: Club, assessment_id: str, test: AssessmentTest) -> None:
    """Enter everything by hand until a test is next."""
    while (now := step(club, assessment_id)).test is not test:
        club.services.trials.enter(club.athlete, assessment_id, Entered(now.test, (60.0,)), f"hand-{now.number}")
    rested(club)


def do(club: Club, motion: HoldMotion, test: AssessmentTest, until_s: float, each_s: float = 0.25) -> str:
    """Start a battery, come to a test, begin it, and let the live blocks of the motion come; return the assessment."""
    worn(club.services, club.athlete, club.wearable_id, motion)
    assessment_id = started(club)
    by_hand_to(club, assessment_id, test)
    club.services.trials.begin(club.athlete, assessment_id, test, "try")
    watch(club, motion, until_s, each_s)
    return assessment_id


def watch(club: Club, motion: HoldMotion, until_s: float, each_s: float) -> None:
    """Bring live blocks from the ready position on, looked at every few, and let the clock run with them."""
    began = club.clock.utc_s()
    for number, block in enumerate(blocks(motion, began - READY_S, READY_S, until_s, each_s)):
        club.clock.forward(seconds=each_s)
        club.services.trials.take(club.wearable_id, block)
        if number % 4 == 3:
            club.services.trials.watch()
    club.services.trials.watch()


def done_by_hand(club: Club, seconds: dict[AssessmentTest, float] | None = None, key: str = "k") -> str:
    """Do a battery by stopwatch."""
    assessment_id = started(club, by_hand=True, key=key)
    while (now := step(club, assessment_id)).stage is not Stage.OVER:
        told = Entered(now.test, ((seconds or {}).get(now.test, 60.0),))
        club.services.trials.enter(club.athlete, assessment_id, told, f"hand-{now.number}")
    club.services.trials.finish(club.athlete, assessment_id)
    return assessment_id


def store_signal(
    club: Club, motion: HoldMotion, start_utc_s: float, until_s: float, lost: tuple[float, float] = (0, 0)
) -> None:
    """Append the recording's chunks, but for those that begin within `lost` (s of the motion)."""
    chunks = [
        each
        for each in blocks(motion, start_utc_s, 0.0, until_s, 5.0)
        if not lost[0] <= each.start_utc_s - start_utc_s < lost[1]
    ]
    club.services.log.append(chunks)

"""A club of many athletes in an empty Backstop, each with a wearable and a gateway's token, and their coaches."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from coach.config import Config
from coach.instance import database_path
from coach.service import Services, build_services
from coach.service.types import Role
from coach.store.engine import migrate, open_store
from devices.hostclock import SystemClock
from programs.types import Answer

# A product that streams at RATE_HZ.
PRODUCT, RATE_HZ = "metamotion", 100.0
ATHLETES_OF_A_COACH = 20


@dataclass(frozen=True, slots=True)
class Wearer:
    """One athlete's wearable and the token of the gateway that carries its signal."""

    athlete_id: str
    user_id: str
    address: str
    token: str


@dataclass(frozen=True, slots=True)
class Club:
    """Everybody; coaches: user id and the id of the athlete whose desk is open."""

    wearers: tuple[Wearer, ...]
    coaches: tuple[tuple[str, str], ...]

    def save(self, path: Path) -> None:
        """Write it for another process."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Club:
        """Read what `save` wrote."""
        values = json.loads(path.read_text(encoding="utf-8"))
        coaches = tuple((user_id, athlete_id) for user_id, athlete_id in values["coaches"])
        return cls(tuple(Wearer(**each) for each in values["wearers"]), coaches)


def make_club(directory: Path, athletes: int) -> Club:
    """Make the people, wearables and tokens in a folder of storage."""
    store = open_store(database_path(directory))
    try:
        migrate(store)
        services = build_services(store, Config(), SystemClock())
        wearers: list[Wearer] = []
        coaches: list[tuple[str, str]] = []
        for number in range(athletes):
            if number % ATHLETES_OF_A_COACH == 0:
                coach_id = services.accounts.create_user(f"Coach {number // ATHLETES_OF_A_COACH}", Role.COACH)
            wearers.append(_wearer(services, number, coach_id))
            if number % ATHLETES_OF_A_COACH == 0:
                coaches.append((coach_id, wearers[-1].athlete_id))
        return Club(tuple(wearers), tuple(coaches))
    finally:
        store.close()


def _wearer(services: Services, number: int, coach_id: str) -> Wearer:
    name = f"Athlete {number}"
    athlete_id = services.athletes.create(name, "Europe/Berlin", coach_id, sport="lifting")
    user_id = services.accounts.create_user(name, Role.ATHLETE, athlete_id=athlete_id)
    athlete = services.accounts.identity(user_id)
    assert athlete is not None
    answers = {question.id: Answer.NO for question in services.triage.questions()}
    services.triage.answer(athlete, athlete_id, answers, 34)
    address = f"C0:FF:EE:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}"
    services.wearables.add(athlete, athlete_id, address, PRODUCT, "Chest strap", "chest")
    return Wearer(athlete_id, user_id, address, services.tokens.issue(athlete, athlete_id, "the gym"))


def sign_in_links(directory: Path, user_ids: list[str]) -> list[str]:
    """Return a one-time path for each."""
    store = open_store(database_path(directory))
    try:
        accounts = build_services(store, Config(), SystemClock()).accounts
        return [f"/enter/{accounts.issue_sign_in_link(user_id)}" for user_id in user_ids]
    finally:
        store.close()

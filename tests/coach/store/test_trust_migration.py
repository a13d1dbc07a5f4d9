"""What was shared before consent was asked is carried over, as version 0 and no more than there was."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig

from coach.config import Config
from coach.service import build_services
from coach.service.types import Identity, Level, Purpose, Role
from coach.store.engine import MIGRATIONS, migrate, open_store
from devices.hostclock import SystemClock

ATHLETE = (
    "INSERT INTO athlete (id, name, time_zone, wake, preferred, weekdays, sport, simulated, replan_wanted, "
    "calendar_token, created_at) VALUES ('{0}', '{0}', 'UTC', '07:00', '18:00', '[]', '', 0, 0, 'c-{0}', "
    "'2026-11-01 00:00:00')"
)
USER = "INSERT INTO user_account (id, name, name_key, role, epoch, athlete_id, created_at) VALUES ({})"
AT = "'2026-11-02 00:00:00'"


def test_links_levels_and_consents_of_before_are_carried_over(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.db") as store:
        config = AlembicConfig()
        config.set_main_option("script_location", str(MIGRATIONS))
        with store.begin() as tx:
            config.attributes["connection"] = tx
            command.upgrade(config, "0016")
        with store.begin() as tx:
            for name in ("ada", "bo", "cy"):
                tx.exec_driver_sql(ATHLETE.format(name))
                tx.exec_driver_sql(USER.format(f"'u-{name}', '{name}', '{name}', 'athlete', 0, '{name}', {AT}"))
            tx.exec_driver_sql(USER.format(f"'kim', 'Kim', 'kim', 'coach', 0, NULL, {AT}"))
            for name, shared in (("ada", 1), ("bo", 0)):
                tx.exec_driver_sql(
                    f"INSERT INTO coach_athlete (coach_id, athlete_id, created_at) VALUES ('kim', '{name}', {AT})"
                )
                tx.exec_driver_sql(
                    f"INSERT INTO care_sharing (athlete_id, shared, changed_at) VALUES ('{name}', {shared}, {AT})"
                )
        migrate(store)
        services = build_services(store, Config(storage={"directory": tmp_path}), SystemClock())
        kim = Identity("kim", Role.COACH, "Kim", None)
        assert [(each.name, level) for each, level in services.sharing.seen(kim)] == [
            ("ada", Level.FULL),
            ("bo", Level.FULL),
        ]
        stands = {}
        for name in ("ada", "bo", "cy"):
            view = services.consents.of_athlete(Identity(f"u-{name}", Role.ATHLETE, name, name), name)
            stands[name] = {each.text.purpose for each in view.now if each.version == 0 and each.asks}
            assert all(each.given_by is None for each in view.past)
        assert stands == {
            "ada": {Purpose.SENSING, Purpose.SHARING, Purpose.PAIN_TEXT},
            "bo": {Purpose.SENSING, Purpose.SHARING},
            "cy": {Purpose.SENSING},
        }
        assert services.doctor.may_read(kim, "ada")
        assert not services.doctor.may_read(kim, "bo")

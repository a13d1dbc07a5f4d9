"""History run again: the same says the same, other limits leave what was found before readable and say what differs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from coach.__main__ import main
from coach.config import Config
from coach.errors import NoSuch
from coach.instance import only_one
from coach.live import LiveFeed
from coach.service import Services, build_services
from coach.service.canonical import canonical, plain
from coach.service.editions import changed_between
from coach.service.profile_files import SHIPPED
from coach.service.rerun import How
from coach.store.engine import migrate, open_store
from coach.worker import Worker
from tests.coach.club import Club, found_club
from tests.coach.service.test_days import (
    MONDAY,
    THURSDAY_NOON,
    TUESDAY,
    WEDNESDAY,
    FakeClock,
    analysed,
    bent,
    bytes_of,
    judged,
    upright,
)

THURSDAY = WEDNESDAY + timedelta(days=1)
# Bends a minute that the recordings of Monday do not reach.
MORE = 8


def with_other_limits(club: Club, folder: Path) -> Services:
    """Return services over the same store, with a general profile that asks for more bends a minute."""
    text = (SHIPPED / "general.toml").read_text(encoding="utf-8")
    assert "rate_per_min = { value = 4," in text
    (folder / "general.toml").write_text(
        text.replace("rate_per_min = { value = 4,", f"rate_per_min = {{ value = {MORE},", 1), encoding="utf-8"
    )
    config = club.config.model_copy(
        update={"profiles": club.config.profiles.model_copy(update={"folder": str(folder)})}
    )
    return build_services(club.store, config, club.clock)


@pytest.fixture
def worn(club: Club) -> Club:
    club.clock.now = THURSDAY_NOON
    analysed(club, bent(MONDAY), upright(TUESDAY), bent(WEDNESDAY, 11))
    return club


def test_the_same_version_says_the_same(worn: Club) -> None:
    before = bytes_of(worn)
    view = worn.services.rerun.run(worn.athlete_id)
    assert (view.recordings, view.count(How.SAME), len(view.findings)) == (3, 2, 2)
    assert bytes_of(worn) == before
    with pytest.raises(NoSuch):
        worn.services.rerun.run("nobody")


def test_other_limits_leave_the_old_findings_beside_the_new_and_say_what_differs(worn: Club, tmp_path: Path) -> None:
    newest, oldest = worn.services.findings.for_athlete(worn.athlete_id)
    services = with_other_limits(worn, tmp_path)
    view = services.rerun.run(worn.athlete_id)
    assert [(each.how, each.opened_on, each.after) for each in view.findings] == [
        (How.GONE, MONDAY, None),
        (How.GONE, WEDNESDAY, None),
    ]
    assert services.findings.for_athlete(worn.athlete_id) == ()
    for old in (newest, oldest):
        kept = services.findings.get(worn.coach, old.finding_id)
        assert kept.superseded_by not in (None, old.edition)
        assert replace(kept, superseded_by=None) == old
    differences = services.findings.differences(worn.coach, worn.athlete_id)
    told = [each for each in differences if each.kind == "repeated_bending" and each.before.outcome == "found"]
    assert [each.local_date for each in told] == [MONDAY, WEDNESDAY]
    assert told[0].before.statement == oldest.statement
    assert told[0].after.outcome == "not_enough"
    assert told[0].what_changed == (
        "analysis.bending.rate_per_min: 4.0 before, 8.0 now",
        "profile.detectors.repeated_bending.rate_per_min: 4 per min before, 8 per min now",
    )
    assert services.findings.differences(worn.coach, worn.athlete_id, TUESDAY)[0].local_date >= TUESDAY


def test_a_profile_that_was_tried_and_left_leaves_everything_as_it_was(worn: Club) -> None:
    before, bytes_before = worn.services.findings.for_athlete(worn.athlete_id), bytes_of_current(worn)
    for profile in ("desk", "general"):
        worn.services.athletes.set_profile(worn.athlete, worn.athlete_id, profile)
        settled(worn)
        found = worn.services.findings.for_athlete(worn.athlete_id)
        (said,) = {each.edition for each in worn.services.findings.answers(worn.coach, worn.athlete_id, MONDAY)}
        assert {each.edition for each in found} == {said}
        assert (said == before[0].edition) is (profile == "general")
        gone = [
            each for each in worn.services.findings.differences(worn.coach, worn.athlete_id) if not each.after.statement
        ]
        assert {each.after.edition for each in gone} <= {said}
    assert worn.services.findings.for_athlete(worn.athlete_id) == before
    assert bytes_of_current(worn) == bytes_before


def test_a_limit_whose_source_alone_changed_is_told() -> None:
    def edition(source: str, heuristic: bool) -> dict[str, object]:
        limit = {"value": 4.0, "unit": "per min", "source": source, "heuristic": heuristic}
        return {"algorithm_version": "2", "parameters": {"rate_per_min": limit}}

    assert changed_between(edition("RULA", False), edition("own heuristic", True)) == (
        "rate_per_min.heuristic: False before, True now",
        "rate_per_min.source: RULA before, own heuristic now",
    )


def test_a_change_of_caps_names_the_row_that_changed() -> None:
    def edition(most: int) -> dict[str, object]:
        bands = [{"from_years": 9, "rest_from": [21, 36]}, {"from_years": 11, "max_pitches": most, "rest_from": [21]}]
        return {"algorithm_version": "2", "parameters": {"profile": {"caps": {"bands": bands}}}}

    assert changed_between(edition(85), edition(95)) == ("profile.caps.bands.2.max_pitches: 85 before, 95 now",)


def test_a_rerun_from_a_day_on_knows_all_that_its_days_look_back_on(club: Club, tmp_path: Path) -> None:
    """Swings and load look back twelve weeks: what a new edition says of a day is the same, run from there or whole."""
    club.clock.now = THURSDAY_NOON
    for day in (MONDAY - timedelta(days=40), TUESDAY):
        club.services.diary.add_training(club.athlete, club.athlete_id, "Gym", 60, 5, f"gym-{day}", day)
    judged(club)
    services = with_other_limits(club, tmp_path)
    services.rerun.run(club.athlete_id, TUESDAY)
    from_there = load_of(services, club)
    services.rerun.run(club.athlete_id)
    assert load_of(services, club) == from_there


def load_of(services: Services, club: Club) -> tuple[str, str | None]:
    answers = services.findings.answers(club.coach, club.athlete_id, TUESDAY)
    (found,) = (each for each in answers if each.kind == "load_above_habit")
    return found.outcome, found.needs


def bytes_of_current(club: Club) -> str:
    days = (MONDAY + timedelta(days=each) for each in range(4))
    said = [
        {**plain(each), "local_date": day.isoformat()}
        for day in days
        for each in club.services.findings.answers(club.coach, club.athlete_id, day)
    ]
    return canonical(said)


def settled(club: Club) -> None:
    Worker(club.services, LiveFeed()).drain()
    judged(club)


def test_only_days_since_a_date_are_told_and_their_habit_comes_along(worn: Club, tmp_path: Path) -> None:
    services = with_other_limits(worn, tmp_path)
    view = services.rerun.run(worn.athlete_id, WEDNESDAY)
    assert [(each.how, each.opened_on) for each in view.findings] == [(How.GONE, WEDNESDAY)]
    assert view.recordings == 3
    # What opened before and went on is told by the day on which it opened.
    analysed(worn, bent(THURSDAY, 12))
    back = worn.services.rerun.run(worn.athlete_id, THURSDAY)
    assert [(each.how, each.opened_on) for each in back.findings] == [(How.SAME, WEDNESDAY)]
    # A long time later the three recordings are older than any habit.
    worn.clock.forward(days=90)
    assert services.rerun.run(worn.athlete_id, MONDAY + timedelta(days=90)).recordings == 0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKSTOP_STORAGE__DIRECTORY", str(tmp_path / "var"))
    with open_store(tmp_path / "var" / "backstop.sqlite3") as store:
        migrate(store)
        club = found_club(store, FakeClock(THURSDAY_NOON), config=Config())
        analysed(club, bent(MONDAY))
    return tmp_path


def test_the_command_says_what_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rerun", "--athlete", "ada"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("Ada: 1 recordings analysed anew, ")
    assert told[0].endswith("findings: 1 same, 0 changed, 0 new, 0 gone.")
    assert told[1].startswith("  same     2026-11-23 repeated_bending: You bent forward ")
    assert main(["rerun", "--since", "2026-11-24"]) == 0
    assert "0 same" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--athlete", "Zoe"], "There is no athlete named Zoe: see `backstop user list`."),
        (["--athlete", "Kim"], "There is no athlete named Kim"),
        (["--since", "yesterday"], "--since yesterday: write the day as 2026-11-01."),
        (["--since", "2999-01-01"], "--since 2999-01-01 is still to come"),
    ],
)
def test_wrong_input_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["rerun", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_where_nobody_is_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["rerun"]) == 0
    assert "`backstop user add NAME --role athlete`" in capsys.readouterr().out


def test_beside_a_running_backstop_its_workers_do_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reanalyse", "--status"]) == 0
    assert capsys.readouterr().out == "History was never analysed anew here.\n"
    with only_one(folder / "var"):
        assert main(["reanalyse", "--athlete", "Ada"]) == 0
        told = capsys.readouterr().out
        assert "Begun: 1 athlete-days of signal, and all days of 1 athletes. The Backstop that runs does it" in told
        assert main(["reanalyse"]) == 2
        assert "wait until that is done, or stop it" in capsys.readouterr().err
        assert main(["reanalyse", "--status"]) == 0
        told = capsys.readouterr().out
        assert "of Ada: running." in told
        assert "0%: 0 of 1 athlete-days of signal (0 recordings, 0 chunks), all days of 0 of 1 athletes" in told
        assert main(["reanalyse", "--stop"]) == 0
        assert capsys.readouterr().out == "Stopped: what is done stays done.\n"
        assert main(["reanalyse", "--stop"]) == 0
        assert capsys.readouterr().out == "No run is under way.\n"


def test_what_was_begun_is_joined_and_shown_to_its_end(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reanalyse"]) == 0
    assert "No Backstop runs here" in capsys.readouterr().out
    assert main(["reanalyse", "--wait"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("The run that was begun on ")
    assert "Ada: 1 recordings analysed anew" in told.out
    assert "100 %  1 athlete-days of signal, and all days of 1 athletes" in told.err
    assert main(["reanalyse", "--status"]) == 0
    assert "100%: 1 of 1 athlete-days of signal (1 recordings, 168 chunks)" in capsys.readouterr().out

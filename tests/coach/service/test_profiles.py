"""Profiles: what is shipped, one's own before it, and every mistake told by file and key."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from coach.analysis.detectors.caps import AgeBand
from coach.analysis.detectors.judge import DETECTORS
from coach.analysis.detectors.seen import LEAST
from coach.analysis.detectors.strokes import SENSOR_NEEDED
from coach.analysis.detectors.types import Kind, Profile
from coach.analysis.swing_types import SwingKind
from coach.config import Config
from coach.errors import ConfigError, InvalidInput, NoSuch
from coach.service.profile_files import SHIPPED, profile_from
from coach.service.profiles import Profiles, analysis_params, load_profile
from tests.coach.club import Club
from tests.coach.profile_file import GENERAL, own_profile
from tests.coach.service.test_days import MONDAY, THURSDAY_NOON, analysed, answer_of, upright

SHIPPED_PROFILES = Profiles(Config()).all()
SHIPPED_BY = {each.id: each.detectors for each in SHIPPED_PROFILES}
# Words that no text for people may hold.
FORBIDDEN = ("injur", "risk", "diagnos", "danger", "safe", "heal", "prevent", "correct", "medical grade")


def with_folder(folder: Path) -> Config:
    return Config(profiles={"folder": str(folder)})


def test_seven_sports_and_kinds_of_work_are_shipped() -> None:
    assert {each.id for each in SHIPPED_PROFILES} == {
        "baseball", "golf", "tennis", "heavy_lifting", "shovelling", "desk", "general",
    }  # fmt: skip
    strokes = {each.id: each.stroke for each in SHIPPED_PROFILES if each.stroke is not None}
    assert strokes == {"baseball": SwingKind.THROW, "golf": SwingKind.GOLF, "tennis": SwingKind.TENNIS}


def test_every_kind_is_looked_for_somewhere() -> None:
    assert {kind for each in SHIPPED_PROFILES for kind in each.detectors} == set(Kind) == set(DETECTORS)


@pytest.mark.parametrize("profile", SHIPPED_PROFILES, ids=lambda each: each.id)
def test_every_limit_has_its_unit_and_its_source(profile: Profile) -> None:
    assert set(profile.least) == set(LEAST)
    for kind, limits in profile.detectors.items():
        assert {name: limit.unit for name, limit in limits.items()} == DETECTORS[kind].thresholds
        for limit in limits.values():
            # A source is a paper or a standard, or it says that there is none.
            assert limit.heuristic or re.search(r"[A-Z][A-Za-z]+[ -]?\d|RULA|ISO", limit.source), limit
    assert date.fromisoformat(profile.effective_on) <= date(2026, 11, 26)
    assert profile.sensors
    assert profile.cannot_see
    for sentence in (*profile.sensors, *profile.cannot_see):
        assert sentence.endswith(".")
        assert not [word for word in FORBIDDEN if word in sentence.lower()]


def test_what_no_paper_was_opened_for_is_no_limit() -> None:
    """Gosheger's 200 balls, Punnett's odds ratios and five days of rest are recalled only."""
    text = " ".join(path.read_text(encoding="utf-8") for path in SHIPPED.rglob("*.toml"))
    assert not re.search(r"Gosheger|Punnett|Kilbom|value = 200|\b106\b", text)


def test_the_cited_limits_are_those_of_the_papers() -> None:
    general = {kind: {name: limit.value for name, limit in one.items()} for kind, one in SHIPPED_BY["general"].items()}
    assert general[Kind.REPEATED_BENDING]["rate_per_min"] == 4  # RULA, REBA
    assert general[Kind.SUSTAINED_FLEXION]["dose"] == 1  # ISO 11226
    assert (general[Kind.DEEP_FLEXION]["angle_deg"], general[Kind.DEEP_FLEXION]["share"]) == (60, 0.05)  # Hoogendoorn
    assert general[Kind.DEGRADING_MOVEMENT]["velocity_loss_share"] == 0.2  # Pareja-Blanco
    assert general[Kind.LOAD_ABOVE_HABIT]["monotony"] == 2  # Foster
    assert (general[Kind.LOW_HRV]["below_sd"], general[Kind.LOW_HRV]["week_mornings"]) == (0.5, 3)  # Plews
    assert general[Kind.PAIN_WITH_MOVEMENT]["pain_rise"] == 2  # Ostelo


def test_the_caps_come_with_both_sheets_and_the_stricter_row() -> None:
    caps = Profiles(Config()).get("baseball").caps
    assert caps is not None
    assert caps.bands[-2:] == (AgeBand(17, 18, 105, (31, 46, 61, 76)), AgeBand(19, 22, 120, (31, 46, 61, 76)))
    assert "mlb.com" in caps.source
    assert "2025 and 2026" in caps.source
    assert (caps.bands[0].from_years, caps.bands[-1].to_years) == (7, 22)


def test_the_analysis_gets_its_limits_from_the_profile(tmp_path: Path) -> None:
    config = with_folder(tmp_path)
    own_profile(tmp_path, rate_per_min=5, duration_min=2, range_deg=25)
    bending = analysis_params(config, Profiles(config).get("general")).bending
    assert (bending.rate_per_min, bending.min_duration_s, bending.min_range_deg) == (5, 120, 25)
    assert bending.coverage_share == 0.8
    assert analysis_params(config, Profiles(config).get("golf")).swing is SwingKind.GOLF
    assert analysis_params(config, Profiles(config).get("desk")).swing is None


def test_one_s_own_file_stands_before_a_shipped_one_and_beside_the_others(tmp_path: Path) -> None:
    own_profile(tmp_path, duration_min=3)
    own_profile(tmp_path, "rowing")
    profiles = Profiles(with_folder(tmp_path))
    assert profiles.get("general").detectors[Kind.REPEATED_BENDING]["duration_min"].value == 3
    assert set(profiles.ids()) == {each.id for each in SHIPPED_PROFILES} | {"rowing"}
    assert load_profile(Config(), str(tmp_path / "rowing.toml")).id == "rowing"


LIMIT = 'rate_per_min = { value = 4, unit = "per min", source = '


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('stroke = "none"', 'stroke = "oar"', "stroke"),
        ('stroke = "none"', 'strok = "none"', "strok"),
        ('name = "General"\n', "", "name"),
        ('name = "General"', 'name = ""', "name"),
        ('id = "general"', 'id = "other"', "id is 'other'"),
        ("effective = 2026-11-26", 'effective = "soon"', "effective"),
        ("[detectors.low_hrv]", "[detectors.low_hvr]", "detectors.low_hvr names no detector"),
        ("below_sd = ", "below = ", "detectors.low_hrv.below is not known"),
        ("worn_min = ", "worn = ", "least.worn is not known"),
        (LIMIT, 'rate_per_min = { value = "4", unit = "per min", source = ', "repeated_bending.rate_per_min.value"),
        (LIMIT, 'rate_per_min = { value = 0, unit = "per min", source = ', "repeated_bending.rate_per_min.value"),
        (LIMIT, 'rate_per_min = { value = nan, unit = "per min", source = ', "repeated_bending.rate_per_min.value"),
        (LIMIT, 'rate_per_min = { value = 4, unit = "per h", source = ', "rate_per_min.unit is 'per h'"),
        (LIMIT, 'rate_per_min = { value = 4, unit = "per min", because = ', "rate_per_min"),
        ("share = { value = 0.05,", "share = { value = 5,", "share.value is 5; it may be 1"),
        ("angle_deg = { value = 60,", "angle_deg = { value = 55,", "angle_deg.value should be one of 20, 30"),
        ("duration_min = { value = 10,", "duration_min = { value = 2000,", "duration_min.value is 2000"),
        ('source = "RULA', 'source = "own heuristic, not RULA', "heuristic should be true"),
        ('source = "own heuristic: how long that mean', 'source = "Foster 1998: how long', "heuristic should be true"),
        ('stroke = "none"', 'stroke = "none"\ncaps = "pitch_smart"', "caps goes with detectors.pitch_count"),
        ("[detectors.repeated_bending]", "[detectors.stroke_count]", "detectors.stroke_count"),
        ("[least]", "[least", "cannot be read"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_file_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = GENERAL.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "general.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Profiles(with_folder(tmp_path))
    said = str(caught.value)
    assert str(path) in said
    assert says in said
    assert "\n" not in said


def test_every_limit_is_needed(tmp_path: Path) -> None:
    lines = GENERAL.read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "general.toml"
    limits = [number for number, line in enumerate(lines) if "heuristic = " in line]
    assert len(limits) > 30
    for number in limits:
        path.write_text("".join(lines[:number] + lines[number + 1 :]), encoding="utf-8")
        with pytest.raises(ConfigError, match=f"{lines[number].split(' = ')[0]} is missing"):
            profile_from(path, [])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("ages = [9, 10]", "ages = [8, 10]", "sheet.0.bands.1.ages should ascend"),
        ("rest_from = [21, 36]", "rest_from = [36, 21]", "sheet.0.bands.0.rest_from should ascend"),
        ("max_pitches = 50", "max = 50", "sheet.0.bands.0"),
        ("row_days_max = 2", "row_days_max = 0", "row_days_max"),
    ],
)
def test_caps_are_read_as_strictly(tmp_path: Path, old: str, new: str, says: str) -> None:
    (tmp_path / "caps").mkdir()
    caps = (SHIPPED / "caps" / "pitch_smart.toml").read_text(encoding="utf-8")
    assert old in caps
    (tmp_path / "caps" / "pitch_smart.toml").write_text(caps.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Profiles(with_folder(tmp_path))
    assert says in str(caught.value)
    assert "pitch_smart.toml" in str(caught.value)


def test_caps_and_folders_that_are_not_there(tmp_path: Path) -> None:
    baseball = (SHIPPED / "baseball.toml").read_text(encoding="utf-8")
    (tmp_path / "baseball.toml").write_text(baseball.replace("pitch_smart", "pitch_smarter"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"caps/pitch_smarter\.toml"):
        Profiles(with_folder(tmp_path))
    with pytest.raises(ConfigError, match="no folder"):
        Profiles(with_folder(tmp_path / "none"))


@pytest.mark.parametrize(
    ("sport", "profile"),
    [
        ("Golf", "golf"),
        ("  heavy   Lifting ", "heavy_lifting"),
        ("softball", "baseball"),
        ("digging", "shovelling"),
        ("office", "desk"),
        ("rowing", "general"),
        ("", "general"),
    ],
)
def test_a_sport_in_own_words_chooses_a_profile(sport: str, profile: str) -> None:
    assert Profiles(Config()).for_sport(sport) == profile


def test_an_athlete_has_a_profile_and_may_change_it(club: Club) -> None:
    athletes = club.services.athletes
    assert athletes.get(club.coach, club.athlete_id).profile_id == "general"
    assert athletes.analysis_params(club.athlete_id).swing is None
    athletes.set_profile(club.athlete, club.athlete_id, "tennis")
    assert athletes.get(club.coach, club.athlete_id).profile_id == "tennis"
    assert athletes.analysis_params(club.athlete_id).swing is SwingKind.TENNIS
    with pytest.raises(InvalidInput, match="baseball, desk"):
        athletes.set_profile(club.athlete, club.athlete_id, "chess")
    with pytest.raises(NoSuch):
        athletes.set_profile(club.coach, "nobody", "golf")
    golfer = athletes.create("Bo", "UTC", sport="golf", born_on=date(2014, 5, 1))
    assert athletes.analysis_params(golfer).swing is SwingKind.GOLF
    assert athletes.analysis_params(athletes.create("Cy", "UTC", sport="golf", profile_id="desk")).swing is None


def test_a_recording_of_before_a_sport_was_chosen_does_not_say_that_there_were_no_swings(club: Club) -> None:
    """It was never looked at for any; run again, it is."""
    club.clock.now = THURSDAY_NOON
    analysed(club, upright(MONDAY))
    club.services.athletes.set_profile(club.coach, club.athlete_id, "golf")
    club.services.days.judge_due()
    asked = ("one_sided_strokes", "stroke_count")
    for kind in asked:
        outcome, needs, _ = answer_of(club, MONDAY, kind)
        assert (outcome, needs) == ("not_enough", SENSOR_NEEDED)
    club.services.rerun.run(club.athlete_id)
    assert [answer_of(club, MONDAY, kind)[0] for kind in asked] == ["none", "learning"]


def test_a_date_of_birth_is_plausible_and_can_be_forgotten(club: Club) -> None:
    athletes = club.services.athletes
    athletes.set_born_on(club.coach, club.athlete_id, date(2012, 2, 29))
    assert athletes.get(club.coach, club.athlete_id).born_on == date(2012, 2, 29)
    athletes.set_born_on(club.coach, club.athlete_id, None)
    assert athletes.get(club.coach, club.athlete_id).born_on is None
    for born_on in (date(2026, 11, 25), date(1890, 1, 1)):
        with pytest.raises(InvalidInput, match="date of birth"):
            athletes.set_born_on(club.coach, club.athlete_id, born_on)


def test_a_profile_whose_file_is_gone_is_said(tmp_path: Path, club: Club) -> None:
    with pytest.raises(ConfigError, match=r"put rowing\.toml back"):
        Profiles(Config()).of_athlete({"profile": "rowing"})

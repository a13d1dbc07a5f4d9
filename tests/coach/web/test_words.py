"""Values as words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coach.service.types import DayTotals, WearableView
from coach.web import words
from devices.types import LinkState, LinkStatus
from programs.types import Dose


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "You bent forward 84 times in 12 minutes. That is four times your usual.",
            "Mara bent forward 84 times in 12 minutes. That is four times the usual.",
        ),
        ("It is not a forecast for you.", "It is not a forecast for them."),
        ("Your load is above your 4-week habit.", "Mara's load is above the 4-week habit."),
        ("You were bent for 4 min. Your own days differ.", "Mara was bent for 4 min. Their own days differ."),
        ("You bent 84 times. You paused for 5 min.", "Mara bent 84 times. Mara paused for 5 min."),
        ("Whether a backrest holds you up.", "Whether a backrest holds them up."),
        ("Bird-dog aims at endurance of your back.", "Bird-dog aims at endurance of the back."),
    ],
)
def test_what_is_said_to_the_athlete_is_told_about_her_to_the_coach(said: str, told: str) -> None:
    assert words.told_of(said, "Mara") == told


def test_a_change_has_a_sign_and_nothing_has_none() -> None:
    assert [words.signed(each) for each in (-0.04, 0.04, -6.3, 2.0)] == ["0.0", "0.0", "-6.3", "+2.0"]


def test_doses() -> None:
    assert words.dose_text(Dose((10, 10, 10), None, 60, False)) == "3 sets of 10, 60 s rest"
    assert words.dose_text(Dose((6, 4, 2), 10, 20, True)) == "3 sets of 6, 4, 2 holds of 10 s, each side, 20 s rest"
    plain = {"repetitions": [5, 5], "hold_s": 8.0, "rest_s": 20, "per_side": False}
    assert words.dose_text(plain) == "2 sets of 5 holds of 8 s, 20 s rest"


def test_thresholds_and_quantities_carry_their_units() -> None:
    limit = {"rate_per_min": 4.0, "min_duration_s": 600.0, "min_range_deg": 20.0, "coverage_share": 0.8, "own_deg": 3}
    said = words.limit_text(limit).replace("\N{NO-BREAK SPACE}", " ")
    assert said == ("more than 4 per minute, for 10 minutes, bends of 20° or more, with 80 % of the signal, own 3°")
    assert words.quantity("rate_max_per_min", 7.2) == ("highest rate", "7.2 per minute")
    assert words.quantity("rate_mean_per_min", 6.6733) == ("mean rate", "6.7 per minute")
    assert words.quantity("range_median_deg", 61.4) == ("typical bend", "61°")
    assert words.limit_text({"rate_per_min": 4.25}) == "more than 4.25 per minute"
    assert words.quantity("hold_s", 7.5) == ("hold", "7.5 s")
    assert words.quantity("bends", 84) == ("bends", "84")
    assert words.quantity("side", "left") == ("side", "left")


def test_too_little_wear_is_said_with_what_is_needed() -> None:
    little = DayTotals(250.0, 0.9, 20, 4.8, {}, None)
    assert words.what_is_missing(little, 600) == "Not enough data: needs 10 minutes of wear; 4 so far."
    assert words.what_is_missing(DayTotals(900.0, 0.9, 20, 4.8, {}, None), 600) == ""


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Mara", "Mara"),
        ("Robin (simulated)", "Robin"),
        ("Ada Lovelace", "Ada Lovelace"),
        ("Wolfeschlegelsteinhausenbergerdorff", "Wolfeschlegelstein"),
        ("Mara von Hohenlohe-Featherstone", "Mara"),
    ],
)
def test_names_fit_into_headings(name: str, short: str) -> None:
    assert words.short_name(name) == short


def test_a_reason_is_said_once() -> None:
    assert words.beyond("You bent a lot. Bird-dog answers it.", "You bent a lot.") == "Bird-dog answers it."
    assert words.beyond("You bent a lot.", "You bent a lot.") == "You bent a lot."
    said = "16 days were heavy. Rest is good. You held 2.1 times the longest hold."
    assert words.beyond("You held 2.1 times the longest hold. Bird-dog answers it.", said) == "Bird-dog answers it."
    assert words.beyond("You held 3 times the longest hold. Rest is good.", said).startswith("You held 3 times")


def test_places() -> None:
    assert words.place("upper_arm_left") == "left upper arm"
    assert words.place("lower_back") == "lower back"


def test_zones_by_name() -> None:
    assert words.zone_name("Europe/Berlin") == "Berlin time"
    assert words.zone_name("America/Sao_Paulo") == "Sao Paulo time"
    assert {words.zone_name(zone) for zone in ("UTC", "Etc/UTC", "Etc/GMT")} == {"UTC"}


def test_a_lost_wearable_is_said_in_a_few_words_without_its_address() -> None:
    said = "Wearable C0:FF:EE:00:00:01 was not heard within 10 s: switch it on, bring it closer."
    worn = WearableView("w", "a", "Belt clip", "movella-dot", "C0:FF:EE:00:00:01", "chest", False, None, None)
    assert words.wearable_sentence(worn) == "Belt clip: not connected"
    lost = replace(worn, status=LinkStatus(LinkState.SCANNING, 0.0, problem=said))
    assert words.wearable_sentence(lost) == "Belt clip: out of reach or switched off, trying again"
    assert words.wearable_state(lost) == said
    assert words.wearable_tone(lost) == "look"
    blocked = replace(worn, status=LinkStatus(LinkState.BLOCKED, 0.0, problem="Bluetooth is off: switch it on."))
    assert words.wearable_sentence(blocked) == "Belt clip: Bluetooth is off: switch it on."
    assert words.wearable_tone(blocked) == "halt"

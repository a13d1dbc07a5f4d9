"""What the page of a guided session says and gives to its script: values, and words in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Flask

from coach.language import N_, pgettext
from coach.language import gettext as _
from coach.service.guidance_views import GuidedStep, GuidedView, wearable_for
from coach.service.types import SessionView, WearableView
from coach.web import words
from coach.web.library_words import exercise_of
from coach.web.spoken import drawn
from devices.types import LinkState
from programs.dose import REPETITION_S
from programs.drawings import drawings

# Own heuristic: how much more or less than usual still is the same range.
AIM_SHARE = 0.15
# How the library begins what to do in pain.
HURTS = N_("If it hurts, ")


def side_word(side: str | None) -> str:
    """Return the side of a set as a word, empty for both at once."""
    said = {"left": pgettext("side of the body", "left"), "right": pgettext("side of the body", "right")}
    return str(said[side]) if side in said else ""


def without_if_it_hurts(regression: str) -> str:
    """Return what to do in pain, without the words that stand before it already."""
    for before in (HURTS, _(HURTS)):
        regression = regression.removeprefix(before)
    return regression


def exercises_of(session: SessionView) -> dict[str, dict[str, Any]]:
    """Return each exercise of a session once, by id, with its drawing."""
    found: dict[str, dict[str, Any]] = {}
    for each in session.exercises:
        picture, one = drawings().get(each.get("drawn_as") or each["exercise_id"]), exercise_of(each)
        told = {"name": each["name"], "cues": (), "regression": "", "dose": each["dose"]}
        if one is not None:
            told |= {"name": one.name, "cues": one.cues, "regression": one.regression}
        found.setdefault(each["exercise_id"], {**told, "drawing": drawn(picture) if picture else None})
    return found


def steps_json(view: GuidedView, session: SessionView) -> list[dict[str, Any]]:
    """Return the sets for the script. pace_s: of one repetition, hold without; rom_share: how far off is the same."""
    names = {exercise_id: each["name"] for exercise_id, each in exercises_of(session).items()}
    return [
        {
            "number": step.number,
            "exercise": step.exercise_id,
            "name": names.get(step.exercise_id, step.exercise_id),
            "title": step_title(step),
            "target": step.target,
            "hold_s": step.hold_s,
            "rest_s": step.rest_s,
            "pace_s": REPETITION_S,
            "rom_share": AIM_SHARE,
            "min_rom_deg": step.min_rom_deg,
        }
        for step in view.steps
    ]


def step_title(step: GuidedStep) -> str:
    """Return which set of which side it is."""
    if step.side:
        side = side_word(step.side)
        return str(_("Set %(at)s of %(all)s · %(side)s side", at=step.set_number, all=step.sets, side=side))
    return str(_("Set %(at)s of %(all)s", at=step.set_number, all=step.sets))


def state_json(
    view: GuidedView, now_seen: dict[str, Any] | None, worn: Sequence[WearableView], now: datetime
) -> dict[str, Any]:
    """Return where somebody is, for the script."""
    current = view.current
    return {
        "state": view.state.value if view.state else None,
        "current": current.number if current else None,
        "now_utc_s": now.timestamp(),
        "rest_until_utc_s": view.rest_until.timestamp() if view.rest_until else None,
        "sets": [
            {
                "number": each.number,
                "state": each.state.value,
                "by_hand": each.by_hand,
                "seen": each.seen,
                "counted": each.counted,
                "watched": each.wearable_id is not None,
                "detail": list(each.detail),
            }
            for each in view.sets
        ],
        "seen": {name: value for name, value in now_seen.items() if name != "kind"} if now_seen else None,
        "link": link_words(worn, view),
    }


def link_words(worn: Sequence[WearableView], view: GuidedView) -> dict[str, dict[str, str]]:
    """Return of each set that a wearable sees: which one, what its link does, and whether it is lost."""
    found: dict[str, dict[str, str]] = {}
    for step in view.steps:
        one = wearable_for(step, worn)
        if one is not None:
            streaming = one.status is not None and one.status.state is LinkState.STREAMING
            found[str(step.number)] = {
                "sentence": words.wearable_sentence(one),
                "name": one.name,
                "tone": words.wearable_tone(one),
                "state": "there" if streaming else "lost",
            }
    return found


def script_words() -> dict[str, str]:
    """Return what the page's script says, by key; {name} stands for a value."""
    return {
        "of": _("of {target}"),
        "settling": _("Get into position and be still for a moment."),
        "ready": _("Ready: begin when you like."),
        "away": _("Moving."),
        "holding": _("Hold."),
        "enough": _("Enough: come back slowly."),
        "by_hand": _("Tap once for each."),
        "by_hand_hold": _("Tap when you begin to hold."),
        "begin": _("Read how it goes, then start."),
        "done": _("That is all of this set."),
        "tap": _("Count one"),
        "tap_hand": _("Count one by hand"),
        "tap_hold": _("Start to hold"),
        "tap_hold_end": _("Stop the hold"),
        "hold": _("{held} of {hold} s"),
        "short": _("Held too short to count: {n}"),
        "lost": _("The sensor is out of reach. Your count of {n} is saved. Come closer, or tap to count by hand."),
        "silent": _("Nothing comes from the sensor. Your count of {n} is saved. Come closer, or tap to count by hand."),
        "stream": _("The live count is interrupted and tried again. Tap to count by hand meanwhile."),
        "seen_by": _("{name} counts along."),
        "not_seen": _("No wearable sees this one: count by tapping."),
        "last_rom": _("last: {s} s, {deg}°"),
        "last_held": _("last: held {s} s"),
        "aim_pace": _("aim: {s} s each"),
        "aim_rom": _("{low} to {high}°"),
        "aim_hold": _("aim: hold {s} s"),
        "rest": _("Rest."),
        "go_on": _("Go on."),
        "pain_less": _("Make it smaller, or leave this set out. If it stays or grows, stop."),
        "pain_stop": _("Stop now. Telling this ends the session and leads to the safety questions."),
        "sets_done": _("{n} of {all} sets"),
        "no_one": _("Nobody is signed in here any more. Sign in again; your count stays on this device."),
    }


def install(app: Flask) -> None:
    """Give the templates the word for a side, and what stands after "If it hurts:"."""
    app.jinja_env.filters["side_word"] = side_word
    app.jinja_env.filters["without_if_it_hurts"] = without_if_it_hurts

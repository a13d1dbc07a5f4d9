"""Weeks of simulated athletes, sound and unsound ones, with their truth.

Every week holds one pattern of each kind that the profile asks for: above its limit in an unsound week, just below in a
sound one, so that there are about as many near misses on either side. How far from its limit a day may be is stated
here: 0.8 to 0.95 and 1.05 to 1.2 times it for near misses, more for the clear ones. Nothing is put in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.bench.detectors import layout, limits
from tests.bench.detectors.course import Bout
from tests.bench.detectors.entered import draw_load_week, draw_morning_week, draw_pain, draw_pitches
from tests.bench.detectors.sports import Sport
from tests.bench.detectors.truth import (
    BENDING,
    COUNT,
    DEEP,
    DEGRADING,
    HEAVY,
    HELD,
    HRV,
    LOAD,
    PAIN,
    PITCHES,
    RECOVERY,
    SIDED,
    TURNING,
    TrueDay,
    levels,
    own_limit,
    play_counts,
    play_shares,
)

UNDER, OVER, CLEAR = (0.80, 0.95), (1.05, 1.20), (1.25, 1.80)
# Share of near misses among what is put in above its limit; all that is put in below is one.
NEAR_SHARE = 0.6
# Own choice: below a half, for pain that goes with a movement makes more weeks unsound than are chosen.
UNSOUND_SHARE = 0.43
# Weeks in which the habit is learnt; they are sound, and not scored.
LEARNS_WEEKS = 5
# Days on which nothing is worn.
UNWORN_SHARE = 0.05
# Weeks in which pain goes with a movement, and after which the rule, which looks eight weeks back, may still see it.
PAIN_WEEKS, PAIN_SEEN_WEEKS = 5, 9
# A Monday.
FIRST_ORDINAL = 739_621
_OF_THE_DAY = (BENDING, HELD, DEEP, TURNING, SIDED, COUNT, RECOVERY, DEGRADING)
_TRIES = 60


@dataclass(frozen=True, slots=True)
class Told:
    """A day with its levels: above 1 unsound. scored: after the habit was learnt."""

    day: TrueDay
    levels: dict[str, float]
    scored: bool


@dataclass(frozen=True, slots=True)
class Person:
    """What one athlete is like. pains: whether pain really goes with load from some week on."""

    habits: layout.Habits
    strokes: float
    share: float
    left: bool
    age_years: int
    load: float
    ln_rmssd: float
    pains_from: int | None


def live(sport: Sport, athlete: int, weeks: int, raw: bool, draw: np.random.Generator) -> list[Told]:
    """Return the days of one athlete: weeks of learning at the level of exposures, then `weeks` that are scored.

    athlete: number among those of the sport, over whom the unsound weeks are spread. raw: lay the scored days out as
    short as a day of raw motion.
    """
    learns = LEARNS_WEEKS
    person = _person(sport, weeks, learns, draw)
    unsound = np.zeros(learns + weeks, dtype=bool)
    # Exactly so many, for a share that is drawn may come out above a half.
    before, after = (int(UNSOUND_SHARE * weeks * number + 0.5) for number in (athlete, athlete + 1))
    # Where pain goes with a movement, the weeks in which the rule sees it are unsound by that already: those first.
    seen = range(*(0, 0) if person.pains_from is None else (person.pains_from + 2, person.pains_from + PAIN_SEEN_WEEKS))
    chosen = sorted(draw.permutation(weeks).tolist(), key=lambda week: learns + week not in seen)
    unsound[[learns + week for week in chosen[: after - before]]] = True
    told: list[Told] = []
    for number, is_unsound in enumerate(unsound.tolist()):
        told += _week(sport, person, number, is_unsound, number >= learns, raw and number >= learns, told, draw)
    return told


def _person(sport: Sport, weeks: int, learns: int, draw: np.random.Generator) -> Person:
    habits = layout.Habits(
        *(float(draw.uniform(*each)) for each in (sport.bends_per_h, sport.walks_share, sport.sits_deg))
    )
    pains = draw.uniform() < 0.3 and weeks >= 8
    return Person(
        habits,
        float(draw.uniform(*sport.strokes)),
        float(draw.uniform(*sport.share)),
        bool(draw.uniform() < 0.5),
        int(draw.integers(*sport.ages)),
        float(draw.uniform(250.0, 500.0)),
        float(draw.uniform(3.6, 4.5)),
        learns + int(draw.integers(1, max(weeks - 6, 2))) if pains else None,
    )


def _week(
    sport: Sport,
    person: Person,
    number: int,
    unsound: bool,
    scored: bool,
    raw: bool,
    before: Sequence[Told],
    draw: np.random.Generator,
) -> list[Told]:
    past = [one.day for one in before]
    wanted = _wanted(sport, unsound, draw)
    first = FIRST_ORDINAL + 7 * number
    weekly = {kind: wanted[day][kind] for day in range(7) for kind in (LOAD, HRV) if kind in wanted[day]}
    loads = draw_load_week(person.load, sport.plays, past, first, weekly.get(LOAD), draw)
    mornings = draw_morning_week(person.ln_rmssd, past, first, weekly.get(HRV), draw)
    told: list[Told] = []
    for weekday in range(7):
        base = TrueDay(first + weekday, None, load=loads[weekday], rmssd_s=mornings[weekday])
        if PITCHES in sport.kinds:
            pitches = draw_pitches(person.age_years, past, base.ordinal, wanted[weekday].get(PITCHES), draw)
            base = replace(base, pitches=pitches, age_years=person.age_years)
        day, known = _day(sport, person, base, wanted[weekday], raw, past, draw)
        aches = person.pains_from is not None and person.pains_from <= number < person.pains_from + PAIN_WEEKS
        day = replace(day, pain=draw_pain(aches, day, past, draw))
        told.append(Told(day, known, scored))
        past = [*past, day]
    return told


def _wanted(sport: Sport, unsound: bool, draw: np.random.Generator) -> list[dict[str, float]]:
    """Return, day by day, the levels to be reached; kinds that are not named stay well below.

    Every week holds a pattern of each kind on some day; whether the week is sound says on which side of the limit.
    """
    wanted: list[dict[str, float]] = [{} for _ in range(7)]
    for kind in sport.kinds:
        if kind in (HEAVY, PAIN):
            continue
        # Two bouts of repeated work are repeated bending, whatever the pause between them: none of a sound week.
        above = unsound and (kind != RECOVERY or draw.uniform() < 0.7)
        if unsound or kind != RECOVERY:
            wanted[int(draw.integers(0, 7))][kind] = _above(draw) if above else float(draw.uniform(*UNDER))
    if unsound and HEAVY in sport.kinds and draw.uniform() < 0.7:
        start, heavy = int(draw.integers(0, 5)), [kind for kind in (BENDING, HELD, DEEP) if kind in sport.kinds]
        for day in range(start, start + limits.HEAVY_DAYS):
            wanted[day][str(draw.choice(heavy))] = _above(draw)
    return wanted


def _above(draw: np.random.Generator) -> float:
    return float(draw.uniform(*(OVER if draw.uniform() < NEAR_SHARE else CLEAR)))


def _day(
    sport: Sport,
    person: Person,
    base: TrueDay,
    wanted: dict[str, float],
    raw: bool,
    past: Sequence[TrueDay],
    draw: np.random.Generator,
) -> tuple[TrueDay, dict[str, float]]:
    """Draw the day until every level is on the side that was asked for, and none in between."""
    if not any(kind in wanted for kind in _OF_THE_DAY) and draw.uniform() < UNWORN_SHARE:
        return base, levels(sport.kinds, base, past, sport.two_sided)
    best: tuple[int, TrueDay] | None = None
    asked = tuple(kind for kind in sport.kinds if kind in _OF_THE_DAY)
    for _ in range(_TRIES):
        day = _drawn(sport, person, base, wanted, raw, past, draw)
        known = levels(asked, day, past, sport.two_sided)
        # A bout of work that recovery asks for is repeated bending; whatever else is above has to be asked for.
        off = sum(
            UNDER[1] < level < OVER[0]
            or ((level > 1) != (wanted.get(kind, 0.0) > 1) and not (kind == BENDING and RECOVERY in wanted))
            for kind, level in known.items()
        )
        if best is None or off < best[0]:
            best = (off, day)
        if not off:
            break
    assert best is not None
    return best[1], levels(sport.kinds, best[1], past, sport.two_sided)


def _drawn(
    sport: Sport,
    person: Person,
    base: TrueDay,
    wanted: dict[str, float],
    raw: bool,
    past: Sequence[TrueDay],
    draw: np.random.Generator,
) -> TrueDay:
    worn_s = 3600.0 * float(draw.uniform(*(sport.raw_h if raw else sport.worn_h)))
    blocks = _posture_blocks(wanted, worn_s, raw, person.habits.sits_deg, draw)
    blocks += _turn_blocks(sport, wanted, draw)
    plays = base.ordinal % 7 in {(FIRST_ORDINAL + day) % 7 for day in sport.plays}
    if sport.strokes[1] and (plays or {COUNT, SIDED, DEGRADING} & wanted.keys()):
        blocks += _stroke_blocks(sport, person, base, wanted, past, draw)
    elif raw and DEGRADING in sport.kinds and not sport.strokes[1] and (level := wanted.get(DEGRADING)) is not None:
        slower, smaller = level * limits.VELOCITY_LOSS, level * limits.ROM_LOSS
        blocks.append(layout.lifting(int(draw.integers(28, 36)), slower, smaller, person.habits.sits_deg, draw))
    course, bouts = layout.lay_out(blocks, worn_s, person.habits, draw)
    if not raw:
        # At the level of exposures a bout is a feature of its own, with all four signs.
        bouts = _bouts(wanted.get(DEGRADING), course.worn_s, draw)
    return replace(base, course=course, bouts=bouts if DEGRADING in sport.kinds else ())


def _posture_blocks(
    wanted: dict[str, float], worn_s: float, raw: bool, sits_deg: float, draw: np.random.Generator
) -> list[layout.Block]:
    blocks = []
    if (level := wanted.get(RECOVERY)) is not None:
        work_s = 60.0 * float(draw.uniform(20.0, 26.0) if raw else draw.uniform(24.0, 50.0))
        blocks.append(layout.two_bouts(work_s, work_s / level, sits_deg, draw))
    elif (level := wanted.get(BENDING)) is not None:
        pace = level * limits.REPEATED_PER_MIN
        # The best ten minutes hold a bend more than the mean.
        pace -= 0.1
        blocks.append(layout.bending(round(pace * float(draw.uniform(11.0, 15.0))), pace, sits_deg, draw))
    if (level := wanted.get(HELD)) is not None:
        blocks.append(layout.hold(float(draw.uniform(25.0, 55.0)), level * limits.DOSE, draw))
    if (level := wanted.get(DEEP)) is not None:
        blocks.append(layout.deep(level * limits.DEEP_SHARE * worn_s, 0.5 * worn_s, draw))
    return blocks


def _turn_blocks(sport: Sport, wanted: dict[str, float], draw: np.random.Generator) -> list[layout.Block]:
    blocks = []
    share = float(draw.uniform(0.5, 0.6))
    if sport.two_sided and SIDED in wanted:
        share = min(wanted[SIDED] * limits.TWO_SIDED_SHARE, 1.0)
    side = 1.0 if draw.uniform() < 0.5 else -1.0

    def sides(count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        drawn = np.where(np.arange(count) < round(share * count), side, -side)
        return np.asarray(draw.permutation(drawn))

    if (level := wanted.get(TURNING)) is not None:
        pace = level * limits.REPEATED_PER_MIN - 0.1
        count = round(pace * float(draw.uniform(11.0, 15.0)))
        blocks.append(layout.turning(count, pace, sides(count), draw))
    elif sport.two_sided and SIDED in sport.kinds and (SIDED in wanted or draw.uniform() < 0.4):
        count = int(draw.integers(32, 60))
        blocks.append(layout.turning(count, float(draw.uniform(2.0, 2.9)), sides(count), draw))
    return blocks


def _stroke_blocks(
    sport: Sport,
    person: Person,
    base: TrueDay,
    wanted: dict[str, float],
    past: Sequence[TrueDay],
    draw: np.random.Generator,
) -> list[layout.Block]:
    usual = person.strokes * float(np.exp(draw.normal(scale=0.12)))
    counts = play_counts(base, past)
    limit = own_limit(counts, limits.STROKES_SURPLUS * float(np.median(counts)) if counts else 0.0)
    if limit is not None:
        usual = min(usual, 0.9 * limit)
        if COUNT in wanted:
            usual = wanted[COUNT] * limit
    share = person.share + float(draw.normal(scale=0.03))
    own = play_shares(base, past, person.left)
    far = own_limit(own, limits.SIDES_RISE)
    if far is not None:
        middle = float(np.median(own))
        share = min(share, middle + 0.7 * (far - middle))
        if SIDED in wanted:
            share = middle + wanted[SIDED] * (far - middle)
    count = max(round(usual), limits.SIDES_LEAST + 2)
    main = 1.0 if person.left else -1.0
    sides = draw.permutation(np.where(np.arange(count) < round(min(share, 1.0) * count), main, -main))
    level = wanted.get(DEGRADING)
    slower, uneven = (0.02, 1.0) if level is None else (level * limits.VELOCITY_LOSS, level * limits.CV_RATIO)
    return [layout.stroking(sides, sport.each_s, slower, uneven, draw)]


def _bouts(level: float | None, worn_s: float, draw: np.random.Generator) -> tuple[Bout, ...]:
    """Return bouts of one movement; with a level, the second strongest sign of one of them has that size."""
    if level is None and draw.uniform() < 0.4:
        return ()
    sizes = [np.sort(draw.uniform(-0.6, 0.9, 4)) for _ in range(int(draw.integers(1, 4)))]
    if level is not None:
        sizes[0][-2] = level
        sizes[0][-1] = max(level, float(draw.uniform(0.9, 1.8)))
    elif draw.uniform() < 0.4:
        # One strong sign alone is none of ours.
        sizes[0][-1] = float(draw.uniform(1.1, 2.0))
    bouts = []
    for number, size in enumerate(sizes):
        speed, rom, sparc, ratio = draw.permutation(size).tolist()
        start = 60.0 + number * worn_s / len(sizes)
        losses = (
            speed * limits.VELOCITY_LOSS,
            rom * limits.ROM_LOSS,
            sparc * limits.SPARC_LOSS,
            max(ratio, 0.2) * limits.CV_RATIO,
        )
        bouts.append(Bout(start, start + float(draw.uniform(120.0, 400.0)), int(draw.integers(25, 60)), losses))
    return tuple(bouts)

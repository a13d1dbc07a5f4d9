"""The limits that the truth is made from, each with its source. Written down here once more, not read from the product.

Where no paper states a limit it is the product's own heuristic, as its documents state it (H); the truth of such a kind
says whether the product does what it says, not whether the limit is wise.
"""

from __future__ import annotations

# RULA (McAtamney and Corlett 1993) and REBA (Hignett and McAtamney 2000): repeated more than 4 times a minute.
REPEATED_PER_MIN = 4.0
# H: how long that rate has to last; the mean over it counts.
REPEATED_S = 600.0
# H, after the first posture class of RULA, REBA and ISO 11226.
BEND_DEG = 20.0
# ISO 11226:2000: one longest acceptable hold of the unsupported trunk, and a hold is static after 4 s.
DOSE, STATIC_S = 1.0, 4.0
# H: holds so near to one another are added.
DOSE_WINDOW_S = 600.0
# Hoogendoorn 2000, Spine 25:3087.
DEEP_DEG, DEEP_SHARE = 60.0, 0.05
# Hoogendoorn 2000: a rotation of 30 degrees or more; RULA and REBA for how often. H: how fast it has to be.
TURN_DEG, TURN_FAST_DEGPS = 30.0, 60.0
# H: own days of the athlete, median and MAD (Iglewicz and Hoaglin 1993 for the robust z).
OWN_DAYS, OWN_DAYS_MOST, OWN_DAYS_BACK, OWN_Z, NORMAL_MAD = 14, 28, 84, 2.0, 0.6745
# H: how far above the own median, and what is a day of play.
STROKES_SURPLUS, STROKES_LEAST = 0.25, 10
SIDES_RISE, SIDES_LEAST = 0.15, 30
# H: work with two sides to it.
TWO_SIDED_SHARE = 0.8
# MLB and USA Baseball, Pitch Smart, as read on 2026-11-23, the stricter row: ages, daily maximum, and from how many
# pitches on 1, 2, 3, 4 days of rest are owed. No third day in a row.
PITCHES: tuple[tuple[int, int, int, tuple[int, ...]], ...] = (
    (7, 8, 50, (21, 36)),
    (9, 10, 75, (21, 36, 51, 66)),
    (11, 12, 85, (21, 36, 51, 66)),
    (13, 14, 95, (21, 36, 51, 66)),
    (15, 16, 95, (31, 46, 61, 76)),
    (17, 18, 105, (31, 46, 61, 76)),
    (19, 22, 120, (31, 46, 61, 76)),
)
PITCH_ROW_DAYS = 2
# Pareja-Blanco 2017 (velocity); the other signs and that two of them count are H.
VELOCITY_LOSS, ROM_LOSS, SPARC_LOSS, CV_RATIO, SIGNS = 0.20, 0.10, 0.3, 1.5, 2
# H, after Andersen 2017, SJWEH 43:68.
HEAVY_DAYS = 3
# H: a week this far above the habit of four (EWMA, Williams 2017, BJSM 51:209).
LOAD_RISE, LOAD_DAYS = 0.3, 28
ACUTE_DAYS, CHRONIC_DAYS = 7, 28
# Plews 2014, Javaloyes 2019: below the mean of about a month by half a standard deviation.
HRV_BELOW_SD, HRV_WEEK, HRV_MONTH, HRV_MORNINGS = 0.5, 7, 30, 21
# Ostelo 2008: a change of 2 of 10 matters. The rest is H: Fisher's exact test over the days looked back on.
PAIN_RISE, PAIN_DAYS, PAIN_EACH, PAIN_MORE, PAIN_P, PAIN_BACK = 2.0, 14, 5, 0.25, 0.05, 56
# H: the chance is divided by all the movements that are looked at, whether or not a day carries them.
PAIN_MOVEMENTS = 6
# NIOSH 94-110, revision 9/2021: work of up to 1 h goes with a recovery of its length, up to 2 h with 0.3 of it. H: for
# bending and turning.
SHORT_WORK_S, SHORT_RECOVERY, LONG_RECOVERY = 3600.0, 1.0, 0.3

"""A dose in the reader's language, for pages, reminders and reports; programs/dose.py says it in English."""

from __future__ import annotations

from coach.language import gettext as _
from coach.language import ngettext
from coach.written import number
from programs.types import Dose


def dose_words(dose: Dose) -> str:
    """Say a dose: `3 sets of 6, 4, 2 holds of 10 s, each side, 20 s rest`, `5 min`."""
    counts, side = dose.repetitions, [_("each side")] if dose.per_side else []
    if dose.hold_s is not None and counts == (1,):
        # Of a walk or lying down: nobody counts one set of it.
        return ", ".join([_time(dose.hold_s), *side])
    of_each = str(counts[0]) if len(set(counts)) == 1 else ", ".join(map(str, counts))
    if dose.hold_s is None:
        said = ngettext("%(num)s set of %(each)s", "%(num)s sets of %(each)s", len(counts), each=of_each)
    else:
        holds = ngettext(
            "%(each)s hold of %(time)s",
            "%(each)s holds of %(time)s",
            max(counts),
            each=of_each,
            time=_time(dose.hold_s),
        )
        said = ngettext("%(num)s set of %(holds)s", "%(num)s sets of %(holds)s", len(counts), holds=holds)
    rest = [_("%(seconds)s s rest", seconds=number(dose.rest_s))] if len(counts) > 1 and dose.rest_s else []
    return ", ".join([said, *side, *rest])


def _time(duration_s: float) -> str:
    minutes, rest_s = divmod(duration_s, 60)
    if minutes > 1 and not rest_s:
        return _("%(minutes)s min", minutes=number(minutes))
    return _("%(seconds)s s", seconds=number(duration_s))

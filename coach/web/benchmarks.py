"""How well the detectors do: the stored result of the benchmark as a page, and its sentence beside each finding."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flask import Blueprint, Flask, render_template

from coach.dates import tenth
from coach.language import gettext as _
from coach.service.benchmarks import Result, Share, benchmark
from coach.web import access

blueprint = Blueprint("benchmarks", __name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What the benchmark says of a kind. main: through the whole analysis without loss, as most counts as there are."""

    kind: str
    main: Result
    results: tuple[Result, ...]


@blueprint.get("/benchmarks")
@access.signed_in
def page() -> str:
    """Show recall and precision of every detector with their intervals, and what was measured."""
    found = benchmark()
    return render_template(
        "benchmarks/benchmarks.html", benchmark=found, kinds=[told_of(each) for each in found.kinds()]
    )


def told_of(kind: str) -> Told | None:
    """Return what the benchmark says of a kind, None where it does not know the kind."""
    results = benchmark().of(kind)
    if not results:
        return None
    counted = [each for each in results if each.recall.whole]
    # Raw motion is the whole way; some kinds rest on what is entered, which has no raw motion.
    main = min(counted or results, key=lambda each: (each.level != "raw", each.lost_share))
    return Told(kind, main, results)


def share_text(share: Share) -> str:
    """Return `98 % (97 to 99 %), 1013 of 1032`; that nothing was there to count."""
    if share.share is None:
        return str(_("nothing to count"))
    low, high = share.interval
    # Outwards, so that the words never say more than the interval.
    told: str = _(
        "%(share)s %% (%(low)s to %(high)s %%), %(part)s of %(whole)s",
        share=_percent(share.share), low=tenth(math.floor(1000 * low) / 10), high=tenth(math.ceil(1000 * high) / 10),
        part=share.part, whole=share.whole,
    )  # fmt: skip
    return told


def _percent(share: float) -> str:
    """Return a share in percent to a tenth; what is not all of it never reads as 100."""
    return tenth(99.9 if 0.999 < share < 1 else 100 * share)


def install(app: Flask) -> None:
    """Give the templates of findings their sentence."""
    app.jinja_env.globals["benchmark_of"] = told_of
    app.jinja_env.globals["benchmark_run"] = benchmark
    app.jinja_env.filters["share_text"] = share_text

"""How whole a recording is, in words: what came, what did not, how well it is timed, whether it was worn."""

from __future__ import annotations

from dataclasses import dataclass

from coach.analysis.integrity import Integrity
from coach.analysis.types import Quality, QualityFlag
from coach.service.types import RecordingView
from coach.web.words import minutes, percent

# Own choice: below these a gap or a share is not worth the first sentence.
_WHOLE_SHARE, _GAP_S, _CLIPPED_SHARE = 0.995, 2.0, 0.001
_DAY_S = 86400.0
_WORN_BADLY = {QualityFlag.LOOSE, QualityFlag.DISPLACED}


@dataclass(frozen=True, slots=True)
class Wholeness:
    """sentence: the one thing to know. notice: whether it asks for attention. lines: (what, how), for details."""

    sentence: str
    notice: bool
    lines: tuple[tuple[str, str], ...]


def wholeness(recording: RecordingView) -> Wholeness:
    """Say how whole a recording is."""
    found = recording.integrity
    if found is None or not found.expected:
        needs = recording.needs or "not enough data: needs the first samples"
        return Wholeness(f"{needs[0].upper()}{needs[1:]}.", False, ())
    lines: tuple[tuple[str, str], ...] = (
        ("came", _came(found)),
        ("rate", _rate(found)),
        ("gaps", _gaps(found)),
        ("clock", _clock(found)),
        ("worn", _worn(found)),
        ("clipped", _clipped(found)),
        ("calibrated", _calibrated(found)),
    )
    if recording.quality:
        lines += (("wrong with it", "; ".join(item.what for item in recording.quality)),)
    sentence, notice = _worst(recording.quality) or _sentence(found)
    return Wholeness(sentence, notice, lines)


def _worst(quality: tuple[Quality, ...]) -> tuple[str, bool] | None:
    """Return the first thing that makes a recording, or part of it, useless; None when there is none."""
    for item in sorted(quality, key=lambda item: not item.fatal):
        # What has only just begun is too short for everything, and nothing is wrong with it.
        if item.flag in _WORN_BADLY or (item.fatal and item.flag is not QualityFlag.TOO_SHORT):
            return f"{item.what[0].upper()}{item.what[1:]}.", True
    return None


def _sentence(found: Integrity) -> tuple[str, bool]:
    length = _duration(found.duration_s)
    if found.loose_since_s is not None:
        return f"The strap may have come loose {_into(found.loose_since_s)}: look at it.", True
    if found.nonwear_share:
        return f"Not worn for {percent(found.nonwear_share)} of {length}.", True
    if found.coverage_share < _WHOLE_SHARE:
        longest = f"; the longest gap was {_duration(found.gaps[0].duration_s)}" if found.gaps else ""
        return f"{percent(found.coverage_share)} of {length} came{longest}.", True
    if max(found.acc_clipped_share or 0.0, found.gyr_clipped_share or 0.0) > _CLIPPED_SHARE:
        return f"{length}, nothing missing, but some of it was beyond the sensor's range.", True
    return f"{length}, nothing missing.", False


def _came(found: Integrity) -> str:
    text = f"{found.received:,} of {found.expected:,} samples ({_share(found.coverage_share)}), {found.lost:,} lost"
    more = ((found.duplicates, "came twice"), (found.late, "too late"), (found.damaged, "damaged"))
    return "; ".join([text, *(f"{count:,} {word}" for count, word in more if count)])


def _rate(found: Integrity) -> str:
    text = f"{found.effective_rate_hz:.2f} samples a second"
    return text if found.sampling_rate_hz is None else f"{text}; the sensor takes {found.sampling_rate_hz:.2f}"


def _gaps(found: Integrity) -> str:
    if not found.gaps_count:
        return "none"
    long = [gap for gap in found.gaps if gap.duration_s >= _GAP_S][:3]
    if not long:
        return f"{found.gaps_count}, the longest {_duration(found.gaps[0].duration_s)}"
    told = ", ".join(f"{_duration(gap.duration_s)} {_into(gap.start_s)}" for gap in long)
    return f"{found.gaps_count}; {told}"


def _into(start_s: float) -> str:
    # Not by the clock: the row's times are of arrival, which is later where a gateway was away.
    return f"{_duration(start_s)} into it"


def _clock(found: Integrity) -> str:
    if found.drift_ppm is None:
        return _needs(found, "clock drift")
    way = "fast" if found.drift_ppm >= 0 else "slow"
    ppm = f"{abs(found.drift_ppm):.0f}"
    text = "less than 1 ppm off, corrected" if ppm == "0" else f"{ppm} ppm {way}, corrected"
    if found.clock_uncertainty_s is not None:
        text += f"; times within {1000 * found.clock_uncertainty_s:.0f} ms"
    return f"{text}; began anew {_times(found.restarts)}" if found.restarts else text


def _worn(found: Integrity) -> str:
    if found.nonwear_share is not None:
        text = f"{percent(1.0 - found.nonwear_share)} of the time (60 min rule)"
    elif found.still_share is not None:
        text = f"{percent(1.0 - found.still_share)} of the time moved (5 min rule)"
    else:
        return _needs(found, "non-wear, short rule")
    return f"{text}; perhaps loose for {_duration(found.loose_s)}" if found.loose_s else text


def _clipped(found: Integrity) -> str:
    parts = [
        f"{name} {_share(share)}"
        for name, share in (("acceleration", found.acc_clipped_share), ("turning", found.gyr_clipped_share))
        if share is not None
    ]
    text = ", ".join(parts) if parts else "not known"
    return text if found.limits_known else f"{text} (the product does not tell its range)"


def _calibrated(found: Integrity) -> str:
    if found.calibration_age_s is None:
        return _needs(found, "calibration age")
    if found.calibration_age_s >= _DAY_S:
        days = int(found.calibration_age_s // _DAY_S)
        return f"{days} {'day' if days == 1 else 'days'} before it began"
    return f"{_duration(found.calibration_age_s)} before it began"


def _needs(found: Integrity, what: str) -> str:
    """Return what a figure needs that cannot be told."""
    needs = next((each.needs for each in found.not_computable if each.what == what), "more signal")
    return f"not enough data: needs {needs}"


def _share(share: float) -> str:
    """Return a share; what is not quite whole, or nothing, does not round to it."""
    if 0 < share < 0.001:
        return "below 0.1\N{NO-BREAK SPACE}%"
    if 0.9995 <= share < 1:
        return "above 99.9\N{NO-BREAK SPACE}%"
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%" if share not in {0.0, 1.0} else percent(share)


def _duration(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s" if seconds < 120 else minutes(seconds)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"

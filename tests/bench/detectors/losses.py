"""What a radio loses: single packets all the time, and stretches in which the link is away.

Half of what is lost goes packet by packet, half in bursts. Own heuristics, after what links in docs/links.md do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.types import FloatArray

PACKET_S = 0.1
# Mean and longest time for which a link is away.
BURST_S, BURST_MAX_S = 4.0, 60.0
PACKETS_SHARE = 0.5


def bursts(duration_s: float, share: float, draw: np.random.Generator) -> FloatArray:
    """Return (k, 2) start and end of the times without a link that lose half of `share`, ascending."""
    wanted = duration_s * share * (1 - PACKETS_SHARE)
    count = int(np.ceil(2 * wanted / BURST_S)) + 8
    lengths = np.minimum(draw.exponential(BURST_S, count) + 0.3, BURST_MAX_S)
    lengths = lengths[: int(np.searchsorted(np.cumsum(lengths), wanted))]
    starts = np.sort(draw.uniform(0, duration_s, lengths.size))
    ends = np.minimum(starts + lengths, np.append(starts[1:], duration_s))
    return np.stack((starts, ends), axis=1)


def lost_rows(count: int, rate_hz: float, share: float, draw: np.random.Generator) -> NDArray[np.bool_]:
    """Return (count,) which samples never arrive."""
    lost = np.zeros(count, dtype=bool)
    if not share:
        return lost
    packet = round(PACKET_S * rate_hz)
    single = draw.uniform(size=count // packet + 1) < share * PACKETS_SHARE
    lost |= np.repeat(single, packet)[:count]
    for start, end in bursts(count / rate_hz, share, draw).tolist():
        lost[round(start * rate_hz) : round(end * rate_hz)] = True
    return lost

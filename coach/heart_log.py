"""Where heart rate becomes durable: blocks of this process's links and of gateways elsewhere alike."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from coach.store import hearts, wearables
from coach.store.engine import Store, Tx
from coach.store.rows import Row
from devices.errors import DeviceError
from devices.heartblock import HeartBlock, encode_heart

# Told of an athlete's new blocks with intervals when they begin, in s of UTC, in the transaction that stores them.
Told = Callable[[Tx, str, set[float]], None]


class TableHeartLog:
    """Store blocks, each once; its key is device, recording and number."""

    def __init__(self, store: Store, told: Told) -> None:
        self._store, self._told = store, told

    def append(self, blocks: Sequence[HeartBlock], athlete_id: str | None = None) -> tuple[str, ...]:
        """Store blocks durably and return the keys that are stored now, new or known before.

        A key that is missing was refused: no link makes such a block, its wearable is not known or, with athlete_id,
        another athlete's, or there are other values under the key. Raises StoreUnavailable: try again.
        """
        sound: list[HeartBlock] = []
        for block in blocks:
            with contextlib.suppress(DeviceError):
                encode_heart(block)
                sound.append(block)
        if not sound:
            return ()
        with self._store.begin_append() as tx:
            owners = {key: _owner(tx, *key) for key in {(each.device_id, each.recording_id) for each in sound}}
            stored: list[str] = []
            begun_utc_s: dict[str, set[float]] = {}
            for block in sound:
                owner = owners[block.device_id, block.recording_id]
                if owner is None or athlete_id not in (None, owner["athlete_id"]):
                    continue
                values = {**_values(block), **owner}
                if hearts.add(tx, values):
                    if block.rr_s.size:
                        begun_utc_s.setdefault(owner["athlete_id"], set()).add(values["start_utc_s"])
                elif not hearts.holds(tx, values):
                    continue
                stored.append(block.key)
            for whose, times in begun_utc_s.items():
                self._told(tx, whose, times)
            return tuple(stored)


def _owner(tx: Tx, device_id: str, recording_id: str) -> Row | None:
    """Return whose a recording is and where it was worn when it began; None for an unknown wearable."""
    known = hearts.owner(tx, device_id, recording_id)
    if known is not None:
        return known
    found = wearables.by_address(tx, device_id)
    if found is None:
        return None
    return {"athlete_id": found["athlete_id"], "wearable_id": found["id"], "placement": found["placement"]}


def _values(block: HeartBlock) -> Row:
    return {
        "device_id": block.device_id,
        "recording_id": block.recording_id,
        "seq": block.seq,
        "start_utc_s": float(block.beats["arrival_utc_s"][0]),
        "beats": block.beats.tobytes(),
        "rr_s": block.rr_s.tobytes(),
    }

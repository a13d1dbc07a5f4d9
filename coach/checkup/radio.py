"""Checks of the Bluetooth adapter: whether there is one, whether it is switched off, whether its service answers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from coach.checkup.types import Line, State
from coach.instance import is_held
from devices.errors import DeviceError
from devices.hub import BleHub

# Source: Linux, Documentation/ABI: class/bluetooth and class/rfkill.
_ADAPTERS, _SWITCHES = Path("/sys/class/bluetooth"), Path("/sys/class/rfkill")
_LISTEN_S = 1.0
_WITHOUT = (
    "Only wearables on this machine need one: plug one in, or run `backstop gateway` where there is one. "
    "Recordings, phones and the simulation work without."
)


def check_adapter(directory: Path) -> Iterator[Line]:
    """Look for an adapter and listen for a second; a Backstop that runs is not disturbed by that."""
    if sys.platform == "linux":
        if not sorted(_ADAPTERS.glob("hci*")):
            yield Line("adapter", State.ATTENTION, "This machine has no Bluetooth adapter.", _WITHOUT)
            return
        if _switched_off():
            yield Line("adapter", State.BROKEN, "Bluetooth is switched off.", "rfkill unblock bluetooth")
            return
    if is_held(directory):
        yield Line("adapter", State.OK, "There is one, and the Backstop that runs uses it.")
        return
    try:
        with BleHub() as hub:
            heard = len(hub.scan(_LISTEN_S))
    except DeviceError as error:
        yield Line("adapter", State.BROKEN, str(error), _WITHOUT)
    else:
        yield Line("adapter", State.OK, f"It works: {heard} devices were heard in {_LISTEN_S:.0f} s.")


def _switched_off() -> bool:
    for switch in sorted(_SWITCHES.glob("rfkill*")):
        try:
            if (switch / "type").read_text().strip() != "bluetooth":
                continue
            if "1" in ((switch / "soft").read_text().strip(), (switch / "hard").read_text().strip()):
                return True
        except OSError:
            continue
    return False

"""What a wearable's link costs: simulated wearables at 60 Hz over bleak's own BlueZ backend."""

from __future__ import annotations

import time

from devices.hostclock import ScaledClock
from devices.hub import BleHub
from devices.link import LinkRequest
from devices.sim.bus import SimBus
from devices.sim.motions import lifting
from devices.sim.wearable import SimWearable
from devices.types import LinkState

SECONDS = 10.0


def one(count: int, speed: float) -> str:
    clock = ScaledClock.starting_now(time.time(), speed)
    wearables = [
        SimWearable(motion=lifting(k), clock=clock, rate_hz=60, address=f"C0:FF:EE:00:01:{k:02X}") for k in range(count)
    ]
    with SimBus(wearables).running(), BleHub() as hub:
        links = [
            hub.open(LinkRequest(wearable.address, "movella-dot", 60, "bench", clock), lambda chunk: None)
            for wearable in wearables
        ]
        while not all(link.status().state is LinkState.STREAMING for link in links):
            time.sleep(0.01)
        sent, cpu, began = sum(w.frames_sent for w in wearables), time.process_time(), time.monotonic()
        time.sleep(SECONDS)
        cpu, took = time.process_time() - cpu, time.monotonic() - began
        sent = sum(w.frames_sent for w in wearables) - sent
        for wearable in wearables:
            wearable.go_silent(True)
        time.sleep(0.3)
        for link in links:
            link.close()
        lost = sum(w.frames_sent - link.status().samples_received for w, link in zip(wearables, links, strict=True))
    return (
        f"- wearables: {count} at 60 Hz, clock at {speed:g} times real time: {sent / took:,.0f} frames/s, "
        f"{lost} lost, {cpu / took:.3f} cores (simulator, bus, bleak and link together)"
    )


def measure() -> list[str]:
    """Return the lines of the report."""
    return [one(1, 1.0), one(10, 1.0), one(1, 45.0)]


if __name__ == "__main__":
    print("\n".join(measure()))

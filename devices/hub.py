"""The one thread that owns the one asyncio loop of all radio work, and its face for everybody else."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from devices.airtime import Airtime
from devices.errors import DeviceError, Disconnected, Refused
from devices.link import ChunkSink, HeartSink, LinkRequest, StatusSink, WearableLink
from devices.profiles import recognise
from devices.profiles.movella_dot import MovellaDot
from devices.profiles.movella_dot_sync import synchronise
from devices.profiles.movella_dot_uuids import SYNC_WAIT_S
from devices.profiles.types import refuse_unoffered
from devices.radio import SYSTEM_RADIO, Radio
from devices.radio_errors import radio_errors
from devices.types import Advertisement

T = TypeVar("T")

# Closing waits for the links' goodbyes, each of which is bounded.
_CLOSE_S = 15.0
# What is asked of the loop takes milliseconds; a scan also waits until it may begin and until it has ended.
_ANSWER_S, _SCAN_EXTRA_S = 15.0, 30.0
# To find and to connect a wearable that lies there.
_BORROW_S = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One device heard in a scan; family is the key of its profile, or None for a device Backstop does not know."""

    advertisement: Advertisement
    family: str | None


class BleHub:
    """Scan, open links, close them. Every method may be called from any thread but the hub's own."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._airtimes: dict[Radio, Airtime] = {}
        self._links: dict[str, WearableLink] = {}

    def start(self) -> None:
        """Start the thread; does nothing if it runs."""
        if self._thread is not None:
            return
        running = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._main(running)), name="backstop-radio", daemon=True
        )
        self._thread.start()
        running.wait()

    def close(self) -> None:
        """Close every link and end the thread. May be called again."""
        thread = self._thread
        if thread is None:
            return
        self.close_links()
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            loop.call_soon_threadsafe(stop.set)
        thread.join(_CLOSE_S)
        self._thread = self._loop = self._stop = None
        self._airtimes.clear()

    def close_links(self) -> None:
        """Close every link and hand on what it holds, all at once: the goodbyes of many would add up."""
        with contextlib.suppress(DeviceError):
            self.call(self._close_links(), _CLOSE_S)

    def __enter__(self) -> BleHub:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def scan(self, duration_s: float, radio: Radio = SYSTEM_RADIO) -> list[Seen]:
        """Return what was heard within `duration_s`, strongest first. Raises NoRadio."""

        async def heard() -> list[Advertisement]:
            return await self._airtime(radio).collect(duration_s)

        found = []
        for advertisement in self.call(heard(), duration_s + _SCAN_EXTRA_S):
            profile = recognise(advertisement)
            found.append(Seen(advertisement, profile.family if profile else None))
        return found

    def open(
        self,
        request: LinkRequest,
        on_chunk: ChunkSink,
        on_live: ChunkSink | None = None,
        on_status: StatusSink | None = None,
        on_heart_rate: HeartSink | None = None,
    ) -> WearableLink:
        """Start a link that lasts until it is closed; the sinks are called on the hub's thread and must only enqueue.

        Raises Refused for an unknown family, a rate it does not offer, or a wearable that has a link already.
        """

        async def opened() -> WearableLink:
            address = request.address.upper()
            if address in self._links:
                raise Refused(f"Wearable {request.address} is linked already: close that link first.")
            airtime = self._airtime(request.radio)
            link = WearableLink(request, self, airtime, on_chunk, on_live, on_status, on_heart_rate)
            link.begin()
            self._links[address] = link
            return link

        return self.call(opened())

    def synchronise_dots(self, addresses: Sequence[str], rate_hz: float, radio: Radio = SYSTEM_RADIO) -> None:
        """Give several Movella DOTs one time line by themselves; the first is the root. It takes half a minute.

        Close their links before, and open them with the same rate afterwards. Raises Refused, NotFound, NoRadio,
        Disconnected.
        """
        profile = MovellaDot()
        refuse_unoffered(profile, rate_hz)
        held = [address for address in addresses if address.upper() in self._links]
        if held:
            raise Refused(f"Close the link to {', '.join(held)} first: sensors synchronise among themselves.")

        async def done() -> None:
            air = self._airtime(radio)
            with radio_errors("A Movella DOT", "being synchronised"):
                await synchronise(
                    lambda address: air.borrowed(address, profile.service_uuids, _BORROW_S),
                    addresses,
                    lambda client: profile.set_rate(client, int(rate_hz)),
                )

        self.call(done(), SYNC_WAIT_S + len(addresses) * 3 * _BORROW_S)

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = _ANSWER_S) -> T:
        """Run a coroutine on the hub's loop and return its result.

        Raises Disconnected if the hub is closed, also meanwhile, or does not answer within `timeout_s`.
        """
        loop = self._loop
        if loop is None or threading.current_thread() is self._thread:
            work.close()
            raise Disconnected("The radio's thread is not running or asked for itself: call this from another thread.")
        try:
            future = asyncio.run_coroutine_threadsafe(work, loop)
        except RuntimeError as error:
            work.close()
            raise Disconnected("The radio's thread has ended; start it again.") from error
        try:
            return future.result(timeout_s)
        except concurrent.futures.CancelledError as error:
            raise Disconnected("The radio's thread ended meanwhile; start it again.") from error
        except TimeoutError as error:
            future.cancel()
            raise Disconnected(f"The radio did not answer within {timeout_s:g} s; try again.") from error

    def release(self, link: WearableLink) -> None:
        """Forget a closed link."""
        address = link.request.address.upper()
        if self._links.get(address) is link:
            del self._links[address]

    async def _close_links(self) -> None:
        links = tuple(self._links.values())
        await asyncio.gather(*(link.aclose() for link in links), return_exceptions=True)
        for link in links:
            self.release(link)

    def _airtime(self, radio: Radio) -> Airtime:
        """Return the shared use of a radio. Called on the loop."""
        if radio not in self._airtimes:
            self._airtimes[radio] = Airtime(radio)
        return self._airtimes[radio]

    async def _main(self, running: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        running.set()
        await self._stop.wait()

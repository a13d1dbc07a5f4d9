"""Run the simulated Bluetooth daemon in a thread of its own, on a private socket, so that bleak needs no change.

The one switch is the environment variable DBUS_SYSTEM_BUS_ADDRESS. Linux only: elsewhere bleak talks to no bus.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from devices.errors import NoRadio
from devices.sim.wearable import SimWearable

if TYPE_CHECKING:
    from devices.sim.bluez import BlueZ

ADDRESS_VARIABLE = "DBUS_SYSTEM_BUS_ADDRESS"
_START_S = 10.0


class SimBus:
    """A private bus with one simulated daemon and its wearables.

    keep_links: the real daemon keeps a link whose client died without disconnecting; here the link is dropped unless
    this is True. Raises NoRadio from `start` off Linux, or where the socket cannot be made.
    """

    def __init__(self, wearables: Sequence[SimWearable], keep_links: bool = False) -> None:
        self._wearables = tuple(wearables)
        for one in wearables:
            one.meet(self._wearables)
        self._keep_links = keep_links
        self._folder: Path | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._daemon: BlueZ | None = None
        self._up = threading.Event()
        self._failure: Exception | None = None

    @property
    def address(self) -> str:
        """Return the bus address for DBUS_SYSTEM_BUS_ADDRESS; empty while not running."""
        return "" if self._folder is None else f"unix:path={self._folder / 'bus'}"

    def start(self) -> None:
        """Open the bus; the wearables can be found from here on."""
        if sys.platform != "linux":
            raise NoRadio(
                "A simulated Bluetooth daemon needs Linux; elsewhere run `backstop run`, which simulates itself."
            )
        try:
            # mkdtemp makes the folder readable by nobody else.
            folder = self._folder = Path(tempfile.mkdtemp(prefix="backstop-bus-"))
        except OSError as error:
            raise _not_started(error) from error
        self._up.clear()
        self._failure = None
        self._thread = threading.Thread(target=lambda: self._thread_main(folder), name="simulated-bus", daemon=True)
        self._thread.start()
        self._up.wait(_START_S)
        if self._loop is None:
            failure = self._failure
            self.close()
            raise _not_started(failure) from failure

    def close(self) -> None:
        """Cut every client, stop the thread and remove the socket. Harmless when not running."""
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended by itself
                loop.call_soon_threadsafe(stop.set)
        if self._thread is not None:
            self._thread.join(_START_S)
        self._thread = self._loop = self._stop = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def die(self) -> None:
        """Let the daemon die while the bus lives: calls fail, nothing is sent, and no client is told."""
        self._tell(lambda daemon: daemon.die())

    def revive(self) -> None:
        """Let a new daemon answer, which knows of no search, device or link."""
        self._tell(lambda daemon: daemon.revive())

    def power(self, on: bool) -> None:
        """Switch the adapter off, which ends every link and search, or on again."""
        self._tell(lambda daemon: daemon.power(on))

    @contextlib.contextmanager
    def running(self) -> Iterator[SimBus]:
        """Run for the length of a `with` block, with DBUS_SYSTEM_BUS_ADDRESS set and afterwards restored."""
        before = os.environ.get(ADDRESS_VARIABLE)
        self.start()
        os.environ[ADDRESS_VARIABLE] = self.address
        try:
            yield self
        finally:
            if before is None:
                os.environ.pop(ADDRESS_VARIABLE, None)
            else:
                os.environ[ADDRESS_VARIABLE] = before
            self.close()

    def _tell(self, what: Callable[[BlueZ], None]) -> None:
        """Do something to the daemon in its own loop, and wait until it is done."""
        loop, daemon = self._loop, self._daemon
        if loop is None or daemon is None:
            return
        done = threading.Event()

        def act() -> None:
            what(daemon)
            done.set()

        loop.call_soon_threadsafe(act)
        done.wait(_START_S)

    def _thread_main(self, folder: Path) -> None:
        try:
            asyncio.run(self._run(folder))
        except (OSError, ImportError) as error:
            self._failure = error
        finally:
            self._up.set()

    async def _run(self, folder: Path) -> None:
        # Imported here: dbus-fast exists on Linux only.
        from devices.sim.bluez import BlueZ

        self._stop = asyncio.Event()
        self._daemon = BlueZ(self._wearables, self._keep_links)
        try:
            self._daemon.start(str(folder / "bus"))
            self._loop = asyncio.get_running_loop()
            self._up.set()
            await self._stop.wait()
        finally:
            self._daemon.close()


def _not_started(why: Exception | None) -> NoRadio:
    return NoRadio(
        f"The simulated Bluetooth daemon did not start ({why or 'it did not say why'}): set TMPDIR to a folder "
        "that has a short name and can be written."
    )

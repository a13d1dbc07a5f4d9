"""What was begun on the radio is brought to its end, even when whoever began it is told to stop meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def finish(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` to its end; a cancellation that comes meanwhile is passed on afterwards. The work bounds its own time.

    A goodbye that is cut short would leave a wearable connected, or a scan running, that nobody knows of any more.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        raise

"""Fixtures of the tests of links; see linked.py."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from devices.hub import BleHub
from tests.devices.linked import Received


@pytest.fixture
def hub() -> Iterator[BleHub]:
    with BleHub() as running:
        yield running
    assert [thread.name for thread in threading.enumerate() if thread.name == "backstop-radio"] == []


@pytest.fixture
def received() -> Received:
    return Received()

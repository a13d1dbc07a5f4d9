"""Values that several tests of the programs start from."""

from __future__ import annotations

import pytest

from programs.types import Need


@pytest.fixture
def bending() -> Need:
    return Need("repeated_bending", 0.8, "You bent forward 84 times in 12 minutes.", ("finding-1",))

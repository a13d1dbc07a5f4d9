"""Options that several commands share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from coach.config import SHARED_CLOCK
from coach.errors import ConfigError
from devices.hostclock import ScaledClock


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add --config FILE."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration file (default: ./config.toml, if any)"
    )


def shared_clock() -> ScaledClock | None:
    """Return the clock that a simulation in another process on this machine runs by, if one is named.

    Raises ConfigError when it cannot be read.
    """
    text = os.environ.get(SHARED_CLOCK)
    if not text:
        return None
    try:
        return ScaledClock.from_text(text)
    except ValueError as error:
        raise ConfigError(f"{SHARED_CLOCK} is {text!r}: copy it as `backstop simulate --speed` prints it.") from error

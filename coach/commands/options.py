"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add --config FILE."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration file (default: ./config.toml, if any)"
    )

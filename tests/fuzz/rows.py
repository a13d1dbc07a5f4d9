"""Every parser: one row each. A new one is added to the table of its kind."""

from __future__ import annotations

from tests.fuzz import files, signals, texts
from tests.fuzz.parser import Parser

BY_NAME: dict[str, Parser] = {each.name: each for each in (*signals.PARSERS, *files.PARSERS, *texts.PARSERS)}

# The six kinds of parser, and which rows each has; the packets of every product are of the first.
KINDS: dict[str, tuple[str, ...]] = {
    "packets": ("advertisement", "raw-log", *(name for name in BY_NAME if name.startswith("packets-"))),
    "chunk codec": (
        "chunk", "chunk-sealed", "zstd-frame", "heart", "heart-sealed", "gateway-post", "gateway-beat",
        "gateway-orders", "gateway-spool", "phone-push",
    ),
    "files": (
        "recording-text", "recording-files", "recording-zip", "recording-arrays", "export", "export-zip", "backup",
        "advisories", "csv-cell",
    ),
    "iCalendar": ("calendar",),
    "webhook": ("webhook-address", "push-subscription", "mail-address"),
    "config": ("config", "profile", "caps", "availability", "typed"),
}  # fmt: skip


def share_s(name: str, kind_s: int, least_s: int) -> int:
    """Return s for one row of what its kind gets in all, at least least_s."""
    of_kind = next(rows for rows in KINDS.values() if name in rows)
    return max(least_s, -(-kind_s // len(of_kind)))

"""Zip archives of whoever: how much a directory of members may take is looked at before any of it is read.

Python keeps several hundred bytes for each of 46 in the file: the members of a full upload would take gigabytes.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import BinaryIO

# Bytes of a member in an archive's directory, with a name and what is noted beside it. Own bound.
_ENTRY_BYTES = 150


def check_directory(file: BinaryIO, members_max: int) -> None:
    """Look at an archive's directory without reading it. Raises zipfile.BadZipFile for more than about so many."""
    # What zipfile itself reads and believes; a second reading could differ from it.
    found = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if found is None:
        raise zipfile.BadZipFile("it has no end")
    if int(found[zipfile._ECD_SIZE]) > members_max * _ENTRY_BYTES:  # type: ignore[attr-defined]
        raise zipfile.BadZipFile(f"it lists more than {members_max} files")


def open_zip(path: Path, members_max: int) -> zipfile.ZipFile:
    """Open an archive of at most about so many members. Raises zipfile.BadZipFile, OSError."""
    with path.open("rb") as file:
        check_directory(file, members_max)
    return zipfile.ZipFile(path)

"""The archive of an athlete as an answer: written to the disk first, then sent from there, in bounded memory.

Written at once, because a slow reader would otherwise hold a snapshot of the database for as long as it reads. The file
has no name, so that nothing of it is left, whatever happens.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from typing import IO

from werkzeug.wrappers import Response

from coach.errors import StoreUnavailable
from coach.web import access
from coach.web.house import house

MEDIA_TYPE = "application/zip"
# Bytes on the way at a time. Own choice.
_PIECE = 256 * 1024
# One at a time: it costs a processor and the disk.
_ONE = threading.Lock()


def answer(athlete_id: str) -> Response:
    """Return everything of an athlete. Raises NoSuch, NotAllowed, StoreUnavailable (another one is made, no room)."""
    exports, me = house().services.exports, access.me()
    directory = house().config.storage.directory
    needed = exports.bytes_about(me, athlete_id)
    if not _ONE.acquire(blocking=False):
        raise StoreUnavailable("Another export is being made at this moment: try again in a minute.")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(directory).free < needed:
            raise StoreUnavailable("There is no room on the disk for the export: tell whoever keeps this Backstop.")
        file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - closed when it was sent
        try:
            exports.write(me, athlete_id, file)
            size = file.tell()
            file.seek(0)
        except BaseException:
            file.close()
            raise
    except OSError as error:
        raise StoreUnavailable(f"The export cannot be written ({error.strerror}): nothing was changed.") from error
    finally:
        _ONE.release()
    sent = Response(_Pieces(file), content_type=MEDIA_TYPE)
    sent.content_length = size
    sent.headers["Content-Disposition"] = f'attachment; filename="backstop-{house().now():%Y-%m-%d}.zip"'
    sent.headers["Cache-Control"] = "no-store"
    return sent


class _Pieces:
    """A file in pieces, closed when it was sent or when nobody wants it any more, begun or not."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(_PIECE):
            yield piece

    def close(self) -> None:
        self._file.close()

    __del__ = close

"""Uploaded files between the look and the import, where several processes answer: as rows that each of them finds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from coach.service.ground import Ground
from coach.store import processes

# Bytes of a file in one row. Own choice: a database hands out whole rows.
_PIECE_BYTES = 1_000_000
# As long as an upload may be looked at; then it is forgotten within minutes. Own choice.
_LASTS = timedelta(hours=1)


class SentFiles:
    """One upload a person at most; the bounds on its size are those of the page that takes it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def keep(self, user_id: str, upload_id: str, paths: Sequence[Path]) -> None:
        """Keep files for every process; the person's upload before goes. Raises StoreUnavailable, OSError."""
        now = self._ground.now()
        with self._ground.store.begin() as tx:
            processes.drop_uploads(tx, user_id)
            for number, path in enumerate(paths):
                named = {"upload_id": upload_id, "file": number, "user_id": user_id, "file_name": path.name}
                with path.open("rb") as file:
                    piece, data = 0, file.read(_PIECE_BYTES)
                    while data or not piece:  # an empty file is one of the files too
                        processes.add_piece(tx, {**named, "number": piece, "data": data, "kept_at": now})
                        piece, data = piece + 1, file.read(_PIECE_BYTES)

    def known(self, user_id: str, upload_id: str) -> bool:
        """Tell whether a person's upload is there."""
        with self._ground.store.read() as tx:
            return bool(processes.pieces(tx, upload_id, user_id))

    def fetch(self, user_id: str, upload_id: str, folder: Path) -> None:
        """Write a person's upload into a folder, which is made. Raises OSError."""
        folder.mkdir(mode=0o700, parents=True)
        with self._ground.store.read() as tx:
            for file, number, name in processes.pieces(tx, upload_id, user_id):
                with (folder / name).open("ab" if number else "wb") as out:
                    out.write(processes.piece(tx, upload_id, file, number))

    def others(self, user_id: str) -> int:
        """Return how many other people have an upload in work."""
        with self._ground.store.read() as tx:
            return processes.uploading(tx, user_id)

    def drop(self, user_id: str) -> None:
        """Forget a person's upload."""
        with self._ground.store.begin() as tx:
            processes.drop_uploads(tx, user_id)

    def purge(self, now: datetime) -> None:
        """Forget uploads whose time is over."""
        with self._ground.store.begin() as tx:
            processes.drop_old_uploads(tx, now - _LASTS)

"""Uploaded files between the look and the import: one upload a person, bounded, gone after an hour at the latest."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import shutil
import time
from pathlib import Path, PurePosixPath

from werkzeug.datastructures import FileStorage

from coach.errors import Conflict, InvalidInput, NoSuch, StoreUnavailable
from coach.service.sent_files import SentFiles

# Own bounds: people who look at an upload at the same time, files of one recording, s that a look may last.
_AT_ONCE = 16
_FILES_MAX = 40
_LASTS_S = 3600.0
_ID = re.compile(r"[0-9a-f]{16}-[0-9a-f]{32}")


class Uploads:
    """Keep uploads in a folder of their own, readable by the owner of the process only.

    Of several processes each takes them from the rows that they share; its folder is where it looks at them.
    """

    def __init__(self, folder: Path, shared: SentFiles | None = None) -> None:
        self._folder, self._shared = folder, shared

    def keep(self, user_id: str, files: list[FileStorage]) -> str:
        """Write files to the disk and return the upload's id; the person's upload before goes.

        Raises InvalidInput (no file, too many), Conflict (too many people at once), StoreUnavailable.
        """
        files = [each for each in files if each.filename]
        if not 1 <= len(files) <= _FILES_MAX:
            raise InvalidInput(f"Choose the file of one recording, or its files, {_FILES_MAX} at most.")
        self.purge()
        mine = _mine(user_id)
        kept = list(self._folder.iterdir()) if self._folder.is_dir() else []
        for each in kept:
            if each.name.startswith(f"{mine}-"):
                shutil.rmtree(each, ignore_errors=True)
        others = sum(not each.name.startswith(f"{mine}-") for each in kept)
        if (others if self._shared is None else self._shared.others(user_id)) >= _AT_ONCE:
            raise Conflict("Many people are importing at this moment: try again in some minutes.")
        upload_id = f"{mine}-{secrets.token_hex(16)}"
        folder = self._folder / upload_id
        try:
            folder.mkdir(mode=0o700, parents=True)
            for file in files:
                path = folder / _plain_name(file.filename or "")
                if not path.exists():  # of two of one name the first counts, as in an archive
                    file.save(path)
            if self._shared is not None:
                self._shared.keep(user_id, upload_id, sorted(folder.iterdir()))
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise StoreUnavailable(f"The upload cannot be kept ({error.strerror}): free some space.") from error
        return upload_id

    def path(self, user_id: str, upload_id: str) -> Path:
        """Return the uploaded file, or the folder of several. Raises NoSuch for one that is gone or another's."""
        folder = self._folder / upload_id
        named = bool(_ID.fullmatch(upload_id)) and upload_id.startswith(f"{_mine(user_id)}-")
        if not (named and (folder.is_dir() if self._shared is None else self._fetched(self._shared, user_id, folder))):
            raise NoSuch("This upload is not here any more: choose the file again.")
        files = list(folder.iterdir())
        return files[0] if len(files) == 1 else folder

    def _fetched(self, shared: SentFiles, user_id: str, folder: Path) -> bool:
        """Have an upload here that came to another process; tell whether there is one still."""
        if not shared.known(user_id, folder.name):
            shutil.rmtree(folder, ignore_errors=True)
            return False
        if folder.is_dir():
            return True
        fresh = folder.with_name(f"{folder.name}.part-{secrets.token_hex(4)}")
        try:
            shared.fetch(user_id, folder.name, fresh)
            with contextlib.suppress(OSError):  # another request was first
                fresh.rename(folder)
        except OSError as error:
            raise StoreUnavailable(f"The upload cannot be looked at ({error.strerror}): free some space.") from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return folder.is_dir()

    def drop(self, user_id: str, upload_id: str) -> None:
        """Remove an upload; one that is gone is no error."""
        if _ID.fullmatch(upload_id) and upload_id.startswith(f"{_mine(user_id)}-"):
            shutil.rmtree(self._folder / upload_id, ignore_errors=True)
            if self._shared is not None:
                self._shared.drop(user_id)

    def purge(self) -> None:
        """Remove what is older than an hour."""
        if self._folder.is_dir():
            for each in self._folder.iterdir():
                with contextlib.suppress(OSError):  # another request, or process of this folder, was first
                    if time.time() - each.stat().st_mtime > _LASTS_S:
                        shutil.rmtree(each, ignore_errors=True)


def _mine(user_id: str) -> str:
    return hashlib.sha256(user_id.encode()).hexdigest()[:16]


def _plain_name(name: str) -> str:
    """Return a file's name without folders and surprising signs: the kind of a sensor may stand in it."""
    plain = re.sub(r"[^\w. -]", "_", PurePosixPath(name.replace("\\", "/")).name).strip(". ")
    # A file system counts bytes, and 255 of them.
    return plain[-100:].encode()[-200:].decode("utf-8", "ignore") or "recording"

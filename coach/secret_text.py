"""A secret of the configuration: from its environment variable or its key, or from a file that holds nothing else.

`backstop` never writes one down; pydantic shows stars in their place.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from pydantic import SecretStr

from coach.errors import ConfigError

_log = logging.getLogger(__name__)
# Bytes. Own bound: a password or token; whatever is larger is another file.
_BYTES_MAX = 10_000


def secret_text(key: str, value: SecretStr, file: str | Path) -> str:
    """Return a secret, from the file where one is named. key: its name in config.toml, for sentences.

    Raises ConfigError: the file cannot be read, is empty or holds something else.
    """
    if not str(file):
        return value.get_secret_value()
    path = Path(file)
    try:
        with path.open("rb") as opened:
            mode, data = os.fstat(opened.fileno()).st_mode, opened.read(_BYTES_MAX + 1)
        text = data.decode("utf-8").strip()
    except OSError as error:
        raise ConfigError(
            f"The file {path} ({key}_file) cannot be read ({error.strerror}): write the {_what(key)} into it."
        ) from None
    except UnicodeDecodeError:
        text = ""
    if not text or len(data) > _BYTES_MAX or not text.isprintable():
        raise ConfigError(f"The file {path} ({key}_file) must hold the {_what(key)} and nothing else: write it anew.")
    if os.name != "nt" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        _log.warning("others on this machine can read %s (%s_file): chmod 600 keeps it to yourself", path, key)
    return text


def _what(key: str) -> str:
    return key.rpartition(".")[2]

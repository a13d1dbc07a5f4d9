"""Secrets of the configuration: from the environment, a key or a file; never shown, never something else."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pydantic import SecretStr

from coach.config import Config, load
from coach.errors import ConfigError
from coach.secret_text import secret_text

NONE = SecretStr("")


def secrets_of() -> list[tuple[str, str]]:
    """Return section and key of every secret that the configuration knows."""
    return [
        (section, key)
        for section, field in Config.model_fields.items()
        for key, each in getattr(field.annotation, "model_fields", {}).items()
        if each.annotation is SecretStr
    ]


def test_every_secret_comes_from_the_environment_and_from_a_file_too(tmp_path: Path) -> None:
    assert ("mail", "password") in secrets_of()
    assert ("gateway", "token") in secrets_of()
    for section, key in secrets_of():
        config = load(None, {})
        assert f"{key}_file" in type(getattr(config, section)).model_fields
        beside = 'database_url = "planted-1"\n' if key == "log_url" else ""  # one needs the other
        (tmp_path / "config.toml").write_text(f'[{section}]\n{key} = "planted-1"\n{beside}')
        told = load(tmp_path / "config.toml", {})
        assert getattr(getattr(told, section), key).get_secret_value() == "planted-1"
        assert "planted-1" not in f"{told!r} {told} {told.model_dump()} {told.model_dump_json()}"


def test_an_address_with_a_password_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "address").write_text("postgresql://backstop:planted-4@db/backstop\n")
    (tmp_path / "address").chmod(0o600)
    (tmp_path / "config.toml").write_text(f'[storage]\ndatabase_url_file = "{tmp_path / "address"}"\n')
    told = load(tmp_path / "config.toml", {})
    assert told.storage.database_url.get_secret_value() == "postgresql://backstop:planted-4@db/backstop"
    assert "planted-4" not in f"{told!r} {told.model_dump_json()}"


def test_the_environment_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKSTOP_MAIL__PASSWORD", "planted-2")
    (tmp_path / "config.toml").write_text('[mail]\npassword = "planted-1"\n')
    assert load(tmp_path / "config.toml").mail.password.get_secret_value() == "planted-2"


def test_a_mistake_in_a_secret_is_told_without_it(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[mail]\npassword = ["planted-1"]\n')
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "config.toml", {})
    assert "planted-1" not in str(caught.value)


def test_a_file_that_others_can_read_is_used_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "password"
    path.write_text("planted-3\n")
    path.chmod(0o600)
    with caplog.at_level(logging.WARNING):
        assert secret_text("mail.password", NONE, path) == "planted-3"
    assert caplog.records == []
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert secret_text("mail.password", NONE, str(path)) == "planted-3"
    assert "chmod 600" in caplog.text
    assert "planted-3" not in caplog.text


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe", b"a\nb", b"x" * 20_000, b"a\0b"])
def test_a_file_of_something_else_is_refused_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="nothing else") as caught:
        secret_text("mail.password", NONE, path)
    assert "xxx" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        secret_text("mail.password", NONE, tmp_path / "nowhere")

"""config.toml, the environment and the errors a person meets when a key is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from coach.config import Config, load
from coach.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_shipped_file_states_every_key_with_its_default() -> None:
    shipped = tomllib.loads((ROOT / "config.toml").read_text(encoding="utf-8"))
    defaults = Config().model_dump(mode="json")
    assert shipped == defaults


def test_a_missing_file_means_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load() == Config()


def test_the_environment_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[storage]\ndirectory = "a"\n[bend]\nmin_range_deg = 25\n', encoding="utf-8")
    monkeypatch.setenv("BACKSTOP_STORAGE__DIRECTORY", "b")
    monkeypatch.setenv("BACKSTOP_REFERENCE__STILL_S", "3")
    config = load(file)
    assert config.storage.directory == Path("b")
    assert config.reference.still_s == 3
    assert config.bend.min_range_deg == 25


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[storage]\nfolder = 1\n", "storage.folder"),
        ("[storge]\ndirectory = 'x'\n", "storge"),
        ("[reference]\nstill_ss = 4\n", "reference.still_ss"),
        ("[web]\nport = 'eighty'\n", "web.port"),
        ("[bend]\nmin_range_deg = 200\n", "bend.min_range_deg"),
        ("[strain.bending]\nrate_per_min = 4\n", "strain"),
        ("[web\n", "config.toml"),
    ],
)
def test_a_wrong_key_is_one_sentence_that_names_it(tmp_path: Path, text: str, names: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert names in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["BACKSTOP_STORAGE__DIRECTRY", "BACKSTOP_STORGE__DIRECTORY", "BACKSTOP_WEB__PORT__X"])
def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(ConfigError, match=name):
        load()


def test_a_named_file_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load(tmp_path / "none.toml")

"""`backstop gateway`: where its token comes from, what it refuses before anything is opened, and how it ends."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from coach.commands import gateway
from coach.config import load
from coach.errors import CoachError, ConfigError
from coach.instance import only_one

SECRET = "0123456789abcdef-very-secret"


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    gateway.register(parser.add_subparsers())
    return parser.parse_args(["gateway", *words])


def run(*words: str) -> int:
    args = parse(*words)
    return int(args.handler(args))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "--server"),
        (["--server", "http://127.0.0.1:9"], "BACKSTOP_GATEWAY__TOKEN"),
        (["--server", "ftp://x", "--token", SECRET], "web address"),
        (["--server", "ftp://x"], "web address"),
        (["--server", "https://x:99999"], "web address"),
        (["--server", "http://127.0.0.1:9", "--token", "two words"], "copy it"),
        (["--server", "http://127.0.0.1:9", "--token-file", "nowhere"], "nowhere"),
    ],
)
def test_what_is_missing_or_wrong_is_one_sentence(words: list[str], told: str, tmp_path: Path) -> None:
    with pytest.raises(CoachError, match=told) as caught:
        run(*words)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert not (tmp_path / "var").exists()


def test_a_file_of_something_else_is_no_token(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 no text")
    with pytest.raises(ConfigError, match="must hold the token") as caught:
        run("--server", "http://127.0.0.1:9", "--token-file", "photo.jpg")
    assert "codec" not in str(caught.value)
    assert not (tmp_path / "var").exists()


def test_plain_http_to_the_open_internet_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        # The socket is real; only what it says of its far end is that of a server of the internet.
        monkeypatch.setattr(socket.socket, "getpeername", lambda _: ("93.184.216.34", 80))
        with pytest.raises(ConfigError, match=r"open internet.*--allow-http"):
            run("--server", f"http://127.0.0.1:{server.getsockname()[1]}", "--token", SECRET)


def test_the_token_comes_from_the_most_particular_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKSTOP_GATEWAY__TOKEN", "from-environment")
    (tmp_path / "token").write_text("from-file\n")
    config = load()
    assert gateway._token(parse(), config) == "from-environment"
    assert gateway._token(parse("--token-file", "token"), config) == "from-file"
    assert gateway._token(parse("--token", "from-line", "--token-file", "token"), config) == "from-line"
    monkeypatch.delenv("BACKSTOP_GATEWAY__TOKEN")
    monkeypatch.setenv("BACKSTOP_GATEWAY__TOKEN_FILE", str(tmp_path / "token"))
    assert gateway._token(parse(), load()) == "from-file"


def test_a_token_is_in_no_text_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKSTOP_GATEWAY__TOKEN", SECRET)
    config = load()
    assert SECRET not in f"{config!r} {config} {config.model_dump()} {config.model_dump_json()}"
    monkeypatch.setenv("BACKSTOP_GATEWAY__SPOOL_MB", "-1")
    with pytest.raises(ConfigError, match=r"gateway\.spool_mb") as caught:
        load()
    assert SECRET not in str(caught.value)


def test_what_waits_for_one_server_is_never_sent_to_another() -> None:
    names = {
        gateway._name_of(url)
        for url in (
            "http://a.example",
            "https://a.example",
            "https://a.example/club",
            "https://b.example",
            "http://[::1]:8000",
        )
    }
    assert len(names) == 5
    assert gateway._name_of("https://a.example/") == gateway._name_of("https://a.example")
    assert all(name.replace("-", "").replace(".", "").isalnum() for name in names)


def test_one_gateway_per_spool(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    with only_one(tmp_path / "spool"), pytest.raises(CoachError, match="Another Backstop"):
        run("--server", "http://127.0.0.1:9", "--token", SECRET, "--spool", str(tmp_path / "spool"))


@pytest.mark.skipif(sys.platform != "linux", reason="signals")
def test_without_a_server_it_starts_says_so_and_ends_in_order(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "coach",
        "gateway",
        "--server",
        "http://127.0.0.1:9",
        "--spool",
        str(tmp_path / "s"),
    ]
    environment = os.environ | {"BACKSTOP_GATEWAY__TOKEN": SECRET, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        assert "cannot be reached" in lines[1], lines
        assert SECRET not in Path(f"/proc/{process.pid}/cmdline").read_text()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(20) == 0
    assert rest.strip().endswith("Ended.")
    said = "".join(lines) + rest
    assert SECRET not in said
    assert "Traceback" not in said
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file())

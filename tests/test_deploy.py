"""What `deploy/` says holds for this code: commands, options, settings, addresses, files; and it holds no secret."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from coach.__main__ import COMMANDS, _Parser
from coach.config import load
from tests.conftest import skip_or_fail
from tests.servers import NoBinary, find_binary, free_port

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
OWN = {name: each for name, each in COMPOSE["services"].items() if each["image"] == "backstop"}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def parsed(*words: str) -> Any:
    """What Backstop makes of a command line. A word that it does not know is a SystemExit."""
    parser = _Parser(prog="backstop")
    subparsers = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.register(subparsers)
    return parser.parse_args(words)


def test_the_parts_of_the_composition_are_there_as_often_as_promised() -> None:
    replicas = {name: each.get("deploy", {}).get("replicas", 1) for name, each in COMPOSE["services"].items()}
    assert replicas == {"postgres": 1, "nats": 1, "migrate": 1, "web": 2, "worker": 3, "clock": 2, "proxy": 1}


@pytest.mark.parametrize("name", OWN)
def test_a_container_runs_a_command_that_there_is_with_settings_that_there_are(name: str) -> None:
    service = OWN[name]
    assert parsed(*service["command"]).command == name
    environ = {key: str(value) for key, value in service["environment"].items()}
    for secret in service["secrets"]:
        environ[secret] = "postgresql://u:p@h/d" if secret.endswith("DATABASE_URL") else "nats://t@h:4222"
    with pytest.MonkeyPatch.context() as patch:
        for key, value in environ.items():
            patch.setenv(key, value)
        config = load()
    assert config.storage.database_url.get_secret_value().startswith("postgresql://")
    assert config.storage.log_url.get_secret_value().startswith("nats://")
    assert config.simulate.athlete is False


@pytest.mark.parametrize("name", OWN)
def test_a_container_of_ours_can_do_little(name: str) -> None:
    service = OWN[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "ports" not in service


@pytest.mark.parametrize("name", OWN)
def test_what_a_container_does_not_hold_in_memory_goes_onto_a_volume(name: str) -> None:
    service = OWN[name]
    assert service["environment"]["TMPDIR"] in {volume.split(":")[1] for volume in service["volumes"]}
    assert [re.fullmatch(r"/tmp:size=\d+m", each) is not None for each in service["tmpfs"]] == [True]


def test_secrets_are_files_volumes_are_named_and_nothing_is_left_over() -> None:
    services = COMPOSE["services"].values()
    used = {secret for each in services for secret in each.get("secrets", ())}
    assert used == set(COMPOSE["secrets"])
    assert {each["file"] for each in COMPOSE["secrets"].values()} == {
        "secrets/postgres_password", "secrets/nats_token", "secrets/database_url", "secrets/log_url"
    }  # fmt: skip
    mounted = {volume.split(":")[0] for each in services for volume in each.get("volumes", ())}
    assert mounted == set(COMPOSE["volumes"])
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"(?i)(?:password|token)\s*[:=]\s*[^\s{[/].*", text) == []
    assert re.findall(r"://\w+:\w+@", text) == []


def test_images_are_plain_names_with_a_version() -> None:
    names = {each["image"] for each in COMPOSE["services"].values()} - {"backstop"}
    assert len(names) == 3
    assert [name for name in names if not re.fullmatch(r"[a-z]+:\d+(\.\d+)*(-alpine)?", name)] == []
    (base,) = re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    least = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert base == f"python:{least.removeprefix('>=')}-slim"


def test_everything_that_keeps_something_waits_for_what_it_needs() -> None:
    services = COMPOSE["services"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("web", "worker", "clock"):
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "nats": {"condition": "service_healthy"},
        }
    for name in ("postgres", "nats", "web"):
        assert services[name]["healthcheck"]["test"][0] == "CMD"


def test_the_image_holds_what_is_installed_and_starts() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    copied = {word for line in re.findall(r"^COPY (.+)$", dockerfile, re.MULTILINE) for word in line.split()[:-1]}
    assert [each for each in copied if not (ROOT / each).exists()] == []
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert copied <= {each.removeprefix("!") for each in ignored}
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(packages["packages"]) <= copied


def test_the_entry_reads_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "BACKSTOP_STORAGE__LOG_URL").write_text("nats://$(touch x) 'a\"@h:4222\n")
    (tmp_path / "postgres_password").write_text("not ours")
    fake = tmp_path / "bin" / "backstop"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\nprintf "%s|%s|%s" "$BACKSTOP_STORAGE__LOG_URL" "$1" "$2"\n')
    fake.chmod(0o755)
    environ = {"PATH": f"{fake.parent}:{os.environ['PATH']}", "SECRETS": str(tmp_path)}
    done = subprocess.run(
        ["sh", DEPLOY / "entrypoint.sh", "web", "a b"], env=environ, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "nats://$(touch x) 'a\"@h:4222|web|a b"
    assert not (tmp_path / "x").exists()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A copy of deploy/ in which the secrets were made."""
    folder = Path(shutil.copytree(DEPLOY, tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets")))
    subprocess.run(["sh", folder / "make-secrets.sh"], check=True)
    return folder


def test_secrets_are_made_once_and_fit_together(secrets: Path) -> None:
    made = {path.name: path.read_text() for path in (secrets / "secrets").iterdir()}
    assert {f"secrets/{name}" for name in made} == {each["file"] for each in COMPOSE["secrets"].values()}
    assert (secrets / "secrets").stat().st_mode & 0o077 == 0
    assert len(made["postgres_password"]) == 48
    assert made["database_url"] == f"postgresql://backstop:{made['postgres_password']}@postgres/backstop"
    (token,) = re.findall(r'token: "(\w{48})"', made["nats_token"])
    assert made["log_url"] == f"nats://{token}@nats:4222"
    subprocess.run(["sh", secrets / "make-secrets.sh"], check=True)
    assert {path.name: path.read_text() for path in (secrets / "secrets").iterdir()} == made


def test_the_settings_of_nats_are_taken_by_a_nats_server(secrets: Path, tmp_path: Path) -> None:
    try:
        server = find_binary("nats-server", "nats-server")
    except NoBinary as error:
        skip_or_fail(str(error))
    text = (secrets / "nats.conf").read_text(encoding="utf-8")
    assert "include ../../run/secrets/nats_token" in text
    conf = tmp_path / "etc" / "nats" / "nats.conf"
    conf.parent.mkdir(parents=True)
    (tmp_path / "run" / "secrets").mkdir(parents=True)
    shutil.copy(secrets / "secrets" / "nats_token", tmp_path / "run" / "secrets" / "nats_token")
    written_through = "  sync_interval: always\n"
    assert written_through in text
    # Known from 2.10 on, which the composition names; Debian has 2.9.
    told = subprocess.run([server, "--version"], capture_output=True, text=True).stdout
    major, minor = map(int, re.findall(r"v(\d+)\.(\d+)", told)[0])
    if (major, minor) < (2, 10):
        text = text.replace(written_through, "")
    conf.write_text(text.replace("/data", str(tmp_path / "data")).replace("8222", str(free_port())))
    done = subprocess.run([server, "-c", conf, "-t"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "configuration file" in done.stderr
    assert "valid" in done.stderr


def test_the_proxy_asks_a_page_that_there_is() -> None:
    proxy = (DEPLOY / "haproxy.cfg").read_text(encoding="utf-8")
    (asked,) = re.findall(r"option httpchk GET (\S+)", proxy)
    (healthy,) = re.findall(r"127\.0\.0\.1:8000(/\w+)", COMPOSE["services"]["web"]["healthcheck"]["test"][-1])
    assert asked == healthy == "/readyz"
    assert '"/readyz"' in (ROOT / "coach" / "web" / "health.py").read_text(encoding="utf-8")


def unit(path: Path) -> configparser.RawConfigParser:
    read = configparser.RawConfigParser(strict=False, delimiters=("=",))
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read_string(path.read_text(encoding="utf-8"))
    return read


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_there_is_and_may_do_little(path: Path) -> None:
    service = unit(path)["Service"]
    program, *words = shlex.split(service["ExecStart"].replace("%i", "8001"))
    assert program == "/opt/backstop/.venv/bin/backstop"
    command = parsed(*words).command
    assert path.name == ("backstop.service" if command == "run" else f"backstop-{command}@.service")
    names = dict(re.findall(r"^Environment=(\w+)=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(names) == 3
    assert names["TMPDIR"] == "/var/tmp"  # a disk, and its own by PrivateTmp
    with pytest.MonkeyPatch.context() as patch:
        for name, value in names.items():
            patch.setenv(name, value)
        config = load()
    assert config.log.format == "json"
    assert str(config.storage.directory) == f"/var/lib/{service['StateDirectory']}"
    for key, value in {
        "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
        "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6", "CapabilityBoundingSet": "", "User": "backstop",
        "SystemCallFilter": "@system-service", "UMask": "0077", "Restart": "on-failure",
    }.items():  # fmt: skip
        assert service[key] == value, key


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("There is no systemd-analyze on this machine.")
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text(encoding="utf-8").replace("/opt/backstop/.venv/bin/backstop", "/bin/true")
        (tmp_path / path.name).write_text(text.replace("/opt/backstop", str(ROOT)))
    names = [path.name.replace("@.", "@8001.") for path in UNITS]
    assert len(names) == 4
    done = subprocess.run(
        ["systemd-analyze", "verify", *(f"./{name}" for name in names)], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["operations.md", "scaling.md"])
def test_commands_metrics_and_keys_that_the_pages_name_are_there(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    commands = set(re.findall(r"`backstop ([a-z-]+)", text)) | set(
        re.findall(r"^backstop ([a-z-]+)", text, re.MULTILINE)
    )
    assert len(commands) > 3
    known = {register for command in COMMANDS for register in names_of(command)}
    assert commands - known == set()
    metrics = {each.removesuffix("_total") for each in re.findall(r"`(backstop_[a-z_]+)[`{]", text)} - {"backstop_try"}
    assert len(metrics) > 3
    told = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "coach" / "web").glob("*.py"))
    assert [each for each in metrics if f'"{each}"' not in told] == []
    keys = load().model_dump()
    named = re.findall(r"`(storage|web|backup|log|retention|simulate)\.([a-z_]+)`", text)
    assert [f"{section}.{key}" for section, key in named if key not in keys[section]] == []
    for section, key in re.findall(r"BACKSTOP_([A-Z]+)__([A-Z_]+)", text):
        assert key.lower() in keys[section.lower()]


def test_the_map_names_every_command() -> None:
    (row,) = re.findall(r"^\| `coach/commands/` .*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r"`(?:backstop )?([a-z-]+)`", row))
    assert {name for command in COMMANDS for name in names_of(command)} == named


def names_of(command: Any) -> list[str]:
    """The words that a module of the command line answers to."""
    parser = _Parser(prog="backstop")
    subparsers = parser.add_subparsers(dest="command")
    command.register(subparsers)
    return list(subparsers.choices)

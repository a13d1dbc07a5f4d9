"""Configuration: config.toml, overridden by BACKSTOP_* environment variables. Unknown keys are refused."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from coach.errors import ConfigError
from coach.secret_text import secret_text

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    # `extra` on the outer model does not reach nested ones, so every section carries it.
    model_config = ConfigDict(extra="forbid", frozen=True)


class Storage(Section):
    directory: Path = Path("var")
    database_url: SecretStr = SecretStr("")
    database_url_file: str = ""
    log_url: SecretStr = SecretStr("")
    log_url_file: str = ""
    log_partitions: Annotated[int, Field(ge=1, le=1024)] = 64


class BackupSection(Section):
    folder: str = ""
    every_h: Annotated[float, Field(ge=1, le=168)] = 24.0
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 30


# 0: for as long as the athlete is here.
KeptDays = Annotated[int, Field(ge=0, le=36_500)]


class RetentionSection(Section):
    signal_days: KeptDays = 400
    features_days: KeptDays = 0
    findings_days: KeptDays = 0
    diary_days: KeptDays = 0
    logs_days: KeptDays = 400
    ledger_days: KeptDays = 1100
    sign_in_days: KeptDays = 90


class ReanalysisSection(Section):
    nightly: bool = True
    hour: Annotated[int, Field(ge=0, le=23)] = 2
    hours: Annotated[float, Field(ge=0.5, le=24)] = 4.0


class LogSection(Section):
    format: Literal["text", "json"] = "text"
    level: Literal["error", "warning", "info", "debug"] = "warning"


class Web(Section):
    host: str = "0.0.0.0"  # noqa: S104 - the local network is the point; every page needs a sign-in
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    address: Annotated[str, Field(pattern=r"^(https?://[^\s/]+)?$")] = ""
    proxies: Annotated[int, Field(ge=0, le=5)] = 0
    page_threads: Annotated[int, Field(ge=4, le=256)] = 32
    ingest_threads: Annotated[int, Field(ge=1, le=256)] = 48
    event_readers_max: Annotated[int, Field(ge=1, le=1000)] = 64
    chunks_waiting_max: Annotated[int, Field(ge=100)] = 500_000
    session_days: Annotated[int, Field(ge=1, le=365)] = 30
    session_idle_days: Annotated[int, Field(ge=1, le=365)] = 14
    sign_in_link_hours: Annotated[int, Field(ge=1, le=168)] = 24


class ChunkSection(Section):
    duration_s: Annotated[float, Field(ge=0.5, le=60)] = 5.0
    live_s: Annotated[float, Field(ge=0.05, le=5)] = 0.25


class LinkSection(Section):
    here: bool = True
    silence_s: Positive = 2.0
    connect_timeout_s: Positive = 20.0
    scan_s: Positive = 10.0
    backoff_first_s: Positive = 0.5
    backoff_max_s: Positive = 30.0


class GatewaySection(Section):
    server: str = ""
    token: SecretStr = SecretStr("")
    token_file: str = ""
    spool_mb: Annotated[float, Field(gt=0, le=100_000)] = 256.0
    report_s: Annotated[float, Field(ge=0.2, le=10)] = 2.0


class ImportsSection(Section):
    upload_mb: Annotated[float, Field(ge=1, le=1500)] = 200.0


class Simulate(Section):
    athlete: bool = True
    product: str = "movella-dot"
    motion: str = "lifting"
    seed: int = 7
    rate_hz: Positive = 60.0
    replay_s: Annotated[float, Field(ge=0, le=86400)] = 900.0
    replay_speed: Annotated[float, Field(ge=1, le=100)] = 45.0


class ReferenceSection(Section):
    still_s: Positive = 2.0
    still_gyr_rms_degps: Positive = 5.0
    search_s: Positive = 300.0


WholeDegrees = Annotated[float, Field(ge=1, le=175, multiple_of=1)]


class Posture(Section):
    thresholds_deg: Annotated[tuple[WholeDegrees, ...], Field(min_length=1, max_length=12)] = (
        20.0,
        30.0,
        45.0,
        60.0,
        90.0,
    )


class BendSection(Section):
    min_range_deg: Annotated[float, Field(gt=0, lt=180)] = 20.0


class ProfilesSection(Section):
    folder: str = ""


class ProgramSection(Section):
    weeks: Annotated[int, Field(ge=1, le=12)] = 4
    sessions_per_week: Annotated[int, Field(ge=1, le=7)] = 3
    plan_ahead_days: Annotated[int, Field(ge=7, le=84)] = 28


class SessionsSection(Section):
    missed: Literal["newest", "cancel"] = "newest"
    late_h: Annotated[float, Field(ge=1, le=168)] = 24.0
    answer_h: Annotated[float, Field(ge=12, le=168)] = 36.0


class AssessmentSection(Section):
    retest_weeks: Annotated[int, Field(ge=1, le=26)] = 4
    rest_s: Annotated[float, Field(ge=300, le=3600)] = 300.0
    pain_limit: Annotated[int, Field(ge=1, le=10)] = 4
    pain_hours: Annotated[float, Field(ge=24, le=168)] = 48.0


class CareSection(Section):
    acute_plan: bool = True
    emergency_number: Annotated[str, Field(pattern=r"^(\d[\d ]{1,14})?$")] = ""


class TrustSection(Section):
    consent_age_years: Annotated[int, Field(ge=13, le=16)] = 16
    invitation_days: Annotated[int, Field(ge=1, le=30)] = 7
    doctor_link_days: Annotated[int, Field(ge=1, le=90)] = 14


class ClockSection(Section):
    release_tick_s: Positive = 15.0
    plan_tick_s: Positive = 3600.0
    reminder_tick_s: Positive = 15.0


TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
# A day ahead at most: what is planned farther ahead may still move.
LeadMin = Annotated[int, Field(ge=0, le=1440)]


class RemindersSection(Section):
    lead_min: Annotated[tuple[LeadMin, ...], Field(max_length=4)] = (30,)
    quiet_from: TimeOfDay = "22:00"
    quiet_until: TimeOfDay = "07:00"
    missed: Literal["until_start", "skip"] = "until_start"
    late_min: Annotated[float, Field(ge=1, le=120)] = 10.0
    tries: Annotated[int, Field(ge=1, le=10)] = 5
    retry_first_s: Annotated[float, Field(ge=1, le=3600)] = 60.0
    log_days: Annotated[int, Field(ge=7, le=3650)] = 180
    push_contact: Annotated[str, Field(pattern=r"^((mailto:|https://)\S+)?$")] = ""
    private_targets: bool = False


class MailSection(Section):
    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: SecretStr = SecretStr("")
    password_file: str = ""
    sender: str = ""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0


class Config(BaseSettings):
    """All keys; defaults equal the shipped config.toml (a test holds them together)."""

    model_config = SettingsConfigDict(
        env_prefix="BACKSTOP_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    storage: Storage = Storage()
    backup: BackupSection = BackupSection()
    retention: RetentionSection = RetentionSection()
    reanalysis: ReanalysisSection = ReanalysisSection()
    log: LogSection = LogSection()
    web: Web = Web()
    chunk: ChunkSection = ChunkSection()
    link: LinkSection = LinkSection()
    gateway: GatewaySection = GatewaySection()
    imports: ImportsSection = ImportsSection()
    simulate: Simulate = Simulate()
    reference: ReferenceSection = ReferenceSection()
    posture: Posture = Posture()
    bend: BendSection = BendSection()
    profiles: ProfilesSection = ProfilesSection()
    program: ProgramSection = ProgramSection()
    sessions: SessionsSection = SessionsSection()
    assessment: AssessmentSection = AssessmentSection()
    care: CareSection = CareSection()
    trust: TrustSection = TrustSection()
    clock: ClockSection = ClockSection()
    reminders: RemindersSection = RemindersSection()
    mail: MailSection = MailSection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # First wins: the environment beats the file, which arrives as init values.
        return (env_settings, init_settings)


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the configuration.

    path: a TOML file; None means `BACKSTOP_CONFIG`, else `config.toml` in the working folder, else the defaults.
    Raises ConfigError with one sentence that names the key.
    """
    environ = os.environ if environ is None else environ
    named, chosen = _chosen(path, environ)
    if named is not None and not named.is_file():
        raise ConfigError(
            f"The configuration file {named} does not exist: name one that does, or leave it out for the defaults."
        )
    values = _read_toml(chosen) if chosen.is_file() else {}
    _refuse_unknown_environment(environ)
    try:
        config = Config(**values)
    except (ValidationError, SettingsError) as error:
        raise ConfigError(_sentence(error, chosen)) from None
    storage = config.storage
    addresses = {
        name: SecretStr(secret_text(f"storage.{name}", getattr(storage, name), getattr(storage, f"{name}_file")))
        for name in ("database_url", "log_url")
    }
    config = config.model_copy(update={"storage": storage.model_copy(update=addresses)})
    if config.storage.log_url.get_secret_value() and not config.storage.database_url.get_secret_value():
        raise ConfigError(
            "storage.log_url is set without storage.database_url: a log for many machines needs a PostgreSQL that they "
            "share, so set both or neither."
        )
    return config


def file_of(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the file that `load` reads, None where there is none."""
    chosen = _chosen(path, os.environ if environ is None else environ)[1]
    return chosen if chosen.is_file() else None


def secrets_in(path: Path) -> list[str]:
    """Return the keys of a configuration file that hold a secret, like mail.password. Raises ConfigError."""
    values = _read_toml(path)
    return [
        f"{name}.{key}"
        for name, section in Config.model_fields.items()
        for key, found in getattr(section.annotation, "model_fields", {}).items()
        if found.annotation is SecretStr and values.get(name, {}).get(key)
    ]


def _chosen(path: Path | None, environ: Mapping[str, str]) -> tuple[Path | None, Path]:
    """Return the file that somebody named, if so, and the one that counts."""
    named = path or (Path(environ["BACKSTOP_CONFIG"]) if environ.get("BACKSTOP_CONFIG") else None)
    return named, named or Path("config.toml")


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"The configuration file {path} cannot be read ({error}): mend that line, or remove the file."
        ) from None


# What `backstop simulate --speed` prints, so that the side that listens shares the clock of the side that plays.
SHARED_CLOCK = "BACKSTOP_SHARED_CLOCK"
# Variables that start like a key but are none: the choice of the file, the recordings of the tests, the list of
# `backstop audit`, the shared clock.
_OTHER_VARIABLES = frozenset({"BACKSTOP_CONFIG", "BACKSTOP_RECORDINGS", "BACKSTOP_ADVISORIES", SHARED_CLOCK})


def _refuse_unknown_environment(environ: Mapping[str, str]) -> None:
    # pydantic-settings ignores an unknown variable; a misspelt one must not be ignored in silence.
    for name in environ:
        if not name.startswith("BACKSTOP_") or name in _OTHER_VARIABLES:
            continue
        model: Any = Config
        for part in name.removeprefix("BACKSTOP_").lower().split("__"):
            fields = getattr(model, "model_fields", {})
            if part not in fields:
                raise ConfigError(
                    f"The environment variable {name} names no key of the configuration: see config.toml for the keys."
                )
            model = fields[part].annotation


def _sentence(error: ValidationError | SettingsError, path: Path) -> str:
    if isinstance(error, SettingsError):
        return f"The configuration cannot be read from the environment ({error}): see config.toml for the keys."
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"The configuration has no key {key} ({path} or environment): remove it or see config.toml for the keys."
    return f"The configuration key {key} is wrong ({path} or environment): {first['msg'][0].lower()}{first['msg'][1:]}."

"""Every setting of the product, in one class. The table in ``docs/operating.md`` lists the same.

A setting is an environment variable ``DATAOPS_<NAME>``; an empty one counts as unset. Addresses that only a running
``dataops up`` knows (the embedded database's socket, ports) are read from ``$DATAOPS_HOME/runtime.json``, which ``up``
writes for exactly that: so that ``dagster dev`` and the command line work beside it with no setting at all.
"""

import base64
import json
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from dataops_core.errors import ConfigurationError

API_PREFIX = "/v1/dataops"
CONNECTORS_PREFIX = "/connectors"
RUNTIME_FILE = "runtime.json"
#: More rows no permutation of a builder has (``generation/seeding.py``), and no column of the registry.
MOST_RECORDS = 2**31 - 1
_CENTURY = 36_500
#: A bucket's name by S3's rules, and folders of plain names.
_BUCKET_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/(?!\.\.?(/|$))[\w.=+-]+)*", re.ASCII)
#: The database keeps the audit log's entries so long whatever anybody asks (migration 0009).
_AUDIT_FLOOR = 30
#: What a database URL may demand of the server that only some connections can; None: whatever its value is.
_DEMANDS = {
    "channel_binding": {"require"},
    "gssencmode": {"require"},
    "sslcertmode": {"require"},
    "sslcrldir": None,
    "require_auth": None,
    "requirepeer": None,
}


class Settings(BaseSettings):
    """The settings of one process. Immutable; make a new one to change something."""

    model_config = SettingsConfigDict(env_prefix="DATAOPS_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(default=Path("~/.local/share/dataops"), description="Where all state lives.")
    storage_url: str | None = Field(
        default=None, description="s3://bucket/prefix for records and archives; none: the home."
    )
    api_host: str = Field(default="127.0.0.1", description="Address that the API binds to.")
    api_port: int = Field(default=8080, ge=1, le=65535, description="Port that the API binds to.")
    dagster_host: str = Field(default="127.0.0.1", description="Address that the Dagster UI binds to; it has no login.")
    dagster_port: int = Field(default=3000, ge=1, le=65535, description="Port that the Dagster UI binds to.")
    public_url: str | None = Field(default=None, description="Address under which clients reach the API.")
    connector_url: str | None = Field(default=None, description="Address at which runs reach the connector service.")
    dagster_url: str | None = Field(default=None, description="Address at which the API reaches Dagster's webserver.")
    database_url: SecretStr | None = Field(
        default=None, description="Any PostgreSQL from 15 on; else the embedded one."
    )
    dagster_database_url: SecretStr | None = Field(default=None, description="Dagster's own database.")
    secret_key: SecretStr | None = Field(default=None, description="Master secret; else a file in the home.")
    templates_dir: Path | None = Field(default=None, description="A folder of templates of your own.")
    max_record_count: int = Field(
        default=1_000_000, ge=20, le=MOST_RECORDS, description="Most records that a request may ask for."
    )
    generation_threads: int = Field(default=2, ge=1, le=256, description="Threads that build the records of a dataset.")
    steps_at_once: int = Field(
        default=3, ge=1, le=64, description="Steps of a run that are under way at once, in threads."
    )
    step_processes: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Processes that share a run of several dataset types; of the run host's runs.",
    )
    dask_scheduler: str | None = Field(
        default=None, description="tcp://host:port of a Dask scheduler whose workers build records; none: this machine."
    )
    max_connector_tokens: int = Field(
        default=100, ge=1, le=10_000, description="Most tokens of a connector that may be active at once."
    )
    dagster_storage: str = Field(
        default="pooled", pattern="^(pooled|stock)$", description="Dagster's storage classes: pooled, or as shipped."
    )
    run_launcher: str = Field(
        default="warm",
        pattern="^(warm|default)$",
        description="Who starts runs: the run host, or Dagster's own way.",
    )
    max_concurrent_runs: int = Field(
        default=10, ge=1, description="Most runs that the run host has in progress; others wait for their turn."
    )
    run_memory_limit_mib: int | None = Field(
        default=None, ge=64, description="MiB that a run of the run host may have resident; else it is killed."
    )
    run_modules: str = Field(
        default="", description="Modules of Dagster definitions that the run host loads besides the product's."
    )
    run_lost_after_seconds: float = Field(
        default=30.0, gt=0, description="A run whose steps have not beaten for so long is given up."
    )
    idempotency_key_hours: float = Field(
        default=24.0, gt=0, le=8760, description="Hours that the answer to an idempotency key is kept."
    )
    keep_archives_days: int = Field(
        default=365, ge=0, le=_CENTURY, description="Days that an archive is kept; 0: for ever."
    )
    keep_audit_days: int = Field(
        default=730,
        ge=0,
        le=_CENTURY,
        description="Days that an entry of the audit log is kept (30 or more); 0: for ever.",
    )
    keep_operations_days: int = Field(
        default=365, ge=0, le=_CENTURY, description="Days that an operation is kept after its end; 0: for ever."
    )
    keep_quality_history_days: int = Field(
        default=90, ge=0, le=_CENTURY, description="Days that an evaluation of a check is kept; 0: for ever."
    )
    keep_runs_days: int = Field(
        default=30, ge=0, le=_CENTURY, description="Days that a run of Dagster's is kept after its end; 0: for ever."
    )
    keep_tokens_days: int = Field(
        default=30, ge=0, le=_CENTURY, description="Days that a connector's token is known after its end; 0: for ever."
    )
    keep_notifications_days: int = Field(
        default=30, ge=0, le=_CENTURY, description="Days that a notification is kept; 0: for ever."
    )
    keep_journeys_days: int = Field(
        default=365, ge=0, le=_CENTURY, description="Days that an event of a journey is kept; 0: for ever."
    )
    keep_usage_days: int = Field(
        default=730,
        ge=0,
        le=_CENTURY,
        description="Days that usage is kept day by day, after which it is in the totals alone; 0: for ever.",
    )
    orphan_grace_hours: float = Field(
        default=24.0, ge=0, le=8760, description="What is younger is left alone by the search for orphans."
    )
    silent_journey_report_days: int = Field(
        default=30, ge=1, le=_CENTURY, description="A journey of which nobody asks anything for so long is told of."
    )
    silent_journey_teardown_days: int = Field(
        default=0, ge=0, le=_CENTURY, description="One silent for so long is torn down; 0: never."
    )
    validation_fresh_seconds: float = Field(
        default=300.0, ge=0, description="A check younger than this is not evaluated again unless a request forces it."
    )
    connector_watch_seconds: float = Field(
        default=300.0, ge=0, description="How often each ready dataset's connector is looked at; 0: never."
    )
    revalidation_hours: float = Field(
        default=24.0,
        ge=0,
        description="How often each ready dataset is validated again; 0: only where its connector has moved.",
    )
    revalidations_at_once: int = Field(
        default=4, ge=1, le=100, description="Most validations that the clock has asked for under way at once."
    )
    webhook_secret: SecretStr | None = Field(default=None, description="Key of the webhook's signatures: whsec_….")
    webhook_url: SecretStr | None = Field(
        default=None, description="Whom falls and recoveries of datasets are told; none: nobody."
    )
    webhook_give_up_hours: float = Field(
        default=24.0, gt=0, le=720, description="Hours after which a notification that nobody took is given up."
    )
    token_successes_per_minute: int = Field(default=120, ge=1, description="Tokens per API client and minute.")
    token_failures_per_minute: int = Field(
        default=10, ge=1, description="Failed token requests per API client, address and minute."
    )
    api_requests_per_second: int = Field(default=100, ge=1, description="Requests per API client and second.")
    api_requests_burst: int = Field(
        default=200, ge=1, description="Requests that an API client may have saved up for use at once."
    )
    api_failures_per_minute: int = Field(
        default=300, ge=1, description="Requests without a valid token per address and minute."
    )
    metrics: str = Field(
        default="loopback",
        pattern="^(loopback|on|off)$",
        description="Who may read /metrics: this machine, all, nobody.",
    )
    log_level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$", description="Level of the log."
    )
    log_format: str = Field(default="json", pattern="^(json|text)$", description="The log's lines: json, or text.")
    otlp_endpoint: str | None = Field(
        default=None, description="Where traces are sent (OTLP over HTTP); none: nothing is traced."
    )

    @field_validator("home", "templates_dir")
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value is not None else None

    @field_validator("public_url", "connector_url", "dagster_url", "otlp_endpoint")
    @classmethod
    def _plain_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        if not _names_a_host(value):
            raise ValueError("must name a host, as in http://host:8080")
        return value.rstrip("/")

    @field_validator("storage_url")
    @classmethod
    def _bucket(cls, value: str | None) -> str | None:
        if value is not None and not _BUCKET_URL.fullmatch(value := value.rstrip("/")):
            raise ValueError("must be s3://bucket or s3://bucket/prefix, without user, password or options")
        return value

    @field_validator("dask_scheduler")
    @classmethod
    def _scheduler(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "tcp://none:1")
        if parts.scheme not in {"tcp", "tls"} or not _names_a_host(value or "tcp://none:1") or parts.port is None:
            raise ValueError("must be tcp://host:port or tls://host:port")
        return value

    @field_validator("keep_audit_days")
    @classmethod
    def _above_the_floor(cls, value: int) -> int:
        if 0 < value < _AUDIT_FLOOR:
            raise ValueError(f"must be {_AUDIT_FLOOR} or more, or 0 for ever")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not 24 <= len(_key_of(value)) <= 64:
            raise ValueError("must be whsec_ followed by the base64 of 24 to 64 bytes")
        return value

    @field_validator("webhook_url")
    @classmethod
    def _webhook_address(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        url = value.get_secret_value()
        if not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        if not _names_a_host(url):
            raise ValueError("must name a host, as in https://host/hook")
        if "@" in urlsplit(url).netloc:
            raise ValueError("must hold no user or password: the receiver knows us by the signature")
        if info.data.get("webhook_secret", value) is None:
            raise ValueError("needs DATAOPS_WEBHOOK_SECRET beside it, which signs what is sent")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """The settings of this process. Raises ConfigurationError that names the variable and what is wrong with it."""
        try:
            return cls(**overrides)
        except ValidationError as error:
            problems = "; ".join(
                f"DATAOPS_{'_'.join(str(part) for part in problem['loc']).upper()}: "
                + problem["msg"].removeprefix("Value error, ")
                for problem in error.errors(include_url=False, include_input=False)
            )
            raise ConfigurationError(f"Settings are not usable: {problems}.") from None

    @property
    def runtime_path(self) -> Path:
        """The file in which a running ``up`` keeps the addresses that only it knows."""
        return self.home / RUNTIME_FILE

    @cached_property
    def _runtime(self) -> dict[str, str]:
        if not self.runtime_path.is_file():
            return {}
        stored: dict[str, str] = json.loads(self.runtime_path.read_text(encoding="utf-8"))
        return stored

    @property
    def public_base(self) -> str:
        """Scheme and authority under which clients reach the API, without a slash at the end."""
        return self.public_url or self._runtime.get("public_url") or f"http://{self.api_host}:{self.api_port}"

    @property
    def connector_base(self) -> str:
        """Where runs reach the connector service: ``http://…/connectors``."""
        return self.connector_url or self._runtime.get("connector_url") or f"{self._local_api}{CONNECTORS_PREFIX}"

    @property
    def dagster_base(self) -> str:
        """Where the API reaches Dagster's webserver."""
        return self.dagster_url or self._runtime.get("dagster_url") or f"http://{self.dagster_host}:{self.dagster_port}"

    @property
    def _local_api(self) -> str:
        host = "127.0.0.1" if self.api_host in {"0.0.0.0", "::"} else self.api_host  # noqa: S104  an address to compare with
        return f"http://{host}:{self.api_port}"

    @property
    def traces_endpoint(self) -> str | None:
        """Where traces are sent: the setting, else OpenTelemetry's own variable; None: nowhere."""
        base = self.otlp_endpoint or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
        return f"{base.rstrip('/')}/v1/traces" if base else None

    @property
    def webhook_key(self) -> bytes | None:
        """The bytes that sign what the webhook is sent; None where it has no secret."""
        return _key_of(self.webhook_secret) if self.webhook_secret is not None else None

    @property
    def data_path(self) -> Path:
        """Connector indexes, and where no bucket is given datasets and archives."""
        return self.home / "data"

    @property
    def bucket_url(self) -> str | None:
        """Where datasets and archives are kept instead: the setting, else that of the ``up`` that runs."""
        return self.storage_url or self._runtime.get("storage_url")

    @property
    def registry_url(self) -> str:
        """The registry's database, as SQLAlchemy wants it. Raises ConfigurationError where none is known."""
        given = self.database_url.get_secret_value() if self.database_url else self._runtime.get("database_url")
        if not given:
            raise ConfigurationError(
                f"No database is known: start `dataops up` on {self.home}, or set DATAOPS_DATABASE_URL."
            )
        url = with_driver(given)
        _check_demands(url)
        return url

    @property
    def dagster_storage_url(self) -> str:
        """Dagster's database: ``<name>_dagster`` on the registry's server unless set."""
        given = (
            self.dagster_database_url.get_secret_value()
            if self.dagster_database_url
            else self._runtime.get("dagster_database_url")
        )
        if given:
            return with_driver(given)
        url = make_url(self.registry_url)
        return url.set(database=f"{url.database}_dagster").render_as_string(hide_password=False)


def _check_demands(url: str) -> None:
    """Raises ConfigurationError for what libpq demands of a server and asyncpg does not know (``registry/looking.py``).

    To leave it unsaid would be to have half of the connections without it.
    """
    query = make_url(url).query
    for name, demands in _DEMANDS.items():
        value = query.get(name)
        if value is not None and (demands is None or value in demands):
            raise ConfigurationError(
                f"The database URL demands {name}={value}, which only some of the connections can: leave it out. "
                "sslmode=verify-full has every connection make sure of the server."
            )


def _key_of(secret: SecretStr) -> bytes:
    """The bytes of a webhook's secret; none where it is no such secret."""
    prefix, marked, encoded = secret.get_secret_value().partition("whsec_")
    try:
        return base64.b64decode(encoded, validate=True) if marked and not prefix else b""
    except ValueError:
        return b""


def _names_a_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number, half of an IPv6 address
        return False


def with_driver(url: str) -> str:
    """The same PostgreSQL URL with the driver that the product installs. Raises ConfigurationError for any other."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError("The database URL is none: give postgresql://user:password@host:port/name.") from None
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ConfigurationError(f"The database must be PostgreSQL, not {parsed.get_backend_name()}.")
    if not parsed.database:
        raise ConfigurationError("The database URL names no database: give postgresql://user:password@host:port/name.")
    return parsed.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)

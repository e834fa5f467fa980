"""Settings of one process, read once at its start from HOLDFAST_* and never changed after.

`holdfast up` hands them to the processes it starts; an operator who runs the processes
differently sets the same variables. A bad value stops the start with the sentence that
belongs to the setting, so nobody has to look it up.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

PREFIX = "HOLDFAST_"


class BadSetting(ValueError):
    """A HOLDFAST_* variable is missing or holds something it must not."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a process of Holdfast can be told from outside."""

    database_url: Annotated[str, Meta(min_length=1, description="PostgreSQL to work on, as a postgresql:// address.")]
    host: Annotated[str, Meta(description="Address the API listens on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port the API listens on.")] = 8080
    public_url: Annotated[str, Meta(description="Address clients reach the API under; empty: host and port.")] = ""
    data: Annotated[str, Meta(description="Folder holding everything that belongs to this installation.")] = ".holdfast"
    worker_index: Annotated[int, Meta(ge=0, description="Number of this process among its kind, from 0.")] = 0
    operator_token_file: Annotated[str, Meta(description="File with the token that opens /-/ paths; empty: none.")] = ""
    metrics_token_file: Annotated[str, Meta(description="File with the token that opens /metrics; empty: none.")] = ""
    receipt_key_file: Annotated[str, Meta(description="File with the key that signs receipts; empty: none.")] = ""
    outbound_allow: Annotated[
        str, Meta(description="Networks and host names that may be called beside the public internet.")
    ] = ""
    cloud_identity: Annotated[
        bool, Meta(description="Whether destinations without credentials may use this machine's own cloud identity.")
    ] = False
    drain_seconds: Annotated[float, Meta(gt=0, le=300, description="Grace for requests in flight.")] = 10.0
    retry_hours: Annotated[
        float,
        Meta(gt=0, le=8_760, description="A failing notification is tried again for so long, then a dead letter."),
    ] = 48.0
    trusted_proxies: Annotated[
        str, Meta(description="Addresses and networks of proxies whose X-Forwarded-For is believed; empty: none.")
    ] = ""
    redis_url: Annotated[
        str, Meta(description="Redis or Valkey the hosts of a shop share, as a redis:// address; empty: none.")
    ] = ""
    log_level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$", description="Least level logged.")] = "info"

    @property
    def data_folder(self) -> Path:
        return Path(self.data)

    @property
    def api_url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"


def read_config(environment: Mapping[str, str]) -> Config:
    """The settings in `environment`; BadSetting names the variable and what belongs there."""
    given = {name: environment[variable(name)] for name in Config.__struct_fields__ if variable(name) in environment}
    try:
        return msgspec.convert(given, Config, strict=False)
    except msgspec.ValidationError as error:
        raise BadSetting(explain(str(error))) from error


def variable(field: str) -> str:
    return PREFIX + field.upper()


def explain(problem: str) -> str:
    """The validator's finding, told as variable, finding and meaning."""
    name = next((name for name in Config.__struct_fields__ if f"`{name}`" in problem or f"$.{name}`" in problem), None)
    if name is None:
        return problem
    return f"{variable(name)}: {problem}. It means: {sentence(name)}"


def sentence(field: str) -> str:
    """The sentence that belongs to a setting."""
    hint: Any = get_type_hints(Config, include_extras=True)[field]
    return next(str(note.description) for note in hint.__metadata__ if isinstance(note, Meta))

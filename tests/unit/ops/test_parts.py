"""What `holdfast up` hands on to the processes it starts."""

from __future__ import annotations

from holdfast.base.config import Config, variable
from holdfast.ops.server.parts import process_environment

# What `up` decides itself and tells each process.
TOLD = {
    "database_url",
    "host",
    "port",
    "data",
    "worker_index",
    "operator_token_file",
    "metrics_token_file",
    "receipt_key_file",
}


def test_every_setting_an_operator_may_choose_reaches_the_processes() -> None:
    chosen = {variable(name): "chosen" for name in Config.__struct_fields__ if name not in TOLD}
    assert process_environment(chosen, {}) == chosen


def test_what_was_meant_for_up_alone_does_not() -> None:
    assert process_environment({"HOLDFAST_UNKNOWN": "x", "PATH": "/bin"}, {"HOLDFAST_PORT": "1"}) == {
        "PATH": "/bin",
        "HOLDFAST_PORT": "1",
    }

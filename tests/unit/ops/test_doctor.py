"""What doctor makes of what it sees."""

from pathlib import Path
from typing import Any

import pytest

from holdfast.ops.doctor import database, machine
from holdfast.ops.doctor.finding import Finding, judged, results
from holdfast.ops.doctor.installation import mount_kind
from holdfast.ops.trouble import Trouble

HEALTHY: dict[str, Any] = {
    "version": "18.6",
    "major": 18,
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "data_checksums": "on",
    "listen_addresses": "",
    "autovacuum": "on",
    "encoding": "UTF8",
    "provider": "b",
    "connections_left": 50,
    "checksum_failures": 0,
    "age": 100,
    "longest_seconds": 0.1,
    "waiting": 0,
    "invalid_indexes": 0,
    "prepared": 0,
    "slot_bytes": 0,
    "in_recovery": False,
    "now": 1000.0,
    "here": 1000.1,
    "pending": [],
}


def states(embedded: bool = True, **changed: Any) -> dict[str, str]:
    seen = HEALTHY | changed
    findings = [*database.settings(seen, embedded=embedded), *database.health(seen)]
    return {finding.check: finding.state for finding in findings}


def test_a_healthy_database_has_nothing_to_mend() -> None:
    assert set(states().values()) == {"ok"}


@pytest.mark.parametrize(
    ("changed", "check", "state"),
    [
        ({"fsync": "off"}, "fsync", "failed"),
        ({"full_page_writes": "off"}, "full_page_writes", "failed"),
        ({"synchronous_commit": "off"}, "synchronous_commit", "failed"),
        ({"synchronous_commit": "local"}, "synchronous_commit", "failed"),
        ({"data_checksums": "off"}, "data_checksums", "failed"),
        ({"listen_addresses": "*"}, "network", "warning"),
        ({"major": 15}, "database release", "failed"),
        ({"pending": ["0042_pre.sql"]}, "migrations", "failed"),
        ({"checksum_failures": 1}, "damaged pages", "failed"),
        ({"connections_left": 2}, "connections left", "failed"),
        ({"connections_left": 9}, "connections left", "warning"),
        ({"age": 1_600_000_000}, "transaction ids left", "failed"),
        ({"longest_seconds": 301}, "longest transaction", "warning"),
        ({"here": 1003.0}, "clocks apart", "warning"),
        ({"in_recovery": True}, "role", "failed"),
    ],
)
def test_each_ailment_is_found(changed: dict[str, Any], check: str, state: str) -> None:
    assert states(**changed)[check] == state


def test_a_database_of_ones_own_may_listen_and_do_without_page_checksums() -> None:
    seen = states(embedded=False, listen_addresses="*", data_checksums="off", provider="i")
    assert (seen["network"], seen["data_checksums"], seen["text order"]) == ("ok", "warning", "ok")


def test_what_extras_bring_is_not_missed() -> None:
    asked = ["asyncpg>=0.31", "uvloop>=0.22; sys_platform != 'win32'", "nats-py>=2.16; extra == 'nats'"]
    assert machine.needed(asked) == ["asyncpg", "uvloop"]


def test_quantities_warn_before_they_fail() -> None:
    found = [judged("x", seen, warn_below=10, fail_below=5, evidence="", fix="").state for seen in (4, 5, 9, 10)]
    assert found == ["failed", "warning", "warning", "ok"]


def test_the_longest_mount_point_above_a_folder_counts() -> None:
    mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp/disk xfs rw 0 0\n"
    assert [mount_kind(mounts, Path(place)) for place in ("/srv", "/tmp/x", "/tmp/disk/x", "/tmpx")] == [
        "ext4",
        "tmpfs",
        "xfs",
        "ext4",
    ]


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on() -> None:
    def broken() -> Finding:
        raise PermissionError(13, "Permission denied")

    def troubled() -> Finding:
        raise Trouble("No account.", remedy="Make one.")

    found = list(results([("a", broken), ("b", troubled), ("c", lambda: None), ("d", lambda: Finding("d", "ok", ""))]))
    assert [(finding.check, finding.state) for finding in found] == [("a", "warning"), ("b", "failed"), ("d", "ok")]
    assert found[1].fix == "Make one."


@pytest.mark.parametrize(
    ("built", "state"), [("'--enable-optimizations' '--with-lto'", "ok"), ("'--prefix=/opt'", "warning")]
)
def test_a_python_built_without_its_optimisations_is_named(
    built: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_config_var", lambda _name: built)
    finding = machine.interpreter_build()
    assert finding is not None
    assert finding.state == state

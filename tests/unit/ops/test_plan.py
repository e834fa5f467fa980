"""Where the embedded server's files go, how it is set up, and when a dead process is started again."""

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.ops.server import plan
from holdfast.ops.server.plan import Account, Machine

NOBODY = Account("nobody", 65534, 65534)
MACHINE = Machine(
    binaries=Path("/opt/venv/wheel/pginstall/bin"),
    binaries_reachable=True,
    build="18.6-3f2a",
    data=Path("/srv/shop"),
    data_reachable=True,
    account=None,
    shelter=Path("/var/lib/holdfast"),
    temporary=Path("/tmp"),
    installation="abc",
)


def test_everything_lies_in_the_data_folder_when_the_account_can_get_there() -> None:
    placement = plan.place(MACHINE)
    assert (placement.pgdata, placement.sockets) == (Path("/srv/shop/postgres"), Path("/srv/shop/sockets"))
    assert (placement.binaries, placement.copy_binaries_from) == (MACHINE.binaries, None)
    assert placement.notes == ()


def test_an_unreachable_data_folder_keeps_its_permissions_and_the_files_move_to_the_shelter() -> None:
    machine = replace(MACHINE, data=Path("/root/shop"), data_reachable=False, account=NOBODY)
    placement = plan.place(machine)
    assert placement.pgdata == Path("/var/lib/holdfast/abc/postgres")
    assert placement.account == NOBODY
    assert "/root/shop" in placement.notes[0]


def test_unreachable_programs_are_copied_with_the_place_of_their_libraries_once_per_build() -> None:
    placement = plan.place(replace(MACHINE, binaries_reachable=False, account=NOBODY))
    assert placement.binaries == Path("/var/lib/holdfast/postgresql-18.6-3f2a/wheel/pginstall/bin")
    assert placement.copy_binaries_from == MACHINE.binaries
    assert placement.pgdata == Path("/srv/shop/postgres")


def test_files_stay_where_they_were_put_first() -> None:
    recorded = Path("/var/lib/holdfast/abc/postgres")
    assert plan.place(replace(MACHINE, recorded=recorded)).pgdata == recorded


@pytest.mark.parametrize(("length", "stays"), [(107, True), (108, False)])
def test_a_socket_path_that_is_too_long_moves_to_the_temporary_folder(length: int, stays: bool) -> None:
    home = Path("/" + "x" * (length - len(f"/sockets{plan.SOCKET_FILE}") - 1))
    assert len(f"{home}/sockets{plan.SOCKET_FILE}") == length
    short = Path("/tmp/holdfast-abc")
    assert plan.socket_folder(home, short) == (home / "sockets" if stays else short)


def test_restarts_wait_longer_each_time_but_never_longer_than_the_bound() -> None:
    delays = [plan.restart_delay(failures) for failures in range(50)]
    assert delays[:3] == [0.1, 0.2, 0.4]
    assert delays == sorted(delays)
    assert delays[-1] == plan.RESTART_DELAY_MAX_SECONDS


def test_a_process_that_settled_starts_with_a_clean_record() -> None:
    assert plan.failures_after(7, plan.SETTLED_SECONDS) == 0
    assert plan.failures_after(7, plan.SETTLED_SECONDS - 0.1) == 8


def test_the_server_is_durable_and_has_no_open_port() -> None:
    settings = plan.settings(Path("/srv/shop/sockets"), plan.SHARED_MEMORY_BYTES_MIN, 2)
    durable = {name: settings[name] for name in ("fsync", "full_page_writes", "synchronous_commit")}
    assert set(durable.values()) == {"on"}
    assert settings["listen_addresses"] == ""


def test_small_shared_memory_is_avoided() -> None:
    assert plan.settings(Path("/s"), plan.SHARED_MEMORY_BYTES_MIN - 1, 2)["dynamic_shared_memory_type"] == "mmap"


def test_every_worker_finds_a_connection() -> None:
    connections = [int(plan.settings(Path("/s"), 0, workers)["max_connections"]) for workers in (1, 2, 64)]
    assert connections == [100, 100, 64 * plan.CONNECTIONS_PER_WORKER + plan.CONNECTIONS_APART]


def test_quotes_in_a_setting_cannot_end_it() -> None:
    assert "a = 'it''s'\n" in plan.rendered({"a": "it's"})


def test_only_the_account_that_started_us_may_connect() -> None:
    access, ident = plan.host_based_access(("shopkeeper",))
    assert access.split() == ["local", "all", "holdfast", "peer", "map=holdfast"]
    assert ident == 'holdfast "shopkeeper" holdfast\n'


@pytest.mark.parametrize(
    ("arguments", "is_ours"),
    [
        (["/opt/pg/bin/postgres", "-D", "/srv/shop/postgres"], True),
        (["/opt/pg/bin/postgres", "-D", "/srv/other/postgres"], False),
        (["/usr/bin/vim", "/srv/shop/postgres"], False),
        ([], False),
    ],
)
def test_only_a_postgres_on_these_files_is_taken_for_a_leftover(arguments: list[str], is_ours: bool) -> None:
    assert plan.runs_on(arguments, Path("/srv/shop/postgres")) is is_ours


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("12\n/d\n1\n5432\n/s\n\n1 2\nready   \n", (12, True)),
        ("12\n/d\n1\n5432\n/s\n\n1 2\nstarting\n", (12, False)),
        ("12\n/d\n", (12, False)),
        ("", (0, False)),
        ("garbage", (0, False)),
    ],
)
def test_the_servers_own_file_tells_whether_it_accepts_statements(text: str, told: tuple[int, bool]) -> None:
    assert plan.ready_line(text) == told

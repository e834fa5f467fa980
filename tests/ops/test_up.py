"""`holdfast up`, started and broken the way it happens to people."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import Shop, Start, is_running, run_holdfast, running_shop, stop_shop

from holdfast.ops.server.inspect import children_of
from holdfast.ops.server.processes import command_line

PATIENCE_SECONDS = 15.0


@pytest.fixture(scope="module")
def untouched(short_folder: Path) -> Iterator[Shop]:
    """A fresh shop at which tests only look."""
    with running_shop(short_folder / "untouched") as running:
        yield running


def token(shop: Shop, project: dict[str, Any] | None = None) -> str:
    pair = (project["clientId"], project["clientSecret"]) if project else (shop.client_id, shop.client_secret)
    answer = httpx.post(f"{shop.auth_url}/oauth/token", auth=pair, data={"grant_type": "client_credentials"})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def zone_keys(shop: Shop) -> set[str]:
    headers = {"Authorization": f"Bearer {token(shop)}"}
    answer = httpx.get(f"{shop.api_url}/{shop.project_key}/zones?limit=500", headers=headers)
    assert answer.status_code == 200, answer.text
    return {zone["key"] for zone in answer.json()["results"]}


def create_zone(shop: Shop, key: str, bearer: str, client: httpx.Client) -> int:
    draft = {"name": key, "key": key, "locations": []}
    headers = {"Authorization": f"Bearer {bearer}"}
    return client.post(f"{shop.api_url}/{shop.project_key}/zones", json=draft, headers=headers).status_code


def every_pid(shop: Shop) -> list[int]:
    pids = shop.pids
    return [pids["supervisor"], pids["postgres"], pids["background"], *pids["workers"]]


def serves(shop: Shop) -> bool:
    try:
        return httpx.get(f"{shop.api_url}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_the_ready_file_has_all_a_client_needs(untouched: Shop) -> None:
    assert token(untouched)
    assert zone_keys(untouched) == set()
    assert all(is_running(pid) for pid in every_pid(untouched))
    assert stat.S_IMODE((untouched.data / "ready.json").stat().st_mode) == 0o600


def test_what_is_started_lets_others_finish_their_turn(untouched: Shop) -> None:
    supervisor, *started = every_pid(untouched)
    assert {os.sched_getscheduler(pid) for pid in started} == {os.SCHED_BATCH}
    assert os.sched_getscheduler(supervisor) == os.SCHED_OTHER


def test_the_printed_commands_work_as_they_stand(untouched: Shop) -> None:
    printed = (untouched.data / "up.out").read_text()
    told = re.search(r"TOKEN=\$\(curl -s -u (\S+):(\S+) \\\s+-d (\S+) (\S+) \|", printed)
    query = re.search(r'curl -s -H "Authorization: Bearer \$TOKEN" "(\S+)"', printed)
    assert told is not None, printed
    assert query is not None, printed
    client_id, secret, form, address = told.groups()
    answer = httpx.post(
        address,
        auth=(client_id, secret),
        content=form,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert httpx.get(query[1], headers=headers).json()["results"] == []


def test_sigterm_ends_everything_and_the_second_start_goes_on_with_it(folder: Path, start: Start) -> None:
    shop, process = start(folder)
    with httpx.Client() as client:
        assert create_zone(shop, "kept", token(shop), client) == 201
        # The connection stays open: an idle client must not hold up the end.
        began = time.monotonic()
        stop_shop(process)
        assert time.monotonic() - began < PATIENCE_SECONDS / 3
    assert process.returncode == 0
    assert not any(is_running(pid) for pid in every_pid(shop))
    again, _ = start(folder)
    assert zone_keys(again) == {"kept"}
    assert again.client_secret == shop.client_secret


def test_a_second_up_on_the_same_folder_says_who_has_it(untouched: Shop) -> None:
    second = run_holdfast("up", "--data", str(untouched.data), "--port", "0")
    assert second.returncode == 3
    assert str(untouched.pids["supervisor"]) in second.stderr
    assert untouched.api_url in second.stderr
    assert serves(untouched)


def test_a_taken_port_is_named_before_anything_starts(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run_holdfast("up", "--data", str(folder), "--port", str(port), "--no-demo")
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert not (folder / "postgres").exists()


def test_lost_database_files_are_not_replaced_by_empty_ones(folder: Path, start: Start) -> None:
    _, process = start(folder)
    stop_shop(process)
    (folder / "postgres").rename(folder / "elsewhere")
    done = run_holdfast("up", "--data", str(folder), "--port", "0", "--no-demo")
    assert done.returncode == 1
    assert "are gone" in done.stderr
    assert not (folder / "postgres").exists()


def test_a_moved_data_folder_still_works(folder: Path, start: Start) -> None:
    before = folder / "before"
    shop, process = start(before)
    stop_shop(process)
    before.rename(folder / "after")
    again, _ = start(folder / "after")
    assert again.client_secret == shop.client_secret


def test_a_closed_parent_folder_keeps_its_permissions(folder: Path, start: Start) -> None:
    folder.chmod(0o700)
    shop, process = start(folder / "shop")
    assert token(shop)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    stop_shop(process)
    placed = folder / "shop" / json.loads((folder / "shop" / "placement.json").read_text())["pgdata"]
    assert (placed / "PG_VERSION").exists()
    if not placed.is_relative_to(folder):
        shutil.rmtree(placed.parent)


def test_an_existing_database_is_used_instead_of_the_embedded_one(folder: Path, start: Start, postgres: str) -> None:
    shop, _ = start(folder, "--database", postgres.replace("/holdfast?", "/another?"))
    assert token(shop)
    assert shop.pids["postgres"] is None
    assert not (folder / "postgres").exists()


def test_an_unreachable_database_is_named_without_its_password(folder: Path) -> None:
    url = "postgresql://keeper:s3cret@127.0.0.1:1/shop"
    done = run_holdfast("up", "--data", str(folder), "--port", "0", "--no-demo", "--database", url)
    assert done.returncode == 1
    assert "127.0.0.1:1/shop cannot be reached" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize("mark", ["postgres/postmaster.pid", "sockets/.s.PGSQL.5432.lock"])
def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(folder: Path, start: Start, mark: str) -> None:
    _, process = start(folder)
    stop_shop(process)
    owner = (folder / "postgres").stat()
    stranger = subprocess.Popen(["/bin/sleep", "60"], user=owner.st_uid if os.geteuid() == 0 else None)
    try:
        (folder / mark).write_text(f"{stranger.pid}\n{folder}/postgres\n1\n5432\n{folder}/sockets\n\n1 2\nready\n")
        os.chown(folder / mark, owner.st_uid, owner.st_gid)
        again, _ = start(folder)
        assert token(again)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_what_cannot_be_written_down_is_repaired_all_the_same(folder: Path, start: Start) -> None:
    """As on a full disk: neither the state nor a log can be opened, and a worker dies."""
    shop, process = start(folder)
    (victim, *_) = shop.pids["workers"]
    no_state = folder / f".state.json.{process.pid}"
    no_state.mkdir()
    log = folder / "logs" / "api-0.log"
    log.rename(log.with_suffix(".aside"))
    log.mkdir()
    os.kill(victim, signal.SIGKILL)
    until(lambda: "part.not_started" in (folder / "logs" / "supervisor.log").read_text())
    log.rmdir()
    until(lambda: len(workers_below(process.pid)) == len(shop.pids["workers"]))
    no_state.rmdir()
    until(lambda: shop.command("status")["serving"] and told_workers(shop) == workers_below(process.pid))


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers_below(pid: int) -> set[int]:
    return {child for child in children_of(pid) if "holdfast.http.worker" in command_line(child)}


def told_workers(shop: Shop) -> set[int]:
    processes = shop.command("status")["processes"]
    return {each["pid"] for each in processes if each["role"].startswith("api-")}

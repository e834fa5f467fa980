"""The other commands, against a running shop and without one."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.conftest import Shop, run_holdfast

from holdfast.cli.main import COMMANDS

HEAVY = ("asyncio", "asyncpg", "msgspec", "structlog", "uvicorn", "holdfast.ops", "holdfast.store")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(command: str) -> None:
    done = run_holdfast(*([command] if command else []), "--help")
    assert done.returncode == 0
    assert "usage: holdfast" in done.stdout


def test_help_loads_nothing_heavy() -> None:
    script = "import sys; from holdfast.cli.main import command_parser; command_parser(None); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert set(HEAVY).isdisjoint(loaded.stdout.split())


@pytest.mark.parametrize("words", [("stop",), ("project", "create", "shop"), ("client", "create", "--project", "shop")])
def test_without_a_shop_the_next_step_is_named(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run_holdfast(*words, "--data", str(tmp_path))
    assert done.returncode == 4
    assert f"holdfast up --data {tmp_path}" in done.stderr
    assert "Traceback" not in done.stderr


def test_trouble_is_json_for_programs(tmp_path: Path) -> None:
    done = run_holdfast("stop", "--data", str(tmp_path), "--json")
    assert json.loads(done.stdout)["error"] == "not-running"


@pytest.mark.parametrize("value", ["http", "70000", "-1"])
def test_a_wrong_port_is_refused_wherever_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    assert run_holdfast("up", "--data", str(tmp_path), f"--port={value}").returncode == 2
    monkeypatch.setenv("HOLDFAST_PORT", value)
    words = [sys.executable, "-P", "-m", "holdfast.cli.main", "up", "--data", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"HOLDFAST_PORT is '{value}'" in done.stderr


def test_a_wrong_log_level_is_refused_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_LOG_LEVEL", "loud")
    words = [sys.executable, "-P", "-m", "holdfast.cli.main", "up", "--data", str(tmp_path / "shop")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "HOLDFAST_LOG_LEVEL is 'loud', not one of debug, info, warning, error." in done.stderr
    assert not (tmp_path / "shop").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_holdfast("up", "--data", str(tmp_path / "file" / "shop"))
    assert done.returncode == 1
    assert f"{tmp_path / 'file'}" in done.stderr
    assert "bug" not in done.stderr


def test_status_tells_a_folder_without_a_shop(tmp_path: Path) -> None:
    done = run_holdfast("status", "--data", str(tmp_path), "--json")
    assert done.returncode == 4
    assert json.loads(done.stdout)["running"] is False


def test_status_shows_every_process_and_its_memory(shop: Shop) -> None:
    seen = shop.command("status")
    assert (seen["serving"], seen["apiUrl"]) == (True, shop.api_url)
    roles = {process["role"] for process in seen["processes"]}
    assert {"supervisor", "postgres", "background", "api-0"} <= roles


def test_a_created_project_has_a_client_that_may_do_everything_in_it(shop: Shop) -> None:
    created = shop.create_project("created")
    assert created.keys() >= {"projectKey", "clientId", "clientSecret"}
    answer = httpx.post(
        f"{shop.auth_url}/oauth/token",
        auth=(created["clientId"], created["clientSecret"]),
        data={"grant_type": "client_credentials"},
    )
    assert f"manage_project:{created['projectKey']}" in answer.json()["scope"].split()


def test_a_project_key_is_given_out_once(shop: Shop) -> None:
    key = shop.create_project("twice")["projectKey"]
    done = run_holdfast("project", "create", key, "--data", str(shop.data), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == "DuplicateField"


def test_a_created_client_has_the_rights_it_was_given_and_no_more(shop: Shop) -> None:
    key = shop.create_project("narrow")["projectKey"]
    created = shop.command("client", "create", "--project", key, "--scope", "view_products")
    assert created["scope"] == f"view_products:{key}"
    pair = (created["clientId"], created["clientSecret"])
    answer = httpx.post(f"{shop.auth_url}/oauth/token", auth=pair, data={"grant_type": "client_credentials"})
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert httpx.get(f"{shop.api_url}/{key}/products", headers=headers).status_code == 200
    assert httpx.get(f"{shop.api_url}/{key}/zones", headers=headers).status_code == 403


def test_logs_show_what_a_process_said(shop: Shop) -> None:
    done = run_holdfast("logs", "supervisor", "--data", str(shop.data), "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert any("up.serving" in line["line"] for line in lines)


def test_doctor_finds_a_running_shop_sound(shop: Shop) -> None:
    done = run_holdfast("doctor", "--data", str(shop.data), "--json")
    findings = {finding["check"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    failed = [finding for finding in findings.values() if finding["state"] == "failed"]
    assert (done.returncode, failed) == (0, [])
    assert len(findings) >= 40
    for check in ("fsync", "page checksums", "migrations", "API"):
        assert findings[check]["state"] == "ok", findings[check]


def test_doctor_fails_on_a_secret_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "operator.token").write_text("secret")
    (tmp_path / "operator.token").chmod(0o644)
    done = run_holdfast("doctor", "--data", str(tmp_path), "--port", "0")
    assert done.returncode == 1
    assert f"chmod 600 {tmp_path}/operator.token" in done.stdout


def complete(*words: str) -> set[str]:
    script = run_holdfast("completion", "bash").stdout
    typed = f"COMP_WORDS=({' '.join(words)} ''); COMP_CWORD={len(words)}; compopt() {{ :; }}"
    asked = f"{typed}; _holdfast; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", f"{script}\n{asked}"], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_bash_completes_commands_verbs_and_options() -> None:
    assert {"up", "doctor", "project"} <= complete("holdfast")
    assert "create" in complete("holdfast", "project")
    assert {"--currency", "--json"} <= complete("holdfast", "project", "create")
    assert {"--ready-file", "--workers"} <= complete("holdfast", "up")
    assert {"bash", "zsh", "fish"} <= complete("holdfast", "completion")

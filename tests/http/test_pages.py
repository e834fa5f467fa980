"""The API explorer: served from the package, asking nobody else."""

import json
import re
from hashlib import sha256
from importlib import resources

import pytest

from holdfast.base.errors import ResourceNotFound
from holdfast.http.pages import FILES, INDEX, VENDORED, docs

EXPLORER = resources.files("holdfast.http").joinpath("explorer")
OURS = ("index.html", "explorer.js", "explorer.css")


async def get(path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    status, told, body = await docs(
        "GET", path, "", {name.replace("_", "-"): text for name, text in headers.items()}, b""
    )
    return status, {name.decode(): value.decode() for name, value in told}, body


async def test_the_page_may_load_from_its_own_server_only() -> None:
    status, headers, _ = await get("/docs")
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert status == 200
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert policy["img-src"] == "'self' data:"


@pytest.mark.parametrize("name", OURS)
def test_nothing_of_ours_names_another_server(name: str) -> None:
    text = EXPLORER.joinpath(name).read_text(encoding="utf-8")
    assert not re.search(r"(https?:)?//[a-z]", re.sub(r"(?m)^\s*//.*$", "", text))


async def test_everything_the_page_names_is_served() -> None:
    _, _, index = await get("/docs/")
    named = re.findall(r'(?:src|href)="(/docs[^"]*)"', index.decode())
    assert len(named) >= 5
    for path in named:
        status, _, body = await get(path)
        assert status == 200
        assert body


def test_the_copied_files_are_the_published_ones() -> None:
    record = json.loads(EXPLORER.joinpath("vendored.json").read_text(encoding="utf-8"))
    folder = EXPLORER.joinpath(VENDORED.rstrip("/"))
    assert f"-{record['version']}/" in VENDORED
    assert {file.name: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()} == record["sha256"]


def test_the_page_holds_nothing_secret() -> None:
    text = "".join(EXPLORER.joinpath(name).read_text(encoding="utf-8") for name in OURS)
    assert not re.search(r"secret|client_?id|Basic ", text, re.IGNORECASE)


async def test_a_page_the_browser_has_is_not_sent_again() -> None:
    for name in (INDEX, f"{VENDORED}swagger-ui.css"):
        _, headers, _ = await get(f"/docs/{name}")
        status, again, body = await get(f"/docs/{name}", if_none_match=headers["etag"])
        assert (status, body, again["etag"]) == (304, b"", headers["etag"])


async def test_vendored_files_are_kept_for_good_and_ours_are_not() -> None:
    assert "immutable" in (await get(f"/docs/{VENDORED}swagger-ui.css"))[1]["cache-control"]
    assert (await get("/docs"))[1]["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["vendored.json", "../pages.py", "..%2fpages.py", "swagger-ui-5.35.0/LICENSE", "x"])
async def test_nothing_else_is_served(name: str) -> None:
    assert name not in FILES
    with pytest.raises(ResourceNotFound):
        await get(f"/docs/{name}")


async def test_pages_are_only_read() -> None:
    with pytest.raises(ResourceNotFound):
        await docs("POST", "/docs", "", {}, b"")

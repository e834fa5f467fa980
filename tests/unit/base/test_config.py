"""Settings come from HOLDFAST_* and nowhere else; a bad one explains itself."""

import re
from pathlib import Path

import pytest

from holdfast.base.config import BadSetting, Config, read_config, sentence, variable

REQUIRED = {"HOLDFAST_DATABASE_URL": "postgresql://localhost/shop"}


def test_texts_become_what_the_setting_is() -> None:
    config = read_config(REQUIRED | {"HOLDFAST_PORT": "9000", "HOLDFAST_DRAIN_SECONDS": "2.5", "PORT": "1"})
    assert (config.port, config.drain_seconds) == (9000, 2.5)


@pytest.mark.parametrize(
    ("name", "text"),
    [("PORT", "0"), ("PORT", "http"), ("LOG_LEVEL", "loud"), ("DRAIN_SECONDS", "-1")],
)
def test_a_bad_value_names_its_variable_and_says_what_it_means(name: str, text: str) -> None:
    with pytest.raises(BadSetting) as raised:
        read_config(REQUIRED | {f"HOLDFAST_{name}": text})
    assert str(raised.value).startswith(f"HOLDFAST_{name}: ")
    assert sentence(name.lower()) in str(raised.value)


def test_a_missing_setting_is_named_too() -> None:
    with pytest.raises(BadSetting, match="HOLDFAST_DATABASE_URL"):
        read_config({})


def test_every_setting_has_its_sentence() -> None:
    assert all(sentence(name).endswith(".") for name in Config.__struct_fields__)


def test_the_page_of_settings_has_each_with_its_default_and_its_sentence() -> None:
    page = (Path(__file__).parents[3] / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\S*) ?\| (.+) \|$", page, re.MULTILINE)
    told = {name: (default, text) for name, default, text in rows}
    assert told == {variable(name): (shown(name), sentence(name)) for name in Config.__struct_fields__}


def shown(name: str) -> str:
    """A default as the page shows it: nothing where there is none."""
    default = getattr(read_config(REQUIRED), name) if variable(name) not in REQUIRED else ""
    text = f"{default:g}" if isinstance(default, float) else str(default).lower()
    return f"`{text}`" if text else ""


def test_the_public_address_is_what_clients_are_told() -> None:
    assert read_config(REQUIRED).api_url == "http://127.0.0.1:8080"
    public = {"HOLDFAST_PUBLIC_URL": "https://shop.example"}
    assert read_config(REQUIRED | public).api_url == "https://shop.example"

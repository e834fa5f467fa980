"""Settings come from HOLDFAST_* and nowhere else; a bad one explains itself."""

import pytest

from holdfast.base.config import BadSetting, Config, read_config, sentence

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


def test_the_public_address_is_what_clients_are_told() -> None:
    assert read_config(REQUIRED).api_url == "http://127.0.0.1:8080"
    public = {"HOLDFAST_PUBLIC_URL": "https://shop.example"}
    assert read_config(REQUIRED | public).api_url == "https://shop.example"

"""What documents name is there: files they link to, commands, options, settings."""

import re
from pathlib import Path

import pytest

from holdfast.cli.completion import grammar

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(str(page.relative_to(ROOT)) for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))


@pytest.fixture(scope="module")
def choices() -> dict[tuple[str, ...], list[str]]:
    return dict(grammar())


@pytest.fixture(scope="module")
def source() -> str:
    files = (path for folder in ("src", "tests") for path in (ROOT / folder).glob("**/*.py"))
    return "\n".join(path.read_text() for path in files)


def commands(text: str) -> list[list[str]]:
    """The words of every `holdfast …`, in a line of code or a span of it."""
    lines = re.findall(r"^ {4}(?:\S*/)?holdfast (.+)$", text, re.MULTILINE)
    return [words.split() for words in (*lines, *re.findall(r"`(?:\S*/)?holdfast ([^`]+)`", text))]


def unknown(words: list[str], choices: dict[tuple[str, ...], list[str]]) -> list[str]:
    """What of a command there is not."""
    if words[0] not in choices[()] or words[0].startswith("-"):
        return [word for word in words[:1] if word not in choices[()]]
    known = choices.get((words[0],), [])
    at: tuple[str, ...] = (words[0],)
    verbs = [word for word in known if (words[0], word) in choices]
    if verbs and len(words) > 1 and not words[1].startswith("-"):
        if words[1] not in verbs:
            return words[1:2]
        at = (words[0], words[1])
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    return [option for option in options if option not in choices.get(at, [])]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    page = ROOT / document
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_and_option_is_there(document: str, choices: dict[tuple[str, ...], list[str]]) -> None:
    named = commands((ROOT / document).read_text())
    assert [(words, wrong) for words in named if (wrong := unknown(words, choices))] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_target_and_module_is_there(document: str) -> None:
    text, makefile = (ROOT / document).read_text(), (ROOT / "Makefile").read_text()
    targets = re.findall(r"(?:`|^ {4})make ([a-z]+)", text, re.MULTILINE)
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
    modules = [name.replace(".", "/") for name in re.findall(r"python -m ((?:tests|holdfast)[\w.]+)", text)]
    places = [(ROOT / name, ROOT / "src" / name) for name in modules]
    assert [pair for pair in places if not any(is_module(place) for place in pair)] == []


def is_module(place: Path) -> bool:
    return place.with_suffix(".py").exists() or (place / "__main__.py").exists()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_variable_is_read_by_somebody(document: str, source: str) -> None:
    named = set(re.findall(r"HOLDFAST_[A-Z_]+", (ROOT / document).read_text()))
    settings = {
        name for name in named if f'"{name}"' in source or f"{name.removeprefix('HOLDFAST_').lower()}:" in source
    }
    assert named == settings

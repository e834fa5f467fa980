"""`holdfast completion SHELL`: a script that completes commands, verbs and options.

eval "$(holdfast completion bash)"
"""

import argparse
from collections.abc import Iterator

SHELLS = ("bash", "zsh", "fish")
# Words completed so far → what may follow; the grammar itself is the only source.
Choices = dict[tuple[str, ...], list[str]]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS)


def run(given: argparse.Namespace) -> int:
    choices = dict(grammar())
    print({"bash": bash, "zsh": zsh, "fish": fish}[given.shell](choices), end="")
    return 0


def grammar() -> Iterator[tuple[tuple[str, ...], list[str]]]:
    from holdfast.cli.main import COMMANDS, command_parser

    yield (), [*COMMANDS, "--help", "--version"]
    for name in COMMANDS:
        top = command_parser(chosen=name)
        command = subparsers(top)[name]
        yield (name,), [*subparsers(command), *values(command), *options(command)]
        for verb, parser in subparsers(command).items():
            yield (name, verb), options(parser)


def subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:  # noqa: SLF001 - argparse offers no other way to read a grammar back
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            return dict(action.choices)
    return {}


def options(parser: argparse.ArgumentParser) -> list[str]:
    return [name for action in parser._actions for name in action.option_strings if name.startswith("--")]  # noqa: SLF001 - as above


def values(parser: argparse.ArgumentParser) -> list[str]:
    positional = (action for action in parser._actions if not action.option_strings and action.choices)  # noqa: SLF001 - as above
    return [str(word) for action in positional if action.nargs is None for word in action.choices or ()]


def bash(choices: Choices) -> str:
    cases = "\n".join(f'    "{" ".join(words)}") choices="{" ".join(follow)}" ;;' for words, follow in choices.items())
    return f"""_holdfast() {{
  local words="${{COMP_WORDS[*]:1:COMP_CWORD-1}}" current="${{COMP_WORDS[COMP_CWORD]}}" choices=""
  case "${{words%% -*}}" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
  [ "${{#COMPREPLY[@]}}" -gt 0 ] || compopt -o default
}}
complete -F _holdfast holdfast
"""


def zsh(choices: Choices) -> str:
    return "autoload -U +X bashcompinit && bashcompinit\n" + bash(choices)


def fish(choices: Choices) -> str:
    lines = ["complete -c holdfast -f"]
    for words, follow in choices.items():
        condition = f"__fish_seen_subcommand_from {words[-1]}" if words else "__fish_use_subcommand"
        lines += [f"complete -c holdfast -n '{condition}' {fish_word(word)}" for word in follow]
    return "\n".join(lines) + "\n"


def fish_word(word: str) -> str:
    return f"-l {word[2:]}" if word.startswith("--") else f"-a {word}"

"""Change the rules of stock and the committer in small ways, one at a time, and see the tests fail.

mutmut makes the mutants; running them is ours: its way to start pytest for each costs seconds, and there
are two thousand. Here pytest collects once and forks for each (tests/mutants/forking.py), at a PostgreSQL
that runs already. Takes patterns of mutants' names ("holdfast.store.batch*"); shows what survived, and why
the list in docs/decisions/mutants.md holds it.
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents
from tests.conftest import DATABASE_VARIABLE, running_postgres

SOURCE = Path("src")
TARGETS = (
    "holdfast.commerce.resources.order.stock",
    "holdfast.commerce.rules.quantity_limits",
    "holdfast.commerce.rules.reservations",
    "holdfast.commerce.rules.stock",
    "holdfast.commerce.stock",
    "holdfast.commerce.tally",
    "holdfast.store.batch",
    "holdfast.store.change",
    "holdfast.store.committer",
    "holdfast.store.session",
    "holdfast.store.writes",
)
TESTS = (
    "tests/unit/commerce/order/test_importing.py",
    "tests/unit/commerce/order/test_placing.py",
    "tests/unit/commerce/order/test_stock.py",
    "tests/unit/commerce/rules/test_quantity_limits.py",
    "tests/unit/commerce/rules/test_reservations.py",
    "tests/unit/commerce/rules/test_stock.py",
    "tests/unit/commerce/rules/test_stock_facts.py",
    "tests/unit/commerce/test_stock_levels.py",
    "tests/unit/commerce/test_tally.py",
    "tests/unit/store",
    "tests/store/test_committer.py",
    "tests/store/test_counters.py",
    "tests/store/test_deadlines.py",
)
WORKERS = 2


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("patterns", nargs="*", default=["*"], help="of mutants' names; all of them unless given")
    parser.add_argument("--workers", type=int, default=WORKERS, help="each with a PostgreSQL of its own")
    parser.add_argument("--results", type=Path, help="a folder to keep what became of each mutant in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holdfast-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        shutil.copytree(SOURCE, folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
        mutated = {module: _mutate(folder, module) for module in TARGETS}
        names = [name for name in _names(mutated) if any(fnmatch.fnmatch(name, each) for each in options.patterns)]
        if not names:
            parser.error("No mutant has such a name.")
        results = options.results or folder / "results"
        results.mkdir(exist_ok=True)
        complete = _run(folder, names, options.workers, results)
        became = _read(results)
    _report({name: became.get(name, "not run") for name in names}, mutated)
    return 0 if complete else 1


def _mutate(folder: Path, module: str) -> MutatedFile:
    """Put a module with all its mutants in the place of the module: a name in the environment chooses one."""
    path = folder / SOURCE / f"{module.replace('.', '/')}.py"
    mutated = mutate_file_contents(str(path), path.read_text())
    path.write_text(mutated.code)
    return mutated


def _names(mutated: dict[str, MutatedFile]) -> Iterator[str]:
    return (f"{module}.{name}" for module, made in mutated.items() for name in made.mutant_names)


def _run(folder: Path, names: Sequence[str], workers: int, results: Path) -> bool:
    """Divide the mutants among workers; whether all of these came to their end."""
    with ExitStack() as running:
        processes = []
        for worker in range(workers):
            url = running.enter_context(running_postgres(folder / f"postgres-{worker}"))
            (folder / f"mutants-{worker}").write_text("\n".join(names[worker::workers]))
            words = [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutants.forking", *TESTS]
            environment = {
                **os.environ,
                DATABASE_VARIABLE: url,
                "PYTHONPATH": f"{folder / SOURCE}{os.pathsep}.",
                "TMPDIR": str(folder),
                "MUTANTS": str(folder / f"mutants-{worker}"),
                "MUTANTS_RESULTS": str(results / f"{worker}.jsonl"),
            }
            processes.append(subprocess.Popen(words, env=environment))
        return [process.wait() for process in processes] == [0] * workers


def _read(results: Path) -> dict[str, str]:
    lines = [line for path in sorted(results.glob("*.jsonl")) for line in path.read_text().splitlines()]
    return dict(json.loads(line) for line in lines)


def _report(became: dict[str, str], mutated: dict[str, MutatedFile]) -> None:
    for name, fate in became.items():
        if fate != "killed":
            module, _, function = name.rpartition(".")
            print(f"--- {name}: {fate}\n{_difference(mutated[module], function)}\n")
    for module in TARGETS:
        fates = Counter(fate for name, fate in became.items() if name.rpartition(".")[0] == module)
        if fates:
            print(f"{module}: {fates['killed']} of {fates.total()} killed; {dict(fates)}")


def _difference(mutated: MutatedFile, function: str) -> str:
    lines = mutated.code.splitlines()
    original, mutant = (
        lines[span.start - 1 : span.end]
        for span in (
            mutated.line_span_by_function_name[each]
            for each in (function.rpartition("__mutmut_")[0] + "__mutmut_orig", function)
        )
    )
    return "\n".join(
        line
        for line in difflib.unified_diff(original, mutant, lineterm="", n=0)
        if line[0] in "+-" and line[:3] not in ("+++", "---")
    )


if __name__ == "__main__":
    sys.exit(main())

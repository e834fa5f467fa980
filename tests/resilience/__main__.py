"""Play the matrix and write docs/resiliency-matrix.md."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from tests.resilience.document import PLACE, page
from tests.resilience.play import play


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="holdfast-"))
    folder.chmod(0o711)
    try:
        PLACE.write_text(page(asyncio.run(play(folder, at_once=False))))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(PLACE)


if __name__ == "__main__":
    main()

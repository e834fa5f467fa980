"""A setting whose API workers are sabotaged as they start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from holdfast.ops.drill.fault import Setting

FOLDER = Path(__file__).parent / "sabotage"


class Sabotaged(Setting):
    """API workers run sabotage/sitecustomize.py, which breaks what `sabotage` names."""

    sabotage: ClassVar[str]

    async def prepare(self) -> None:
        await super().prepare()
        path = os.pathsep.join(filter(None, (str(FOLDER), os.environ.get("PYTHONPATH"))))
        self.stage.environment |= {"PYTHONPATH": path, "DRILL_SABOTAGE": self.sabotage}

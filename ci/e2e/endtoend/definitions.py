"""The site's instrument definitions: MERLIN's real one where the shared folder is, else the project's own under its name."""

from __future__ import annotations

import shutil
from pathlib import Path

from checks.programs import ROOT

from .instrument import NAME

CONFIG_MAP = "instrument-definitions"
SHARED = ROOT.parent / "shared" / "instruments"
OWN = ROOT / "worker" / "reduction" / "instruments" / "LIVEDEMO_Definition.xml"


def folder(path: Path) -> Path:
    """Makes the folder, with the files that the ConfigMap is made of."""
    path.mkdir()
    real = sorted(SHARED.glob(f"{NAME}_*.xml"))
    for file in real:
        shutil.copy(file, path)
    if not real:
        print(
            f"      note: no definition of {NAME} in {SHARED}: the project's own small instrument bears its name",
            flush=True,
        )
        text = OWN.read_text(encoding="utf-8").replace('name="LIVEDEMO"', f'name="{NAME}"', 1)
        (path / f"{NAME}_Definition.xml").write_text(text, encoding="utf-8")
    return path

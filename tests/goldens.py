"What tests of published numbers share: the files they are in, and modules with a fault planted in their source."

import types
from pathlib import Path

import pandas as pd
import pytest
from lessons import ROOT

GOLDEN = ROOT.parent / "shared" / "golden" / "data"


def golden(name: str) -> pd.DataFrame:
    "A file of published data; the test is skipped where it does not lie beside the repository."
    if not (GOLDEN / name).exists():
        pytest.skip(f"the published data set {name} is not on this machine")
    return pd.read_csv(GOLDEN / name)


def planted(module, old: str, new: str):
    "The module with a fault in its source."
    source = Path(module.__file__).read_text()
    assert source.count(old) == 1, f"{old!r} occurs {source.count(old)} times in {module.__name__}"
    twin = types.ModuleType(module.__name__)
    twin.__package__, twin.__file__ = module.__package__, module.__file__
    exec(compile(source.replace(old, new), module.__file__, "exec"), twin.__dict__)
    return twin

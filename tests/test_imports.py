"Who may know whom, and what an import may cost."

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lessons import ROOT

PACKAGE = ROOT / "risk_analytics_lib"


def python(code: str) -> str:
    "What a fresh interpreter prints. Compiled modules may be written, as on any user's machine."
    env = {"PATH": str(Path(sys.executable).parent), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


# The contracts of [tool.importlinter], kept by the package and broken by a planted copy of it


def contracts(folder: Path) -> str:
    "The report of import-linter on the package of a folder."
    lint = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    return subprocess.run(lint, capture_output=True, text=True, cwd=folder, env={"PYTHONPATH": str(folder), "COLUMNS": "250"}).stdout


def test_contracts_are_kept():
    report = contracts(ROOT)
    assert " 0 broken." in report, report


PLANTED = {
    "utils/reaches_up.py": ("from ..risk import measures_", "utils.reaches_up -> risk_analytics_lib.risk.measures_"),
    "econometrics/knows_sibling.py": ("from ..ml import gbm_", "econometrics.knows_sibling -> risk_analytics_lib.ml.gbm_"),
    "risk/knows_cloud.py": ("from ..cloud import store_", "risk.knows_cloud -> risk_analytics_lib.cloud.store_"),
    "interop.py": ("from .cloud import store_", "interop -> risk_analytics_lib.cloud.store_"),
    "cloud/knows_models.py": ("from ..ml import gbm_", "cloud.knows_models -> risk_analytics_lib.ml.gbm_"),
    "risk/reads_s3.py": ("def read():\n    import boto3", "risk.reads_s3 -> boto3"),
    "ml/gbm_.py": ("import torch", "ml.gbm_ -> torch"),
    "risk/draws_page.py": ("import streamlit", "risk.draws_page -> streamlit"),
    "attic/room.py": ("", "risk_analytics_lib.attic"),
    # and what is allowed stays allowed
    "cloud/store_.py": ("import boto3", None),
    "ml/lstm.py": ("import torch", None),
    "handler.py": ("from .cloud import store_", None),
    "risk/measures_.py": ("from ..econometrics import knows_sibling", None),
}


def test_every_contract_can_be_broken(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__", "data"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, (code, _) in PLANTED.items():
        path = tmp_path / PACKAGE.name / file
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(code)
    report = contracts(tmp_path)
    assert [complaint for _, complaint in PLANTED.values() if complaint and complaint not in report] == [], report
    for allowed in ("cloud.store_ -> boto3", "lstm -> torch", "handler -> risk_analytics_lib.cloud"):
        assert allowed not in report


# plotly is imported inside functions


def top_level_imports(source: str) -> set[str]:
    "Packages that are imported when the module is: outside functions and `if TYPE_CHECKING`."
    found, queue = set(), list(ast.parse(source).body)
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            queue += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            queue += ast.iter_child_nodes(node)
    return found


def test_plotly_is_imported_inside_functions():
    early = [p.relative_to(ROOT).as_posix() for p in PACKAGE.rglob("*.py") if "plotly" in top_level_imports(p.read_text())]
    assert early == []


def test_an_early_plotly_is_seen():
    for early in ("import plotly.graph_objects as go", "try:\n    from plotly import io\nexcept ImportError: pass", "class F:\n    import plotly"):
        assert "plotly" in top_level_imports(early)
    for late in ("def f():\n    import plotly", "if TYPE_CHECKING:\n    import plotly", "from .plotly import x"):
        assert "plotly" not in top_level_imports(late)


# The budget, as ratios of CPU in fresh processes measured by turns, so that a slow or busy machine changes neither


def cpu_ratio(work: str, peer: str, rounds: int = 5) -> float:
    "CPU of `work` over CPU of `peer`, each beyond the start of the interpreter: the least of several turns."
    clock = "import time\nstart = time.process_time()\n{}\nprint(time.process_time() - start)"
    turns = [[float(python(clock.format(code)).split()[-1]) for code in (work, peer)] for _ in range(rounds)]
    ours, theirs = (min(times) for times in zip(*turns, strict=True))
    return ours / theirs


FIRST_VAR = """
import numpy as np, pandas as pd
from risk_analytics_lib.risk.engines import {engine}
returns = pd.Series(np.random.default_rng(0).normal(0, 0.01, 1500), pd.bdate_range("2015-01-01", periods=1500), name="SPX")
assert 0 < {engine}().fit(returns).forecast().value_at_risk(0.99).item() < 0.1
"""
MAY_NOT_LOAD = {"arch", "lightgbm", "numba", "shap", "sklearn", "sktime", "statsmodels", "torch", "plotly", "boto3"}


def test_import_of_the_library_is_cheap():
    "At most 1.5 times the CPU of numpy, which is well below 0.15 s."
    assert cpu_ratio("import risk_analytics_lib", "import numpy") <= 1.5


def test_first_var_costs_little_more_than_pandas():
    ratio = cpu_ratio(FIRST_VAR.format(engine="HistoricalSimulation"), "import pandas, skbase.base")
    assert ratio <= 1.5, f"a first historical VaR costs {ratio:.2f} times `import pandas, skbase`"


def test_a_ratio_over_budget_is_seen():
    assert cpu_ratio("import numpy, pandas", "import numpy", rounds=2) > 1.5


def loaded(code: str) -> set[str]:
    "Modules that a fresh process has loaded after running this."
    return set(python(f"{code}\nimport sys\nprint(*sys.modules)").split())


@pytest.mark.parametrize("engine", ["HistoricalSimulation", "EWMA"])
def test_a_var_loads_nothing_heavy(engine):
    modules = loaded(FIRST_VAR.format(engine=engine))
    assert sorted(modules & (MAY_NOT_LOAD | {"scipy.stats"})) == []


def test_a_heavy_module_is_seen():
    assert {"scipy.stats", "statsmodels"} <= loaded("import statsmodels, scipy.stats")


# Deep learning is there for those who ask for it


@pytest.mark.needs_torch
def test_deep_learning_is_installed_and_stays_outside():
    rooms = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in PACKAGE.rglob("*.py") if "lstm" not in p.name and p.name != "__init__.py"]
    modules = loaded("import importlib\nfor room in " + repr(rooms) + ": importlib.import_module(room)")
    assert not modules & {"torch", "lightning", "pytorch_lightning"}
    assert loaded("import torch, pytorch_lightning; assert torch.zeros(2).sum() == 0") >= {"torch", "pytorch_lightning"}

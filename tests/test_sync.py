"Notebooks are clean, the package and README are what they export, and stored outputs can be shown to a reader."

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fastcore.nbio import mk_cell, mk_error, mk_stream, new_nb
from lessons import NBS, ROOT, code_cells, is_exported, name, notebooks, read, tree

BUILT = ("nbs", "reports", "risk_analytics_lib", "README.md")
SETTINGS = ("Makefile", "pyproject.toml", "settings.ini", "docs")
IGNORED = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "data", "out")


def put(source: Path, target: Path):
    shutil.copytree(source, target, ignore=IGNORED) if source.is_dir() else shutil.copy(source, target)


def snapshot(root: Path) -> dict[str, bytes]:
    "Contents of everything that `make sync` may write."
    files = [p for top in BUILT for p in ([root / top] if (root / top).is_file() else sorted((root / top).rglob("*")))]
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files if p.is_file()}


def changed_by_sync(root: Path) -> list[str]:
    "Run `make sync` there, with the environment of this test, and name the files that it changed."
    before = snapshot(root)
    env = Path(sys.prefix)
    done = subprocess.run(["make", "sync", f"VENV={env}", "-o", f"{env}/.ready-test"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    after = snapshot(root)
    return sorted(file for file in before.keys() | after.keys() if before.get(file) != after.get(file))


@pytest.fixture
def copy(tmp_path):
    "The working tree, copied: a test never edits what somebody is working on."
    for top in BUILT + SETTINGS:
        put(ROOT / top, tmp_path / top)
    return tmp_path


def test_sync_changes_nothing(copy):
    assert changed_by_sync(copy) == [], "run `make sync` and look at the difference"


def test_sync_sees_an_edited_module_and_a_dirty_notebook(copy):
    "Both mutants at once, as each `make sync` starts several programs."
    module, notebook = copy / "risk_analytics_lib/utils/checks.py", copy / "nbs/utils/00_checks.ipynb"
    module.write_text(module.read_text() + "\nby_hand = 1\n")
    notebook.write_text(notebook.read_text().replace('"execution_count": null', '"execution_count": 7', 1))
    assert changed_by_sync(copy) == ["nbs/utils/00_checks.ipynb", "risk_analytics_lib/utils/checks.py"]


# Stored outputs

PRIVATE = re.compile(r"(?<![\w.:/])/(home|root|Users|tmp|work|opt|usr|var|private)/\w|[A-Z]:\\\\Users|site-packages|0x[0-9a-f]{8,}")
PROGRESS = re.compile(r"\d+%\|.*\||\d(it/s|s/it)\b")
LARGEST = 600_000  # bytes of a notebook


def shows(cell) -> bool:
    "Does the cell end in a value that a reader expects to see? A call may return None, anything else is there to be shown."
    last = tree(cell)[-1] if tree(cell) else None
    run = not is_exported(cell) and not {"hide", "slow"} & cell.directives.keys() and cell.directives.get("eval") != "false"
    return run and isinstance(last, ast.Expr) and not isinstance(last.value, ast.Call | ast.Constant)


def texts(output) -> list[str]:
    data = output.get("data", {})
    return [str(output.get("text", ""))] + [str(v) for mime, v in data.items() if not mime.startswith("image/")]


def trouble(nb) -> list[str]:
    "What a reader of the stored outputs should not meet."
    found = []
    for cell in code_cells(nb):
        where = f"`{cell.source.strip().splitlines()[-1][:60]}`"
        if shows(cell) and not cell.outputs:
            found.append(f"no stored output after {where}")
        for output in cell.outputs:
            if output["output_type"] == "error" or output.get("name") == "stderr":
                found.append(f"an error or warning is stored after {where}")
            if leak := next((m for t in texts(output) if (m := PRIVATE.search(t) or PROGRESS.search(t))), None):
                found.append(f"{leak[0]!r} is stored after {where}")
    return found


@pytest.mark.parametrize("path", notebooks(), ids=name)
def test_stored_outputs(path):
    found = trouble(read(path))
    if path.stat().st_size > LARGEST:
        found.append(f"{path.stat().st_size:,} bytes, at most {LARGEST:,}: store smaller figures")
    assert not found, "\n".join([name(path), *found])


def cell(source, *outputs):
    return mk_cell(source, outputs=list(outputs))


def result(**data):
    return {"output_type": "execute_result", "data": {f"text/{kind}": text for kind, text in data.items()}}


MUTANTS = {
    "nothing stored": (cell("x"), "no stored output"),
    "an error": (cell("f()", mk_error([], "ValueError", "x")), "an error"),
    "a warning": (cell("f()", mk_stream("stderr", "Warning: x")), "an error or warning"),
    "a path": (cell("x", result(plain="'/home/me/prices.csv'")), "/home/m"),
    "an address": (cell("x", result(plain="<object at 0x7f0123456789>")), "0x7f01"),
    "progress": (cell("f()", mk_stream("stdout", "100%|#####| 5/5 [00:01, 4.1it/s]")), "100%|"),
}


@pytest.mark.parametrize("planted, complaint", MUTANTS.values(), ids=MUTANTS)
def test_a_bad_output_is_refused(planted, complaint):
    found = trouble(new_nb([planted]))
    assert any(complaint in line for line in found), found


def test_a_good_output_is_let_through():
    good = [cell("x", result(plain="1 / 2", html="<b>a/b</b>")), cell("f()"), cell("#| hide\nx")]
    assert trouble(new_nb(good)) == []


def test_notebooks_are_numbered_once():
    "Numbers are gapped decades and never reused: they order the site and name the room."
    numbers = [p.relative_to(NBS).parent.as_posix() + "/" + p.name.split("_")[0] for p in notebooks() if p.name[0].isdigit()]
    assert len(numbers) == len(set(numbers))

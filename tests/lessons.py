"Notebooks read as cells: what is exported, what is a lesson, what it asserts. Shared by the gates of this folder."

import ast
from functools import cache
from pathlib import Path

from fastcore.nbio import NbCell, read_nb
from nbdev.maker import ModuleMaker

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
EXPORTS = {"export", "exports", "exporti"}


@cache
def notebooks(folder: Path = NBS) -> tuple[Path, ...]:
    "Every notebook below a folder, in order, without Jupyter's own copies."
    return tuple(p for p in sorted(folder.rglob("*.ipynb")) if not any(part.startswith((".", "_")) for part in p.relative_to(folder).parts))


def name(path: Path) -> str:
    "A notebook as a test id and in messages."
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def code_cells(nb) -> list[NbCell]:
    return [c for c in nb.cells if c.cell_type == "code" and c.source.strip()]


def is_exported(cell: NbCell) -> bool:
    return bool(EXPORTS & cell.directives.keys())


def exported(nb) -> list[NbCell]:
    return [c for c in code_cells(nb) if is_exported(c)]


def module(nb) -> str:
    "The module a notebook exports to, '' for prose."
    return next((c.directives["default_exp"] for c in code_cells(nb) if "default_exp" in c.directives), "")


def body(cell: NbCell) -> list[str]:
    "The lines that count: neither blank nor a directive."
    return [line for line in cell.source.splitlines() if line.strip() and not line.lstrip().startswith("#|")]


def public_names(nb) -> list[str]:
    "What nbdev writes into `__all__`, or what the notebook itself says."
    own = [ast.literal_eval(s.value) for c in exported(nb) for s in tree(c) if ast.unparse(s).startswith("__all__ =")]
    return own[0] if own else list(ModuleMaker.make_all(None, [c for c in exported(nb) if "exporti" not in c.directives]))


def tree(cell: NbCell) -> list[ast.stmt]:
    return cell.parsed_() or []


def called(node: ast.Call) -> str:
    "The last name of what is called: `np.testing.assert_allclose(...)` is 'assert_allclose'."
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def asserts(cell: NbCell) -> bool:
    "Does the cell hold an assertion: the statement, or one of the test functions of fastcore, numpy and pandas?"
    nodes = [n for stmt in tree(cell) for n in ast.walk(stmt)]
    return any(isinstance(n, ast.Assert) for n in nodes) or any(
        called(n).startswith(("test_", "assert_", "expect_fail")) for n in nodes if isinstance(n, ast.Call)
    )


def lessons(nb) -> list[NbCell]:
    "Cells of a reader's page that assert something: not exported, not hidden."
    return [c for c in code_cells(nb) if not is_exported(c) and "hide" not in c.directives and asserts(c)]


def names_used(cells: list[NbCell]) -> set[str]:
    "Every name and attribute that these cells mention."
    nodes = [n for c in cells for stmt in tree(c) for n in ast.walk(stmt)]
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}


@cache
def read(path: Path):
    return read_nb(path)

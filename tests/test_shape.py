"The shape of a library notebook: small definitions, small modules, prose, and a lesson for every public name."

import ast

import pytest
from fastcore.nbio import mk_cell, new_nb
from lessons import body, code_cells, exported, lessons, module, name, names_used, notebooks, public_names, read, tree

CELL, BIG_CELL, MODULE, PROSE = 40, 60, 300, 0.25
LIBRARY = [p for p in notebooks() if module(read(p))]


def is_big_by_nature(cell, nb) -> bool:
    "A class skeleton, with its constants if it has any, or a kernel of a `*_recursions` room."
    definitions = [s for s in tree(cell) if not isinstance(s, ast.Assign)]
    return module(nb).endswith("_recursions") or [type(s) for s in definitions] == [ast.ClassDef]


def is_bare_name(cls: ast.ClassDef) -> bool:
    "A class of nothing but its docstring, like a named error: there is no behaviour to assert."
    return len(cls.body) == 1 and isinstance(cls.body[0], ast.Expr)


def is_facade(nb) -> bool:
    "Does the notebook only re-export what other rooms define and teach?"
    stmts = [s for c in exported(nb) for s in tree(c)]
    return all(isinstance(s, ast.Import | ast.ImportFrom) or ast.unparse(s).startswith(("_all_ =", "__all__ =")) for s in stmts)


def members(cls: ast.ClassDef) -> set[str]:
    "Public fields and methods that a class offers: who uses one of them, say of a result, uses the class without naming it."
    fields = {s.target.id for s in cls.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)}
    methods = {s.name for s in cls.body if isinstance(s, ast.FunctionDef)}
    return {name for name in fields | methods if not name.startswith("_")}


def patched(nb) -> list[str]:
    "Public methods added to a class by `@patch`, beside their explanation."
    defs = [s for c in exported(nb) for s in tree(c) if isinstance(s, ast.FunctionDef)]
    by_patch = [d for d in defs if any(ast.unparse(dec).startswith("patch") for dec in d.decorator_list)]
    return [d.name for d in by_patch if not d.name.startswith("_")]


def trouble(nb, taught=frozenset()) -> list[str]:
    "What is wrong with the shape of a notebook; `taught` are names asserted in other notebooks, for façades."
    found = []
    for cell in exported(nb):
        limit = BIG_CELL if is_big_by_nature(cell, nb) else CELL
        if len(body(cell)) > limit:
            found.append(f"the exported cell `{body(cell)[0][:60]}` has {len(body(cell))} lines, at most {limit}")
    if (lines := sum(len(body(c)) for c in exported(nb))) > MODULE:
        found.append(f"{module(nb)} has {lines} exported lines, at most {MODULE}: make two rooms of it")
    prose = sum(c.cell_type == "markdown" for c in nb.cells)
    if prose < PROSE * (prose + len(code_cells(nb))):
        found.append(f"{prose} of {prose + len(code_cells(nb))} cells are prose, at least {PROSE:.0%}")
    used = names_used(lessons(nb)) | (taught if is_facade(nb) else set())
    classes = [s for c in exported(nb) for s in tree(c) if isinstance(s, ast.ClassDef)]
    known = used | {cls.name for cls in classes if is_bare_name(cls) or members(cls) & used}
    if silent := [n for n in public_names(nb) + patched(nb) if n not in known]:
        found.append("public but in no lesson that asserts: " + ", ".join(silent))
    return found


@pytest.fixture(scope="module")
def taught() -> set[str]:
    return names_used([c for p in notebooks() for c in lessons(read(p))])


@pytest.mark.parametrize("path", LIBRARY, ids=name)
def test_shape(path, taught):
    found = trouble(read(path), taught)
    assert not found, "\n".join([name(path), *found])


# Mutants: each gate is shown to close on a notebook that breaks its rule, and to stay open on the rule's edge.

HEAD = "#| default_exp utils.planted"
GOOD = ["#| export\ndef f(x): return x", "assert f(1) == 1"]


def planted(*code, prose=3, head=HEAD):
    return new_nb([mk_cell("# Planted\n> A mutant.", "markdown")] * prose + [mk_cell(c) for c in (head, *code)])


def long(n, start="def g():"):
    return "\n".join(["#| export", "", start] + ["    x = 1"] * (n - 1))


MUTANTS = {
    "long cell": (planted(*GOOD, long(41), "assert g"), "has 41 lines, at most 40"),
    "long class": (planted(*GOOD, long(61, "class g:"), "assert g"), "has 61 lines, at most 60"),
    "long kernel": (planted(*GOOD, long(61), "assert g", head="#| default_exp econometrics.x_recursions"), "at most 60"),
    "long module": (planted(*GOOD, *[long(40)] * 8, "assert g", prose=9), "has 321 exported lines"),
    "no prose": (planted(*GOOD, "1", "2", "3", prose=1), "of 7 cells are prose"),
    "no lesson": (planted("#| export\ndef f(x): return x", "f(1)"), "in no lesson that asserts: f"),
    "hidden lesson": (planted(GOOD[0], "#| hide\nassert f(1) == 1"), "in no lesson that asserts: f"),
    "constant": (planted(*GOOD, "#| export\nLIMIT = 3"), "in no lesson that asserts: LIMIT"),
    "patched method": (planted(*GOOD, "#| export\n@patch\ndef plot(self: F): return 1"), "in no lesson that asserts: plot"),
    "unused class": (planted(*GOOD, "#| export\nclass Answer:\n    value: float"), "in no lesson that asserts: Answer"),
    "façade of unknown": (planted("#| export\nfrom a import b\n_all_ = ['b']"), "in no lesson that asserts: b"),
    "façade by hand": (planted("#| export\nfrom a import b", "#| export\n__all__ = ['b']"), "in no lesson that asserts: b"),
}


@pytest.mark.parametrize("nb, complaint", MUTANTS.values(), ids=MUTANTS)
def test_a_bad_shape_is_refused(nb, complaint):
    assert any(complaint in line for line in trouble(nb)), trouble(nb)


def test_a_good_shape_is_let_through():
    assert trouble(planted(*GOOD, long(40), "test_eq(g(), None)")) == []
    assert trouble(planted(*GOOD, long(60, "class g:"), "assert g")) == []
    assert trouble(planted(*GOOD, "#| export\nclass Odd(ValueError): 'A named error.'")) == []
    assert trouble(planted(*GOOD, "#| export\nNEAR = 1\nclass Answer:\n    value: float", "test_eq(g(NEAR).value, 1)")) == []
    assert trouble(planted("#| export\nfrom a import b\n_all_ = ['b']"), taught={"b"}) == []

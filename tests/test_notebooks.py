"Every notebook of the library runs from top to bottom, all in this one process; a failure names notebook and cell."

import pytest
from fastcore.nbio import mk_cell, new_nb, write_nb
from lessons import ROOT, name, notebooks, read
from nbdev import test as nbdev_test
from nbdev.config import get_config

SLOW = get_config(ROOT).tst_flags.split()
HAVE_SLOW = [p for p in notebooks() if any(c.has_directive(flag) for c in read(p).cells for flag in SLOW)]


def run(path, **flags) -> bool:
    return nbdev_test.test_nb(path, basepath=ROOT, **flags)[0]


@pytest.mark.parametrize("path", notebooks(), ids=name)
def test_notebook(path):
    assert run(path, skip_flags=SLOW), f"{name(path)} failed: the cell is in the captured stderr"


@pytest.mark.slow
@pytest.mark.parametrize("path", HAVE_SLOW, ids=name)
def test_notebook_with_its_slow_cells(path):
    assert run(path, skip_flags=SLOW, force_flags=SLOW), f"{name(path)} failed: the cell is in the captured stderr"


@pytest.fixture
def planted(tmp_path):
    "Writes a notebook of these cells."

    def write(*cells):
        path = tmp_path / "planted.ipynb"
        write_nb(new_nb([mk_cell(c) for c in cells]), path)
        return path

    return write


def test_a_broken_notebook_fails_and_is_named(planted, capfd):
    assert not run(planted("x = 1", "assert x == 2"))
    assert "planted.ipynb" in capfd.readouterr().err


def test_flags_are_honoured(planted):
    late = planted("#| slow\nraise SystemError('slow cells run at night')", "#| eval: false\nraise SystemError('never runs')")
    assert run(late, skip_flags=SLOW)
    assert not run(late, skip_flags=SLOW, force_flags=SLOW)


def test_notebooks_do_not_share_state(planted):
    assert run(planted("import random, numpy as np", "left_over = 1"))
    assert not run(planted("left_over"))

"Markers and fixtures of every test: what a machine may lack, and a world put back as it was found."

import os
import random
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from risk_analytics_lib.cli import find_chromium

NEEDS = {
    "needs_torch": (lambda: find_spec("torch") and find_spec("pytorch_lightning"), "the extra `deep`, see `make setup`"),
    "needs_chromium": (find_chromium, "a Chromium browser, see .ci/run"),
}


def pytest_runtest_setup(item):
    "A machine without torch or Chromium skips their tests; a continuous integration without them is broken."
    for marker, (present, remedy) in NEEDS.items():
        if item.get_closest_marker(marker) and not present():
            refuse = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            refuse(f"{marker}: install {remedy}")


@pytest.fixture(autouse=True)
def same_world():
    "Seed the global generators, and put back what a test or a notebook changed for the next one."
    cwd, env, path = Path.cwd(), dict(os.environ), list(sys.path)
    state, np_state, np_err = random.getstate(), np.random.get_state(), np.geterr()
    random.seed(0)
    np.random.seed(0)
    yield
    random.setstate(state)
    np.random.set_state(np_state)
    np.seterr(**np_err)
    os.chdir(cwd)
    sys.path[:] = path
    os.environ.clear()
    os.environ.update(env)


@pytest.fixture(scope="session")
def chromium() -> str | None:
    "Path of the browser; a test that cannot do without is marked needs_chromium."
    return find_chromium()


@pytest.fixture(scope="module")
def browser(chromium):
    "A headless Chromium under playwright, offline by its own flags, closed with the module (its event loop must not meet a notebook's)."
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    quiet += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as play:
        window = play.chromium.launch(executable_path=chromium, headless=True, args=quiet)
        yield window
        window.close()

"How a table of ratios is made: everything measured by turns in one run, the least of several turns, one thread."

import os
import subprocess
import sys
from collections.abc import Callable
from time import process_time

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}
os.environ.update(ONE_THREAD)  # imported before numpy


def cpu(work: Callable) -> float:
    "CPU seconds of one call."
    start = process_time()
    work()
    return process_time() - start


def cpu_of_fresh_process(code: str) -> float:
    "CPU seconds that the code takes in a new interpreter, beyond its start. Compiled modules are in place, as after `make setup`."
    clock = f"import time\nstart = time.process_time()\n{code}\nprint(time.process_time() - start)"
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return float(subprocess.run([sys.executable, "-c", clock], capture_output=True, text=True, check=True, env=env).stdout.split()[-1])


def by_turns(works: dict[str, Callable[[], float]], rounds: int = 5) -> dict[str, float]:
    "The least time of each work over several rounds, in which each has its turn: a busy machine slows all of them alike."
    times = {name: [] for name in works}
    for _ in range(rounds):
        for name, measure in works.items():
            times[name].append(measure())
    return {name: min(found) for name, found in times.items()}


def print_table(title: str, times: dict[str, float], base: str, note: str = ""):
    "A Markdown table of times and of ratios to the base."
    print(f"\n### {title}\n\n| work | CPU ms | ratio to {base} |\n|---|---:|---:|")
    for name, seconds in times.items():
        print(f"| {name} | {seconds * 1e3:.2f} | {seconds / times[base]:.2f} |")
    if note:
        print(f"\n{note}")

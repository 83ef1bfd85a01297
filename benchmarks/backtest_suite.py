"The whole suite of VaR and ES backtests over a ledger of 12 models, 5 series and 2,500 days, with the tables of null laws on disk."

import os
import subprocess
import sys
import time
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "out"
MODELS = ("hs", "brw", "hw", "normal", "t", "skewt", "cornish_fisher", "ewma", "ewma_t", "garch_t", "fhs", "evt")
SERIES, DAYS, ALLOWED = ("SPX", "IXIC", "WTI", "EUR", "book"), 2500, 60.0


def ledger() -> Path:
    "The forecasts, walked once and kept in out/."
    path = OUT / "suite_ledger.parquet"
    if not path.exists():
        from risk_analytics_lib.pipeline_backtest import backtest

        OUT.mkdir(exist_ok=True)
        backtest(SERIES, MODELS, days=DAYS, n_jobs=os.cpu_count()).forecasts.to_parquet(path)
    return path


def judged(path: str) -> None:
    "In a process of its own: read, judge, print seconds by suite."
    import pandas as pd

    from risk_analytics_lib.risk.evaluation import evaluate

    begun, judge = time.perf_counter(), evaluate(pd.read_parquet(path))
    for suite in ("var", "es"):
        start = time.perf_counter()
        table = getattr(judge, f"{suite}_backtests")(tests="all")
        print(suite, len(table), table.groupby(["model", "series", "level"]).ngroups, f"{time.perf_counter() - start:.1f}", file=sys.stderr)
    print(time.perf_counter() - begun)


def fresh(path: Path) -> float:
    return float(subprocess.run([sys.executable, __file__, "--judge", str(path)], capture_output=False, stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1])


def suite_seconds() -> dict:
    "Seconds of the suite in a fresh process where tables may be missing, and in another once they are on disk; prints both."
    path = ledger()
    first, again = fresh(path), fresh(path)
    print(f"\n### Every VaR and ES test on {len(MODELS)} models x {len(SERIES)} series x {DAYS:,} days, two levels\n\n| process | s |\n|---|---:|\n| first, tables made where missing | {first:.1f} |\n| fresh, tables on disk | {again:.1f} |")
    return {"first": first, "again": again}


if __name__ == "__main__":
    if "--judge" in sys.argv:
        judged(sys.argv[-1])
    else:
        found = suite_seconds()
        print(f"\nAllowed: {ALLOWED:.0f} s.")

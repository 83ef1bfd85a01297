"""Write risk_analytics_lib/data/xnys_closures.csv: every weekday from 1990 to 2035 on which the New York Stock Exchange is closed.

    python scripts/build_calendar.py

Needs exchange_calendars (extra `dev`). Start and end are fixed: the package's own default range starts twenty years before the day
it is asked. Closures that no rule foresaw are named here; a new one stops the script with its date until it has a name.
"""
from pathlib import Path

import exchange_calendars
import pandas as pd

FIRST, LAST = "1990-01-01", "2035-12-31"
TARGET = Path(__file__).resolve().parent.parent / "risk_analytics_lib" / "data" / "xnys_closures.csv"
SPELLING = {"President's Day": "Presidents' Day", "July 4th": "Independence Day", "Juneteenth National Independence Day": "Juneteenth",
            "Dr. Martin Luther King Jr. Day": "Martin Luther King Day"}
UNFORESEEN = {
    "1994-04-27": "Mourning for President Nixon",
    "2001-09-11": "Attacks of 11 September",
    "2001-09-12": "Attacks of 11 September",
    "2001-09-13": "Attacks of 11 September",
    "2001-09-14": "Attacks of 11 September",
    "2004-06-11": "Mourning for President Reagan",
    "2007-01-02": "Mourning for President Ford",
    "2012-10-29": "Hurricane Sandy",
    "2012-10-30": "Hurricane Sandy",
    "2018-12-05": "Mourning for President George H. W. Bush",
    "2025-01-09": "Mourning for President Carter",
}


def closures() -> pd.Series:
    "Weekdays without a session, with the reason."
    calendar = exchange_calendars.get_calendar("XNYS", start=FIRST, end=LAST)
    weekdays = pd.bdate_range(FIRST, LAST)
    closed = weekdays.difference(calendar.sessions)
    assert calendar.sessions.difference(weekdays).empty, "a weekend session: the file format cannot say it"
    ruled = calendar.regular_holidays.holidays(FIRST, LAST, return_name=True)
    reasons = {f"{day:%Y-%m-%d}": SPELLING.get(name, name) for day, name in ruled.items()} | UNFORESEEN
    return pd.Series({f"{day:%Y-%m-%d}": reasons[f"{day:%Y-%m-%d}"] for day in closed}, name="name").rename_axis("date")


if __name__ == "__main__":
    table = closures()
    table.reset_index().to_csv(TARGET, index=False, lineterminator="\n")
    print(f"{TARGET.name}: {len(table)} closures, {FIRST} to {LAST}")

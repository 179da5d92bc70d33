"""Measures every report of spend through a real gateway on a PostgreSQL with many calls; not a test, and not run by one.

usage: GATEWAY_BIN=… python reports_at_scale.py [--rows 10000000] [--keys 500] [--days 90] [--plans]
"""

import argparse
import tempfile
import time
from pathlib import Path

from support.gateway import MASTER_KEY, Gateway
from support.scale import Scale, ask, reports, scans_of_the_log, sketch

BUFFERS = {"shared_buffers": "512MB", "max_wal_size": "4GB"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--keys", type=int, default=500)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--plans", action="store_true", help="print the plan of every statement")
    args = parser.parse_args()
    begun = time.monotonic()
    say = lambda words: print(f"{time.monotonic() - begun:6.0f} s  {words}", flush=True)
    scale = Scale(**BUFFERS)
    gateway = Gateway(tempfile.mkdtemp(), {"general_settings": {
        "master_key": MASTER_KEY, "maximum_spend_logs_retention_period": "90d",
        "maximum_spend_logs_retention_interval": "1000d"}}, {"DATABASE_URL": scale.url})
    try:
        gateway.start()
        gateway.stop()
        scale.fill(args.rows, args.keys, args.days, say)
        say(scale.psql("SELECT pg_size_pretty(pg_database_size(current_database()))"))
        gateway.start()
        measure(gateway, scale, args.plans)
    finally:
        gateway.stop()
        scale.stop()


def measure(gateway, scale, plans):
    print(f"{'first':>8} {'best':>8} {'in SQL':>8} {'bytes':>10}  report")
    for report in reports():
        scale.plans()
        answer, first = ask(gateway, report)
        found = scale.plans()
        times = [ask(gateway, report)[1] for _ in range(3)]
        shown = report if answer.status == 200 else f"{report}  {answer.status} {answer.body[:200]}"
        repeated = scale.plans()
        sql = sum(took for *_, took in repeated) / len(times)
        print(f"{first:8.0f} {min(times):8.0f} {sql:8.0f} {len(answer.body):10}  {shown}", flush=True)
        for statement, plan, _ in found:
            for table, rows in scans_of_the_log(plan):
                print(f"{'':39}reads all of {table}: {rows} rows", flush=True)
            if plans and "spend" in statement:
                print("\n".join(f"{'':39}{line}" for line in [statement[:160], *sketch(plan)]), flush=True)


if __name__ == "__main__":
    main()

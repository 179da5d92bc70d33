"""No report reads the spend log from end to end; the full measurement is `reports_at_scale.py`."""

import pytest
from support.gateway import MASTER_KEY, Gateway
from support.postgres import programs
from support.scale import Scale, ask, reports, scans_of_the_log

ROWS = 200_000


@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")
def test_no_report_reads_all_of_the_log(tmp_path):
    # Small partitions are quicker read whole than by an index; that there is an index is what is looked at.
    scale = Scale(enable_seqscan="off")
    gateway = Gateway(tmp_path, {"general_settings": {"master_key": MASTER_KEY}}, {"DATABASE_URL": scale.url})
    try:
        gateway.start()
        gateway.stop()
        scale.fill(ROWS, keys=100, days=30)
        gateway.start()
        scale.plans()
        for report in reports():
            answer, _ = ask(gateway, report)
            assert answer.status == 200, (report, answer.body)
            plans = scale.plans()
            assert plans, f"{report} asked the database nothing"
            for statement, plan, _ in plans:
                assert not list(scans_of_the_log(plan)), (report, statement)
    finally:
        gateway.stop()
        scale.stop()

"""A PostgreSQL with many calls in it, and what the gateway asks of it for its reports."""

import datetime
import json
import re
import subprocess
import time

from support.postgres import Postgres

DAY_MS = 86_400_000
TODAY = int(time.time() * 1000) // DAY_MS * DAY_MS

# The server writes the plan of every statement, with what it really did, into its log.
PLANS = {
    "shared_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "log_min_messages": "log",
    "log_line_prefix": "",
}

# Calls are spread over days, keys, models and so on by arithmetic on their number; one in a hundred has no team.
FILL = """
INSERT INTO spend_log (request_id, call_id, started_at, duration_us, first_byte_us, key_hash, user_id, team_id, organization_id,
    end_user, model_group, model, provider, deployment, call_type, outcome, status, flags, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, reasoning_tokens, cost, retries, fallbacks, tags, tools)
SELECT md5('call' || n)::uuid::text, CASE WHEN n % 20 = 0 THEN md5('shown' || n)::uuid::text END,
    {first} + n * {step}, 900000 + n % 700000, 200000, lpad(to_hex(k), 64, '0'), 'user-' || k / 3,
    CASE WHEN n % 100 > 0 THEN 'team-' || k % 50 END, 'org-' || k % 10, 'customer-' || k % 500,
    'group-' || g, 'model-' || g, 'provider-' || g % 4, 'deployment-' || g, 'acompletion',
    CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'completed' END, CASE WHEN n % 50 = 0 THEN 500 ELSE 200 END, 0,
    1000 + n % 900, 100 + n % 300, 0, 0, 0, 1000000 + n % 5000, 0, 0, '["tag-' || k % 40 || '"]',
    CASE WHEN n % 5 = 0 THEN '["tool-' || n % 300 || '","tool-' || k % 30 || '"]' END
FROM (SELECT n, (n * 7919) % {keys} AS k, ((n * 7919) % {keys} + n / {keys} % 2 * 7) % 20 AS g
      FROM generate_series({low}::bigint, {high}::bigint) n) calls
"""

SUMS = """count(*), count(*) FILTER (WHERE outcome = 'failed'), 0, sum(input_tokens), sum(output_tokens), 0, 0, 0,
    sum(cost), sum(duration_us)"""

ROLL_UP = f"""
INSERT INTO daily_spend SELECT started_at / {DAY_MS}, key_hash, user_id, coalesce(team_id, ''), organization_id, model_group,
    model, provider, call_type, {SUMS} FROM spend_log GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9;
INSERT INTO daily_scope_spend SELECT started_at / {DAY_MS}, 'customer', end_user, key_hash, model_group, model, provider,
    call_type, {SUMS} FROM spend_log GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
INSERT INTO daily_scope_spend SELECT started_at / {DAY_MS}, 'tag', tags::jsonb ->> 0, key_hash, model_group, model, provider,
    call_type, {SUMS} FROM spend_log GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
INSERT INTO daily_calls SELECT started_at / {DAY_MS}, model_group, deployment, model, provider, status,
    CASE WHEN outcome = 'failed' THEN 'internal' ELSE '' END, 0, count(*), 0, sum(output_tokens), sum(duration_us), 0, 0
    FROM spend_log GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO daily_tool_spend SELECT started_at / {DAY_MS}, tool, count(*), sum(input_tokens + output_tokens), sum(cost)
    FROM spend_log, jsonb_array_elements_text(tools::jsonb) tool GROUP BY 1, 2;
"""

OWNERS = """
INSERT INTO verification_keys (hash, name, alias, user_id, team_id, organization_id, models, aliases, config, permissions,
    metadata, spend, total_spend, model_max_budget, model_rpm_limit, model_tpm_limit, allowed_routes, access_group_ids,
    extra, created_at, updated_at, version)
SELECT lpad(to_hex(k), 64, '0'), 'sk-...' || k, 'alias-' || k, 'user-' || k / 3, 'team-' || k % 50, 'org-' || k % 10, '[]',
    '{}', '{}', '{}', '{}', 1000, 1000, '{}', '{}', '{}', '[]', '[]', '{}', 1, 1, 0 FROM generate_series(0, {last}) k;
INSERT INTO scopes (kind, id, member, alias, models, metadata, spend, total_spend, model_max_budget, model_rpm_limit,
    model_tpm_limit, extra, created_at, updated_at, version)
SELECT kind, kind || '-' || n, '', kind || ' ' || n, '[]', '{}', 1000, 1000, '{}', '{}', '{}', '{}', 1, 1, 0
FROM (VALUES ('team', 49), ('user', {last} / 3), ('customer', 499), ('tag', 39)) of (kind, most), generate_series(0, most) n;
"""


class Scale:
    """A server of its own, and a database on it with the gateway's tables."""

    def __init__(self, **settings):
        self.server = Postgres(**PLANS, **settings)
        self.url = self.server.database()
        self.read = 0

    def psql(self, statement):
        command = [self.server.programs / "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", self.url, "-c", statement]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip()

    def fill(self, rows, keys, days, say=lambda _: None):
        """Puts `rows` calls of the last `days` into partitions of a day each, and all that belongs to them."""
        self.psql("SET auto_explain.log_min_duration = -1; DROP TABLE spend_log_past")
        for day in range(-days, 1):
            first = TODAY + day * DAY_MS
            name = time.strftime("spend_log_%Y%m%d", time.gmtime(first / 1000))
            self.psql(f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF spend_log FOR VALUES FROM ({first}) TO ({first + DAY_MS})")
        indexes = self.psql("SELECT indexdef || ';' FROM pg_indexes WHERE tablename = 'spend_log' AND indexname <> 'spend_log_pkey'")
        names = self.psql("SELECT string_agg(indexname, ', ') FROM pg_indexes WHERE tablename = 'spend_log' AND indexname <> 'spend_log_pkey'")
        self.psql(f"DROP INDEX {names}; ALTER TABLE spend_log DROP CONSTRAINT spend_log_pkey")
        first, step = TODAY - days * DAY_MS, (days * DAY_MS + DAY_MS // 2) // rows
        for low in range(0, rows, 1_000_000):
            high = min(low + 1_000_000, rows) - 1
            self.psql("SET auto_explain.log_min_duration = -1;" + FILL.format(first=first, step=step, keys=keys, low=low, high=high))
            say(f"{high + 1} calls")
        quiet = "SET auto_explain.log_min_duration = -1; SET maintenance_work_mem = '256MB'; SET work_mem = '256MB';"
        self.psql(quiet + "ALTER TABLE spend_log ADD PRIMARY KEY (request_id, started_at)")
        for index in indexes.splitlines():
            self.psql(quiet + index.replace(" ON ONLY ", " ON "))
        say("indexes")
        self.psql(quiet + ROLL_UP)
        self.psql(quiet + OWNERS.replace("{last}", str(keys - 1)))
        self.psql("VACUUM ANALYZE")
        say("sums")

    def plans(self):
        """The plans that the server has written since the last time: statement, tree and milliseconds."""
        with (self.server.home / "server.log").open(errors="replace") as log:
            log.seek(self.read)
            text = log.read()
            self.read = log.tell()
        found = []
        for match in re.finditer(r"duration: ([\d.]+) ms  plan:\s*", text):
            plan, _ = json.JSONDecoder().raw_decode(text, match.end())
            found.append((plan["Query Text"], plan["Plan"], float(match[1])))
        return found

    def stop(self):
        self.server.stop()


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def scans_of_the_log(plan):
    """Partitions of the log that were read from end to end, and how many rows that were."""
    for node in nodes(plan):
        if "Seq Scan" in node["Node Type"] and node.get("Relation Name", "").startswith("spend_log"):
            rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            if rows > 0:
                yield node["Relation Name"], rows


def sketch(plan, depth=0):
    """A plan in few words: nodes, tables, rows; repeated children once."""
    name = " ".join(word for word in (plan["Node Type"], plan.get("Index Name") or plan.get("Relation Name")) if word)
    lines = [f"{'  ' * depth}{name}: {plan['Actual Rows'] * plan['Actual Loops']} rows"]
    children = plan.get("Plans", [])
    for child in children[:2]:
        lines += sketch(child, depth + 1)
    if len(children) > 2:
        lines.append(f"{'  ' * (depth + 1)}… {len(children) - 2} more")
    return lines


def reports(key=3, days=30):
    """Every report, in the words of LiteLLM's API: of everything, and of one owner."""
    date = lambda ahead: (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=ahead)).isoformat()
    month = f"start_date={date(-days)}&end_date={date(0)}"
    day = f"start_date={date(-1)}&end_date={date(-1)}"
    key_hash = f"{key:064x}"
    log = "/spend/logs/v2?page_size=100&" + month
    yield from (
        f"/spend/logs?{day}",
        f"/spend/logs?{month}&user_id=user-1",
        f"/spend/logs?{day}&summarize=false&page=1",
        f"/spend/logs?{month}&summarize=false&api_key={key_hash}&page=1",
        log,
        log + "&page=40",
        *(log + f"&{one}" for one in (f"api_key={key_hash}", "user_id=user-1", "team_id=team-3", "end_user=customer-3")),
        *(log + f"&{one}" for one in ("model_group=group-3", "model_group=nobody", "request_id=unknown")),
        "/spend/keys",
        "/spend/users",
        "/spend/tags",
        f"/spend/tags?{month}",
        "/global/spend",
        f"/global/spend/logs?{month}",
        f"/global/spend/logs?{month}&api_key={key_hash}",
        "/global/spend/keys?limit=100",
        f"/global/spend/teams?{month}",
        "/global/spend/models?limit=100",
        f"/global/spend/provider?{month}",
        f"/global/spend/tags?{month}",
        "/global/spend/all_tag_names",
        "POST /global/spend/end_users",
        f"/global/spend/report?{month}&group_by=team",
        f"/global/spend/report?{month}&group_by=customer",
        f"/global/spend/report?{day}&group_by=api_key",
        f"/v1/tool/spend?{month}",
        f"/global/activity?{month}",
        f"/global/activity/model?{month}",
        f"/global/activity/cache_hits?{month}",
        f"/global/activity/exceptions?{month}&model_group=group-3",
        f"/model/metrics?{month}&_selected_model_group=group-3",
        f"/model/metrics?{month}&_selected_model_group=group-3&api_key={key_hash}",
        f"/model/metrics/exceptions?{month}",
        f"/model/streaming_metrics?{day}&_selected_model_group=group-3",
        f"/management/v1/spend_logs/end_users?filter[startTime][gte]={date(-days)}&filter[startTime][lte]={date(0)}",
        f"/user/daily/activity?{month}&page_size=1000",
        f"/user/daily/activity?{month}&user_id=user-1",
        f"/user/daily/activity/aggregated?{month}&user_id=user-1",
        f"/team/daily/activity?{month}&team_ids=team-3&page_size=1000",
        f"/team/daily/activity/aggregated?{month}&team_ids=team-3",
        f"/organization/daily/activity?{month}&organization_ids=org-3&page_size=1000",
        f"/customer/daily/activity?{month}&end_user_ids=customer-3",
        f"/tag/daily/activity?{month}&tags=tag-3&page_size=1000",
    )


def ask(gateway, report):
    method, path = report.split(" ", 1) if " " in report else ("GET", report)
    begun = time.monotonic()
    answer = gateway.ask(method, path, {} if method == "POST" else None, timeout=300)
    return answer, (time.monotonic() - begun) * 1000

"""Where a team's calls are to be logged: kept, shown without secrets, taken off."""

from support.common import fresh, ok, team

SECRET = "lf-very-secret"
VARS = {"langfuse_secret_key": SECRET, "langfuse_public_key": "lf-public", "langfuse_host": "https://lf.example"}


def user(gateway):
    body = {"user_id": fresh("user"), "user_role": "internal_user", "auto_create_key": False}
    return ok(gateway.ask("POST", "/user/new", body))["user_id"]


def add(gateway, id, name="langfuse", kind="success", vars=VARS, **more):
    body = {"callback_name": name, "callback_type": kind, "callback_vars": vars}
    return gateway.ask("POST", f"/team/{id}/callback", body, **more)


def callbacks(gateway, id, **more):
    return ok(gateway.ask("GET", f"/team/{id}/callback", **more))["data"]


def test_callbacks_are_kept_and_their_secrets_are_not_shown(gateway):
    id = team(gateway, metadata={"note": "kept"})
    assert callbacks(gateway, id) == {
        "team_id": id, "success_callbacks": [], "failure_callbacks": [], "callback_vars": {},
    }
    made = ok(add(gateway, id))
    assert made["status"] == "success" and made["data"]["metadata"]["note"] == "kept"
    ok(add(gateway, id, "langsmith", "success_and_failure", {"langsmith_project": "p"}))
    told = callbacks(gateway, id)
    assert (told["success_callbacks"], told["failure_callbacks"]) == (["langfuse", "langsmith"], ["langsmith"])
    assert told["callback_vars"] == {**VARS, "langfuse_secret_key": "***REDACTED***", "langsmith_project": "p"}
    shown = gateway.ask("GET", f"/team/info?team_id={id}")
    for answer in (shown, gateway.ask("GET", "/team/list")):
        assert SECRET.encode() not in answer.body
    # A page that sends back what it was shown loses no secret: it can be seen that it is there still.
    metadata = {**shown.json["team_info"]["metadata"], "note": "new"}
    ok(gateway.ask("POST", "/team/update", {"team_id": id, "metadata": metadata}))
    assert callbacks(gateway, id) == told
    assert SECRET not in gateway.log()
    again = add(gateway, id)
    assert again.status == 400 and "already exists" in again.json["error"]["message"]
    ok(add(gateway, id, kind="failure"))


def test_one_callback_is_taken_off_or_all_of_them(gateway):
    id = team(gateway)
    for name, kind in (("langfuse", "success"), ("langfuse", "failure"), ("langsmith", "success")):
        ok(add(gateway, id, name, kind))
    gone = ok(gateway.ask("DELETE", f"/team/{id}/callback/langfuse"))
    assert gone["data"] == {"team_id": id, "success_callbacks": ["langsmith"], "failure_callbacks": []}
    missing = gateway.ask("DELETE", f"/team/{id}/callback/langfuse")
    assert missing.status == 404 and "is not registered" in missing.json["detail"]["error"]
    off = ok(gateway.ask("POST", f"/team/{id}/disable_logging"))
    assert off["data"] == {"team_id": id, "success_callbacks": [], "failure_callbacks": []}
    told = callbacks(gateway, id)
    assert (told["success_callbacks"], told["failure_callbacks"]) == ([], [])
    metadata = ok(gateway.ask("GET", f"/team/info?team_id={id}"))["team_info"]["metadata"]
    assert metadata["logging"] == [] and metadata["callback_settings"]["success_callback"] == []


def test_the_older_place_is_switched_off_too(gateway):
    older = {"success_callback": ["langfuse"], "failure_callback": [], "callback_vars": VARS}
    id = team(gateway, metadata={"callback_settings": older})
    told = callbacks(gateway, id)
    assert told["success_callbacks"] == ["langfuse"]
    assert told["callback_vars"]["langfuse_secret_key"] == "***REDACTED***"
    ok(gateway.ask("POST", f"/team/{id}/disable_logging"))
    assert callbacks(gateway, id)["success_callbacks"] == []


def test_who_may_and_what_is_refused(gateway):
    ann, mia = user(gateway), user(gateway)
    id = team(gateway, {"user_id": ann, "role": "admin"}, {"user_id": mia, "role": "user"})
    runs, member = gateway.new_key(user_id=ann), gateway.new_key(user_id=mia)
    ok(add(gateway, id, key=runs))
    assert callbacks(gateway, id, key=runs)["success_callbacks"] == ["langfuse"]
    for method, path in (
        ("GET", "callback"), ("POST", "callback"), ("DELETE", "callback/langfuse"), ("POST", "disable_logging"),
    ):
        body = {"callback_name": "x"} if (method, path) == ("POST", "callback") else None
        assert gateway.ask(method, f"/team/{id}/{path}", body, key=member).status == 403, path
    assert add(gateway, fresh("team")).status == 400
    for path in (f"/team/{fresh('team')}/callback", f"/team/{fresh('team')}/callback/langfuse"):
        assert gateway.ask("GET" if path.endswith("callback") else "DELETE", path).status == 404
    for kind, vars, word in (("always", {}, "callback_type"), ("success", {"a": 1}, "callback_vars.a")):
        wrong = add(gateway, id, "other", kind, vars)
        assert wrong.status == 400 and word in wrong.json["detail"]["error"]
    assert gateway.ask("POST", f"/team/{id}/callback", {}).status == 422

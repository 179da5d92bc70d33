"""Invited users set a password, sign in with it and change it."""

import base64
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from support.common import fresh, ok
from support.gateway import MASTER_KEY

PASSWORD = "Correct-h0rse-battery"


def user(gateway, role="internal_user", **fields):
    id = fresh("user")
    body = {"user_id": id, "user_email": f"{id}@example.org", "user_role": role, "auto_create_key": False, **fields}
    return ok(gateway.ask("POST", "/user/new", body))


def invite(gateway, user):
    return ok(gateway.ask("POST", "/invitation/new", {"user_id": user["user_id"]}))


def look(gateway, link):
    return gateway.ask("GET", f"/onboarding/get_token?invite_link={link}", key=None)


def word_of(gateway, link):
    """What the link gives to send a password with."""
    claims = ok(look(gateway, link))["token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "==="))["key"]


def claim(gateway, link, user, word, password=PASSWORD):
    body = {"invitation_link": link, "user_id": user["user_id"], "password": password}
    return gateway.ask("POST", "/onboarding/claim_token", body, key=word)


def sign_in(gateway, name, password=PASSWORD):
    return gateway.ask("POST", "/v2/login", {"username": name, "password": password}, key=None)


def onboarded(gateway, **fields):
    """A user with a password."""
    made = user(gateway, **fields)
    link = invite(gateway, made)["id"]
    ok(claim(gateway, link, made, word_of(gateway, link)))
    return made


def error(answer, status):
    assert answer.status == status, answer.body
    return answer.json["detail"]["error"]


def test_an_invitation_in_litellms_shape(gateway):
    made = user(gateway)
    it = invite(gateway, made)
    assert (it["user_id"], it["is_accepted"], it["accepted_at"]) == (made["user_id"], False, None)
    assert it["created_by"] == it["updated_by"] == "default_user_id"
    days = [int(it[name][8:10]) for name in ("created_at", "expires_at")]
    assert days[0] != days[1]
    assert ok(gateway.ask("GET", f"/invitation/info?invitation_id={it['id']}")) == it
    marked = ok(gateway.ask("POST", "/invitation/update", {"invitation_id": it["id"], "is_accepted": True}))
    assert marked["is_accepted"] and marked["accepted_at"] is not None
    ok(gateway.ask("POST", "/invitation/delete", {"invitation_id": it["id"]}))
    for answer in (
        gateway.ask("GET", f"/invitation/info?invitation_id={it['id']}"),
        gateway.ask("POST", "/invitation/delete", {"invitation_id": it["id"]}),
        gateway.ask("POST", "/invitation/update", {"invitation_id": it["id"], "is_accepted": True}),
        gateway.ask("POST", "/invitation/new", {"user_id": fresh("nobody")}),
    ):
        error(answer, 400)
    assert gateway.ask("POST", "/invitation/new", {}).status == 422
    assert gateway.ask("POST", "/invitation/update", {"invitation_id": it["id"]}).status == 422


def test_an_invited_user_sets_a_password_and_signs_in(gateway):
    made = user(gateway)
    link = invite(gateway, made)["id"]
    told = ok(look(gateway, link))
    assert set(told) == {"login_url", "token", "user_email"}
    assert told["user_email"] == made["user_email"]
    assert "/ui/onboarding" in told["login_url"] and "token=" in told["login_url"]
    word = word_of(gateway, link)
    assert gateway.ask("GET", "/key/list", key=word).status == 401, "the word is no key"
    begun = ok(claim(gateway, link, made, word))
    assert (begun["user_email"], begun["user"]["user_id"]) == (made["user_email"], made["user_id"])
    assert begun["login_url"].endswith("/ui/?login=success")
    assert ok(gateway.ask("GET", "/user/info", key=begun["key"]))["user_id"] == made["user_id"]
    for name in (made["user_email"].upper(), made["user_id"]):
        session = ok(sign_in(gateway, name))
        assert (session["user_id"], session["user_role"]) == (made["user_id"], "internal_user")
        assert session["login_method"] == "username_password"
    assert sign_in(gateway, made["user_email"], PASSWORD + "!").status == 401
    assert gateway.chat(key=session["key"]).status == 403, "a session manages and calls no models"
    shown = json.dumps(ok(gateway.ask("GET", f"/user/info?user_id={made['user_id']}")))
    assert "scrypt" not in shown and "scrypt" not in gateway.log()
    assert PASSWORD not in gateway.log() and link not in gateway.log()


def test_an_invitation_serves_once(gateway):
    made = user(gateway)
    link = invite(gateway, made)["id"]
    word = word_of(gateway, link)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: claim(gateway, link, made, word, f"{PASSWORD}{number}"), range(6)))
    statuses = [answer.status for answer in answers]
    assert sorted(statuses) == [200] + 5 * [401]
    ok(sign_in(gateway, made["user_id"], f"{PASSWORD}{statuses.index(200)}"))
    assert "already been used" in error(look(gateway, link), 401)
    assert "already been used" in error(claim(gateway, link, made, word), 401)


def test_what_is_refused(gateway):
    made, other = user(gateway), user(gateway)
    link, others = invite(gateway, made)["id"], invite(gateway, other)["id"]
    word = word_of(gateway, link)
    assert look(gateway, "").status == 422
    assert error(look(gateway, "nobody"), 401) == "Invitation link does not exist in db."
    assert error(claim(gateway, "nobody", made, word), 401) == "Invitation link does not exist in db."
    assert other["user_id"] in error(claim(gateway, link, other, word), 401)
    assert error(claim(gateway, link, made, None), 401) == "Missing onboarding session."
    for wrong in (MASTER_KEY, "sk-nobody", word_of(gateway, others)):
        assert "Invalid onboarding session" in error(claim(gateway, link, made, wrong), 401)
    lacks = gateway.ask("POST", "/onboarding/claim_token", {"user_id": made["user_id"]}, key=word)
    assert lacks.status == 422
    assert [entry["loc"] for entry in lacks.json["detail"]] == [["body", "invitation_link"], ["body", "password"]]
    for weak, lack in (("Short-1", "12 characters"), ("no-upper-case-1", "upper-case"), ("No-digit-in-it", "digit")):
        assert lack in error(claim(gateway, link, made, word, weak), 400)
    ok(gateway.ask("POST", "/invitation/delete", {"invitation_id": link}))
    assert claim(gateway, link, made, word).status == 401
    assert sign_in(gateway, made["user_id"]).status == 401, "no password was set"


def test_who_runs_nothing_invites_nobody(gateway):
    made = user(gateway)
    viewer = user(gateway, role="proxy_admin_viewer")
    for id, status in ((made["user_id"], 400), (viewer["user_id"], 403)):
        key = gateway.new_key(user_id=id)
        assert gateway.ask("POST", "/invitation/new", {"user_id": made["user_id"]}, key=key).status == status


def test_people_get_a_form_that_runs_nothing(gateway):
    made = user(gateway)
    link = invite(gateway, made)["id"]
    request = urllib.request.Request(
        f"{gateway.url}/onboarding/get_token?invite_link={link}", headers={"accept": "text/html"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        page, policy = answer.read().decode(), answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "form-action 'self'" in policy
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert fields["user_id"] == made["user_id"]
    form = urllib.parse.urlencode({**fields, "password": PASSWORD}).encode()
    kind = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
    request = urllib.request.Request(f"{gateway.url}/onboarding/claim_token", form, kind)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert "Signed in" in answer.read().decode()
        assert "HttpOnly" in answer.headers["set-cookie"]
    ok(sign_in(gateway, made["user_id"]))


def test_a_password_is_changed_and_other_sessions_end(gateway):
    made = onboarded(gateway)
    first, second = (ok(sign_in(gateway, made["user_email"]))["key"] for _ in range(2))
    change = lambda key, old=PASSWORD, new=PASSWORD + "2": gateway.ask(
        "POST", "/user/password/change", {"current_password": old, "new_password": new}, key=key
    )
    plain = gateway.new_key(user_id=made["user_id"])
    assert change(plain).status == 403 and change(MASTER_KEY).status == 403
    assert "incorrect" in error(change(first, old="Wrong-passw0rd-x"), 400)
    assert "different" in error(change(first, new=PASSWORD), 400)
    assert "12 characters" in error(change(first, new="Short-1"), 400)
    assert gateway.ask("POST", "/user/password/change", {}, key=first).status == 422
    assert ok(change(first))["user_id"] == made["user_id"]
    assert sign_in(gateway, made["user_email"]).status == 401
    ok(sign_in(gateway, made["user_email"], PASSWORD + "2"))
    assert gateway.ask("GET", "/user/info", key=first).status == 200
    assert gateway.ask("GET", "/user/info", key=second).status == 401
    assert gateway.ask("GET", "/key/info", key=plain).status == 200, "keys that are no sessions stay"
    rows = ok(gateway.ask("GET", f"/audit?object_id={made['user_id']}"))["audit_logs"]
    assert any("password" in json.dumps(row["updated_values"]) for row in rows)
    assert "scrypt" not in json.dumps(rows)


def test_blocked_and_deleted_users_do_not_get_in(gateway):
    made = onboarded(gateway)
    ok(gateway.ask("POST", "/user/update", {"user_id": made["user_id"], "blocked": True}))
    assert sign_in(gateway, made["user_id"]).status == 403
    link = invite(gateway, made)["id"]
    assert look(gateway, link).status == 401
    ok(gateway.ask("POST", "/user/delete", {"user_ids": [made["user_id"]]}))
    assert look(gateway, link).status == 401
    again = {"user_id": made["user_id"], "auto_create_key": False}
    ok(gateway.ask("POST", "/user/new", again))
    assert sign_in(gateway, made["user_id"]).status == 401, "who has the id now has no password"


def test_a_code_gives_the_users_own_session(gateway):
    made = onboarded(gateway)
    body = {"username": made["user_email"], "password": PASSWORD}
    code = ok(gateway.ask("POST", "/v3/login", body, key=None))["code"]
    session = ok(gateway.ask("POST", "/v3/login/exchange", {"code": code}, key=None))
    assert session["user_id"] == made["user_id"]
    assert gateway.ask("POST", "/v3/login/exchange", {"code": code}, key=None).status == 401


def test_the_policy_is_the_operators(spawn):
    gateway = spawn(
        general_settings={
            "password_policy_min_length": 8,
            "password_policy_require_uppercase": False,
            "password_policy_require_special_characters": False,
        }
    )
    made = user(gateway)
    link = invite(gateway, made)["id"]
    word = word_of(gateway, link)
    assert "a digit" in error(claim(gateway, link, made, word, "aaaaaaaa"), 400)
    ok(claim(gateway, link, made, word, "aaaaaaa1"))


def test_a_burst_of_guesses_is_held_back(spawn):
    gateway = spawn()
    made = onboarded(gateway)
    with ThreadPoolExecutor(60) as pool:
        statuses = list(pool.map(lambda number: sign_in(gateway, made["user_id"], f"guess {number}").status, range(60)))
    assert set(statuses) == {401, 429} and statuses.count(401) <= 20
    assert sign_in(gateway, made["user_id"]).status == 429, "nor is the right one taken now"


def test_any_replica_takes_the_password(server, spawn):
    environment = {"DATABASE_URL": server.database()}
    first, second = spawn(environment=environment), spawn(environment=environment)
    made = user(first)
    link = invite(first, made)["id"]
    word = word_of(second, link)
    ok(claim(first, link, made, word))
    ok(sign_in(second, made["user_email"]))
    assert claim(second, link, made, word).status == 401

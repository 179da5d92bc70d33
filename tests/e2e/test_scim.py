"""SCIM 2.0 through the real binary: an identity provider brings users and groups, changes them, takes them away."""

import concurrent.futures
import time
import urllib.parse

import pytest

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class Directory:
    """What an identity provider asks, with the key it was given."""

    def __init__(self, gateway, key=None):
        self.gateway = gateway
        self.key = key or gateway.new_key(allowed_routes=["/scim/*"])

    def ask(self, method, path, body=None, **query):
        query = "?" + urllib.parse.urlencode(query) if query else ""
        headers = {"content-type": "application/scim+json"}
        answer = self.gateway.ask(method, f"/scim/v2{path}{query}", body, key=self.key, headers=headers)
        if answer.status != 204:
            assert answer.headers["content-type"] == "application/scim+json", answer.body
        return answer

    def made(self, path, **body):
        answer = self.ask("POST", path, body)
        assert answer.status == 201, answer.body
        assert answer.headers["location"] == answer.json["meta"]["location"]
        return answer.json

    def patch(self, path, *operations):
        answer = self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})
        assert answer.status == 200, answer.body
        return answer.json

    def names(self, path, filter, **query):
        answer = self.ask("GET", path, filter=filter, **query)
        assert answer.status == 200, answer.body
        assert answer.json["totalResults"] == len(answer.json["Resources"])
        return [one.get("userName") or one.get("displayName") for one in answer.json["Resources"]]


@pytest.fixture
def directory(spawn):
    return Directory(spawn())


def fails(answer, status, kind=None):
    assert (answer.status, answer.json["schemas"], answer.json["status"]) == (status, [ERROR], str(status)), answer.body
    assert answer.json.get("scimType") == kind, answer.body
    assert answer.json["detail"]
    return answer.json["detail"]


def ann(**more):
    return {
        "schemas": [USER],
        "userName": "ann@corp.example",
        "externalId": "x-1",
        "name": {"givenName": "Ann", "familyName": "O"},
        "emails": [{"value": "ann@corp.example", "type": "work", "primary": True}],
        "active": True,
        **more,
    }


def test_a_user_comes_changes_and_goes(directory):
    gateway = directory.gateway
    made = directory.made("/Users", **ann(password="a secret", title="Dr"))
    path = "/Users/" + urllib.parse.quote(made["id"])
    assert (made["userName"], made["externalId"], made["active"]) == ("ann@corp.example", "x-1", True)
    assert made["name"] == {"givenName": "Ann", "familyName": "O"} and made["title"] == "Dr"
    assert "password" not in made and "a secret" not in gateway.log()
    info = gateway.ask("GET", f"/user/info?user_id={made['id']}").json["user_info"]
    assert (info["user_email"], info["user_role"], info["sso_user_id"]) == ("ann@corp.example", "internal_user_viewer", "x-1")
    assert "a secret" not in gateway.ask("GET", "/audit").body.decode()
    assert directory.ask("GET", path).json == made
    fails(directory.ask("POST", "/Users", ann()), 409, "uniqueness")
    fails(directory.ask("POST", "/Users", ann(userName="ANN@corp.example")), 409, "uniqueness")
    fails(directory.ask("POST", "/Users", ann(userName="other")), 409, "uniqueness")
    replaced = directory.ask("PUT", path, ann(name={"givenName": "Anna"}, externalId="x-2"))
    assert replaced.status == 200 and replaced.json["id"] == made["id"]
    assert (replaced.json["name"], replaced.json["externalId"]) == ({"givenName": "Anna"}, "x-2")
    assert "title" not in replaced.json, "what is not said anew is gone"
    changed = directory.patch(
        path,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "a@corp.example"},
        {"op": "add", "value": {"name.familyName": "P", "nickName": "A"}},
        {"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Ops"},
    )
    assert (changed["emails"][0]["value"], changed["nickName"]) == ("a@corp.example", "A")
    assert changed["name"] == {"givenName": "Anna", "familyName": "P"}
    assert changed["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"] == {"department": "Ops"}
    assert gateway.ask("GET", f"/user/info?user_id={made['id']}").json["user_info"]["user_email"] == "a@corp.example"
    rows = gateway.ask("GET", f"/audit?object_id={made['id']}").json["audit_logs"]
    assert [row["action"] for row in rows] == ["updated", "updated", "created"]
    key = gateway.new_key(user_id=made["id"])
    assert directory.ask("DELETE", path).status == 204
    assert gateway.chat(key=key).status == 401
    fails(directory.ask("GET", path), 404)
    fails(directory.ask("DELETE", path), 404)
    fails(directory.ask("PUT", path, ann()), 404)
    assert directory.made("/Users", **ann())["active"], "somebody who went may come back"


@pytest.mark.parametrize(
    "off,on",
    [
        ({"op": "replace", "value": {"active": False}}, {"op": "replace", "value": {"active": True}}),
        ({"op": "Replace", "path": "active", "value": "False"}, {"op": "Replace", "path": "active", "value": "True"}),
    ],
    ids=["as Okta", "as Entra"],
)
def test_who_is_switched_off_calls_nothing_at_once(directory, off, on):
    gateway = directory.gateway
    made = directory.made("/Users", **ann())
    path = "/Users/" + urllib.parse.quote(made["id"])
    keys = [gateway.new_key(user_id=made["id"]) for _ in range(3)]
    assert [gateway.chat(key=key).status for key in keys] == [200] * 3
    assert directory.patch(path, off)["active"] is False
    for key in keys:
        denied = gateway.chat(key=key)
        assert denied.status == 401 and "deactivated" in denied.json["error"]["message"], denied.body
        assert gateway.ask("GET", "/key/info", key=key).status == 401
    assert directory.names("/Users", "active eq false") == ["ann@corp.example"]
    assert gateway.ask("GET", f"/user/info?user_id={made['id']}").json["user_info"]["metadata"]["scim_active"] is False
    assert directory.patch(path, on)["active"] is True
    assert [gateway.chat(key=key).status for key in keys] == [200] * 3


def test_switching_off_reaches_other_replicas(spawn):
    first = Directory(spawn())
    if not first.gateway.server:
        pytest.skip("SKIPPED: replicas share a database on PostgreSQL only")
    other = spawn(environment={"DATABASE_URL": first.gateway.environment["DATABASE_URL"]})
    made = first.made("/Users", **ann())
    key = first.gateway.new_key(user_id=made["id"])
    assert other.chat(key=key).status == 200
    first.patch("/Users/" + urllib.parse.quote(made["id"]), {"op": "replace", "value": {"active": False}})
    until = time.monotonic() + 5
    while other.chat(key=key).status != 401:
        assert time.monotonic() < until, "the other replica did not hear of it"
        time.sleep(0.05)


def test_users_are_found_and_come_in_pages(directory):
    for number in range(7):
        directory.made("/Users", userName=f"user-{number}", externalId=f"x-{number}", emails=[{"value": f"u{number}@corp.example"}])
    for filter, expected in [
        ('userName eq "USER-3"', ["user-3"]),
        ('userName eq "user"', []),
        ('externalId eq "x-4"', ["user-4"]),
        ('id eq "user-5"', ["user-5"]),
        ('emails.value eq "u6@corp.example"', ["user-6"]),
        ('emails[value eq "u6@corp.example"]', ["user-6"]),
        ('userName sw "user-" and (externalId eq "x-1" or externalId eq "x-2")', ["user-1", "user-2"]),
        ('userName sw "user-" and not (emails co "u")', []),
    ]:
        assert directory.names("/Users", filter) == expected, filter
    seen = []
    for start in range(1, 8, 3):
        page = directory.ask("GET", "/Users", startIndex=start, count=3, filter='userName sw "user-"').json
        assert (page["totalResults"], page["startIndex"]) == (7, start)
        assert page["itemsPerPage"] == len(page["Resources"])
        seen += [user["userName"] for user in page["Resources"]]
    assert seen == [f"user-{number}" for number in range(7)]
    whole = directory.ask("GET", "/Users").json
    for start, count in [(1, 2), (2, 3), (4, 3), (5, 100), (100, 5)]:
        page = directory.ask("GET", "/Users", startIndex=start, count=count).json
        assert page["Resources"] == whole["Resources"][start - 1 : start - 1 + count], (start, count)
        assert page["totalResults"] == whole["totalResults"]
    assert directory.ask("GET", "/Users", startIndex=-3, count=0).json["Resources"] == []
    some = directory.ask("GET", "/Users", attributes="userName,emails.value", count=1, filter='id eq "user-1"').json
    assert set(some["Resources"][0]) == {"schemas", "id", "userName", "emails"}
    less = directory.ask("GET", "/Users/user-1", excludedAttributes="groups,emails").json
    assert "groups" not in less and "emails" not in less and less["userName"] == "user-1"
    fails(directory.ask("GET", "/Users", filter="userName is 3"), 400, "invalidFilter")
    fails(directory.ask("GET", "/Users", count="many"), 400, "invalidValue")


def test_groups_are_teams(directory):
    gateway = directory.gateway
    for name in ("ann", "bob", "cid"):
        directory.made("/Users", userName=name)
    made = directory.made("/Groups", schemas=[GROUP], displayName="Red", externalId="g-1", members=[{"value": "ann"}])
    assert (made["id"], made["displayName"]) == ("g-1", "Red")
    assert [member["value"] for member in made["members"]] == ["ann"]
    team = gateway.ask("GET", "/team/info?team_id=g-1").json["team_info"]
    assert (team["team_alias"], [m["user_id"] for m in team["members_with_roles"]]) == ("Red", ["ann"])
    path = "/Groups/g-1"

    def members(group):
        return sorted(member["value"] for member in group["members"])

    add = {"op": "Add", "path": "members", "value": [{"value": "bob"}, {"value": "ann"}]}
    assert members(directory.patch(path, add)) == ["ann", "bob"]
    assert directory.ask("GET", "/Users/bob").json["groups"][0]["display"] == "Red"
    assert directory.names("/Groups", 'members.value eq "bob"') == ["Red"]
    assert directory.names("/Groups", 'members[value eq "cid"]') == []
    assert directory.names("/Groups", 'displayName eq "red"') == ["Red"]
    assert directory.names("/Groups", 'id eq "g-1" and members eq "bob"') == ["Red"]
    assert "members" not in directory.ask("GET", path, excludedAttributes="members").json
    assert members(directory.patch(path, {"op": "remove", "path": 'members[value eq "ann"]'})) == ["bob"]
    assert members(directory.patch(path, {"op": "Remove", "path": "members", "value": [{"value": "bob"}]})) == []
    replaced = directory.ask("PUT", path, {"displayName": "Blue", "members": [{"value": "cid"}, {"value": "ann"}]})
    assert (replaced.status, members(replaced.json)) == (200, ["ann", "cid"])
    assert directory.patch(path, {"op": "replace", "value": {"displayName": "Green"}})["displayName"] == "Green"
    unknown = directory.patch(path, {"op": "add", "path": "members", "value": [{"value": "new"}]})
    assert "new" in members(unknown) and gateway.ask("GET", "/user/info?user_id=new").status == 200
    assert members(directory.patch(path, {"op": "remove", "path": "members"})) == []
    fails(directory.ask("POST", "/Groups", {"displayName": "Red", "externalId": "g-1"}), 409, "uniqueness")
    fails(directory.ask("POST", "/Groups", {"members": []}), 400, "invalidValue")
    nested = {"displayName": "x", "members": [{"value": "g-1", "type": "Group"}]}
    fails(directory.ask("POST", "/Groups", nested), 400, "invalidValue")
    key = gateway.new_key(team_id="g-1")
    assert directory.ask("DELETE", path).status == 204
    assert gateway.chat(key=key).status == 401
    fails(directory.ask("GET", path), 404)
    assert directory.made("/Groups", displayName="No id")["id"]


def test_racing_changes_of_a_group_lose_nobody(directory):
    names = [f"user-{number}" for number in range(12)]
    for name in names:
        directory.made("/Users", userName=name)
    directory.made("/Groups", displayName="Red", externalId="red")

    def add(name):
        return directory.ask(
            "PATCH", "/Groups/red", {"Operations": [{"op": "add", "path": "members", "value": [{"value": name}]}]}
        ).status

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        assert set(pool.map(add, names)) == {200}
    assert sorted(member["value"] for member in directory.ask("GET", "/Groups/red").json["members"]) == sorted(names)


def test_users_that_are_here_already_are_taken_over(directory):
    gateway = directory.gateway
    old = gateway.ask("POST", "/user/new", {"user_email": "ann@corp.example", "max_budget": 3}).json
    made = directory.made("/Users", **ann())
    assert made["id"] == old["user_id"], "keys and spend stay with the id"
    assert gateway.ask("GET", f"/user/info?user_id={old['user_id']}").json["user_info"]["max_budget"] == 3
    gateway.ask("POST", "/user/new", {"user_id": "bob"})
    fails(directory.ask("POST", "/Users", {"userName": "bob"}), 409, "uniqueness")
    assert directory.names("/Users", 'userName eq "bob"') == ["bob"]
    moved = directory.ask("PUT", "/Users/bob", {"userName": "bob", "emails": [{"value": "ann@corp.example"}]})
    fails(moved, 409, "uniqueness")


def test_what_makes_no_sense_is_refused_whole(directory):
    directory.made("/Users", userName="ann", title="Dr")
    for path, body, kind in [
        ("/Users", {"active": True}, "invalidValue"),
        ("/Users", {"userName": "x", "active": "maybe"}, "invalidValue"),
        ("/Users", [], "invalidSyntax"),
        ("/Users", b"{", "invalidSyntax"),
        ("/Users", {"userName": "x", "groups": [{"value": "nowhere"}]}, "invalidValue"),
    ]:
        fails(directory.ask("POST", path, body), 400, kind)
    first = {"op": "replace", "path": "title", "value": "Prof"}
    for operation, kind in [
        ({"op": "set", "path": "title", "value": 1}, "invalidSyntax"),
        ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ({"op": "replace", "path": "a b", "value": "x"}, "invalidPath"),
        ({"op": "remove"}, "noTarget"),
    ]:
        fails(directory.ask("PATCH", "/Users/ann", {"Operations": [first, operation]}), 400, kind)
    assert directory.ask("GET", "/Users/ann").json["title"] == "Dr", "all changes of a request, or none"


def test_only_administrators_and_scim_keys_are_let_in(directory):
    gateway = directory.gateway
    fails(Directory(gateway, "sk-nobody-nobody-nobody").ask("GET", "/Users"), 401)
    gateway.ask("POST", "/user/new", {"user_id": "eve", "user_role": "internal_user"})
    eve = gateway.new_key(user_id="eve")
    own = gateway.ask("POST", "/key/generate", {"allowed_routes": ["/scim/*"]}, key=eve)
    assert own.status == 403, own.body
    given = gateway.new_key(user_id="eve", allowed_routes=["/scim/*"])
    for key in (gateway.new_key(), eve, given, gateway.new_key(team_id="t", allowed_routes=["/scim/*"])):
        fails(Directory(gateway, key).ask("GET", "/Users"), 401)
        fails(Directory(gateway, key).ask("POST", "/Users", {"userName": "x"}), 401)
    gateway.ask("POST", "/user/new", {"user_id": "vic", "user_role": "proxy_admin_viewer"})
    viewer = Directory(gateway, gateway.new_key(user_id="vic"))
    assert viewer.ask("GET", "/Users").status == 200
    fails(viewer.ask("POST", "/Users", {"userName": "x"}), 403)
    assert gateway.ask("GET", "/user/list", key=directory.key).status == 403, "the key is for SCIM alone"
    assert gateway.chat(key=directory.key).status == 403


def test_the_service_says_what_it_can(directory):
    service = directory.ask("GET", "/ServiceProviderConfig").json
    assert (service["patch"]["supported"], service["bulk"]["supported"], service["filter"]["maxResults"]) == (True, False, 200)
    types = directory.ask("GET", "/ResourceTypes").json["Resources"]
    assert [(one["id"], one["endpoint"]) for one in types] == [("User", "/Users"), ("Group", "/Groups")]
    assert directory.ask("GET", "").json["totalResults"] == 2
    assert directory.ask("GET", "/ResourceTypes/User").json["schema"] == USER
    schemas = directory.ask("GET", "/Schemas").json["Resources"]
    assert [one["id"] for one in schemas][:2] == [USER, GROUP]
    names = {one["name"]: one for one in directory.ask("GET", f"/Schemas/{USER}").json["attributes"]}
    assert names["userName"]["required"] and names["userName"]["uniqueness"] == "server"
    fails(directory.ask("GET", "/Schemas/urn:nothing"), 404)


def test_patches_of_one_user_at_once_lose_nothing(directory):
    """Each patch sets something else; all of it is there in the end."""
    made = directory.made("/Users", **ann())
    path, fields = f"/Users/{made['id']}", ["title", "nickName", "userType", "locale", "timezone", "preferredLanguage"]
    for turn in range(4):
        changes = [{"op": "replace", "path": field, "value": f"{field}-{turn}"} for field in fields]
        with concurrent.futures.ThreadPoolExecutor(len(changes)) as pool:
            list(pool.map(lambda change: directory.patch(path, change), changes))
        after = directory.ask("GET", path).json
        assert {field: after.get(field) for field in fields} == {field: f"{field}-{turn}" for field in fields}


def test_patches_of_one_group_at_once_lose_nothing(directory):
    people = [directory.made("/Users", schemas=[USER], userName=f"racer-{number}")["id"] for number in range(6)]
    group = directory.made("/Groups", schemas=[GROUP], displayName="racers")
    changes = [{"op": "add", "path": "members", "value": [{"value": one}]} for one in people]
    changes.append({"op": "replace", "path": "displayName", "value": "quick ones"})
    with concurrent.futures.ThreadPoolExecutor(len(changes)) as pool:
        list(pool.map(lambda change: directory.patch(f"/Groups/{group['id']}", change), changes))
    after = directory.ask("GET", f"/Groups/{group['id']}").json
    assert sorted(member["value"] for member in after["members"]) == sorted(people)
    assert after["displayName"] == "quick ones"

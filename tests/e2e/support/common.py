"""What nearly every test of management routes says: names nobody has, answers that must be right, waiting."""

import time
import uuid


def fresh(word):
    """A name that nobody has yet."""
    return f"{word}-{uuid.uuid4().hex[:8]}"


def ok(answer, status=200):
    """What an answer says that must have this status."""
    assert answer.status == status, answer.body
    return answer.json


def until(condition, seconds=10, what=None):
    """What a condition comes to, as soon as it comes to anything."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def team(gateway, *members, **fields):
    """A new team, by its id; members are ids of users or entries of `/team/member_add`."""
    id = ok(gateway.ask("POST", "/team/new", {"team_id": fresh("team"), **fields}))["team_id"]
    for member in members:
        body = member if isinstance(member, dict) else {"user_id": member, "role": "user"}
        ok(gateway.ask("POST", "/team/member_add", {"team_id": id, "member": body}))
    return id

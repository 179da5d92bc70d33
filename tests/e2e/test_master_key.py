"""The master key is rotated: what it sealed is sealed with the next one, and nobody is left without models meanwhile."""

from support.common import ok, until
from support.gateway import MASTER_KEY, entry

FRESH = "sk-the-next-master-key-0123"
KEPT = {"general_settings": {"store_model_in_db": True}}


def add(gateway, upstream, name="kept"):
    model = entry(name, "openai/say", upstream.base + "/v1")
    ok(gateway.ask("POST", "/model/new", model))


def rotate(gateway, key=MASTER_KEY, named=MASTER_KEY, fresh=FRESH):
    return gateway.ask("POST", "/key/regenerate", {"key": named, "new_master_key": fresh}, key)


def again(gateway, upstream, **general):
    """The gateway once more, with another master key."""
    gateway.stop()
    config = gateway.config_path.read_text().replace(MASTER_KEY, FRESH)
    gateway.write(config)
    gateway.start()


def test_what_was_sealed_opens_after_the_rotation(spawn, upstream):
    gateway = spawn(**KEPT)
    add(gateway, upstream)
    told = ok(rotate(gateway))
    assert told["key"] == FRESH and told["resealed"] == 1
    assert FRESH not in gateway.log()
    # Until the restart the old key opens the gateway, and the model is there and can be changed.
    ok(gateway.chat("kept"))
    add(gateway, upstream, "later")
    ok(gateway.chat("later"))
    twice = rotate(gateway)
    assert twice.status == 400 and "restart" in twice.json["error"]["message"]
    again(gateway, upstream)
    assert gateway.ask("GET", "/models", key=MASTER_KEY).status == 401
    for name in ("kept", "later"):
        ok(gateway.chat(name, key=FRESH))
    seals = ok(gateway.ask("GET", "/credentials/migrate-encryption/check", key=FRESH))
    assert seals["status"] == "up_to_date" and seals["unreadable"] == []
    assert "checkpoints of the audit log are signed" in gateway.log()
    assert "has no checkpoints" not in gateway.log(), "the key that signs the audit log was sealed anew, too"


def test_other_gateways_keep_their_models_until_their_restart(spawn, upstream, server):
    environment = {"DATABASE_URL": server.database()}
    here, there = (spawn(environment=environment, **KEPT) for _ in range(2))
    add(here, upstream)
    until(lambda: there.chat("kept").status == 200)
    ok(rotate(here))
    until(lambda: "cannot be opened" in there.log() or "left out" in there.log())
    ok(there.chat("kept"))
    again(there, upstream)
    ok(there.chat("kept", key=FRESH))


def test_who_may_rotate_and_what_is_refused(spawn, upstream):
    gateway = spawn(**KEPT)
    body = {"user_id": "root", "user_role": "proxy_admin", "auto_create_key": False}
    ok(gateway.ask("POST", "/user/new", body))
    admin = gateway.new_key(user_id="root")
    assert rotate(gateway, key=admin).status == 403
    for named, fresh, word in (
        (admin, FRESH, "`key`"), (MASTER_KEY, MASTER_KEY, "present one"), (MASTER_KEY, "sk-short", "too short"),
    ):
        refused = rotate(gateway, named=named, fresh=fresh)
        assert refused.status == 400 and word in refused.json["error"]["message"], refused.body


def test_secrets_with_a_salt_of_their_own_stay_as_they_are(spawn, upstream):
    gateway = spawn(environment={"LITELLM_SALT_KEY": "salt-of-its-own"}, **KEPT)
    add(gateway, upstream)
    assert ok(rotate(gateway))["resealed"] == 0
    again(gateway, upstream)
    ok(gateway.chat("kept", key=FRESH))

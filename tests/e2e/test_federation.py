"""Anthropic's workload identity federation: who signs identity tokens, what they buy, and whom the keys are shown to."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
import openai
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from support import replies
from support.common import fresh, ok
from support.gateway import MASTER_KEY

ASK = [{"role": "user", "content": "Say hello"}]
RULE = {"anthropic_federation_rule_id": "fdrl_1", "anthropic_organization_id": "org-1"}
KEEPS = {"general_settings": {"master_key": MASTER_KEY, "store_model_in_db": True}}


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Anthropic:
    """Anthropic's token service and its messages in one; Keycloak, too."""

    def __init__(self):
        self.asked, self.exchanges, self.life, self.refusal = [], [], 3600, None
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, answer = service.answer(self.path.split("?")[0], headers, raw)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "text/event-stream" if isinstance(answer, bytes) else "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, headers, raw):
        if path == "/realms/house/token":
            assert headers["authorization"] == "Basic " + base64.b64encode(b"gate:keycloak-secret-e2e").decode()
            return 200, {"access_token": "a-token-of-keycloak", "expires_in": 60}
        body = json.loads(raw)
        if path == "/v1/oauth/token":
            self.exchanges.append((headers, body))
            if self.refusal:
                return 401, {"error": {"type": "authentication_error", "message": self.refusal(body)}}
            token = f"sk-ant-oat01-{len(self.exchanges)}"
            return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.life}
        self.asked.append((path, headers, body))
        if path.endswith("/count_tokens"):
            return 200, {"input_tokens": 42}
        plan = replies.plan("say", body)
        if body.get("stream"):
            return 200, b"".join(replies.anthropic_frames(plan, "say", 1))
        return 200, replies.anthropic_reply(plan, "say", 1)


@pytest.fixture
def vendor():
    service = Anthropic()
    yield service
    service.server.shutdown()


@pytest.fixture(scope="module")
def signing_key():
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def environment(signing_key, **more):
    trusted = {"LITELLM_ANTHROPIC_WIF_ALLOWED_HOSTS": "127.0.0.1"}
    return {**trusted, "FEDERATION_SIGNING_KEY": signing_key, "KEYCLOAK_SECRET": "keycloak-secret-e2e", **more}


def issuer(**more):
    values = {"anthropic_identity_source": "internal_issuer", "anthropic_issuer_url": "https://gateway.e2e",
              "anthropic_issuer_subject": "workload-e2e", "anthropic_issuer_audience": "anthropic-e2e",
              "anthropic_issuer_signing_key_ref": "FEDERATION_SIGNING_KEY"}
    return {**RULE, "anthropic_service_account_id": "svac_1", **values, **more}


def model(vendor, name="federated", **params):
    return {"model_name": name, "litellm_params": {"model": "anthropic/claude-e2e", "api_base": vendor.base, **params}}


def sdk(gateway):
    return anthropic.Anthropic(base_url=gateway.url, api_key=MASTER_KEY, max_retries=0)


def verified(token, jwks):
    """The claims of a token, once its signature is checked against a set of public keys."""
    head, claims, signature = token.split(".")
    header = json.loads(unpadded(head))
    [jwk] = [jwk for jwk in jwks["keys"] if jwk["kid"] == header["kid"]]
    assert set(jwk) == {"crv", "kty", "x", "y", "use", "alg", "kid"}
    assert (jwk["kty"], jwk["crv"], jwk["use"], jwk["alg"], header["alg"]) == ("EC", "P-256", "sig", "ES256", "ES256")
    x, y = (int.from_bytes(unpadded(jwk[name]), "big") for name in "xy")
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    r, s = (int.from_bytes(half, "big") for half in (unpadded(signature)[:32], unpadded(signature)[32:]))
    public.verify(encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    return json.loads(unpadded(claims))


@pytest.fixture
def stored(spawn, vendor, signing_key):
    """A gateway whose credential and model are made over the API; and the credential's name."""
    gateway = spawn(environment=environment(signing_key), **KEEPS)
    name = fresh("federation")
    body = {"credential_name": name, "credential_values": issuer(), "credential_info": {"custom_llm_provider": "Anthropic"}}
    ok(gateway.ask("POST", "/credentials", body))
    ok(gateway.ask("POST", "/model/new", model(vendor, litellm_credential_name=name)))
    return gateway, name


def test_a_stored_credential_signs_in_with_tokens_of_its_own(stored, vendor, signing_key):
    gateway, name = stored
    jwks = ok(gateway.ask("GET", f"/credentials/{name}/jwks"))
    for _ in range(2):
        assert sdk(gateway).messages.create(model="federated", max_tokens=9, messages=ASK).content[0].text == replies.TEXT
    [(headers, body)] = vendor.exchanges
    assert headers["anthropic-beta"] == "oauth-2025-04-20,oidc-federation-2026-04-01"
    claims = verified(body.pop("assertion"), jwks)
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert body == {"grant_type": grant, "federation_rule_id": "fdrl_1", "organization_id": "org-1", "service_account_id": "svac_1"}
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("https://gateway.e2e", "workload-e2e", "anthropic-e2e")
    assert claims["exp"] - claims["iat"] == 300 and abs(claims["iat"] - time.time()) < 60 and claims["jti"]
    for _, headers, _ in vendor.asked:
        assert headers["authorization"] == "Bearer sk-ant-oat01-1"
        assert "x-api-key" not in headers and headers["anthropic-beta"] == "oauth-2025-04-20"
    gateway.stop()
    gateway.start()
    assert ok(gateway.ask("GET", f"/credentials/{name}/jwks")) == jwks
    assert gateway.chat("federated").status == 200
    shown = gateway.log() + gateway.ask("GET", "/credentials").body.decode() + gateway.ask("GET", "/model/info").body.decode()
    for secret in [signing_key.splitlines()[1], "sk-ant-oat01", "FEDERATION_SIGNING_KEY"]:
        assert secret not in shown


def test_whom_the_public_keys_are_shown_to(stored, vendor):
    gateway, name = stored
    path = f"/credentials/{name}/jwks"
    assert gateway.ask("GET", path, key=None).status == 401
    viewer = ok(gateway.ask("POST", "/user/new", {"user_role": "proxy_admin_viewer"}))["key"]
    member = ok(gateway.ask("POST", "/user/new", {"user_role": "internal_user"}))["key"]
    for key in [viewer, member, gateway.new_key()]:
        answer = gateway.ask("GET", path, key=key)
        assert (answer.status, list(answer.json["detail"])) == (403, ["error"])
    admin = ok(gateway.ask("POST", "/user/new", {"user_role": "proxy_admin"}))["key"]
    assert len(ok(gateway.ask("GET", path, key=admin))["keys"]) == 1
    info = {"custom_llm_provider": "anthropic"}
    for values, provider, status in [
        ({"api_key": "sk-plain"}, info, 404),
        (issuer(), {"custom_llm_provider": "openai"}, 404),
        (issuer(), {}, 404),
        (issuer(anthropic_issuer_signing_key_ref="NOT_SET"), info, 400),
        (issuer(anthropic_issuer_ttl_seconds=4000), info, 400),
    ]:
        other = fresh("other")
        ok(gateway.ask("POST", "/credentials", {"credential_name": other, "credential_values": values, "credential_info": provider}))
        answer = gateway.ask("GET", f"/credentials/{other}/jwks")
        assert (answer.status, list(answer.json["detail"])) == (status, ["error"]), values
    assert gateway.ask("GET", "/credentials/nobody/jwks").status == 404


def test_credentials_of_the_file_have_public_keys_too(spawn, vendor, signing_key):
    values = {**issuer(), "anthropic_issuer_signing_key_ref": "os.environ/FEDERATION_SIGNING_KEY"}
    entry = {"credential_name": "of/file", "credential_values": values, "credential_info": {"custom_llm_provider": "anthropic"}}
    gateway = spawn(environment=environment(signing_key), credential_list=[entry],
                    models=[model(vendor, litellm_credential_name="of/file")])
    assert gateway.chat("federated").status == 200
    [(_, body)] = vendor.exchanges
    verified(body["assertion"], ok(gateway.ask("GET", "/credentials/of%2Ffile/jwks")))


def test_what_callers_ask_of_beta_features_stays(spawn, vendor, signing_key):
    gateway = spawn(environment=environment(signing_key), models=[model(vendor, **issuer())])
    ask = {"model": "federated", "max_tokens": 9, "messages": ASK, "extra_headers": {"anthropic-beta": "context-1m-2025-08-07"}}
    with sdk(gateway).messages.stream(**ask) as stream:
        assert "".join(stream.text_stream) == replies.TEXT
    assert sdk(gateway).messages.count_tokens(model="federated", messages=ASK).input_tokens == 42
    betas = [headers["anthropic-beta"].split(",") for _, headers, _ in vendor.asked]
    assert betas[0] == ["context-1m-2025-08-07", "oauth-2025-04-20"] and "oauth-2025-04-20" in betas[1]
    assert len(vendor.exchanges) == 1


def test_a_token_that_ends_is_exchanged_anew(spawn, vendor, signing_key):
    vendor.life = 5
    gateway = spawn(environment=environment(signing_key), models=[model(vendor, **issuer())])
    for number in (1, 2):
        assert gateway.chat("federated").status == 200
        assert vendor.asked[-1][1]["authorization"] == f"Bearer sk-ant-oat01-{number}"
    ids = {json.loads(unpadded(body["assertion"].split(".")[1]))["jti"] for _, body in vendor.exchanges}
    assert len(ids) == 2, "each identity token is used once"


def test_calls_at_once_share_one_exchange(spawn, vendor, signing_key):
    gateway = spawn(environment=environment(signing_key), models=[model(vendor, **issuer())])
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(gateway.chat("federated").status)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 12 and len(vendor.exchanges) == 1


def test_a_refused_exchange_is_told_without_secrets(spawn, vendor, signing_key):
    vendor.refusal = lambda body: "exchange denied"
    gateway = spawn(environment=environment(signing_key), models=[model(vendor, **issuer())])
    client = openai.OpenAI(base_url=gateway.url + "/v1", api_key=MASTER_KEY, max_retries=0)
    with pytest.raises(openai.AuthenticationError) as raised:
        client.chat.completions.create(model="federated", messages=ASK)
    assert "Anthropic's token service answered status 401: exchange denied" in str(raised.value)
    assert "Claude Console" in str(raised.value) and not vendor.asked
    vendor.refusal = lambda body: "no: " + body["assertion"]
    answer = gateway.chat("federated")
    assert answer.status == 401 and b"repeats what it was asked with" in answer.body
    for _, body in vendor.exchanges:
        signature = body["assertion"].rsplit(".")[-1]
        assert signature not in answer.body.decode() + str(raised.value) + gateway.log()
    vendor.refusal = None
    assert gateway.chat("federated").status == 200, "the next call asks again"


def test_files_and_keycloak_and_the_environment(spawn, vendor, signing_key, tmp_path):
    token = tmp_path / "token"
    token.write_text("a-token-of-a-file\n")
    keycloak = {"anthropic_identity_source": "keycloak", "anthropic_keycloak_token_url": vendor.base + "/realms/house/token",
                "anthropic_keycloak_client_id": "gate", "anthropic_keycloak_client_secret_ref": "os.environ/KEYCLOAK_SECRET"}
    more = {"LITELLM_OIDC_ALLOWED_CREDENTIAL_DIRS": str(tmp_path), "ANTHROPIC_FEDERATION_RULE_ID": "fdrl_env",
            "ANTHROPIC_ORGANIZATION_ID": "org-env", "ANTHROPIC_IDENTITY_TOKEN": "a-token-of-the-environment"}
    models = [model(vendor, "by-file", anthropic_identity_token_file=str(token), **RULE),
              model(vendor, "by-keycloak", **RULE, **keycloak), model(vendor, "by-env"), model(vendor, "by-key", api_key="sk-plain")]
    gateway = spawn(environment=environment(signing_key, **more), models=models)
    vendor.life = 5
    told = lambda: (vendor.exchanges[-1][1]["federation_rule_id"], vendor.exchanges[-1][1]["assertion"])
    for name, expected in [("by-file", ("fdrl_1", "a-token-of-a-file")), ("by-keycloak", ("fdrl_1", "a-token-of-keycloak")),
                           ("by-env", ("fdrl_env", "a-token-of-the-environment"))]:
        assert gateway.chat(name).status == 200
        assert told() == expected
    token.write_text("a-newer-token-of-a-file")
    assert gateway.chat("by-file").status == 200
    assert told() == ("fdrl_1", "a-newer-token-of-a-file")
    exchanges = len(vendor.exchanges)
    assert gateway.chat("by-key").status == 200
    assert len(vendor.exchanges) == exchanges and vendor.asked[-1][1]["x-api-key"] == "sk-plain"
    assert "authorization" not in vendor.asked[-1][1]


def test_a_persons_token_goes_as_a_bearer_token(spawn, vendor):
    gateway = spawn(models=[model(vendor, api_key="sk-ant-oat01-of-a-person")])
    betas = {"anthropic-beta": "context-1m-2025-08-07"}
    sdk(gateway).messages.create(model="federated", max_tokens=9, messages=ASK, extra_headers=betas)
    [(_, headers, _)] = vendor.asked
    assert headers["authorization"] == "Bearer sk-ant-oat01-of-a-person" and "x-api-key" not in headers
    assert headers["anthropic-beta"] == "context-1m-2025-08-07,oauth-2025-04-20"

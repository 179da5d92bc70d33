"""An identity provider with OpenID Connect, over real HTTP: it gives codes, tokens for codes, and says who holds one."""

import base64
import hashlib
import json
import time
import urllib.parse

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import threading

from support.issuer import Key, b64, encode

CLIENT, SECRET = "gateway", "provider-secret"
ACCESS = "access-of-ann"


class Provider:
    """`person` is who signs in, `claims` what its ID tokens say otherwise, `header` what their headers say."""

    def __init__(self):
        self.person = {"sub": "ann", "preferred_username": "ann", "email": "ann@corp.example", "name": "Ann"}
        self.claims, self.header = {}, {}
        self.keys, self.signs_with = [Key("one")], None
        self.with_id_token = True
        self.codes, self.forms, self.asked = {}, [], []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                text = self.rfile.read(int(self.headers["content-length"])).decode()
                form = dict(urllib.parse.parse_qsl(text))
                provider.forms.append((form, self.headers.get("authorization")))
                self.reply(*provider.token(form, self.headers.get("authorization")))

            def do_GET(self):
                provider.asked.append(self.path)
                self.reply(*provider.answer(self.path, self.headers))

            def reply(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def environment(self):
        return {
            "GENERIC_CLIENT_ID": CLIENT,
            "GENERIC_CLIENT_SECRET": SECRET,
            "GENERIC_AUTHORIZATION_ENDPOINT": self.url + "/authorize",
            "GENERIC_TOKEN_ENDPOINT": self.url + "/token",
            "GENERIC_USERINFO_ENDPOINT": self.url + "/userinfo",
            "PROXY_BASE_URL": "https://gateway.example/",
        }

    def sign_in(self, address):
        """What a person does in the browser: comes back with a code and the state."""
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return code, asked["state"]

    def answer(self, path, headers):
        if path == "/.well-known/openid-configuration":
            return 200, {"issuer": self.url, "jwks_uri": self.url + "/keys"}
        if path == "/keys":
            return 200, {"keys": [key.public() for key in self.keys]}
        if headers["authorization"] != f"Bearer {ACCESS}":
            return 401, {"error": "invalid_token"}
        if path == "/user/emails":
            return 200, self.emails
        return 200, self.person

    def token(self, form, authorization):
        asked = self.codes.pop(form["code"], None)
        pair = (form.get("client_id"), form.get("client_secret"))
        if authorization:
            pair = tuple(base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":"))
        proof = b64(hashlib.sha256(form["code_verifier"].encode()).digest())
        if not asked or pair != (CLIENT, SECRET) or proof != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        if form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant", "error_description": "redirect_uri"}
        answer = {"access_token": ACCESS, "token_type": "Bearer"}
        return 200, answer | ({"id_token": self.id_token(asked)} if self.with_id_token else {})

    def id_token(self, asked):
        now, key = int(time.time()), self.signs_with or self.keys[0]
        own = {"iss": self.url, "aud": CLIENT, "sub": self.person.get("sub"), "iat": now - 5, "exp": now + 60}
        claims = own | ({"nonce": asked["nonce"]} if "nonce" in asked else {}) | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        return encode({"alg": key.alg, "kid": key.kid} | self.header, claims, key.sign)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

"""An identity provider: it signs tokens and serves its public keys."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
CURVES = {"ES256": (ec.SECP256R1, "P-256", 32), "ES384": (ec.SECP384R1, "P-384", 48)}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, length=None):
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class Key:
    """One pair of keys for one algorithm."""

    def __init__(self, kid, alg="RS256"):
        self.kid, self.alg = kid, alg
        if alg in CURVES:
            self.private = ec.generate_private_key(CURVES[alg][0]())
        elif alg == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public(self):
        key, jwk = self.private.public_key(), {"kid": self.kid, "use": "sig", "alg": self.alg}
        if self.alg in CURVES:
            _, curve, length = CURVES[self.alg]
            point = key.public_numbers()
            return {**jwk, "kty": "EC", "crv": curve, "x": number(point.x, length), "y": number(point.y, length)}
        if self.alg == "EdDSA":
            return {**jwk, "kty": "OKP", "crv": "Ed25519", "x": b64(key.public_bytes_raw())}
        numbers = key.public_numbers()
        return {**jwk, "kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}

    def sign(self, message):
        if self.alg == "EdDSA":
            return self.private.sign(message)
        digest = HASHES[self.alg[2:]]()
        if self.alg in CURVES:
            length = CURVES[self.alg][2]
            r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(digest)))
            return r.to_bytes(length, "big") + s.to_bytes(length, "big")
        if self.alg.startswith("PS"):
            return self.private.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        return self.private.sign(message, padding.PKCS1v15(), digest)


def encode(header, claims, sign):
    signed = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
    return signed + "." + b64(sign(signed.encode()))


class Issuer:
    """A server with a discovery document and keys; `keys` may be exchanged at any time."""

    def __init__(self, audience="gateway"):
        self.audience = audience
        self.keys = [Key("one")]
        self.asked = []
        self.broken = False
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                status, body = issuer.answer(self.path)
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path):
        if self.broken:
            return 503, {}
        if path == "/.well-known/openid-configuration":
            return 200, {"issuer": self.url, "jwks_uri": self.url + "/keys"}
        if path == "/keys":
            return 200, {"keys": [key.public() for key in self.keys]}
        return 404, {}

    def claims(self, **claims):
        now = int(time.time())
        own = {"iss": self.url, "aud": self.audience, "sub": "ann", "iat": now - 5, "exp": now + 600}
        return {name: value for name, value in {**own, **claims}.items() if value is not None}

    def token(self, key=None, header=None, **claims):
        key = key or self.keys[0]
        return encode({"alg": key.alg, "kid": key.kid, "typ": "JWT", **(header or {})}, self.claims(**claims), key.sign)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

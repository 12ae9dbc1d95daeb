"""A small OpenID Connect provider on the loopback: real HTTP, real RS256, PKCE, codes good once."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from typing_extensions import override

CLIENT, SECRET = "gatepass", "s3cret"
DISCOVERY = "/.well-known/openid-configuration"


@cache
def key_called(name: str) -> RSAPrivateKey:
    """A signing key; the same again for the same name."""
    return generate_private_key(65537, 2048)


def encoded(raw: bytes) -> str:
    """Base64 as JOSE writes it."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(slots=True)
class OpenidProvider:
    """What it says of whom; tests change what they like.

    `instead` answers a path with a status, a body and headers of the test's choice.
    """

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    signed_with: str = "first"
    header: dict[str, Any] = field(default_factory=dict)
    instead: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    at: float = 0

    def back(self, address: str) -> str:
        """Somebody signs in at the address that it was led to; where it is sent back to."""
        query = {name: each[0] for name, each in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert set(query["scope"].split()) == {"openid", "email"}
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        answer = urlencode({"code": code, "state": query["state"], "iss": self.issuer})
        return f"{query['redirect_uri']}?{answer}"

    def id_token(self, nonce: str) -> str:
        """What is said of the person, signed."""
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "248289761001",
            "iat": int(self.at),
            "exp": int(self.at) + 300,
            "nonce": nonce,
            "email_verified": True,
        }
        header = {"alg": "RS256", "kid": "first", "typ": "JWT"} | self.header
        parts = (json.dumps(each).encode() for each in (header, claims | self.claims))
        signed = ".".join(encoded(each) for each in parts)
        if header["alg"] == "none":
            return f"{signed}."
        signature = key_called(self.signed_with).sign(signed.encode(), PKCS1v15(), SHA256())
        return f"{signed}.{encoded(signature)}"

    def discovery(self) -> dict[str, Any]:
        """Where everything is."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }

    def keys(self) -> dict[str, Any]:
        """The public keys."""
        numbers = key_called("first").public_key().public_numbers()
        n, e = (
            encoded(each.to_bytes((each.bit_length() + 7) // 8, "big"))
            for each in (numbers.n, numbers.e)
        )
        return {"keys": [{"kty": "RSA", "use": "sig", "kid": "first", "n": n, "e": e}]}

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """A code for an ID token, once, for the client and browser that asked."""
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        is_good = (
            asked is not None
            and base64.b64decode(authorization.removeprefix("Basic ")).decode()
            == f"{CLIENT}:{SECRET}"
            and form["redirect_uri"] == asked["redirect_uri"]
            and challenge == asked["code_challenge"]
        )
        if not is_good or asked is None:
            return 400, {"error": "invalid_grant"}
        token = self.id_token(asked["nonce"])
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": token}


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_GET(self) -> None:
        provider = self.server.provider
        known = {DISCOVERY: provider.discovery, "/jwks": provider.keys}
        self._answer(200, known[self.path]() if self.path in known else {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: each[0] for name, each in parse_qs(body).items()}
        self._answer(*self.server.provider.exchange(form, self.headers.get("authorization", "")))

    def _answer(self, status: int, content: Any) -> None:
        self.server.provider.asked.append(self.path)
        raw, more = json.dumps(content).encode(), {"content-type": "application/json"}
        status, raw, more = self.server.provider.instead.get(self.path, (status, raw, more))
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is written to the terminal."""


class _Server(ThreadingHTTPServer):
    provider: OpenidProvider


@contextmanager
def openid_provider() -> Iterator[OpenidProvider]:
    """A provider that listens until the end of the block."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.provider = OpenidProvider(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.provider
        server.shutdown()
        thread.join()

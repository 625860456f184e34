"""Providers of single sign-on: one of our own that insists on what the standards ask and lies when it is told to, and
one that others wrote, as a process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from secrets import token_urlsafe
from typing import Any, Self
from urllib.parse import unquote_plus

from aiohttp import ClientSession, ClientTimeout, CookieJar, web
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from yarl import URL

from gateway.app import listening

CLIENT, SECRET = "jiesu-desk", "p+ss/wörd"


@cache
def _key() -> RSAKey:
    """A key takes its time to make; one does for all tests that need no other."""
    return RSAKey.generate_key(2048, auto_kid=True)


@dataclass
class Provider:
    """Knows one person at a time; ``lies`` changes what a token says, ``broken`` what an address answers."""

    redirect: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "s-li", "preferred_username": "li"})
    lies: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    says: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, Any] = field(default_factory=dict)
    issuer: str = ""
    now: Any = time.time
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    wanted: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key: RSAKey | ECKey = _key()
        self.shown: RSAKey | ECKey | None = None
        self.forged = ""
        self.over = asyncio.Event()
        self.access: set[str] = set()
        self.info: dict[str, Any] = {}
        """What userinfo says of the person beside ``sub``."""

    def turns(self, key: RSAKey | ECKey | None = None) -> None:
        """Sign with another key from now on."""
        self.key = key or RSAKey.generate_key(2048, auto_kid=True)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve inside the block, on loopback."""
        app = web.Application()
        app.router.add_get("/realm/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/realm/auth", self._auth)
        app.router.add_get("/realm/keys", self._keys)
        app.router.add_post("/realm/token", self._token)
        app.router.add_get("/realm/userinfo", self._userinfo)
        async with listening(app, "127.0.0.1", 0) as port:
            self.issuer = f"http://127.0.0.1:{port}/realm"
            try:
                yield self.issuer
            finally:
                self.over.set()

    async def _discovery(self, request: web.Request) -> web.StreamResponse:
        at = self.issuer
        document = {
            "issuer": at,
            "authorization_endpoint": f"{at}/auth",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/keys",
            "end_session_endpoint": f"{at}/out?of=realm",
            "userinfo_endpoint": f"{at}/userinfo",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return await self._answer("discovery", document | self.says)

    async def _keys(self, request: web.Request) -> web.StreamResponse:
        return await self._answer("keys", dict(KeySet([self.shown or self.key]).as_dict(private=False)))

    async def _auth(self, request: web.Request) -> web.StreamResponse:
        self.asked.append("auth")
        self.wanted = asked = dict(request.query)
        good = asked["client_id"] == CLIENT and asked["redirect_uri"] == self.redirect
        assert asked["response_type"] == "code"
        assert "openid" in asked["scope"].split()
        if not good or asked.get("code_challenge_method") != "S256":
            raise web.HTTPBadRequest
        back = {"state": asked["state"], "iss": self.issuer}
        if asked.get("prompt") == "none":
            raise web.HTTPFound(URL(self.redirect) % {**back, "error": "login_required"})
        code = token_urlsafe(16)
        self.codes[code] = asked
        raise web.HTTPFound(URL(self.redirect) % {**back, "code": code})

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = dict(await request.post())
        # What a code is worth it is worth once.
        asked = self.codes.pop(str(form["code"]), None)
        given = b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode().split(":")
        known = [unquote_plus(each) for each in given] == [CLIENT, SECRET]
        proved = asked and create_s256_code_challenge(form["code_verifier"]) == asked["code_challenge"]
        if not (known and proved and form["redirect_uri"] == self.redirect):
            return web.json_response({"error": "invalid_grant"}, status=400)
        assert asked is not None
        return await self._answer("token", self._tokens(asked["nonce"]))

    async def _userinfo(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.access:
            return web.json_response({"error": "invalid_token"}, status=401)
        return await self._answer("userinfo", {"sub": self.person["sub"], **self.info})

    def over_for(self, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """Return a logout token, as the standard wants it but for the changes; None leaves a claim out."""
        now = int(self.now())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 120,
            "jti": token_urlsafe(8),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(
            {"alg": "RS256", "kid": self.key.kid, "typ": "logout+jwt"} | (header or {}), claims, self.key
        )

    def _tokens(self, nonce: str) -> dict[str, Any]:
        access, now = token_urlsafe(16), int(self.now())
        self.access.add(access)
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            "at_hash": create_half_hash(access, "RS256").decode(),
            **self.person,
            **self.lies,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        algorithm = "ES256" if isinstance(self.key, ECKey) else "RS256"
        header = {"alg": algorithm, "kid": self.key.kid} | self.header
        token = self.forged or jwt.encode(header, claims, self.key, algorithms=["RS256", "ES256"])
        return {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": token}

    async def _answer(self, name: str, body: dict[str, Any]) -> web.StreamResponse:
        self.asked.append(name)
        broken = self.broken.get(name)
        if callable(broken):
            return await broken(self, body)
        return web.json_response(body)


async def hangs(provider: Provider, body: Any) -> web.StreamResponse:
    """Answer nothing as long as the provider is served; whoever asks goes first."""
    await provider.over.wait()
    return web.Response(status=504)


async def huge(provider: Provider, body: dict[str, Any]) -> web.StreamResponse:
    """Answer far more than anybody needs."""
    return web.json_response(body | {"more": "x" * 3_000_000})


async def breaks(provider: Provider, body: Any) -> web.StreamResponse:
    """Answer what is no document."""
    return web.Response(status=502, text="<h1>Bad Gateway</h1>")


@dataclass
class Told:
    """Where a browser ended, and what stood there."""

    status: int
    path: str
    text: str
    headers: Any


class Person:
    """A browser of somebody who logs in: it goes where it is sent, with its cookies."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.http = ClientSession(cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=30))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.http.close()

    async def goes(self, url: str) -> Told:
        async with self.http.get(url, headers={"Accept": "text/html"}) as answer:
            return Told(answer.status, answer.url.path, await answer.text(), answer.headers)

    async def enters(self) -> Told:
        """Press the button and go the whole way."""
        return await self.goes(f"{self.site}/desk/sso")

    async def leaves(self) -> str:
        """Press the button and return where the provider is."""
        async with self.http.get(f"{self.site}/desk/sso", allow_redirects=False) as answer:
            return str(answer.headers.get("Location", ""))

    async def proves(self) -> str:
        """Go to the provider and return where it sends back to."""
        async with self.http.get(URL(await self.leaves(), encoded=True), allow_redirects=False) as answer:
            return answer.headers["Location"]

    async def codes(self, code: str, **headers: str) -> Told:
        async with self.http.post(
            f"{self.site}/desk/sso/code", data={"code": code}, headers=headers
        ) as answer:
            return Told(answer.status, answer.url.path, await answer.text(), answer.headers)

    async def me(self) -> dict[str, Any]:
        """Ask the desk who this is; empty when nobody is in."""
        async with self.http.get(f"{self.site}/desk/api/me") as answer:
            return dict(await answer.json()) if answer.status == 200 else {}

    async def asks(self, path: str, csrf: str) -> tuple[int, Any]:
        async with self.http.post(f"{self.site}/desk/api/{path}", headers={"X-CSRF": csrf}) as answer:
            return answer.status, await answer.json() if answer.status == 200 else None


@contextmanager
def stranger(*arguments: str) -> Iterator[str]:
    """Run a provider that others wrote inside the block, and give its issuer."""
    command = [sys.executable, "-u", "-W", "ignore", "-m", "oidc_provider_mock", "--port", "0", *arguments]
    quiet = os.environ | {"NO_COLOR": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=quiet) as process:
        assert process.stderr is not None
        try:
            line = next(line for line in process.stderr if "running on" in line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, line
            yield found.group()
        finally:
            process.terminate()


def known(issuer: str, sub: str, **claims: Any) -> None:
    """Tell the strangers' provider who somebody is."""
    request = urllib.request.Request(
        f"{issuer}/users/{sub}",
        json.dumps(claims).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request).close()

"""A provider of single sign-on: OpenID Connect Core 1.0 by code with PKCE, Back-Channel Logout 1.0, checked by Authlib and joserfc.

Its discovery document and its keys are kept for an hour. A token that no kept key has signed makes the keys be fetched
once more, once a minute at most; a provider that does not answer is left alone for some seconds. This module takes a
quarter of a second to import and is imported only where single sign-on is set.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote_plus

from aiohttp import encode_basic_auth
from authlib.common.security import is_secure_transport
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, ClaimError, InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet
from joserfc.jws import JWSRegistry

from channels.contract import SendError
from channels.http import get_json, post
from gateway.runtime import millis
from gateway.web.desk.vouching import Ended, NotVouched, Vouched, Why

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from aiohttp import ClientSession
    from joserfc.jwk import Key

    from gateway.desk_settings import Oidc
    from gateway.web.desk.vouching import Attempt

BACK = "/desk/sso/back"
"""Where the provider sends people back to, below ``public_url``; it must be registered there."""
HOME = "/desk"
WELL_KNOWN = "/.well-known/openid-configuration"
SECONDS = 5.0
KEPT = timedelta(hours=1)
RENEWED = timedelta(minutes=1)
LEFT_ALONE = timedelta(seconds=10)
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST = 12 * 3600
"""Seconds for which a logout token is believed at most: shorter than what was taken is remembered."""
LEEWAY = 120
"""Seconds by which the provider's clock may differ from ours."""
ALGORITHMS = frozenset(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512))
"""Signatures by keys that only the provider has: never ``none``, and no HS, whose key anybody might know."""
_KINDS = frozenset({"RSA", "EC"})
_KEYS = 50
_WEAK = 342
"""Characters of base64url below which an RSA modulus has fewer than 2048 bits."""
_LOGIN = 64
_TOKEN = 8192
_SUBJECT = 255
_CODE = 4096
_PLAIN = re.compile(r"[a-z_]{1,40}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is used of a discovery document (OpenID Connect Discovery 1.0, section 3); ``farewell``, ``userinfo`` may be empty."""

    authorization: str
    token: str
    keys: str
    farewell: str
    userinfo: str
    algorithms: frozenset[str]
    posts_secret: bool
    names_itself: bool
    proves_codes: bool


class _Kept(Generic[T]):
    """Something of the provider's that is fetched when it is needed, by one at a time, and kept for a while."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = asyncio.Lock()
        self._value: T | None = None
        self._at: datetime | None = None
        self._failed: tuple[datetime, NotVouched] | None = None

    async def get(self, within: timedelta = KEPT) -> T:
        """Return it as it was at most so long ago; raises NotVouched."""
        async with self._lock:
            now = self._now()
            if self._value is not None and self._at is not None and now - self._at < within:
                return self._value
            if self._failed is not None and now - self._failed[0] < LEFT_ALONE:
                raise self._failed[1]
            try:
                self._value = await self._fetch()
            except NotVouched as error:
                self._failed = (now, error)
                raise
            self._at, self._failed = now, None
            return self._value


class Provider:
    """One provider, asked over HTTP; ``site`` is our own public address."""

    def __init__(
        self, settings: Oidc, *, http: ClientSession, site: str, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._http = http
        self._now = now
        self.redirect, self._home = site.rstrip("/") + BACK, site.rstrip("/") + HOME
        self._metadata = _Kept(self._discover, now)
        self._keys = _Kept(self._fetch_keys, now)

    async def metadata(self) -> Metadata:
        """Return what the provider says of itself; raises NotVouched."""
        return await self._metadata.get()

    async def keys(self) -> int:
        """Return how many of the provider's keys can be used; raises NotVouched."""
        return len((await self._keys.get()).keys)

    async def begin(self, attempt: Attempt, **more: str) -> str:
        """Return where a browser is sent to prove itself; raises NotVouched."""
        found, settings = await self.metadata(), self._settings
        wanted: dict[str, str] = {"acr_values": " ".join(settings.acr)} if settings.acr else {}
        if settings.max_age_minutes is not None:
            wanted["max_age"] = str(settings.max_age_minutes * 60)
        return str(
            prepare_grant_uri(
                found.authorization,
                settings.client_id,
                "code",
                redirect_uri=self.redirect,
                scope=list(settings.scope),
                state=attempt.state,
                nonce=attempt.nonce,
                code_challenge=create_s256_code_challenge(attempt.verifier),
                code_challenge_method="S256",
                **wanted,
                **more,
            )
        )

    async def redeem(self, answer: Mapping[str, str], attempt: Attempt) -> Vouched:
        """Return who somebody is whom the provider sent back; raises NotVouched."""
        found, code = await self.metadata(), answer.get("code", "")
        given = answer.get("iss")
        if given != self._settings.issuer and (given is not None or found.names_itself):
            raise NotVouched(Why.FALSE, "an answer of another issuer (RFC 9207)")
        if "error" in answer or not 0 < len(code) <= _CODE:
            raise NotVouched(Why.DENIED, _plain(answer.get("error")))
        tokens = await self._exchange(found, code, attempt.verifier)
        with _believed():
            claims = await self._claims(found, tokens, attempt)
            known = await self._completed(found, claims, tokens.get("access_token"))
        return Vouched(
            self._login(known),
            self._subject(claims["sub"]),
            str(tokens["id_token"]),
            self._session(claims.get("sid")),
        )

    async def ended(self, logout_token: str) -> Ended:
        """Return what a logout token says is over (Back-Channel Logout 2.6); raises NotVouched."""
        found = await self.metadata()
        with _believed():
            if len(logout_token) > _TOKEN:
                raise NotVouched(Why.FALSE, "too large")
            token = await self._decoded(found, logout_token)
            claims, subject = token.claims, token.claims.get("sub")
            self._prove_logout(token.header, claims)
        return Ended(
            self._subject(subject) if subject is not None else "",
            self._session(claims.get("sid")),
            f"{self._settings.issuer} {claims['jti']}",
        )

    async def farewell(self, id_token: str) -> str:
        """Return where a browser logs out at the provider too (OpenID Connect RP-Initiated Logout 1.0)."""
        found = await self.metadata()
        if not found.farewell:
            return ""
        given = [("client_id", self._settings.client_id), ("post_logout_redirect_uri", self._home)]
        if id_token:
            given.append(("id_token_hint", id_token))
        return str(add_params_to_uri(found.farewell, given))

    async def _discover(self) -> Metadata:
        document = await self._asked(self._settings.issuer.rstrip("/") + WELL_KNOWN)
        if document.get("issuer") != self._settings.issuer:
            raise NotVouched(Why.AWAY, "the discovery document is another issuer's")
        algorithms = ALGORITHMS & _words(document, "id_token_signing_alg_values_supported")
        methods = _words(document, "token_endpoint_auth_methods_supported")
        return Metadata(
            authorization=self._address(document, "authorization_endpoint"),
            token=self._address(document, "token_endpoint"),
            keys=self._address(document, "jwks_uri"),
            farewell=self._address(document, "end_session_endpoint", needed=False),
            userinfo=self._address(document, "userinfo_endpoint", needed=False),
            # RS256 is what every provider has (Core 15.1).
            algorithms=algorithms or frozenset({"RS256"}),
            posts_secret="client_secret_post" in methods and "client_secret_basic" not in methods,
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
            proves_codes="S256" in _words(document, "code_challenge_methods_supported"),
        )

    def _address(self, document: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
        """Return an address of the provider's; one that is not over TLS counts only where the issuer is this machine."""
        given = document.get(name)
        if given is None and not needed:
            return ""
        local = not self._settings.issuer.startswith("https:")
        if isinstance(given, str) and is_secure_transport(given) and (local or given.startswith("https:")):
            return given
        raise NotVouched(Why.AWAY, f"the discovery document has no safe {name}")

    async def _fetch_keys(self) -> KeySet:
        document = await self._asked((await self.metadata()).keys)
        listed = document.get("keys")
        keys = [_key(each) for each in listed[:_KEYS]] if isinstance(listed, list) else []
        good = [key for key in keys if key is not None]
        if not good:
            raise NotVouched(Why.AWAY, "no key that can be used")
        return KeySet(good)

    async def _asked(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            return await get_json(self._http, url, query={}, seconds=SECONDS, headers=headers)
        except SendError as error:
            raise NotVouched(Why.AWAY, error.detail or error.reason.value) from error

    async def _exchange(self, found: Metadata, code: str, verifier: str) -> dict[str, Any]:
        """Return what a code is worth (RFC 6749 4.1.3); our own name and secret go along as the provider wants them."""
        settings, headers = self._settings, {"Content-Type": "application/x-www-form-urlencoded"}
        given = {"code": code, "code_verifier": verifier}
        secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
        if secret and not found.posts_secret:
            # Both are form-encoded first (RFC 6749 2.3.1).
            headers["Authorization"] = encode_basic_auth(quote_plus(settings.client_id), quote_plus(secret))
        else:
            given |= {"client_id": settings.client_id} | ({"client_secret": secret} if secret else {})
        form = prepare_token_request("authorization_code", "", self.redirect, **given)
        try:
            tokens = await post(self._http, found.token, form.encode(), headers=headers, seconds=SECONDS)
        except SendError as error:
            raise NotVouched(Why.AWAY, error.detail or error.reason.value) from error
        if "error" in tokens or not isinstance(tokens.get("id_token"), str):
            raise NotVouched(Why.DENIED, f"token endpoint: {_plain(tokens.get('error'))}")
        return tokens

    async def _claims(self, found: Metadata, tokens: Mapping[str, Any], attempt: Attempt) -> CodeIDToken:
        """Return the claims of an ID token that holds (Core 3.1.3.7)."""
        settings = self._settings
        token = await self._decoded(found, tokens["id_token"])
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": settings.issuer},
                "aud": {"essential": True, "value": settings.client_id},
            },
            params={
                "nonce": attempt.nonce,
                "client_id": settings.client_id,
                "access_token": tokens.get("access_token"),
                "max_age": settings.max_age_minutes,
            },
        )
        claims.validate(millis(self._now()) // 1000, LEEWAY)
        self._judge(claims, attempt)
        return claims

    async def _decoded(self, found: Metadata, token: str) -> jwt.Token:
        """Return a token that the provider signed; by a key that is not known it makes the keys be fetched."""
        registry = JWSRegistry(algorithms=list(found.algorithms), strict_check_header=False)
        try:
            return jwt.decode(token, await self._keys.get(), registry=registry)
        except (InvalidKeyIdError, BadSignatureError):
            return jwt.decode(token, await self._keys.get(RENEWED), registry=registry)

    async def _completed(self, found: Metadata, claims: Mapping[str, Any], access: Any) -> Mapping[str, Any]:
        """Return the claims, with what userinfo says of the person where the login is not among them (Core 5.3)."""
        settings = self._settings
        if settings.claim in claims or not found.userinfo or not isinstance(access, str):
            return claims
        # A line break in a header's value would be another header.
        if not access.isascii() or not access.isprintable():
            raise NotVouched(Why.FALSE, "access_token")
        said = await self._asked(found.userinfo, headers={"Authorization": f"Bearer {access}"})
        if said.get("sub") != claims["sub"]:
            raise NotVouched(Why.FALSE, "userinfo of another sub")
        return said | dict(claims)

    def _prove_logout(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
        """Check a logout token whose signature holds (Back-Channel Logout 2.4 and 2.6); raises JoseError, NotVouched."""
        settings, now = self._settings, millis(self._now()) // 1000
        jwt.JWTClaimsRegistry(
            now,
            LEEWAY,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.client_id},
            iat={"essential": True},
            exp={"essential": True},
            jti={"essential": True},
        ).validate(dict(claims))
        events = claims.get("events")
        named = [claims[name] for name in ("sub", "sid") if claims.get(name) is not None]
        wrong = {
            # Explicit typing, where there is any, tells it from every other kind of token (2.4).
            "typ": str(header.get("typ", "JWT")).lower()
            not in {"jwt", "logout+jwt", "application/logout+jwt"},
            "events": not isinstance(events, dict) or not isinstance(events.get(LOGOUT), dict),
            "nonce": "nonce" in claims,
            "jti": not isinstance(claims["jti"], str),
            "iat": claims["iat"] < now - LONGEST,
            "exp": claims["exp"] > now + LONGEST + LEEWAY,
            "sub or sid": not named
            or not all(isinstance(each, str) and 0 < len(each) <= _SUBJECT for each in named),
        }
        if faults := [name for name, true in wrong.items() if true]:
            raise NotVouched(Why.FALSE, f"logout token: {faults[0]}")

    def _subject(self, sub: str) -> str:
        return f"{self._settings.issuer} {sub}"

    def _session(self, sid: Any) -> str:
        """Return the hash of a session there, empty for none."""
        if not isinstance(sid, str) or not 0 < len(sid) <= _SUBJECT:
            return ""
        return hashlib.sha256(f"{self._settings.issuer} {sid}".encode()).hexdigest()

    def _judge(self, claims: Mapping[str, Any], attempt: Attempt) -> None:
        """Check what Authlib leaves to us: the age, the strength, and that there is somebody."""
        settings = self._settings
        if claims["iat"] < attempt.began // 1000 - LEEWAY:
            raise NotVouched(Why.FALSE, "issued before it was asked for")
        if not 0 < len(claims["sub"]) <= _SUBJECT:
            raise NotVouched(Why.FALSE, "sub")
        if settings.max_age_minutes is not None:
            oldest = millis(self._now()) // 1000 - settings.max_age_minutes * 60 - LEEWAY
            if claims["auth_time"] < oldest:
                raise NotVouched(Why.WEAK, "auth_time")
        if settings.acr and claims.get("acr") not in settings.acr:
            raise NotVouched(Why.WEAK, "acr")
        if settings.amr and not set(settings.amr) & set(claims.get("amr") or ()):
            raise NotVouched(Why.WEAK, "amr")

    def _login(self, claims: Mapping[str, Any]) -> str:
        claim, domain = self._settings.claim, self._settings.domain
        login = claims.get(claim)
        if not isinstance(login, str) or not 0 < len(login) <= _LOGIN:
            raise NotVouched(Why.NAMELESS, "no such claim")
        if claim == "email" and claims.get("email_verified") is not True:
            raise NotVouched(Why.NAMELESS, "email_verified")
        if domain:
            login, _, behind = login.rpartition("@")
            if behind.casefold() != domain.casefold():
                raise NotVouched(Why.NAMELESS, "another domain")
        return login


@contextmanager
def _believed() -> Iterator[None]:
    """Make of whatever is wrong with a token that it is not to be believed."""
    try:
        yield
    except JoseError as error:
        claim = f" {error.claim}" if isinstance(error, ClaimError) else ""
        raise NotVouched(Why.FALSE, f"{error.error}{claim}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotVouched(Why.FALSE, type(error).__name__) from error


def _key(given: Any) -> Key | None:
    """Return a public key for signatures, None for what is none or is weak."""
    if not isinstance(given, dict) or given.get("kty") not in _KINDS or given.get("use", "sig") != "sig":
        return None
    if given["kty"] == "RSA" and len(str(given.get("n"))) < _WEAK:
        return None
    try:
        return JWKRegistry.import_key(given)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _words(document: Mapping[str, Any], name: str) -> frozenset[str]:
    listed = document.get(name)
    return (
        frozenset(each for each in listed if isinstance(each, str))
        if isinstance(listed, list)
        else frozenset()
    )


def _plain(error: Any) -> str:
    """Return a provider's word for what went wrong, if it is a plain word."""
    return error if isinstance(error, str) and _PLAIN.fullmatch(error) else "no reason given"

"""What stands in the way of single sign-on, and what to do about it (``jiesu doctor``)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from aiohttp import ClientError, ClientTimeout
from yarl import URL

from channels.contract import Finding
from gateway.web.desk.provider import SECONDS, WELL_KNOWN, Provider
from gateway.web.desk.vouching import Attempt, NotVouched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp import ClientSession

    from gateway.desk_settings import Oidc

SKEW = 30.0
"""Seconds by which the provider's clock may differ without anybody noticing."""
_TRY = Attempt("doctor", 0, "doctor", "doctor", "doctor" * 8)


async def examine(
    oidc: Oidc, *, http: ClientSession, site: str, now: Callable[[], datetime]
) -> Sequence[Finding]:
    """Ask the provider for its papers, its clock, and whether it would send people back to us; nobody logs in."""
    provider = Provider(oidc, http=http, site=site, now=now)
    try:
        found = await provider.metadata()
        keys = await provider.keys()
    except NotVouched as error:
        cure = f"请核对 desk.oidc.issuer，并确认本机能打开 {oidc.issuer.rstrip('/')}{WELL_KNOWN}"
        return [Finding(ok=False, what=f"单点登录：统一认证没有可用的回答（{error.detail}）", cure=cure)]
    findings = [
        Finding(ok=True, what=f"单点登录：{oidc.issuer} 可用，签发者一致，公钥 {keys} 把"),
        await _clock(oidc, http, now),
        await _returns(provider, http),
    ]
    if not found.proves_codes:
        cure = "请升级统一认证，或在它那里打开 PKCE"
        findings.append(Finding(ok=False, what="单点登录：统一认证没有说它支持 PKCE（S256）", cure=cure))
    if not site.startswith("https://"):
        cure = "在前面加 TLS 代理，把 public_url 改成 https://…"
        findings.append(Finding(ok=False, what="单点登录：public_url 不是 https", cure=cure))
    return findings


async def _clock(oidc: Oidc, http: ClientSession, now: Callable[[], datetime]) -> Finding:
    url = oidc.issuer.rstrip("/") + WELL_KNOWN
    try:
        async with http.get(url, timeout=ClientTimeout(total=SECONDS)) as answer:
            theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (ClientError, TimeoutError, ValueError):
        return Finding(ok=True, what="单点登录：统一认证没有说它的时间，时钟无法核对")
    skew = abs((theirs.replace(tzinfo=theirs.tzinfo or UTC) - now()).total_seconds())
    if skew <= SKEW:
        return Finding(ok=True, what="单点登录：时钟与统一认证一致")
    cure = "两边都请开启 NTP 对时；相差两分钟以上，登录会被拒绝"
    return Finding(ok=False, what=f"单点登录：时钟与统一认证相差 {skew:.0f} 秒", cure=cure)


async def _returns(provider: Provider, http: ClientSession) -> Finding:
    """Ask for a login that needs nobody (``prompt=none``): a provider that knows us sends back to our address."""
    address = await provider.begin(_TRY, prompt="none")
    try:
        async with http.get(
            URL(address, encoded=True), allow_redirects=False, timeout=ClientTimeout(total=SECONDS)
        ) as answer:
            status, to = answer.status, answer.headers.get("Location", "")
    except (ClientError, TimeoutError) as error:
        cure = "请检查统一认证的登录地址"
        return Finding(ok=False, what=f"单点登录：登录页没有回应（{type(error).__name__}）", cure=cure)
    if to.startswith(provider.redirect) and "invalid" not in to and "unauthorized" not in to:
        return Finding(ok=True, what=f"单点登录：回跳地址 {provider.redirect} 已登记")
    if status < 400:
        return Finding(
            ok=True, what=f"单点登录：请在浏览器里试一次登录；回跳地址应登记为 {provider.redirect}"
        )
    cure = f"请在统一认证里核对 client_id，并把回跳地址登记为 {provider.redirect}"
    return Finding(ok=False, what=f"单点登录：统一认证不接受本系统（HTTP {status}）", cure=cure)

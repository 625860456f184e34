"""Whether an account is as it must be: its callback reached from outside, its templates there and fit (``jiesu wechat check``)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from channels.contract import Finding, SendError
from channels.wechat.trouble import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiohttp import ClientSession

    from channels.wechat.api import Api
    from channels.wechat.settings import Template

SECONDS = 10.0
TEMPLATES, SUBSCRIPTIONS = "/cgi-bin/template/get_all_private_template", "/wxaapi/newtmpl/gettemplate"
_LONG_TERM = 3
"""The ``type`` of a subscribe message's template that a person agrees to for good; 2 is one message at a time."""


def echo() -> str:
    """Return a string as the console asks for: digits that nobody can guess."""
    return str(secrets.randbelow(10**19))


async def reached(
    account: str, public_url: str, http: ClientSession, query: Mapping[str, str], words: str
) -> Finding:
    """Call our own address from outside as the console does, and say whether it answers with the words."""
    named = f"{account}：回调地址"
    if not public_url:
        cure = '在配置里写明 public_url，例如 "https://12345.example.gov.cn"'
        return Finding(ok=False, what=f"{named}没有核对", cure=cure)
    address = URL(public_url) / "channels" / account
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with http.get(address, params=query, timeout=timeout, allow_redirects=False) as answer:
            told, status = await answer.content.read(len(words) + 1), answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        cure = "检查域名、证书、防火墙和反向代理；微信只访问 80 和 443 端口"
        return Finding(ok=False, what=f"{named} {address} 连不上（{type(error).__name__}）", cure=cure)
    if told.decode("utf-8", "replace") == words:
        return Finding(ok=True, what=f"{named} {address} 可以访问，签名相符")
    cure = "401 表示 token 与后台上填的不一致；404 表示反向代理没有把 /channels/ 转给接诉"
    return Finding(ok=False, what=f"{named} {address} 答复不对（HTTP {status}）", cure=cure)


async def templates(account: str, wanted: Mapping[str, Template], api: Api) -> Sequence[Finding]:
    """Say of each template message's template whether it is there and has the fields that are sent."""
    known = await _listed(account, api, TEMPLATES, "template_list") if wanted else []
    if isinstance(known, Finding):
        return [known]
    by_id = {str(each.get("template_id")): each for each in known}
    return [
        _one(f"{account}：{notice} 的模板 {each.id}", each, by_id.get(each.id), "模板消息")
        for notice, each in wanted.items()
    ]


async def subscriptions(account: str, wanted: Mapping[str, Template], api: Api) -> Sequence[Finding]:
    """Say of each subscribe message's template whether it is there, fits, and is agreed to as the settings say."""
    known = await _listed(account, api, SUBSCRIPTIONS, "data") if wanted else []
    if isinstance(known, Finding):
        return [known]
    by_id = {str(each.get("priTmplId")): each for each in known}
    return [
        _one(f"{account}：{notice} 的订阅模板 {each.id}", each, by_id.get(each.id), "订阅消息")
        for notice, each in wanted.items()
    ]


async def _listed(account: str, api: Api, path: str, name: str) -> Sequence[Mapping[str, Any]] | Finding:
    """Return the objects of a list that the platform tells, or what is wrong when it does not."""
    try:
        answer = await api.ask(path)
    except SendError as error:
        return finding(account, error)
    return [each for each in answer.get(name) or [] if isinstance(each, dict)]


def _one(what: str, template: Template, known: Mapping[str, Any] | None, place: str) -> Finding:
    if known is None:
        cure = f"在公众平台“{place}”里核对模板 ID，或重新添加"
        return Finding(ok=False, what=f"{what} 不存在", cure=cure)
    if missing := _missing(template.fields or ("case_no", "text"), str(known.get("content", ""))):
        cure = "模板里要有这些字段；或在配置里把 fields 改成模板里的字段"
        return Finding(ok=False, what=f"{what} 没有字段 {'、'.join(missing)}", cure=cure)
    if "type" in known and (known["type"] != _LONG_TERM) is not template.once:
        kind, once = ("长期", "false") if template.once else ("一次性", "true")
        cure = f"在配置里把这个模板的 once 改成 {once}"
        return Finding(ok=False, what=f"{what} 是{kind}订阅，与配置的 once 不一致", cure=cure)
    return Finding(ok=True, what=f"{what} 存在，字段相符")


def _missing(fields: Iterable[str], content: str) -> list[str]:
    return [field for field in fields if f"{{{{{field}.DATA}}}}" not in content]

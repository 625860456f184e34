"""Notices by template as the platform has them: consents, rules of fields, and results that come later (wechat.md 2.6)."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from gateway.sandbox.platform import error

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.driver import Driver
    from gateway.sandbox.platform import Person, Platform

_KIND = re.compile("[a-z_]+")
_RULES: dict[str, Callable[[str], bool]] = {
    "thing": lambda value: 0 < len(value) <= 20,
    "number": lambda value: re.fullmatch(r"[0-9.]{1,32}", value) is not None,
    "letter": lambda value: re.fullmatch("[A-Za-z]{1,32}", value) is not None,
    "symbol": lambda value: 0 < len(value) <= 5,
    "character_string": lambda value: re.fullmatch(r"[!-~]{1,32}", value) is not None,
    "phrase": lambda value: re.fullmatch("[\u4e00-\u9fff]{1,5}", value) is not None,
    "name": lambda value: 0 < len(value) <= 10,
}
"""What each kind of field takes; a wrong one fails the whole message and is named."""


class Notify:
    """The notices of one account; ``twice`` tells each result two times, ``early`` before the send itself is answered."""

    def __init__(self, platform: Platform, driver: Driver) -> None:
        self._platform = platform
        self._driver = driver
        self._numbers = itertools.count(9_000_000_001)
        self._telling: set[asyncio.Task[Any]] = set()
        self.consents: Counter[tuple[str, str]] = Counter()
        self.long: set[tuple[str, str]] = set()
        self.templates: frozenset[str] | None = None
        self.twice = False
        self.early = False
        platform.before_answer = self._told

    async def agrees(self, person: Person, template: str, *, long: bool = False) -> None:
        """Let a person agree to a template: to one message, or for good."""
        if long:
            self.long.add((person.openid, template))
        else:
            self.consents[person.openid, template] += 1
        await self._tell(
            person,
            "Popup",
            f"<TemplateId>{template}</TemplateId><SubscribeStatusString>accept</SubscribeStatusString>",
        )

    async def withdraws(self, person: Person, template: str) -> None:
        """Let a person agree no more."""
        self.long.discard((person.openid, template))
        del self.consents[person.openid, template]
        await self._tell(
            person,
            "Change",
            f"<TemplateId>{template}</TemplateId><SubscribeStatusString>reject</SubscribeStatusString>",
        )

    def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Deliver a message to who agreed to its template, follower or not."""
        openid, template = str(body.get("touser", "")), str(body.get("template_id", ""))
        person = self._platform.people.get(openid)
        if person is None:
            return error(40003, "invalid openid")
        if self.templates is not None and template not in self.templates:
            return error(40037, "invalid template_id")
        values = {name: str(each.get("value", "")) for name, each in dict(body.get("data", {})).items()}
        for name, value in values.items():
            kind = _KIND.match(name)
            rule = _RULES.get(kind.group() if kind else "")
            if rule is not None and not rule(value):
                return error(47003, f"argument invalid! data.{name}.value is invalid")
        key = (openid, template)
        if key not in self.long:
            if self.consents[key] <= 0:
                return error(43101, "user refuse to accept the msg")
            self.consents[key] -= 1
        number = str(next(self._numbers))
        blocked = openid in self._platform.blocked
        if not blocked:
            self._platform.counts["subscribe"] += 1
            self._platform.said(person, "account", " / ".join(values.values()), "subscribe")
        self._later(person, template, number, blocked=blocked)
        return error(0, "ok") | {"msgid": number}

    def sent_template(self, person: Person, number: str, *, blocked: bool) -> None:
        """Tell later what became of a template message."""
        status = "failed:user block" if blocked else "success"
        fields = {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": number, "Status": status}
        for _ in range(2 if self.twice else 1):
            self._begin(self._driver.bring(person, fields))

    async def _told(self) -> None:
        """Wait until what is to be told early was told."""
        if self.early and self._telling:
            await asyncio.wait(self._telling)

    def _later(self, person: Person, template: str, number: str, *, blocked: bool) -> None:
        code, status = ("1", "user block") if blocked else ("0", "success")
        item = f"<TemplateId>{template}</TemplateId><MsgID>{number}</MsgID><ErrorCode>{code}</ErrorCode><ErrorStatus>{status}</ErrorStatus>"
        for _ in range(2 if self.twice else 1):
            self._begin(self._tell(person, "Sent", item))

    async def _tell(self, person: Person, what: str, item: str) -> None:
        event = f"subscribe_msg_{what.lower()}_event"
        inside = f"<SubscribeMsg{what}Event><List>{item}</List></SubscribeMsg{what}Event>"
        message = self._driver.message(person.openid, {"MsgType": "event", "Event": event})
        await self._driver.carry(person, message.replace("</xml>", f"{inside}</xml>"))

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

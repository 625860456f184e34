"""The platform of 微信客服: a corporation's talks, fetched by mark and answered within a window (wechat.md 2.5, 2.9).

Written from the platform's documents, apart from the product's own adapter. A talk is a list of entries by everybody
in it; calls only say that it has grown. Time comes from an injected clock, in seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import xmltodict
from aiohttp import ClientError, ClientTimeout
from wechatpy.crypto import WeChatCrypto

from gateway.sandbox.outgoing import shown
from gateway.sandbox.platform import Fault, Line, error
from gateway.sandbox.rules import CORPORATION, line_of, mime_of, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientSession

    from gateway.sandbox.rules import Choices

HOUR = 3600.0
WINDOW, COUNT = 48 * HOUR, 5
GREETING = 20.0
TOKEN_LIFE = 7200
CALL_TOKEN_LIFE = 600.0
LARGEST_PAGE = 1000
LONGEST = 2048
_MSGID = re.compile(r"[0-9A-Za-z_-]{1,32}")
_MOVES = {0: {1, 2, 3, 4}, 1: {2, 3, 4}, 2: {3, 4}, 3: {3, 4}, 4: set()}
"""Where a talk may be given from each state."""


@dataclass(slots=True)
class KfSettings:
    """The corporation's account as the platform has it; ``callback_url`` is called when something was said."""

    corp_id: str
    secret: str
    token: str
    aes_key: str
    open_kfid: str
    callback_url: str = ""


@dataclass(slots=True)
class Client:
    """A citizen at the account: the talk as he sees it, and the leave the account has to write to him."""

    user: str
    name: str
    lines: list[Line] = field(default_factory=list)
    window_until: float = 0.0
    window_left: int = 0
    state: int = 0
    greeted: bool = False


class Kf:
    """The platform's memory and rules; ``fails`` are people whom nothing reaches although it was taken."""

    def __init__(self, settings: KfSettings, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.clock = clock
        self.http: ClientSession | None = None
        self.people: dict[str, Client] = {}
        self.entries: list[dict[str, Any]] = []
        self.media: dict[str, tuple[bytes, str]] = {}
        self.counts: Counter[str] = Counter()
        self.faults: dict[str, deque[Fault]] = {}
        self.weather: Callable[[str], Fault | None] = lambda _: None
        self.watchers: set[Callable[[], None]] = set()
        self.fails: set[str] = set()
        self.silent = False
        """Whether calls are lost."""
        self.empty_pages = 0
        """How many pages bring nothing before the next that does."""
        self.largest_page = LARGEST_PAGE
        self._token, self._token_until = "", 0.0
        self._codes: dict[str, tuple[str, float]] = {}
        self._call_tokens: dict[str, float] = {}
        self._sent: dict[str, str] = {}
        self._crypto = WeChatCrypto(settings.token, settings.aes_key, settings.corp_id)

    def person(self, user: str, name: str = "") -> Client:
        """Return a person, known from now on."""
        return self.people.setdefault(user, Client(user, name or user))

    async def come(self, person: Client, scene: str = "") -> None:
        """Let a person enter the talk; whoever never wrote and was never greeted brings a code to greet him."""
        event = {"event_type": "enter_session", "scene": scene, "open_kfid": self.settings.open_kfid}
        event["external_userid"] = person.user
        if not person.greeted and self.clock() >= person.window_until:
            code = event["welcome_code"] = secrets.token_urlsafe(16)
            self._codes[code] = (person.user, self.clock() + GREETING)
        self._said(person, "citizen", "（进入微信客服）", "")
        self._note({"origin": 4, "msgtype": "event", "event": event})
        await self.call()

    async def write(self, person: Client, text: str) -> None:
        """Let a person write a text."""
        self._said(person, "citizen", text, "")
        await self.tell(person, "text", {"content": text})

    async def show(self, person: Client, kind: str, content: bytes, mime: str) -> str:
        """Let a person send a file of a kind; return its media id."""
        media_id = secrets.token_urlsafe(32)
        self.media[media_id] = (content, mime)
        self._said(person, "citizen", f"（{kind}）", "")
        await self.tell(person, kind, {"media_id": media_id})
        return media_id

    async def tell(self, person: Client, kind: str, inside: dict[str, Any]) -> None:
        """Let a person send a message of any kind, and call."""
        person.window_until, person.window_left = self.clock() + WINDOW, COUNT
        if person.state == 4:
            person.state = 0
        self._note({"origin": 3, "external_userid": person.user, "msgtype": kind, kind: inside})
        await self.call()

    def servicer_says(self, person: Client, text: str) -> None:
        """Let one of the corporation's own people answer, which comes back in the list."""
        entry = {"origin": 5, "external_userid": person.user, "servicer_userid": "lisi", "msgtype": "text"}
        self._note(entry | {"text": {"content": text}})

    def happen(self, event_type: str, **inside: Any) -> None:
        """Note an event of the system, such as a servicer's coming on duty."""
        event = {"event_type": event_type, "open_kfid": self.settings.open_kfid, **inside}
        self._note({"origin": 4, "msgtype": "event", "event": event})

    async def call(self) -> int | None:
        """Call the account's address and return the status; None when nobody answered, or calls are lost."""
        settings = self.settings
        if self.silent or not settings.callback_url or self.http is None:
            return None
        query, body = self.request()
        timeout = ClientTimeout(total=5)
        try:
            async with self.http.post(
                settings.callback_url, params=query, data=body.encode(), timeout=timeout
            ) as answer:
                await answer.read()
                return answer.status
        except (ClientError, TimeoutError):
            return None

    def request(self, **wrong: str) -> tuple[dict[str, str], str]:
        """Return the signed query and the sealed body of a call; every part can be set, to make a wrong one."""
        settings, stamp = self.settings, wrong.get("stamp") or str(int(self.clock()))
        token = secrets.token_urlsafe(16)
        self._call_tokens[token] = self.clock() + CALL_TOKEN_LIFE
        kfid = wrong.get("open_kfid", settings.open_kfid)
        message = (
            f"<xml><ToUserName><![CDATA[{settings.corp_id}]]></ToUserName><CreateTime>{stamp}</CreateTime>"
            "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[kf_msg_or_event]]></Event>"
            f"<Token><![CDATA[{token}]]></Token><OpenKfId><![CDATA[{kfid}]]></OpenKfId></xml>"
        )
        nonce = secrets.token_hex(6)
        crypto = self._crypto
        if "corp_id" in wrong:
            crypto = WeChatCrypto(settings.token, settings.aes_key, wrong["corp_id"])
        sealed = xmltodict.parse(crypto.encrypt_message(message, nonce, stamp))["xml"]["Encrypt"]
        signed = _sign(wrong.get("token", settings.token), stamp, nonce, sealed)
        query = {"msg_signature": signed, "timestamp": stamp, "nonce": nonce}
        return query, (
            f"<xml><ToUserName><![CDATA[{settings.corp_id}]]></ToUserName>"
            f"<AgentID><![CDATA[]]></AgentID><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        )

    def echo(self, words: str) -> dict[str, str]:
        """Return the query by which the console proves the address: it must answer with the words."""
        stamp, nonce = str(int(self.clock())), secrets.token_hex(6)
        sealed = xmltodict.parse(self._crypto.encrypt_message(words, nonce, stamp))["xml"]["Encrypt"]
        signed = _sign(self.settings.token, stamp, nonce, sealed)
        return {"msg_signature": signed, "timestamp": stamp, "nonce": nonce, "echostr": sealed}

    def expire(self) -> None:
        """Make the token worthless."""
        self._token, self._token_until = "", 0.0

    def heard(self, user: str) -> list[str]:
        """Return what the account said to a person."""
        return [line.text for line in self.person(user).lines if line.who == "account"]

    def gettoken(self, query: dict[str, str]) -> dict[str, Any]:
        """Give the token, the same until it ends."""
        if query.get("corpid") != self.settings.corp_id:
            return error(40013, "invalid corpid")
        if not hmac.compare_digest(query.get("corpsecret", ""), self.settings.secret):
            return error(40001, "invalid credential")
        self.counts["gettoken"] += 1
        if self.clock() >= self._token_until:
            self._token, self._token_until = secrets.token_hex(32), self.clock() + TOKEN_LIFE
        left = int(self._token_until - self.clock())
        return error(0, "ok") | {"access_token": self._token, "expires_in": left}

    def token_error(self, token: str) -> dict[str, Any] | None:
        """Return the error of a token that is not good."""
        good = self._token and hmac.compare_digest(token, self._token) and self.clock() < self._token_until
        return None if good else error(40014, "invalid access_token")

    def upload(self, kind: str, content: bytes) -> dict[str, Any]:
        """Take a file of the corporation's."""
        if code := refusal(CORPORATION, kind, content):
            return error(code, f"invalid media: {kind}")
        self.counts["upload"] += 1
        media_id = secrets.token_urlsafe(32)
        self.media[media_id] = (content, mime_of(content))
        made = {"type": kind, "media_id": media_id, "created_at": str(int(self.clock()))}
        return error(0, "ok") | made

    def sync(self, body: dict[str, Any]) -> dict[str, Any]:
        """List what was said after a mark, oldest first."""
        self.counts["sync_msg"] += 1
        token = body.get("token")
        if token is not None and self._call_tokens.get(str(token), 0.0) <= self.clock():
            return error(95007, "invalid msgtoken")
        cursor = str(body.get("cursor", ""))
        if cursor and not cursor.isdecimal():
            return error(40058, "invalid cursor")
        at, limit = int(cursor or 0), min(int(body.get("limit", LARGEST_PAGE)), self.largest_page)
        if self.empty_pages:
            self.empty_pages -= 1
            return error(0, "ok") | {"next_cursor": str(at), "has_more": 1, "msg_list": []}
        listed = self.entries[at : at + limit]
        until = at + len(listed)
        more = int(until < len(self.entries))
        return error(0, "ok") | {"next_cursor": str(until), "has_more": more, "msg_list": listed}

    def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take a message within window and count; the same id only once."""
        person = self.people.get(str(body.get("touser", "")))
        name = str(body.get("msgid", ""))
        if person is None:
            return error(40003, "invalid external_userid")
        if name and not _MSGID.fullmatch(name):
            return error(40058, "invalid msgid")
        if name in self._sent:
            return error(0, "ok") | {"msgid": name}
        return self._closed(person) or self._deliver(person, body, name, "kf")

    def greet(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take a greeting by the code of a person's coming: once, within 20 seconds."""
        user, until = self._codes.pop(str(body.get("code", "")), ("", 0.0))
        if not user or self.clock() >= until:
            return error(40058, "invalid code")
        person = self.people[user]
        person.greeted = True
        person.window_left = 1
        return self._deliver(person, body, str(body.get("msgid", "")), "greeting")

    def state(self, body: dict[str, Any]) -> dict[str, Any]:
        """Tell whose a talk is."""
        person = self.people.get(str(body.get("external_userid", "")))
        return error(0, "ok") | {"service_state": person.state} if person else error(40003, "invalid user")

    def trans(self, body: dict[str, Any]) -> dict[str, Any]:
        """Give a talk to somebody else, where it may go."""
        person = self.people.get(str(body.get("external_userid", "")))
        to = int(body.get("service_state", -1))
        if person is None or to not in _MOVES[person.state]:
            return error(95016, "state may not change so")
        person.state = to
        return error(0, "ok")

    def accounts(self, _: dict[str, Any]) -> dict[str, Any]:
        """List the corporation's accounts."""
        return error(0, "ok") | {"account_list": [{"open_kfid": self.settings.open_kfid, "name": "12345"}]}

    def shown(self) -> list[dict[str, Any]]:
        """Return the talks for the page."""
        now = self.clock()
        return [
            {
                "user": each.user,
                "left": each.window_left if each.window_until > now else 0,
                "lines": [shown(line) for line in each.lines],
            }
            for each in self.people.values()
        ]

    def _closed(self, person: Client) -> dict[str, Any] | None:
        if person.state not in {0, 1}:
            return error(95018, "send msg session status invalid")
        if self.clock() >= person.window_until:
            return error(95002, "send msg time limit")
        return error(95001, "send msg count limit") if person.window_left <= 0 else None

    def _deliver(self, person: Client, body: dict[str, Any], name: str, way: str) -> dict[str, Any]:
        line = line_of(body, self.media)
        if isinstance(line, int):
            return error(line, "invalid message")
        text, media, choices = line
        if len(text.encode()) > LONGEST:
            return error(45002, "content size out of limit")
        name = name or secrets.token_urlsafe(16)
        self._sent[name] = person.user
        person.window_left -= 1
        self.counts["sent"] += 1
        if person.user in self.fails:
            # Taken, and told of later: an answer without an error is no delivery.
            fail = {"event_type": "msg_send_fail", "fail_msgid": name, "fail_type": 4}
            self._note({"origin": 4, "msgtype": "event", "event": fail | {"external_userid": person.user}})
        else:
            self._said(person, "account", text, way, media=media, choices=choices)
        return error(0, "ok") | {"msgid": name}

    def _note(self, entry: dict[str, Any]) -> None:
        head = {"msgid": secrets.token_urlsafe(20), "open_kfid": self.settings.open_kfid}
        self.entries.append(head | {"send_time": int(self.clock())} | entry)

    def _said(
        self, person: Client, who: str, text: str, way: str, *, media: str = "", choices: Choices = ()
    ) -> None:
        mime = self.media[media][1] if media else ""
        person.lines.append(Line(who, text, way, self.clock(), media, mime, choices))
        for watcher in tuple(self.watchers):
            watcher()


def _sign(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()

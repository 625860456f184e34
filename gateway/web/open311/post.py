"""A service request that a client brings, made into the matter of a case (GeoReport v2, POST Service Request)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bots.slots import PLACE_LENGTH, SURE_CATEGORY
from bots.state import Order
from bots.submission import submission
from bots.words import say
from gateway.cases.office import Matter
from gateway.web.open311.faults import BAD, faulty
from gateway.web.open311.keys import ACCOUNT
from gateway.web.open311.services import DEMAND, KIND, PLACE_DETAIL, SECRET, WHEN, YES
from normalizer.classify import category_of
from normalizer.codes import Kind
from normalizer.emergency import EmergencyKind, detect
from normalizer.geo import Point, to_gcj
from normalizer.message import Address
from normalizer.people import valid_phone
from normalizer.text import LIMIT, clean, for_matching, han_count

if TYPE_CHECKING:
    from bots.contract import City, NewNumber, Submit
    from gateway.cases.office import Opened
    from gateway.web.open311.keys import Client
    from gateway.web.open311.requests import Form
    from gateway.web.open311.services import Services
    from normalizer.case import Attachment
    from normalizer.emergency import Emergency

WORDS = 4000
"""Characters of a description (GeoReport v2)."""
NAME, MAIL, URL, WHO, MARK = 30, 120, 1000, 200, 200
AGAIN = timedelta(minutes=10)
"""Within this time the same body with the same key is a retry, not a second matter."""
DAY = timedelta(days=1)
"""How long an Idempotency-Key is known again."""

_MAIL = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,63}\.[A-Za-z]{2,24}")
_MARK = re.compile(r"[\x21-\x7e]{1,200}")
_SAFE_QUESTION = "您现在安全吗"


@dataclass(frozen=True, slots=True)
class Report:
    """A service request as it was read; ``place`` in WGS-84."""

    service_code: str
    text: str
    place: Point | None
    address: str
    answers: dict[str, str]
    name: str
    phone: str
    email: str
    media_url: str
    account_id: str
    device_id: str

    @property
    def who(self) -> str:
        """Whatever tells this client's people apart; empty when nothing does."""
        return self.account_id or self.device_id or self.email or self.phone

    @property
    def danger(self) -> Emergency | None:
        """Whether the words tell of danger (domain.md 4.3)."""
        return detect(self.text)


def report_of(form: Form, services: Services) -> Report:
    """Return the service request of a form; raises Faulty with one fault for each bad field."""
    code = form.text("service_code")
    if not code:
        form.fault("缺少 service_code")
        form.check()
    answers = services.answered(code, form.attributes)
    report = Report(
        service_code=code,
        text=_words(form),
        place=form.point(),
        address=_address(form),
        answers=answers,
        name=_name(form),
        phone=_phone(form),
        email=_mail(form),
        media_url=media_url(form),
        account_id=form.text("account_id", WHO),
        device_id=form.text("device_id", WHO),
    )
    located = any(form.text(name) for name in ("lat", "long", "address_string", "address_id"))
    if not located:
        form.fault("缺少地点：请给出 lat 和 long，或 address_string，或 address_id")
    form.check()
    return report


def matter_of(
    report: Report,
    client: Client,
    city: City,
    *,
    mark: str,
    body: bytes,
    files: tuple[Attachment, ...],
) -> Matter:
    """Return what is to be opened: once for each ``mark`` (Idempotency-Key), else once for each body in ten minutes.

    Raises Faulty for a mark that is none.
    """
    if mark and not _MARK.fullmatch(mark):
        raise faulty(BAD, f"Idempotency-Key 须是 1 到 {MARK} 个可见的 ASCII 字符")
    # A partner's name is a settings key, so no blank in it can be mistaken for the one that ends it.
    own = f"mark {mark}" if mark else f"body {hashlib.sha256(body).hexdigest()}"
    return Matter(
        key=f"open311 {client.name} {own}",
        source=client.partner.source,
        reach=Address(ACCOUNT, f"{client.name}/{report.who or own}"),
        fill=lambda number: _filled(report, number, city, files),
        danger=report.danger,
        within=DAY if mark else AGAIN,
    )


def notice_of(report: Report, opened: Opened) -> str:
    """Return what the client shall show whoever wrote: what to do in danger first, then number and query code."""
    told = f"已提交，单号{opened.case_no}，查询码{opened.query_code}。"
    danger = report.danger
    if danger is None:
        return told
    warning = say("zh", "danger_self" if danger.kind is EmergencyKind.SELF_HARM else "danger")
    return warning.partition(_SAFE_QUESTION)[0] + told


def media_url(form: Form) -> str:
    """Return the address of a photo, empty when there is none; notes a fault for one that cannot be fetched."""
    url = form.text("media_url", URL)
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and parts.hostname and not (parts.username or parts.password)
    except ValueError:
        good = False
    if not good or not url.isprintable() or " " in url:
        form.fault("media_url 须是 http 或 https 网址")
        return ""
    return url


def _filled(report: Report, number: NewNumber, city: City, files: tuple[Attachment, ...]) -> Submit:
    there = to_gcj(report.place) if report.place else None
    answers = report.answers
    kind = Kind(answers.get(KIND, Kind.HELP))
    category, certain = category_of(for_matching(report.text))
    order = Order(
        text=report.text,
        place=_place(report),
        lon=there.lon if there else None,
        lat=there.lat if there else None,
        when=answers.get(WHEN, ""),
        demand=answers.get(DEMAND, ""),
        kind=kind,
        category=report.service_code,
        # Accepted unseen only where the words say themselves what was chosen.
        sure=category == report.service_code and certain >= SURE_CATEGORY,
        name=report.name,
        phone=report.phone,
        anonymous=not (report.phone or report.email),
        secret=kind is Kind.REPORT or answers.get(SECRET) == YES,
        attachments=files,
    )
    made = submission(order, number, city, lang="zh", elderly=False)
    matter = replace(made.matter, content=made.matter.content[:LIMIT])
    matter = replace(matter, place_detail=clean(answers.get(PLACE_DETAIL, "")))
    return replace(made, matter=matter, complainant=replace(made.complainant, email=report.email))


def _place(report: Report) -> str:
    detail = report.answers.get(PLACE_DETAIL, "")
    return clean(" ".join(part for part in (report.address, detail) if part))[:PLACE_LENGTH]


def _words(form: Form) -> str:
    given = form.text("description")
    if len(given) > WORDS:
        form.fault(f"description 最多 {WORDS} 个字")
        return ""
    text = clean(given, limit=WORDS)
    if han_count(text) < 8:
        form.fault("description 请用中文写清楚发生了什么事，至少 8 个字")
    return text


def _address(form: Form) -> str:
    address, number = form.text("address_string", WHO), form.text("address_id", WHO)
    return clean(address or (f"地址编号{number}" if number else ""))


def _name(form: Form) -> str:
    first, last = form.text("first_name", NAME), form.text("last_name", NAME)
    return clean(f"{last}{first}" if han_count(first + last) else f"{first} {last}".strip())


def _phone(form: Form) -> str:
    given = form.text("phone", NAME)
    phone = valid_phone(given) if given else ""
    if phone is None:
        form.fault("phone 须是手机号码或带区号的固定电话号码")
    return phone or ""


def _mail(form: Form) -> str:
    given = form.text("email", MAIL)
    if given and not _MAIL.fullmatch(given):
        form.fault("email 不是电子邮件地址")
        return ""
    return given

"""The desk's case work on a gateway: somebody of the staff, and a talk that a person has taken."""

from __future__ import annotations

from typing import Any

from gateway.desk.cases import CaseDesk, Staff
from gateway.desk.form import Form
from gateway.desk.presence import State
from gateway.desk.rights import Role
from gateway.store import desk as sql
from gateway.whole import Gateway
from normalizer.codes import Kind

FORM = Form(
    kind=Kind.HELP,
    category="D05",
    title="井盖丢失",
    text="泰山区东岳大街88号门前井盖丢失，晚上很危险",
    place="东岳大街88号",
    name="李四",
    phone="13812345678",
)


async def staff(gateway: Gateway, login: str = "li", role: Role = Role.AGENT) -> Staff:
    """Make an account and return its person, who is busy, so that the router leaves everything to him."""
    password = await gateway.accounts.add(login, login, role)
    _, account = await gateway.accounts.verify(login, password)
    assert account is not None
    await gateway.desk.choose(account.id, State.BUSY)
    await gateway.desk.beat(account.id, "tab")
    return Staff(account.id, account.name, role.value)


def case_desk(gateway: Gateway, *, sms: str = "") -> CaseDesk:
    books = gateway.books
    return CaseDesk(
        store=books.store,
        sealer=books.sealer,
        book=books.cases,
        office=gateway.office,
        profiles=gateway.cities,
        channels=gateway.channels,
        sms=sms,
    )


async def talk_of(gateway: Gateway, person: Any) -> sql.Talk:
    conversation = gateway.books.sealer.conversation(person.account, person.user)
    found = await gateway.books.store.read(lambda c: sql.seen(c, conversation))
    assert found is not None
    return found


async def taken(gateway: Gateway, person: Any, by: Staff) -> sql.Talk:
    """Let a citizen ask for a person, and one of the staff take his talk."""
    await person.says("转人工")
    waiting = await talk_of(gateway, person)
    await gateway.desk.take(by.id, waiting.conversation, waiting.epoch)
    return await talk_of(gateway, person)

"""Who may ask which address of the desk: every role against every address, from the one table that guards them."""

from __future__ import annotations

import re

import pytest

from gateway.app import listening
from gateway.desk.rights import RIGHTS, Right, Role
from gateway.web.desk.build import SITE
from gateway.web.desk.operations import SAFE, Operation
from tests.kit.agent import Agent, hire
from tests.kit.gateway import embedded, running, settings

NOBODYS = {"/me", "/me/totp", "/me/totp/confirm", "/me/beat"}
"""What everybody who is logged in may ask: it is about himself."""


async def test_every_address_but_ones_own_names_a_right(gateway):
    assert {each.path for each in _operations(gateway) if each.right is None} == NOBODYS


@pytest.mark.parametrize("role", Role)
async def test_a_role_may_ask_what_its_rights_say_and_nothing_else(gateway, site, role):
    async with await hire(gateway, site, "li", role=role) as agent:
        for each in _operations(gateway):
            answer = await _asked(agent, each)
            barred = each.right is not None and each.right not in RIGHTS[role]
            found = answer.status == 403 and answer.kind == "forbidden"
            assert found == barred, (role, each.method, each.path, answer)
            assert answer.status != 500, (role, each.method, each.path)


async def test_nobody_asks_anything_without_a_session(gateway, site):
    async with Agent(site, "li") as stranger:
        for each in _operations(gateway):
            assert (await _asked(stranger, each)).status == 401, each.path


async def test_whoever_has_a_one_time_password_must_change_it_first(gateway, site):
    one_time = await gateway.accounts.add("li", "李", Role.SUPERVISOR)
    async with Agent(site, "li") as newcomer:
        assert (await newcomer.enters(one_time)).body["one_time"] is True
        for each in _operations(gateway):
            answer = await _asked(newcomer, each)
            assert each.newcomer or answer.kind == "change-password", each.path


async def test_nothing_is_changed_without_the_proof_that_a_page_of_ours_asked(gateway, site):
    async with await hire(gateway, site, "li", role=Role.SUPERVISOR) as agent:
        agent.csrf, proof = "", agent.csrf
        for each in _operations(gateway):
            answer = await _asked(agent, each)
            assert each.method in SAFE or answer.kind == "csrf", each.path
        agent.csrf = proof
        elsewhere = await agent.asks(
            "POST", "me/state", {"state": "busy"}, **{"Sec-Fetch-Site": "cross-site"}
        )
        assert (elsewhere.status, elsewhere.kind) == (403, "csrf")


async def test_a_hall_behind_one_address_is_not_held_up_and_one_hasty_page_is(tmp_path):
    slow = {"address_per_second": 0.001, "address_burst": 3.0}
    given = settings(embedded(tmp_path), tmp_path, portal=slow)
    async with running(given) as gateway, listening(gateway.app, "127.0.0.1", 0) as port:
        async with await hire(gateway, f"http://127.0.0.1:{port}", "li") as agent:
            statuses = [(await agent.asks("GET", "me")).status for _ in range(400)]
        assert set(statuses[:90]) == {200}
        assert 429 in statuses


async def test_the_separated_roles_share_nothing():
    assert RIGHTS[Role.ADMIN] == {Right.MANAGE_ACCOUNTS}
    assert RIGHTS[Role.AUDITOR] == {Right.READ_AUDIT}
    assert Right.READ_TALKS not in RIGHTS[Role.UNIT]


def _operations(gateway) -> tuple[Operation, ...]:
    return gateway.app[SITE].operations


async def _asked(agent: Agent, operation: Operation):
    path = re.sub(r"\{\w+\}", "0" * 32, operation.path.lstrip("/"))
    return await agent.asks(operation.method, path, None if operation.method in SAFE else {})


@pytest.fixture
async def gateway(tmp_path):
    """What is asked here is the door, not the store."""
    async with running(settings(embedded(tmp_path), tmp_path)) as opened:
        yield opened


@pytest.fixture
async def site(gateway):
    async with listening(gateway.app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"

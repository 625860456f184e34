"""Whoever goes away before his request is whole leaves no error in the log: that is no fault of ours."""

import logging
import socket
import struct

import pytest
from structlog.testing import capture_logs
from yarl import URL

from tests.gateway.open311.conftest import RULES
from tests.kit.gateway import embedded
from tests.kit.hall import opened

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: what is closed is gone, and says nothing more."""
DOORS = {
    "desk": ("/desk/api/me/beat", "application/json"),
    "pages": ("/report/what", "application/x-www-form-urlencoded"),
    "api": ("/api/v1/likes", "application/json"),
    "open311": ("/open311/v2/requests.json", "application/x-www-form-urlencoded"),
}


@pytest.fixture
async def hall(tmp_path):
    async with opened(embedded(tmp_path), tmp_path, open311=RULES) as made:
        yield made


@pytest.mark.parametrize("door", list(DOORS))
async def test_who_goes_in_mid_request_is_no_error(hall, caplog, door):
    agent = await hall.agent("li")
    path, kind = DOORS[door]
    cookies = agent.session.cookie_jar.filter_cookies(URL(agent.site))
    head = {
        "Host": "localhost",
        "Content-Type": kind,
        "Content-Length": "100",
        "X-CSRF": agent.csrf,
        "Cookie": "; ".join(f"{each.key}={each.value}" for each in cookies.values()),
    }
    with capture_logs() as logged, caplog.at_level(logging.DEBUG, "aiohttp.server"):
        with socket.create_connection(("127.0.0.1", URL(agent.site).port)) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
            line.sendall("\r\n".join([*lines, "", "{"]).encode())
            await agent.get("me")
        await agent.get("me")
    assert [each for each in logged if each["log_level"] == "error"] == []
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []

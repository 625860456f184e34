"""What the browser tests of the desk share."""

import pytest

from tests.kit.chromium import chromium
from tests.kit.deskpage import town


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with chromium() as browser, town(browser, tmp_path_factory.mktemp("desk")) as opened:
        yield opened
        assert opened.errors == []

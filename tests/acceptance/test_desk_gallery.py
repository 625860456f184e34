"""Every pane and dialog of the desk is opened in both languages, in a town where nobody else is at work."""

import pytest
from playwright.sync_api import expect

from tests.kit import deskgallery as look_at
from tests.kit.deskpage import AXE

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

LONG = 60_000
"""Milliseconds."""


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_pane_and_dialog_is_whole_and_in_its_language(place, lang):
    if not AXE.is_file():
        pytest.skip("axe-core is not there: python hatch_build.py tests")
    gallery = look_at.in_language(place.enters("xiaoli"), lang)
    who = look_at.the_queue(place, gallery)
    look_at.the_talk(place, gallery, who)
    look_at.the_tools(gallery)
    look_at.the_case(gallery)
    look_at.the_ends(gallery)
    look_at.the_merge(gallery)
    look_at.the_breaks(place, gallery)
    above = look_at.in_language(place.enters("laozhou"), lang)
    look_at.the_wall(above)
    above.page.context.close()
    gallery.page.locator("div.talk h2").focus()
    gallery.page.keyboard.press("e")
    expect(gallery.page.locator("#queue-list .row")).to_have_count(0, timeout=LONG)
    gallery.page.locator("#state").select_option("online")
    gallery.page.context.close()
    assert gallery.found | above.found == {}

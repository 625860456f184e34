from pathlib import Path

import pytest

from tests.bots.player import play, scripts

SCRIPTS = scripts(Path(__file__).with_name("dialogues"))


@pytest.mark.parametrize("script", [script for _, script in SCRIPTS], ids=[title for title, _ in SCRIPTS])
def test_the_dialogue_goes_as_written(script: str) -> None:
    play(script)


def test_there_are_at_least_sixty_dialogues() -> None:
    assert len(SCRIPTS) >= 60

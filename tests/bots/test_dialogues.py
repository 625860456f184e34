from pathlib import Path

import pytest

from bots import router
from bots.scene import Scene
from tests.bots.player import play, scripts

SCRIPTS = scripts(Path(__file__).with_name("dialogues"))


@pytest.mark.parametrize("script", [script for _, script in SCRIPTS], ids=[title for title, _ in SCRIPTS])
def test_the_dialogue_goes_as_written(script: str) -> None:
    play(script)


def test_there_are_at_least_sixty_dialogues() -> None:
    assert len(SCRIPTS) >= 60


def test_no_flow_is_passed_over_that_would_claim_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    possible = router.possible

    def all_are_asked(scene: Scene) -> tuple[object, ...]:
        nonlocal asked
        left = possible(scene)
        for flow in router.FLOWS:
            if flow not in left:
                asked += 1
                assert flow(scene) is None, flow
        return left

    monkeypatch.setattr(router, "possible", all_are_asked)
    for _, script in SCRIPTS:
        play(script)
    assert asked > 10_000

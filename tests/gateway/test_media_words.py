import pytest

from gateway.media import words
from normalizer.media import Breach, Refusal
from normalizer.message import PartKind


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_refusal_and_kind_has_its_words(language):
    assert set(words.REFUSALS[language]) == set(Refusal)
    for refusal in Refusal:
        for kind in words.KINDS[language]:
            said = words.refusal(Breach(refusal, kind, 60), language)
            assert "{" not in said
    assert words.NOTICES[language].keys() == words.NOTICES["zh"].keys()


SAID = [
    (Breach(Refusal.SIZE, PartKind.VIDEO, 500 * 1024 * 1024), "视频太大了，每个不能超过 500 MB。"),
    (Breach(Refusal.SECONDS, PartKind.VOICE, 1800), "录音太长了，不能超过 30 分钟。"),
    (Breach(Refusal.PIXELS, PartKind.IMAGE, 120_000_000), "照片的像素太多，不能超过 12000 万像素。"),
    (Breach(Refusal.COUNT, PartKind.FILE, 20), "文件太多了，最多上传 20 个。"),
    (Breach(Refusal.BROKEN, PartKind.VIDEO), "请换一个能正常打开的视频再上传。"),
]


@pytest.mark.parametrize(("breach", "part"), SAID)
def test_a_refusal_says_what_would_be_accepted(breach, part):
    assert part in words.refusal(breach)
    assert words.refusal(breach, "fr") == words.refusal(breach)

"""What is known of an account by its name: the channels of the settings, and one that is not there any more."""

import pytest

from channels.contract import Capabilities
from channels.memory import Memory
from gateway.carriers import Carriers
from normalizer.message import SourceChannel
from outbox.render import Wording


@pytest.mark.parametrize(
    ("account", "source", "texts", "looked_at", "wording"),
    [
        pytest.param("wx", SourceChannel.WECHAT, False, True, Wording.LONG, id="WeChat"),
        pytest.param("web", SourceChannel.WEB, False, True, Wording.PAGE, id="our own pages"),
        pytest.param("sms", SourceChannel.SMS, True, False, Wording.SHORT, id="text messages"),
        pytest.param("mail", SourceChannel.EMAIL, False, False, Wording.LONG, id="mail"),
        pytest.param("gone", None, False, False, Wording.LONG, id="taken out of the settings"),
    ],
)
def test_an_account_is_known_by_its_channel(account, source, texts, looked_at, wording):
    carriers = Carriers(CHANNELS)
    assert carriers.source(account) is source
    assert carriers.texts(account) is texts
    assert carriers.looked_at(account) is looked_at
    assert carriers.wording(account) is wording


CHANNELS = {
    name: Memory(name, Capabilities(source=source, max_bytes=2048, phones=source is SourceChannel.SMS))
    for name, source in {
        "wx": SourceChannel.WECHAT,
        "web": SourceChannel.WEB,
        "sms": SourceChannel.SMS,
        "mail": SourceChannel.EMAIL,
    }.items()
}

"""The adapters by their kind. The only file that names one; a new channel is one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels import memory
from channels.sms import aliyun, cmpp, huawei, kannel, smgp, tencent
from channels.wechat import channel as wechat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from channels.contract import Channel, Tools

ADAPTERS: Mapping[str, Callable[[str, Mapping[str, object], Tools], Channel]] = {
    "aliyun": aliyun.build,
    "cmpp": cmpp.build,
    "huawei": huawei.build,
    "kannel": kannel.build,
    "memory": memory.build,
    "smgp": smgp.build,
    "tencent": tencent.build,
    "wechat": wechat.build,
}

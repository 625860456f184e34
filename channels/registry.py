"""The adapters by their kind. The only file that names one; a new channel is one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels import memory, web
from channels.email import channel as email
from channels.sms import aliyun, cmpp, huawei, kannel, sgip, smgp, smpp, tencent
from channels.wechat import channel as wechat
from channels.wechat.kf import channel as kf
from channels.wechat.miniprogram import channel as miniprogram

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from channels.contract import Channel, Tools

ADAPTERS: Mapping[str, Callable[[str, Mapping[str, object], Tools], Channel]] = {
    "aliyun": aliyun.build,
    "cmpp": cmpp.build,
    "email": email.build,
    "huawei": huawei.build,
    "kannel": kannel.build,
    "memory": memory.build,
    "miniprogram": miniprogram.build,
    "sgip": sgip.build,
    "smgp": smgp.build,
    "smpp": smpp.build,
    "tencent": tencent.build,
    "web": web.build,
    "wechat": wechat.build,
    "wechat_kf": kf.build,
}

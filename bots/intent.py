"""What a short message wants, by its words; a long one is a matter, whatever words it contains."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from normalizer.draft import CaseDraft


class Intent(StrEnum):
    """Wishes that are said in a word or two, or by a menu key."""

    HUMAN = "human"
    MENU = "menu"
    BACK = "back"
    CANCEL = "cancel"
    RESTART = "restart"
    REPORT = "report"
    ASK = "ask"
    PROGRESS = "progress"
    SUPPLEMENT = "supplement"
    URGE = "urge"
    WITHDRAW = "withdraw"
    RATE = "rate"
    ELDERLY = "elderly"
    PLAIN = "plain"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    GREETING = "greeting"
    THANKS = "thanks"
    CONFIDE = "confide"
    BIND = "bind"
    VERIFY = "verify"


LONGEST = 16
"""Characters beyond which a message is no command."""
LONGEST_NAMING = 32
"""The same for a command that names a case by its number."""

_END = r"[吧啊呀呢了吗一下谢谢。，,.!！?？~～ ]*"
_WORDS: dict[Intent, str] = {
    Intent.HUMAN: r"(?:请|我|想|要|帮|给|麻烦|快|能不能|可以|直接|\s)*(?:转|找|接|换|联系|叫|和|跟|需要)*(?:一个|个|位)?(?:人工|真人|活人|人工客服|客服|客服人员|工作人员|接线员|话务员|坐席|人工服务|人工座席)(?:服务|客服|说话|聊|接听|对话)*|(?:i need |talk to |speak to )?(?:an? |a real )?(?:agent|human|person|operator)|别用机器人|不要机器人",
    Intent.MENU: r"菜单|主菜单|帮助|功能|首页|help|menu|bz",
    Intent.BACK: r"返回|上一步|后退|回退|返回上一步|back",
    Intent.CANCEL: r"取消|退出|不填了|不报了|不弄了|结束|停止|放弃|算了|cancel|quit",
    Intent.RESTART: r"重新开始|重来|重新填写?|从头开始|重填|restart",
    Intent.REPORT: r"(?:我?(?:要|想))?(?:反映|投诉|举报|上报|提交|登记|求助|建议)(?:问题|诉求|情况|一件事|一个问题|个问题)?|反映问题|提诉求|下单|自助下单|报修|report",
    Intent.ASK: r"咨询|咨询政策|我要咨询|问问题|查政策",
    Intent.PROGRESS: r"(?:我?(?:要|想)?)(?:查|查询|查看|看看|看)?(?:一下)?(?:我的?)?(?:诉求|工单|投诉|案件|单子|办理)?(?:的)?(?:进度|进展|结果|状态)|查询?|我的诉求|我的工单|查单|(?:处理|办)(?:得|的|到)(?:怎么样|哪一?步|哪里|哪)|cx|progress|status",
    Intent.SUPPLEMENT: r"补充(?:材料|说明|内容|情况|照片)?|我?(?:要|想)补充|bc",
    Intent.URGE: r"(?:我?(?:要|想))?催(?:办|一下|促|催|单)?|怎么还(?:没|不)(?:处理|解决|办|人管|有人来)|快点(?:处理|解决|办)|cb",
    Intent.WITHDRAW: r"(?:我?(?:要|想))?(?:撤回|撤销|撤诉)(?:诉求|工单|投诉)?|不用(?:处理|办|管)了|ch",
    Intent.RATE: r"(?:我?(?:要|想))?评价|打分|pj",
    Intent.CONFIDE: r"(?:我?(?:要求?|申请))保密|bm",
    Intent.BIND: r"(?:我?(?:要|想))?绑定(?:一下)?(?:我的)?(?:手机号?码?|电话号?码?)|bind",
    Intent.ELDERLY: r"(?:长辈|老年|老人|关怀|大字)(?:模式|版)?",
    Intent.PLAIN: r"普通模式|普通版|退出长辈模式|标准模式",
    Intent.OPT_OUT: r"退订|td|不要(?:再)?(?:提醒|通知)我?",
    Intent.OPT_IN: r"恢复提醒|恢复通知|订阅",
    Intent.GREETING: r"(?:你好|您好|喂|在吗|在不在|有人吗|有人在吗|hi|hello|哈喽|早上好|下午好|晚上好|嗨)+",
    Intent.THANKS: r"(?:好的?|嗯|行|非常|太)*[，, ]*(?:谢谢|感谢|辛苦了|谢了|再见|拜拜|没事了|thanks|thank you|bye)(?:你们?|您们?|了)*",
}
_COMMAND = re.compile(f"(?:{'|'.join(f'(?P<{name}>{words})' for name, words in _WORDS.items())}){_END}")
_NAMING = re.compile(r"(\D{1,8}?)[\s:：]*(?:单号|尾号)?[\s:：]*([0-9][0-9 \-]{5,22}[0-9])")
_NAMED = frozenset({7, 17})
"""Digits of a case number as it is said: its last seven, or all."""
KEYS = {
    "REPORT": Intent.REPORT,
    "PROGRESS": Intent.PROGRESS,
    "HUMAN": Intent.HUMAN,
    "SUPPLEMENT": Intent.SUPPLEMENT,
    "URGE": Intent.URGE,
    "RATE": Intent.RATE,
    "ELDERLY": Intent.ELDERLY,
    "ASK": Intent.ASK,
    "MENU": Intent.MENU,
    "WITHDRAW": Intent.WITHDRAW,
}
"""Keys of menu buttons and the words they stand for."""


def intent_of(reading: CaseDraft) -> tuple[Intent | None, str]:
    """Return what the message wants, or None, and the case number it names, or nothing."""
    if reading.event is not None:
        return KEYS.get(reading.event.key.upper()), ""
    if reading.digit is not None:
        return (Intent.HUMAN if reading.digit == 0 else None), ""
    text = reading.matching
    if not text or len(text) > LONGEST_NAMING:
        return None, ""
    if text[-1].isdigit() and (named := _NAMING.fullmatch(text)):
        digits = re.sub("[^0-9]", "", named.group(2))
        intent = _intent(named.group(1)) if len(digits) in _NAMED else None
        return intent, digits if intent else ""
    return (_intent(text) if len(text) <= LONGEST else None), ""


def _intent(text: str) -> Intent | None:
    found = _COMMAND.fullmatch(text)
    return Intent(found.lastgroup or "") if found else None

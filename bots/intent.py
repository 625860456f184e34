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
    Intent.HUMAN: r"(?:请|我|想|要|帮|给|麻烦|快|能不能|可以|直接|\s)*(?:转|找|接|换|联系|叫|和|跟|需要)*(?:一个|个|位)?(?:人工|真人|活人|人工客服|客服|客服人员|工作人员|接线员|话务员|坐席|人工服务|人工座席)(?:服务|客服|说话|聊|接听|对话)*|(?:i need |talk to |speak to )?(?:an? |a real )?(?:agent|human|person|operator)|别用机器人|不要机器人|(?:我?(?:要|想))?找(?:个|一个)?(?:人|活人|真人|领导|负责人)(?:(?:跟|和|给)我)?(?:说|聊|谈|问问)?(?:说话)?|有没有(?:活|真)?人|人呢|人在吗|客服(?:呢|在吗|在哪里?)|我?不(?:想|要|愿意?)(?:跟|和|与)?机器人(?:说|聊|谈)?(?:话)?|(?:你|你们)?(?:能不能|能|会不会|会)?(?:听得?不?懂|说)人话|还要?等多久|(?:前面)?还有(?:几|多少)个?人?|排到(?:哪|几|多少)|等了?(?:好久|半天)|(?:叫|让|请)你?们?领导(?:来|接)?(?:说话|电话)?",
    Intent.MENU: r"菜单|主菜单|帮助|功能|首页|(?:你们?|您|这个|这里)?(?:都?能|会|可以)(?:帮我)?(?:做|干|办)(?:点|些)?(?:什么|啥|哪些事)|(?:你|这个?|12345)?是(?:干|做)(?:什么|啥)(?:用)?的|(?:这个?)?(?:怎么|如何)(?:用|使用|操作)|有(?:什么|哪些)功能|help|menu|bz",
    Intent.BACK: r"返回|不等了|不排了|上一步|后退|回退|返回上一步|back",
    Intent.CANCEL: r"取消|退出|不填了|不报了|不说了|不想说了|不反映了|不投诉了|不弄了|结束|停止|放弃|算了|cancel|quit",
    Intent.RESTART: r"重新开始|重来|重新填写?|从头开始|重填|restart",
    Intent.REPORT: r"(?:我?有(?:一?个|一?件|点)?(?:事|问题|情况|事情))?(?:我?(?:要|想|来)*)(?:(?:跟|和|向)你们)?(?:反[映应]|投诉|举报|上报|提交|登记|求助|建议)(?:一下|下|点)?(?:一?个|一?件|点)?(?:问题|诉求|情况|事|事情)?|我?有(?:一?个|一?件|点)?(?:事|问题|情况|事情)(?:要说|想说|跟你们说|找你们)?|(?:怎么|如何|在哪里?|去哪里?)(?:反映|投诉|举报|提诉求|报修)(?:问题)?|提诉求|下单|自助下单|报修|report",
    Intent.ASK: r"(?:我?有(?:一?个|一?件|点)?(?:事|问题|事情))?(?:我?(?:要|想|来|能)*)(?:问|咨询|请教|打听)(?:问|下|一下|一?个|一?件|点|您|你们?|几个|些)*(?:事|问题|事情|情况|政策)?|请问(?:一下)?|查政策",
    Intent.PROGRESS: r"(?:我?(?:要|想)?)(?:查|查询|查看|看看|看)?(?:一下)?(?:我的?)?(?:诉求|工单|投诉|案件|单子|办理)?(?:的)?(?:进度|进展|结果|状态)|查询?|我的诉求|我的工单|查单|(?:我的?|那个?|这个?|上次的?)*(?:事|事情|问题|诉求|投诉)?(?:处理|办|解决)(?:得|的|到)?(?:怎么样|咋样|如何|哪一?步|哪里|哪|好没有?|好了没有?|了没有?)|(?:我们?|的|那个?|这个?|上次的?)*(?:事|事情|问题|诉求|投诉|单子)(?:现在|到底)?(?:怎么样|咋样|如何|到哪一?步)|(?:你们)?(?:到底)?(?:什么时候|啥时候|何时|多久)(?:才|能|会|给)*(?:来人?|修|处理|解决|办|弄|答复|回复)(?:好|完|我)?|(?:进度|进展|结果)(?:怎么样|如何)|有(?:结果|进展|消息|回复|答复)(?:没有?|了没有?)?|(?:请问|现在|到底)*(?:是)?(?:谁|哪个?(?:单位|部门)|什么(?:单位|部门))(?:正?在)(?:给我|帮我)?(?:处理|办理?|管|负责|解决|修)(?:我的?|这|那|个|件)*(?:事情?|问题|诉求)?|(?:你们?)?(?:给我|把我的?(?:事情?|问题|诉求))?(?:转|派|分|交)(?:到|给)?了?(?:哪里|哪儿|谁|(?:哪个?|什么)(?:单位|部门))|承办(?:单位|部门)(?:是(?:谁|哪个?|哪里|什么)|的?(?:电话|号码)(?:是)?多少)?|还(?:要|得|需要?)多久|(?:还)?要几天(?:才?能)?(?:好|修好|处理好?|解决)?|cx|progress|status",
    Intent.SUPPLEMENT: r"补充(?:材料|说明|内容|情况|照片)?|我?(?:要|想)补充|bc",
    Intent.URGE: r"(?:我?(?:要|想))?催(?:办|一下|促|催|单)?|怎么还(?:没|不)(?:有|给)*人?(?:处理|解决|办|管|来|修|弄|回复|联系我)|快点(?:处理|解决|办)|cb",
    Intent.WITHDRAW: r"(?:我?(?:要|想))?(?:撤回|撤销|撤诉)(?:诉求|工单|投诉)?|不用(?:处理|办|管)了|ch",
    Intent.RATE: r"(?:我?(?:要|想))?评价|打分|pj",
    Intent.CONFIDE: r"(?:我?(?:要求?|申请))保密|bm",
    Intent.BIND: r"(?:我?(?:要|想))?绑定(?:一下)?(?:我的)?(?:手机号?码?|电话号?码?)|bind",
    Intent.ELDERLY: r"(?:长辈|老年|老人|关怀|大字)(?:模式|版)?",
    Intent.PLAIN: r"普通模式|普通版|退出长辈模式|标准模式",
    Intent.OPT_OUT: r"退订|td|不要(?:再)?(?:提醒|通知)我?",
    Intent.OPT_IN: r"恢复提醒|恢复通知|订阅",
    Intent.GREETING: r"(?:你|您)?(?:是)?(?:机器人|真人|谁|什么人)(?:吗|么)?|(?:你好|您好|喂|在吗|在不在|有人吗|有人在吗|hi|hello|哈喽|早上好|下午好|晚上好|嗨)+",
    Intent.THANKS: r"(?:好的?|嗯|行|非常|太)*[，, ]*(?:谢谢|感谢|辛苦了|谢了|再见|拜拜|没事了|thanks|thank you|bye)(?:你们?|您们?|了)*",
}
_HELLO = r"(?:(?:(?:你们?|您们?)好|喂|嗨|hello|hi|算了|那就|那|好吧|行吧?|好的?)[啊呀哈嗯]*[，,。.!！ ]*)*"
_COMMAND = re.compile(
    f"{_HELLO}(?:{'|'.join(f'(?P<{name}>{words})' for name, words in _WORDS.items())}){_END}"
)
_LED = re.compile(
    rf"{_HELLO}(?:(?P<{Intent.URGE.name}>我?(?:要|想|再)*催(?:办|一下|一催)?)|(?P<{Intent.WITHDRAW.name}>我?(?:要|想)*(?:撤回|撤诉|撤销|撤了))"
    rf"|(?P<{Intent.SUPPLEMENT.name}>我?(?:要|想|再)*补充(?:一下|下|说明|一点)?))(?:(?:吧|啊)[，,。：: ]*|[，,。：: ]+)(?P<rest>\S.+)"
)
"""A wish with what is said about it."""
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


def led_of(reading: CaseDraft) -> tuple[Intent | None, str]:
    """Return the wish that a longer message begins with, and what is said about it; (None, "") where it begins with none."""
    if reading.digit is not None or reading.event is not None:
        return None, ""
    found = _LED.fullmatch(reading.matching)
    if found is None:
        return None, ""
    name = next(name for name, said in found.groupdict().items() if said and name != "rest")
    return Intent[name], reading.text[-len(found["rest"]) :]


def _intent(text: str) -> Intent | None:
    found = _COMMAND.fullmatch(text)
    return Intent(found.lastgroup or "") if found else None

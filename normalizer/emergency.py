"""Tells whether somebody is in danger now (domain.md 4.3).

Recall first: a false alarm costs one line, a miss costs a life. A word of danger counts unless its own clause says
that it is a look-alike, a figure of speech, over, denied, feared, or a question about procedure; a word of the
present (现在, 正在, 快来 …) makes it count all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from normalizer.text import for_matching


class EmergencyKind(StrEnum):
    """Which danger it is."""

    SELF_HARM = "self_harm"
    FIRE = "fire"
    GAS = "gas"
    MEDICAL = "medical"
    DROWNING = "drowning"
    TRAPPED = "trapped"
    POLICE = "police"
    TRAFFIC = "traffic"


NUMBERS = {
    EmergencyKind.SELF_HARM: "120",
    EmergencyKind.FIRE: "119",
    EmergencyKind.GAS: "119",
    EmergencyKind.MEDICAL: "120",
    EmergencyKind.DROWNING: "119",
    EmergencyKind.TRAPPED: "119",
    EmergencyKind.POLICE: "110",
    EmergencyKind.TRAFFIC: "122",
}


@dataclass(frozen=True, slots=True)
class Emergency:
    """A danger: its kind, the number to call, and the word that told."""

    kind: EmergencyKind
    number: str
    word: str


# Most urgent first; within a clause the first kind that matches is the one reported.
_WORDS: dict[EmergencyKind, str] = {
    EmergencyKind.SELF_HARM: (
        "跳楼|(?:楼上|楼顶|天台|桥上|窗户|阳台)[^，。]{0,3}跳|跳河|跳桥|跳江|跳湖|轻生|自杀|自尽|自残|割腕|割脉|上吊|寻死|寻短见|想不开|"
        "(?:不想|不愿|没法|没办法)(?:再)?活|活不下去|活不成了|不活了|活着没意思|活着没什么意思|活够了|"
        "(?<!得)想死(?!你)|去死了算|死了算了|一死了之|结束(?:自己的|我的)?生命|"
        "喝(?:了)?(?:农药|百草枯|敌敌畏|毒药)|吞(?:了)?(?:安眠药|很多药)|"
        "吃(?:了)?(?:一整瓶|一瓶|好多|很多|大量)(?:安眠药|药)|遗书|永别了|(?:站|坐)在(?:楼顶|天台|桥栏|窗台)"
    ),
    EmergencyKind.FIRE: (
        "着(?:大)?火|(?<!发)(?<!惹)起(?:大)?火(?!车|锅|气)|失火|走火|火灾|大火|火苗|火势|明火|浓烟|(?<!别)冒(?:着|出|起|黑|浓|大|白)*烟|"
        "烧起来|烧着了|燃起来|在烧|爆炸|炸了|自燃|火救不了|救火"
    ),
    EmergencyKind.GAS: (
        "(?:煤气|燃气|天然气|液化气|瓦斯|煤气罐|气罐|氯气|氨气|毒气)[^，。,;；]{0,8}(?:泄漏|泄露|漏气|漏了|在漏|味|臭|爆)|"
        "(?:泄漏|泄露|漏)(?:了|出)?[^，。,;；]{0,4}(?:煤气|燃气|天然气|液化气|毒气|氯气|氨气)|"
        "(?:煤气|一氧化碳|瓦斯)中毒|漏煤气|漏燃气|漏天然气"
    ),
    EmergencyKind.DROWNING: (
        "溺水|落水|(?:有人|人|孩子|小孩|老人|孩)掉(?:进|到|入|下)(?:去)?|掉(?:进|到|入|下)?(?:了)?(?:河|水|湖|江|池塘|水库|井)(?:里|中)?|沉下去了|快淹死|要淹死|被(?:大)?水(?:冲走|困|淹)|洪水(?:进|来|冲)"
    ),
    EmergencyKind.MEDICAL: (
        "昏迷|昏倒|昏过去|昏厥|晕倒|晕过去|晕厥|不省人事|没(?:有)?意识|失去意识|叫不醒|没(?:有)?(?:呼吸|心跳|气了)|"
        "(?:呼吸|心跳)(?:停|骤停|困难|不上来)|喘不(?:上|过)(?:来)?气|(?:快|要)没气|心梗|心肌梗|脑梗|脑出血|中风|心脏病(?:发作|犯|复发)|"
        "大出血|(?:血流|流血)不止|止不住血|流(?:了)?(?:好多|很多|一地|满地)(?:的)?血|(?:好多|很多|一地|满地)(?:都是)?血|吐血|"
        "中毒|误服|误食|触电|电到了|电倒|被电(?:了|着|击|死)|抽搐|口吐白沫|休克|窒息|噎住|卡住(?:了)?(?:喉咙|嗓子|气管)|"
        "羊水破|要生了|快生了|大面积烧伤|烫伤(?:很)?严重|快死了|要死人|快不行了|不行了|坠楼|摔下(?:楼|来)|从(?:楼上|高处|脚手架|架子)[^，。]{0,6}(?:掉|摔|坠)|被(?:蛇|毒蛇)咬|救护车"
    ),
    EmergencyKind.TRAPPED: (
        "被困|困在|关在(?:电梯|里面)|电梯(?:里)?(?:困|关)(?:了|住|着)?(?:人|我|老人|孩子)|困(?:人|住)了|出不来了|"
        "(?:被)?(?:埋|压)(?:在|住|了)[^，。]{0,6}(?:人|下面|里面|底下)|房子(?:塌|倒)|楼(?:塌|倒)|坍塌|塌方|泥石流|山体滑坡|"
        "(?:高压)?电线(?:断|掉)[^，。,;；]{0,6}(?:地上|路上|水里|冒火|冒火花|带电)"
    ),
    EmergencyKind.POLICE: (
        "被人?(?:砍|捅|刺|扎|打伤|打了|打得)|救命|救救(?:我|孩子|他|她)|杀人|砍人|捅人|捅(?:了|伤)|要杀|杀了(?:我|你|他|她|人)|"
        "(?:持|拿|提|举)(?:着|了)?(?:一把)?(?:砍|菜|水果|匕首)?刀(?!具|片|工)|有人(?:拿|持)(?:着)?(?:枪|棍|斧)|抢劫|被抢|抢(?:我|她|他|东西|包|钱|孩子)|抢走|"
        "绑架|劫持|强奸|猥亵|性侵|非法拘禁|被(?:关|囚|绑)(?:起来|着|在)|限制(?:我|人身)自由|"
        "(?:正在|在|又在|要|一直|往死里)?(?:打人|打我|打她|打他|打老婆|打孩子|打老人|打伤|打架|殴打|群殴|斗殴|互殴|暴打|毒打|揍我|掐(?:我)?脖子)|家暴|"
        "人贩子|拐(?:走|卖)|(?:孩子|小孩|儿子|女儿|孙子|孙女|老人|老伴|爷爷|奶奶|姥姥|姥爷|父亲|母亲|爸爸?|妈妈?|婆婆|公公|家人)(?:刚才|今天|昨天|昨晚|突然|在[^，。]{1,8})?(?:丢了|走丢|走失|不见了|被抱走|失踪|被人带走)|撬(?:我|门|锁)|闯进(?:我)?(?:家|来)|小偷(?:在|进)|有贼|跟踪我|尾随|恐吓|扬言(?:要)?(?:杀|炸|报复|弄死)|弄死我|炸弹|开枪|枪声|打砸"
    ),
    EmergencyKind.TRAFFIC: (
        "车祸|撞(?:了|到|上|倒|伤|死|飞)(?:了)?(?:一|个|两|几)?(?:个)?(?:人|行人|老人|孩子|小孩|电动车|护栏)|撞车|追尾|翻车|"
        "被(?:车|汽车|电动车|货车|公交车|摩托车|大车|出租车|[^，。]{0,6}车)(?:给)?(?:撞|轧|碾)|轧(?:到|了)人|碾(?:到|了|压)|肇事(?:逃逸|跑了)|逃逸"
    ),
}
_FIRST = (
    "一上不中举互人从休关冒出割劫卡压去又口叫吃吐吞呼喘喝噎困在坍坐坠埋塌大天失好孩家寻小尾山开弄强往很心快性恐想房打扬抢抽拐拿持捅掉掐揍提摔撞撬救斗明昏"
    "晕暴有杀枪桥楼止正死殴毒气氨氯永沉没泄泥洪活流浓液溺满漏火炸烧烫煤燃爆猥瓦电着砍碾窒窗站绑结羊群翻老肇脑自落血被要触误走起跟跳车轧轻追逃遗闯阳限非高"
)
"""Every character that a word above can begin with; a test holds the two together."""
_LIKELY = re.compile(f"(?=[{_FIRST}])(?:{'|'.join(_WORDS.values())})")
_ANY = re.compile(
    f"(?=[{_FIRST}])(?:" + "|".join(f"(?P<{kind.value}>{words})" for kind, words in _WORDS.items()) + ")"
)

# Words that only look like danger; they are taken out before anything is looked for.
_LOOKALIKES = re.compile(
    "防(?:溺水|触电|中毒|爆炸|爆|火灾)|大火(?:收汁|爆炒)|火车(?:站|票|道|头)?|火锅(?:店)?|发火|恼火|上火|火气|火化|火葬|火热|火爆|火焰山|火炬|火腿|火龙果|火箭|烽火|红火|焰火|灯火|过火|窝火|怒火|停火|打火机|"
    "灭火器?|消火栓|防火(?:门|墙|通道|间距|卷帘)?|动火(?:证|作业)|"
    "(?:焚烧|烧烤|烟囱|锅炉)[^，。]{0,6}冒(?:着|出|黑|浓|大|白)*烟|跳楼(?:价|甩卖|大甩卖|机)|自杀式|爆炸(?:性|式)?(?:新闻|物品|头|螺|增长)|打架子|打火|"
    "中毒(?:事件)?(?:防治|预防)|电脑中毒|网络中毒|手机中毒|病毒|"
    "救护车(?:收费|费|怎么收|多少钱|价格|转运费|乱收费)|急救(?:培训|包|知识|证)|心肺复苏(?:培训|证)|"
    "抢(?:修|险|号|票|购|种|收|占|救)|哄抢|抢不到|打人(?:气|缘)|打人才|"
    "烟(?:花|草|囱|酒|盒|头|民)|油烟|吸烟|抽烟|香烟|烟气|电子烟|"
    "(?:气|笑|累|忙|急|烦|热|冻|吓|吵|困|恨|饿|渴|疼|痛|臭|慢|贵|堵|冷|熬|呛|愁|苦|冤|坑|害|逼|折腾|熏|晒|难看|无聊)死(?:我|人|了|个人|老百姓|咱)?(?:了|啦)?|"
    "(?:想|爱|美|乐|高兴|羡慕)死(?:你|了)|死(?:机|角|胡同|心|板|活不)|生死|打死不|死皮|"
    "大出血(?:甩卖|促销)|吐血(?:价|推荐)|窒息(?:感|的爱)|困在(?:家里没事|心里)|"
    "昏迷不醒(?:的政策)|打车|打卡|打折|打印|打扫|打听|打电话|打篮球|打牌|打麻将|打工|打针|打疫苗|"
    "车祸现场(?:一样|般)|撞衫|撞名|追尾险|水(?:井|务|费|电|质|压|管)|"
    "110(?:路|米|号楼|平|元|块|国道|公交)|119(?:路|号楼|平|元|块|宣传)|120(?:路|平|元|块|米|斤|万|号楼)|122(?:路|元|块|平|号楼)",
)
_NOW = re.compile(
    "现在|正在|正(?=[打着冒烧漏抢砍])|刚刚|刚才|快来|快点来|赶紧来|马上来|快救|救命|救救|怎么办啊|来人|还在(?:烧|冒|漏|流|打)|越来越|一直在(?:冒|漏|流|打)|还没(?:醒|出来|灭)|快不行|此刻|眼看",
)
_OVER = re.compile(
    "去年|前年|大前年|上个?月|上上个?月|上个?周|上个?星期|上上周|上个?学期|前几年|前些年|几年前|多年前|[0-9一二三四五六七八九十两几]+(?:个)?(?:年|月|周|星期|天)(?:之|以)?前|"
    "前(?:几|两|些)天|前天|昨天|昨晚(?!开始)|昨日|以前|从前|之前|曾经|当年|当时|那年|那次|上次|早年|小时候|20[0-2][0-9]年|[0-9]{1,2}月[0-9]{1,2}[日号]|月初|月底|年初|"
    "(?:已经?|早已|早就|都)(?:被)?(?:扑灭|灭了|救出|送医|出院|抢救|处理|报警|过去|解决|离世|去世|身亡|死亡)|扑灭|灭了火|出院|住院费|医药费|"
    "后来|事后|理赔|赔偿|赔付|索赔|赔钱|鉴定|认定书?|责任(?:划分|认定|书)|事故处理|结案|立案|案件|判决|起诉|官司|抚恤|工伤|丧葬|伤残|后遗症|处罚|拘留|报案(?:回执|证明)|调解|笔录|监控(?:录像)?(?:怎么|能)?(?:查|调)|举报|导致(?:我|他|她|其)?(?:骨折|受伤|住院)|康复|保险|报销|补偿|救助(?:金|政策)",
)
_ASKED = re.compile(
    "怎么(?:办理|申请|报备|报名|收费|规定|处罚|预防|预约|赔|算|报销|投诉|判|避免|防|认定|举报)|如何(?:办理|申请|报备|预防|处理(?:的|流程)|避免|防范|认定|处罚|处置|应对|自救|报警|举报)|"
    "(?:怎么|如何)(?:报警|报火警|打119|打110|打120)(?:电话)?[?？]?$|电话(?:号码)?(?:是)?(?:多少|几)|收费标准|多少钱|流程|手续|标准(?:是)?|规定|政策|制度|条例|法律|法规|"
    "培训|演练|演习|宣传|讲座|知识|常识|预案|资质|证书|验收|备案|审批|手册|课程|考试|招聘|岗位|编制|工资|待遇|专业|职责|属于哪个部门|归哪|哪个部门|负责人|态度|服务|应急预案|新闻|电影|电视剧|小说|游戏|节目|视频里|梦见|梦到",
)
_FEARED = re.compile(
    "(?:没有?|没|不|未|并未|并没有?|不会|不是|不要|别|防止|避免|以免|预防|杜绝|严防|谨防|禁止|不准|以防|为了)[^，。,;；!！?？]{0,4}$|"
    "(?:容易|可能|万一|如果|要是|假如|一旦|倘若|若是|会不会|有可能|极易|很容易|随时(?:会|可能|都会|有)?|怕|担心|害怕|恐怕|生怕|早晚(?:会|得|要)?|迟早(?:会|得|要)?|说不定|难免|以后|哪天|总有一天|等(?:到)?)[^，。,;；!！?？]{0,10}$",
)
_HAZARD = re.compile(
    "^[^，。,;；!！?？]{0,4}(?:隐患|风险|的危险|的可能|危险性|怎么办[?？]$|事故(?:频发|多发|隐患)|预警|报警器|探测器|报警系统|系统|高发|多发|频发|频繁)"
)
_CLAUSE = re.compile(r"[。！!？?；;\n]+")
_STRONG = frozenset({EmergencyKind.SELF_HARM})


def detect(text: str) -> Emergency | None:
    """Return the most urgent present danger that a message tells of, or None."""
    return detect_folded(for_matching(text))


def detect_folded(text: str) -> Emergency | None:
    """Return what ``detect`` does, of a text that is folded for matching already."""
    if _LIKELY.search(text) is None:
        return None
    text = _LOOKALIKES.sub("〇", text)
    best: Emergency | None = None
    for sentence in _CLAUSE.split(text):
        found = _in_sentence(sentence)
        if found and (best is None or _RANK[found.kind] < _RANK[best.kind]):
            best = found
    return best


def _in_sentence(sentence: str) -> Emergency | None:
    present = _NOW.search(sentence) is not None
    if not present and (_OVER.search(sentence) or _ASKED.search(sentence)):
        return None
    best: Emergency | None = None
    for found in _ANY.finditer(sentence):
        if _only_feared(sentence, found):
            continue
        kind = EmergencyKind(found.lastgroup or "")
        if best is None or _RANK[kind] < _RANK[best.kind]:
            best = Emergency(kind, NUMBERS[kind], found.group())
    return best


def _only_feared(sentence: str, found: re.Match[str]) -> bool:
    if found.lastgroup == EmergencyKind.SELF_HARM.value:
        # Whoever speaks of his own death is asked, even when he only might.
        return _FEARED_DENIAL.search(sentence, 0, found.start()) is not None
    return (
        _FEARED.search(sentence, 0, found.start()) is not None
        or _HAZARD.search(sentence[found.end() :]) is not None
    )


_FEARED_DENIAL = re.compile("(?:没有?|并未|并没有?|不是|不会|防止|避免|预防)[^，。,;；!！?？]{0,3}$")
_RANK = {kind: rank for rank, kind in enumerate(_WORDS)}

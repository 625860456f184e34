"""What the hotline may not take in, as far as words tell: GB/T 44189 6.1.2 a), codes R01 to R06 of domain.md 2.2. Pure.

Only ever advice: the citizen may insist, and an agent decides. Who threatens to go to court, or wants the wages that an
arbitration is about, has a matter like any other.
"""

from __future__ import annotations

import re

_PARTS = r"[^。！？!?\n]"
_THREATS = re.compile(
    rf"(?:再不|否则|不然|要不|要是不|如果不|若不|不行就|逼我|只能|只好|准备|打算|保留|威胁){_PARTS}{{0,16}}(?:起诉|告(?!诉)|打官司|仲裁|上访|信访|法院|复议)[^。！？!?，,\n]{{0,6}}"
)
"""What somebody says that he may do."""
_PLACES = re.compile(
    "(?:法院|仲裁委|信访局|纪委)(?:门口|门前|对面|附近|旁边|旁|东侧|西侧|南侧|北侧|东边|西边|路口|宿舍|家属院|小区|大楼|路|街)"
)
_WAGES = re.compile("欠薪|工资|工钱|薪水|薪资|血汗钱|劳务费|工程款")
_DECIDED = re.compile(
    "仲裁(?:已经|已|正在|结果|裁决|书|庭|开庭|立案|受理|胜|赢|败|输|后)|裁决书?|(?:申请|提起|走|去|要|想)(?:了|过)?(?:劳动)?(?:人事)?(?:争议)?仲裁"
)
_OFFICIAL = "(?:村)?(?:支书|书记|主任|会计)|村干部|社区干部|(?:副)?(?:镇长|乡长|局长|处长|科长|所长|县长|区长|市长|队长)|干部|公务员|公职人员|领导|官员|民警|警察|交警|辅警|城管|执法(?:人员|队员)|法官|检察官|党员|工作人员"
_WRONG = r"贪污|受贿|行贿|索贿|贿赂|收受?了?[^。！？!?，,\n]{0,6}(?:钱|礼品|礼金|红包|好处费?)|吃拿卡要|挪用|侵吞|私吞|中饱私囊|以权谋私|滥用职权|徇私|保护伞|违纪|违法乱纪|公款(?:吃喝|旅游)|公车私用|生活作风|利益输送|买官|卖官|权钱交易|腐败"
_CODES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "R06",
        re.compile(
            rf"信访(?:局|办|部门|程序|渠道|件|事项|平台|网站)?{_PARTS}{{0,10}}(?:已|正在|给了?|不予)?(?:受理|登记|办理中|答复意见|处理意见|终结|复查|复核|告知书|查询码)"
            r"|(?:已经|已|正在|在)(?:经)?(?:走|进入|通过|提交|申请)?(?:了)?(?:网上)?信访(?!局(?:门|旁|对))|(?:去|到)过?信访局(?:反映|登记|上访)?(?:过|了)|信访(?:复查|复核|三级终结)|上访(?:过|了|多次|多年)"
        ),
    ),
    (
        "R02",
        re.compile(r"仲裁"),
    ),
    (
        "R01",
        re.compile(
            r"(?:我|我们|想|要|已经?|正在|被|去|向法院|怎么|如何|可以|提起){1,6}(?:民事|行政)?(?:起诉|诉讼|上诉)|打官司|官司(?:输|赢|败|胜|打)|(?:法院|法官|法庭)(?:的)?(?:已经?|不|未|没有?|还没|迟迟|一直|拖着|给|予)*(?:立案|判|执行|受理|开庭|审理|冻结|查封|传票|送达|调解书|拍卖|裁定)"
            r"|(?:判决|裁定)(?:书|结果|生效|已|不公|下来|后)|(?:一审|二审|再审|终审)|(?:申请|等待|正在|不|没有?)(?:法院)?强制执行|执行(?:法官|局|案件|款|异议)|失信被执行|老赖|错案|冤案|诉讼(?:费|保全|时效)"
        ),
    ),
    (
        "R03",
        re.compile(
            rf"(?:{_OFFICIAL}){_PARTS}{{0,20}}(?:{_WRONG})|(?:{_WRONG})的?{_PARTS}{{0,8}}(?:{_OFFICIAL})"
        ),
    ),
    (
        "R04",
        re.compile(
            r"行政复议|(?:申请|提起|提出|要求|想|要)复议|复议(?:决定|申请|机关|期限)|对?[^。！？!?\n]{0,14}(?:行政处罚|处罚决定书?|处罚|罚单|罚款|行政决定|强制措施|认定书|行政许可|不予许可)[^。！？!?\n]{0,6}(?:不服|不认可|有异议)"
        ),
    ),
    (
        "R05",
        re.compile(
            r"信息公开|依申请公开|(?:申请|要求)(?:政府|单位|部门|你们)?公开[^。！？!?\n]{0,16}(?:文件|批文|批复|审批|信息|材料|档案|预算|决算)"
        ),
    ),
)

_HINT = re.compile(
    rf"诉|官司|法[院官庭]|判决|裁[定决]|[一二终再]审|执行|失信|老赖|[错冤]案|仲裁|复议|不服|不认可|有异议|公开|[信上]访|{_WRONG}"
)
"""One of these is in whatever a code is known by: most texts have none."""


def beyond(text: str) -> str:
    """Return the code of what a matter may be that the hotline does not take in, empty when nothing tells so."""
    if not _HINT.search(text):
        return ""
    bare = _PLACES.sub(" ", _THREATS.sub(" ", text))
    for code, pattern in _CODES:
        if not pattern.search(bare):
            continue
        if code == "R02" and not _arbitrates(bare):
            continue
        return code
    return ""


def _arbitrates(text: str) -> bool:
    """Return whether a matter is in arbitration or asks for one, and not for the wages themselves."""
    if _WAGES.search(text):
        return (
            re.search("仲裁(?:已经|已|正在|结果|裁决|书|庭|开庭|立案|受理|胜|赢|败|输|后|不服)|裁决书?", text)
            is not None
        )
    return (
        _DECIDED.search(text) is not None
        or re.search("劳动仲裁|仲裁(?:委|员|机构|怎么|流程|申请)", text) is not None
    )

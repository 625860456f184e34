"""The code lists of the hotline (domain.md 2.2): code in, Chinese label out.

Codes are what is stored and exchanged; labels are what people read. Cities add categories in their profile.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """诉求类型 (GB/T 44189 4.2, and two that published reports always carry)."""

    INQUIRY = "01"
    HELP = "02"
    COMPLAINT = "03"
    REPORT = "04"
    SUGGESTION = "05"
    GUIDANCE = "06"
    PRAISE = "07"
    OTHER = "99"


class Field(StrEnum):
    """领域 (GB/T 44189 6.1.1)."""

    ECONOMY = "A"
    MARKET = "B"
    SOCIETY = "C"
    SERVICE = "D"
    ENVIRONMENT = "E"


class Urgency(StrEnum):
    """紧急程度."""

    CRITICAL = "0"
    URGENT = "1"
    NORMAL = "2"
    DEFERRED = "3"


class PersonType(StrEnum):
    """服务对象 (GB/T 44189 3.1)."""

    NATURAL = "natural"
    LEGAL = "legal"
    OTHER = "other"


KIND_LABELS = {
    Kind.INQUIRY: "咨询",
    Kind.HELP: "求助",
    Kind.COMPLAINT: "投诉",
    Kind.REPORT: "举报",
    Kind.SUGGESTION: "意见建议",
    Kind.GUIDANCE: "在线办理指导",
    Kind.PRAISE: "表扬感谢",
    Kind.OTHER: "其他",
}
KIND_NAMES = {
    Kind.INQUIRY: "inquiry",
    Kind.HELP: "help",
    Kind.COMPLAINT: "complaint",
    Kind.REPORT: "report",
    Kind.SUGGESTION: "suggestion",
    Kind.GUIDANCE: "guidance",
    Kind.PRAISE: "praise",
    Kind.OTHER: "other",
}
FIELD_LABELS = {
    Field.ECONOMY: "经济调节",
    Field.MARKET: "市场监管",
    Field.SOCIETY: "社会管理",
    Field.SERVICE: "公共服务",
    Field.ENVIRONMENT: "生态环境保护",
}
URGENCY_LABELS = {
    Urgency.CRITICAL: "特急",
    Urgency.URGENT: "紧急",
    Urgency.NORMAL: "一般",
    Urgency.DEFERRED: "暂缓",
}
SOURCE_LABELS = {
    "01": "电话",
    "02": "短信",
    "03": "电子邮件",
    "04": "网站表单",
    "05": "微信公众号",
    "06": "微信小程序",
    "07": "APP",
    "08": "微博等新媒体",
    "09": "110分流",
    "10": "119/120/122分流",
    "11": "公共事业热线",
    "12": "省级派发",
    "13": "国家政务服务平台/好差评",
    "14": "互联网+督查",
    "15": "人民网留言",
    "16": "政府网站信箱",
    "17": "信访转入",
    "18": "走访/网格",
    "19": "坐席代录",
}
CATEGORY_LABELS = {
    "A01": "惠企政策与营商环境",
    "A02": "税务",
    "A03": "价格与粮食储备",
    "A04": "招商投资",
    "A05": "统计与规划",
    "B01": "消费维权",
    "B02": "食品安全",
    "B03": "药品医械",
    "B04": "特种设备",
    "B05": "广告与不正当竞争",
    "B06": "知识产权",
    "B07": "计量与质量",
    "B08": "无证经营",
    "C01": "治安与警务",
    "C02": "交通秩序",
    "C03": "城市管理",
    "C04": "物业与小区",
    "C05": "噪声扰民",
    "C06": "户籍与出入境",
    "C07": "劳动纠纷",
    "C08": "基层自治与民族宗教",
    "C09": "消防隐患",
    "C10": "安全生产",
    "D01": "供水",
    "D02": "供电",
    "D03": "供气",
    "D04": "供热",
    "D05": "道路与排水",
    "D06": "公共交通",
    "D07": "教育",
    "D08": "医疗卫生",
    "D09": "医保",
    "D10": "社保",
    "D11": "公积金",
    "D12": "住房保障与房产",
    "D13": "民政",
    "D14": "残疾人服务",
    "D15": "就业人事",
    "D16": "文体旅游",
    "D17": "通信快递",
    "D18": "政务办事",
    "D19": "公园绿化环卫",
    "E01": "大气",
    "E02": "水污染",
    "E03": "施工工业噪声",
    "E04": "固废危废",
    "E05": "辐射光污染",
    "E06": "畜禽养殖",
    "E07": "自然资源与林草",
    "E08": "农业农村环境",
}
REJECT_LABELS = {
    "R01": "诉讼",
    "R02": "仲裁",
    "R03": "纪检监察",
    "R04": "行政复议",
    "R05": "政府信息公开",
    "R06": "已进入信访程序",
    "R07": "国家秘密/商业秘密/个人隐私",
    "R08": "违反法律或公序良俗",
    "R09": "超出政府职责",
    "R10": "非本行政区域",
    "R11": "同一事项无新情况新理由",
    "R12": "其他机关职责",
    "R13": "紧急事项已转专线",
    "R14": "无实质内容/恶意骚扰",
    "R15": "信息不全且逾期未补充",
    "R99": "其他",
}
RETURN_LABELS = {
    "T1": "非本单位职责",
    "T2": "非本辖区",
    "T3": "信息不全无法办理",
    "T4": "重复派单",
    "T5": "应由法定途径",
    "T6": "应由上级/主管部门牵头",
}
SATISFACTION_LABELS = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
LOW_RATING_LABELS = {
    1: "未联系本人",
    2: "未解决",
    3: "敷衍推诿",
    4: "超时",
    5: "态度差",
    6: "其他",
    7: "答非所问",
}
SUPERVISION_LABELS = {
    1: "系统催办",
    2: "日常督办",
    3: "挂牌督办",
    4: "约谈督办",
    5: "专题/联席会议",
}

"""What kind of matter it is and where in the category tree it belongs, by telling words (domain.md 2.2).

A word weighs what it says: 3 names the matter alone, 2 points to it, 1 hints. Confidence is the winner's share of
all weight, damped while there is little of it.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from normalizer.codes import Kind

_CATEGORIES: dict[str, str] = {
    "A01": "惠企政策3 营商环境3 涉企收费3 拖欠账款3 拖欠工程款3 融资2 贷款难2 企业补贴3 小微企业2 招商引资2 政府采购2",
    "A02": "税务3 纳税3 缴税3 个税3 退税3 发票3 增值税3 税率2 税2",
    "A03": "物价3 涨价2 价格2 粮食储备3 明码标价2 乱收费2",
    "A04": "招商3 投资2 产业园2",
    "A05": "统计3 规划2 城市规划3",
    "B01": "消费2 预付卡3 退款3 退钱2 网购3 售后3 健身卡3 充值2 假货3 维权2 不退2 商家2 消费者3 质保2 办卡2",
    "B02": "食品3 过期食品3 变质3 食物3 饭店2 餐馆2 外卖2 吃坏2 地沟油3 卫生许可2 超市1",
    "B03": "药品3 药店3 医疗器械3 假药3 保健品3",
    "B04": "电梯3 锅炉3 特种设备3 起重机3 游乐设施3",
    "B05": "虚假宣传3 广告2 不正当竞争3 传销3",
    "B06": "专利3 商标3 侵权2 盗版3",
    "B07": "缺斤少两3 计量3 质量问题2 秤2 不合格2",
    "B08": "无证经营3 无照3 黑作坊3 营业执照3",
    "C01": "派出所3 警察2 治安3 诈骗3 被骗2 盗窃3 赌博3 打架2 民警3 公安2 报案2",
    "C02": "违停3 乱停车3 停车2 红绿灯3 信号灯3 标线3 堵车3 交通2 超速3 逆行3 闯红灯3 斑马线3 限速2 摄像头1 车位2 罚单3 货车2",
    "C03": "占道3 摆摊3 流动摊贩3 违建3 违章建筑3 违法建设3 私搭乱建3 市容3 小广告3 养犬3 狗2 遛狗3 城管3 广告牌2 共享单车2",
    "C04": "物业3 业委会3 物业费3 小区2 业主2 楼道2 维修基金3 门禁2 单元门2 地下车库2 充电桩2 飞线2",
    "C05": "噪声2 噪音2 扰民2 广场舞3 音响3 吵2 邻居2 装修2 KTV3 酒吧3 休息1",
    "C06": "户口3 落户3 身份证3 居住证3 护照3 签证3 户籍3 迁户3 出入境3",
    "C07": "工资3 欠薪3 拖欠工资3 农民工3 劳动合同3 加班2 辞退3 工伤3 讨薪3 劳务2 克扣2 老板1",
    "C08": "村委3 居委会3 村干部3 村务3 宗教3 选举2 民族2 宅基地2",
    "C09": "消防3 消防通道3 灭火器3 火灾隐患3 疏散2 安全出口2",
    "C10": "安全生产3 施工安全3 危化品3 矿2 安全隐患1",
    "D01": "停水3 自来水3 水压3 水费3 供水3 水管2 水表3 水质2 没水3 断水3",
    "D02": "停电3 断电3 电费3 供电3 电压3 变压器3 没电3 电表3 电线2 电线杆2",
    "D03": "燃气3 天然气3 煤气3 供气3 停气3 气表3",
    "D04": "供暖3 暖气3 供热3 取暖3 不热3 热力3 暖气片3 取暖费3 室温2",
    "D05": "井盖3 路灯3 积水3 路面3 坑洼3 坑2 破损2 排水3 下水道3 污水井3 道路2 马路2 人行道3 修路3 塌陷3 窨井3 盲道3 护栏2 雨水2",
    "D06": "公交3 公交车3 地铁3 出租车3 网约车3 客运3 站台3 司机2 火车2 班次2",
    "D07": "学校3 入学3 学区3 老师3 教师2 幼儿园3 补课3 培训班3 学费3 中考3 高考3 招生3 学生3 孩子1 上学3 校服3 培训机构3",
    "D08": "医院3 医生3 挂号3 看病3 疫苗3 卫生院3 就诊3 体检3 护士3 医疗2",
    "D09": "医保3 医疗保险3 报销3 新农合3 医保卡3 异地就医3",
    "D10": "社保3 养老保险3 社保卡3 退休3 养老金3 参保3 失业金3",
    "D11": "公积金3",
    "D12": "房产证3 延期交房3 交房3 烂尾3 开发商3 购房3 公租房3 廉租房3 廉住房3 保障房3 棚改3 拆迁3 不动产3 楼盘3 买房3 商品房3 办证2 安置房3 房屋2",
    "D13": "低保3 养老院3 婚姻3 结婚3 离婚登记3 殡葬3 公墓3 救助2 孤儿3 高龄补贴3 特困3 老年2",
    "D14": "残疾3 残疾人3 残疾证3 轮椅3 无障碍3",
    "D15": "就业3 招聘3 人事3 公务员3 事业编3 职称3 人才补贴3 档案2",
    "D16": "旅游3 景区3 图书馆3 体育馆3 文化3 门票2 导游3",
    "D17": "快递3 宽带3 手机信号3 移动公司2 联通2 电信2 基站3 话费3 流量2 邮政3",
    "D18": "怎么办理2 办事2 证件2 政务大厅3 窗口2 材料1 办理流程3 网上办2",
    "D19": "公园3 绿化3 树2 树枝3 垃圾3 垃圾桶3 保洁3 环卫3 厕所3 公厕3 草坪3 清扫2",
    "E01": "油烟3 扬尘3 焚烧3 烟囱3 废气3 异味3 臭味2 雾霾3 空气污染3 秸秆3 粉尘3 冒烟2",
    "E02": "污水3 河道3 排污3 水污染3 黑臭3 河水3 臭水3 鱼塘2",
    "E03": "施工2 工地3 夜间施工3 工厂2 机器2 厂房2 噪声1 噪音1 施工噪音3 厂里2",
    "E04": "固废3 危废3 建筑垃圾3 渣土3 废料3 医疗垃圾3",
    "E05": "辐射3 光污染3 高压线2 灯光刺眼3",
    "E06": "养猪场3 养殖3 养鸡3 猪粪3 牛羊2 养猪3",
    "E07": "砍树3 林地3 耕地3 土地2 采砂3 采石3 矿山3 征地3 湿地3 山林3",
    "E08": "农业2 农药2 化肥3 种子3 农田3 灌溉3 庄稼3 农机3 农村2 合作社2",
}
_KINDS: dict[Kind, str] = {
    Kind.REPORT: "举报3 偷税3 违法2 传销3 无证2 贪污3 受贿3 黑社会3 赌博3 制假3 售假3 盗采3 私自2 偷排3",
    Kind.COMPLAINT: "投诉3 态度差3 态度恶劣3 不作为3 乱收费3 拖欠3 欺骗3 敷衍2 推诿3 不退3 骗2 扰民2 不管2 没人管2 黑心3 乱2 违规2 骂2 吵2 噪音2 噪声2 刁难3 不理2 占用2 拒绝2 插队2 不让2 不承认2",
    Kind.SUGGESTION: "建议3 希望能2 能否增加3 提议3 意见3 应该增设3 呼吁3 最好能2",
    Kind.GUIDANCE: "网上怎么办3 登录不上3 小程序怎么3 app怎么3 上传不了3 验证码收不到3 提交不了3 操作2 注册不了3",
    Kind.INQUIRY: "请问3 咨询3 想问2 问下2 问一下2 打听3 怎么办理3 如何办理3 什么时候2 多少钱2 需要什么材料3 哪里办3 能不能2 是否2 电话是多少3 什么条件3 怎么申请3 怎么2 吗2 呢1 ？1 ?1",
    Kind.PRAISE: "表扬3 感谢信3 点赞3 锦旗3 非常感谢3 好人好事3 热心2",
    Kind.HELP: "求助3 帮忙2 帮助2 坏了3 丢了2 没了2 停水3 停电3 不热3 不亮3 漏水3 堵了3 井盖2 破损3 塌陷3 维修3 修2 解决2 尽快2 影响2 危险2 处理2 坏2 裂2 断了2 掉了2 倒了2 积水2 停气3 没水3 没电3 没暖气3 不通2 冻2 臭2",
}
_FLOOR = 2
"""Weight added below the fraction, so that one hint alone is never sure."""
_WORD = re.compile(r"(\S+?)([123])(?:\s|$)")


# Whether it is a question, and then what it is about: one turn asks twice.
@lru_cache(maxsize=16)
def kind_of(text: str) -> tuple[str, float]:
    """Return (诉求类型 code, confidence 0 to 1) of a text folded for matching; ("99", 0.0) when nothing tells."""
    code, confidence = _best(text, _kind_words())
    return code or Kind.OTHER.value, confidence


@lru_cache(maxsize=16)
def category_of(text: str) -> tuple[str, float]:
    """Return (category code, confidence 0 to 1) of a text folded for matching; ("", 0.0) when nothing tells."""
    return _best(text, _category_words())


Words = tuple[re.Pattern[str], dict[str, tuple[tuple[str, int], ...]]]


def _best(text: str, words: Words) -> tuple[str, float]:
    pattern, table = words
    weights: dict[str, int] = {}
    for word in set(pattern.findall(text)):
        for code, weight in table[word]:
            weights[code] = weights.get(code, 0) + weight
    if not weights:
        return "", 0.0
    code = max(weights, key=lambda each: weights[each])
    return code, weights[code] / (sum(weights.values()) + _FLOOR)


@cache
def _category_words() -> Words:
    return _compiled(_CATEGORIES)


@cache
def _kind_words() -> Words:
    return _compiled({kind.value: words for kind, words in _KINDS.items()})


def _compiled(lists: dict[str, str]) -> Words:
    table: dict[str, tuple[tuple[str, int], ...]] = {}
    for code, words in lists.items():
        for word, weight in _WORD.findall(words):
            table[word.casefold()] = (*table.get(word.casefold(), ()), (code, int(weight)))
    longest_first = sorted(table, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))), table

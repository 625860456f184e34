"""Personal data in free text: found, validated, masked (domain.md 1.10 and 2.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class PersonalKind(StrEnum):
    """What was found."""

    PHONE = "phone"
    LANDLINE = "landline"
    ID_CARD = "id_card"
    BANK_CARD = "bank_card"
    PLATE = "plate"
    USCC = "uscc"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of personal data: ``text[start:end]``, and ``value`` without blanks and dashes."""

    kind: PersonalKind
    start: int
    end: int
    value: str


_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_WORTH = re.compile(rf"[0-9０-９@＠{_PROVINCES}]")
# The longest and strictest first: what one has claimed, the next may not.
_PATTERNS: tuple[tuple[PersonalKind, re.Pattern[str]], ...] = (
    (
        PersonalKind.EMAIL,
        re.compile(
            r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{2,24}){1,4}", re.ASCII
        ),
    ),
    (
        PersonalKind.ID_CARD,
        re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:18|19|20)[0-9]{9}[0-9Xx](?![0-9A-Za-z])"),
    ),
    (PersonalKind.USCC, re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXY]{18}(?![0-9A-Za-z])")),
    (PersonalKind.BANK_CARD, re.compile(r"(?<![0-9])(?:[0-9]{4}[ -]?){3,4}[0-9]{1,7}(?![0-9])")),
    (
        PersonalKind.PHONE,
        re.compile(r"(?<![0-9])(?:(?:\+|00)?86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2}(?![0-9])"),
    ),
    (
        PersonalKind.LANDLINE,
        re.compile(r"(?<![0-9])0[0-9]{2,3}[- ]?[2-9][0-9]{6,7}(?:[-转][0-9]{1,6})?(?![0-9])"),
    ),
    (
        PersonalKind.PLATE,
        re.compile(rf"[{_PROVINCES}][A-HJ-NP-Z][ ·]?(?:[A-HJ-NP-Z0-9]{{5,6}})(?![A-Za-z0-9])"),
    ),
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_COMPOUND = (
    "欧阳",
    "太史",
    "端木",
    "上官",
    "司马",
    "东方",
    "独孤",
    "南宫",
    "夏侯",
    "诸葛",
    "尉迟",
    "公孙",
    "慕容",
    "司徒",
    "令狐",
    "皇甫",
    "宇文",
    "长孙",
)
_MOBILE = re.compile(r"(?:(?:\+|00)?86)?(1[3-9][0-9]{9})")
_LANDLINE = re.compile(r"0[0-9]{2,3}[2-9][0-9]{6,7}(?:[转-][0-9]{1,6})?")
_SEPARATORS = re.compile(r"[ \-()（）]")
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任"
    "袁柳鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴"
    "谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫经房裘缪干解"
    "应宗丁宣邓单杭洪包诸左石崔吉钮龚程嵇邢裴陆荣翁荀羊惠甄曲家封储靳段焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘"
    "厉戎祖武符刘景詹束龙叶幸司韶黎乔苍双闻莘党翟谭贡姬申扶堵冉宰郦雍桑桂濮牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿阎充慕连茹习"
    "宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾毋沙养鞠须丰"
    "巢关蒯相查后荆红游竺权逯盖益桓公"
)
_TITLES = "先生|女士|小姐|师傅|阿姨|大爷|大妈|大叔|大姐|大哥|老师|同志|奶奶|爷爷|叔|姐|哥"
_CALLED = re.compile(rf"([{_SURNAMES}]|{'|'.join(_COMPOUND)})(?:{_TITLES})")
_NAMED = re.compile(
    rf"(?:我叫|我是|姓名[:：是]?|称呼[:：是]?|联系人[:：是]?|名字[:：是叫]?)\s*((?:{'|'.join(_COMPOUND)}|[{_SURNAMES}])[\u4e00-\u9fff]{{1,2}})(?![\u4e00-\u9fff])"
)
_SURNAMED = re.compile(
    rf"我?姓({'|'.join(_COMPOUND)}|[{_SURNAMES}])(?=$|[^\u4e00-\u9fff]|电话|手机|联系|号码)"
)
_ALONE = re.compile(rf"((?:{'|'.join(_COMPOUND)}|[{_SURNAMES}])[\u4e00-\u9fff]{{1,2}})")
_SURNAME = rf"(?:{'|'.join(_COMPOUND)}|[{_SURNAMES}])"
_WHO = (
    "我叫|我是|他叫|她叫|名叫|叫做|名为|叫|姓名[:：是为]?|联系人[:：是]?|邻居|业主|房东|租客|老板|司机|村民|居民|工人|"
    "当事人|负责人|经办人|同事|同学|儿子|女儿|丈夫|妻子|老公|老婆|父亲|母亲|弟弟|妹妹|哥哥|姐姐"
)
_AFTER = (
    r"(?=$|[\s，,。.、；;：:!！?？()（）“”\"]|[的说把在是等和与及将有打欠住被给让也都就不没家骑开养停占用])"
)
_OTHERS = re.compile(rf"({_WHO})\s*({_SURNAME}[\u4e00-\u9fff]{{1,2}}?){_AFTER}")
_TITLED = re.compile(
    rf"({_SURNAME})([\u4e00-\u9fff]{{1,2}})(?={_TITLES}|经理|主任|书记|局长|所长|队长|科长|医生|律师|警官)"
)
_STREET = re.compile(r".*?(?:街道|大街|小区|花园|家园|社区|村|镇|乡|路|街|巷|苑|城|院|里|弄)")


# One turn looks at its message up to four times, one question after the other.
@lru_cache(maxsize=16)
def find(text: str) -> tuple[Finding, ...]:
    """Return all personal data in the text, valid by its check digit where it has one, in order and not overlapping."""
    if not _WORTH.search(text):
        return ()
    narrow = text.translate(_NARROW_DIGITS)
    taken: list[Finding] = []
    for kind, pattern in _PATTERNS:
        for found in pattern.finditer(narrow):
            value = _value(kind, found.group())
            if value and not any(found.start() < other.end and other.start < found.end() for other in taken):
                taken.append(Finding(kind, found.start(), found.end(), value))
    return tuple(sorted(taken, key=lambda finding: finding.start))


def mask(text: str) -> str:
    """Return the text with all personal data masked; a unified social credit code is public and stays."""
    parts, at = [], 0
    for finding in find(text):
        parts += [text[at : finding.start], _MASKS[finding.kind](finding.value)]
        at = finding.end
    return "".join([*parts, text[at:]]) if parts else text


def mask_phone(phone: str) -> str:
    """Return 138****1234; of a landline the last four digits stay."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else f"****{phone[-4:]}"


def mask_name(name: str) -> str:
    """Return the surname and stars: 张*, 张**, 欧阳*."""
    keep = 2 if name[:2] in _COMPOUND and len(name) > 2 else 1
    return name[:keep] + "*" * min(len(name) - keep, 2)


def mask_names(text: str) -> str:
    """Return words with the names in them masked that are given as names: 邻居王小明 becomes 邻居王**.

    A name without a word beside it that says so cannot be told from other words and stays.
    """
    text = _TITLED.sub(lambda found: found.group(1) + "*" * len(found.group(2)), text)
    return _OTHERS.sub(lambda found: found.group(1) + mask_name(found.group(2)), text)


def mask_email(email: str) -> str:
    """Return a***@qq.com."""
    user, _, domain = email.partition("@")
    return f"{user[:1]}***@{domain}"


def mask_address(address: str) -> str:
    """Return the address down to the street or estate; the door is starred."""
    ends = [found.end() for found in _STREET.finditer(address)]
    return f"{address[: ends[-1]]}***" if ends and ends[-1] < len(address) else address


def valid_mobile(text: str) -> str | None:
    """Return the 11 digits of a mobile number, or None."""
    found = _MOBILE.fullmatch(_SEPARATORS.sub("", text.strip()))
    return found.group(1) if found else None


def valid_landline(text: str) -> str | None:
    """Return the digits of a landline number with area code, or None."""
    digits = _SEPARATORS.sub("", text.strip())
    return digits if _LANDLINE.fullmatch(digits) else None


def valid_phone(text: str) -> str | None:
    """Return the digits of a mobile or landline number, or None."""
    return valid_mobile(text) or valid_landline(text)


def valid_id_card(text: str) -> bool:
    """Return whether an ID number's check character is right (GB 11643)."""
    if not re.fullmatch(r"[0-9]{17}[0-9Xx]", text):
        return False
    total = sum(int(c) * w for c, w in zip(text, _ID_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == text[-1].upper()


def valid_uscc(text: str) -> bool:
    """Return whether a unified social credit code's check character is right (GB 32100)."""
    if len(text) != 18 or any(c not in _USCC_ALPHABET for c in text):
        return False
    total = sum(_USCC_ALPHABET.index(c) * w for c, w in zip(text, _USCC_WEIGHTS, strict=False))
    return _USCC_ALPHABET[-total % 31] == text[-1]


def name_in(text: str, *, asked: bool = True) -> str | None:
    """Return the form of address a person gives, or None; who was not ``asked`` for it says that it is one."""
    if (found := _NAMED.search(text)) or (found := _CALLED.search(text)):
        return found.group(1) if found.re is _NAMED else found.group()
    if found := _SURNAMED.search(text):
        return f"{found.group(1)}先生/女士"
    if not asked:
        return None
    rest = re.sub(r"[0-9+\-\s,，、。;；:：电话手机号码是]+", " ", text).strip()
    if re.fullmatch(f"[老小阿][{_SURNAMES}]", rest):
        return rest
    if len(rest) == 1 and rest in _SURNAMES:
        return f"{rest}先生/女士"
    found = _ALONE.fullmatch(rest)
    return found.group(1) if found else None


def _value(kind: PersonalKind, found: str) -> str:
    value = found.replace(" ", "").replace("-", "").replace("·", "")
    match kind:
        case PersonalKind.ID_CARD:
            return value if valid_id_card(value) else ""
        case PersonalKind.USCC:
            return value if valid_uscc(value) and not value.isalpha() else ""
        case PersonalKind.BANK_CARD:
            return value if 16 <= len(value) <= 19 and _luhn(value) else ""
        case PersonalKind.PHONE:
            return value[-11:]
        case _:
            return found


def _luhn(digits: str) -> bool:
    doubled = (int(c) * 2 for c in digits[-2::-2])
    return (sum(int(c) for c in digits[::-2]) + sum(n - 9 if n > 9 else n for n in doubled)) % 10 == 0


_NARROW_DIGITS = {0xFF10 + n: ord("0") + n for n in range(10)} | {
    0xFF20: ord("@"),
    0xFF38: ord("X"),
    0xFF58: ord("x"),
}
_MASKS: dict[PersonalKind, Callable[[str], str]] = {
    PersonalKind.PHONE: mask_phone,
    PersonalKind.LANDLINE: mask_phone,
    PersonalKind.ID_CARD: lambda value: f"{value[:4]}**********{value[-4:]}",
    PersonalKind.BANK_CARD: lambda value: f"****{value[-4:]}",
    PersonalKind.PLATE: lambda value: f"{value[:2]}***{value[-2:]}",
    PersonalKind.USCC: str,
    PersonalKind.EMAIL: mask_email,
}

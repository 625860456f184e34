"""What may be reported: the category tree as services, their groups the fields of GB/T 44189 6.1.1, and what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bots.slots import DEMAND_LENGTH, KINDS, PLACE_LENGTH, WHEN_LENGTH
from gateway.web.open311.faults import UNKNOWN, Fault, Faulty, faulty
from gateway.web.open311.wire import Answer, Many, Row
from normalizer.codes import CATEGORY_LABELS, FIELD_LABELS, KIND_LABELS, Field, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KIND, WHEN, DEMAND, SECRET, PLACE_DETAIL = "KIND", "WHEN", "DEMAND", "SECRET", "PLACE_DETAIL"
YES, NO = "1", "0"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One question of a service: its code, how it is answered, and what may be chosen."""

    code: str
    datatype: str
    description: str
    hint: str = ""
    limit: int = 0
    values: tuple[tuple[str, str], ...] = ()
    placed: bool = False

    def fault(self, value: str) -> str:
        """Return what is wrong with an answer, empty when it is well."""
        if self.values and value not in dict(self.values):
            known = "、".join(f"{key}（{name}）" for key, name in self.values)
            return f"attribute[{self.code}] 只能是 {known}"
        if self.limit and len(value) > self.limit:
            return f"attribute[{self.code}] 最多 {self.limit} 个字"
        return ""


_KINDS = (*KINDS.values(), Kind.GUIDANCE, Kind.PRAISE)
ATTRIBUTES = (
    Attribute(
        KIND,
        "singlevaluelist",
        "诉求类型",
        "不选按求助办理",
        values=tuple((kind.value, KIND_LABELS[kind]) for kind in _KINDS),
    ),
    Attribute(WHEN, "string", "什么时候发生的", "例如：今天、近几天、长期存在", WHEN_LENGTH),
    Attribute(DEMAND, "text", "希望怎样解决", "", DEMAND_LENGTH),
    Attribute(
        SECRET,
        "singlevaluelist",
        "是否需要对您的信息保密",
        "举报一律保密；保密的工单不能在这里查询",
        values=((YES, "保密"), (NO, "不需要")),
    ),
    Attribute(PLACE_DETAIL, "string", "详细地点", "小区、楼号、路口、哪一侧", PLACE_LENGTH, placed=True),
)
"""The slots of an order (domain.md 4.2) that the protocol has no field of its own for; none is required."""


class Services:
    """The services of a city; ``placed`` are the categories whose matter has a place."""

    def __init__(self, placed: frozenset[str]) -> None:
        self._placed = placed

    def listed(self) -> Answer:
        """Return all services."""
        return Answer("services", Many("service", [_service(code) for code in CATEGORY_LABELS]))

    def attributes(self, code: str) -> tuple[Attribute, ...]:
        """Return what a service asks; raises Faulty for a service that is not."""
        if code not in CATEGORY_LABELS:
            raise faulty(UNKNOWN, f"没有这个服务：service_code {code[:20]}")
        return tuple(each for each in ATTRIBUTES if not each.placed or code in self._placed)

    def definition(self, code: str) -> Answer:
        """Return what a service asks, as it is written; raises Faulty for a service that is not."""
        asked = [_asked(order, each) for order, each in enumerate(self.attributes(code), 1)]
        return Answer("service_definition", {"service_code": code, "attributes": Many("attribute", asked)})

    def answered(self, code: str, given: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Return the answers to a service's questions; raises Faulty with one fault for each bad one."""
        known = {each.code: each for each in self.attributes(code)}
        faults, answers = [], {}
        for name, values in given.items():
            if name not in known:
                faults.append(Fault(400, f"attribute[{name[:20]}] 不是服务 {code} 的属性"))
            elif len(values) > 1:
                faults.append(Fault(400, f"attribute[{name}] 只能有一个值"))
            elif wrong := known[name].fault(values[0]):
                faults.append(Fault(400, wrong))
            else:
                answers[name] = values[0]
        if faults:
            raise Faulty(*faults)
        return answers


def _service(code: str) -> Row:
    group = FIELD_LABELS[Field(code[0])]
    return {
        "service_code": code,
        "service_name": CATEGORY_LABELS[code],
        "description": f"{group}：{CATEGORY_LABELS[code]}",
        "metadata": True,
        "type": "realtime",
        "keywords": f"{group},{CATEGORY_LABELS[code]}",
        "group": group,
    }


def _asked(order: int, attribute: Attribute) -> Row:
    asked: dict[str, object] = {
        "variable": True,
        "code": attribute.code,
        "datatype": attribute.datatype,
        "required": False,
        "datatype_description": attribute.hint or None,
        "order": order,
        "description": attribute.description,
    }
    if attribute.values:
        asked["values"] = Many("value", [{"key": key, "name": name} for key, name in attribute.values])
    return asked  # type: ignore[return-value]

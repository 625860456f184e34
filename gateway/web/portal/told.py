"""What a citizen is shown of a case's log, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normalizer.case import Verb

if TYPE_CHECKING:
    from normalizer.case import CaseEvent

TOLD = {
    Verb.SUBMIT: "已提交",
    Verb.ACCEPT: "已受理",
    Verb.ASK: "请您补充材料",
    Verb.SUPPLEMENT: "您补充了材料",
    Verb.ANSWER: "已答复",
    Verb.DIVERT: "已转专线办理",
    Verb.REJECT: "不予受理",
    Verb.OBJECT: "您提出异议，另一位工作人员会复核",
    Verb.MERGE: "与同类诉求一并办理",
    Verb.DISPATCH: "已转承办单位",
    Verb.DESIGNATE: "已确定承办单位",
    Verb.SIGN: "承办单位已接收",
    Verb.HANDLE: "承办单位正在办理",
    Verb.GRANT: "办理期限延长",
    Verb.SUSPEND: "暂时难以办结，会再核查",
    Verb.RESUME: "继续办理",
    Verb.REPLY: "承办单位已答复，正在审核",
    Verb.FINISH: "已办结",
    Verb.VISIT: "已回访",
    Verb.RATE: "您评价了办理结果",
    Verb.REWORK: "重新办理",
    Verb.CLOSE: "已结案",
    Verb.WITHDRAW: "您撤回了这件诉求",
    Verb.TERMINATE: "终止办理",
    Verb.URGE: "您催办了一次",
    Verb.SUPERVISE: "已督办",
}
"""What a citizen is shown of the log; what is not here is the hotline's own."""


def note(event: CaseEvent) -> str:
    """Return what of an event's words its citizen may read."""
    if event.verb in {Verb.ASK, Verb.REJECT, Verb.GRANT, Verb.TERMINATE, Verb.SUSPEND, Verb.DIVERT}:
        return event.command.reason or event.command.text
    if event.verb in {Verb.DISPATCH, Verb.DESIGNATE}:
        return event.command.unit_name
    return event.command.text if event.verb is Verb.SUPPLEMENT else ""

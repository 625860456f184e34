"""What the verbs of a case are called at the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normalizer.case import Verb

if TYPE_CHECKING:
    from collections.abc import Mapping

VERB_LABELS: Mapping[Verb, str] = {
    Verb.DRAFT: "起草",
    Verb.SUBMIT: "提交",
    Verb.ASK: "请补充材料",
    Verb.SUPPLEMENT: "补充",
    Verb.ACCEPT: "受理",
    Verb.ANSWER: "直接答复",
    Verb.DIVERT: "转专线",
    Verb.REJECT: "不予受理",
    Verb.OBJECT: "异议",
    Verb.MERGE: "并单",
    Verb.UNMERGE: "撤销并单",
    Verb.DISPATCH: "派单",
    Verb.SIGN: "签收",
    Verb.REMIND: "提醒",
    Verb.RETURN: "退单",
    Verb.UPHOLD: "同意退单",
    Verb.OVERRULE: "不同意退单",
    Verb.DISPUTE: "提交争议协调",
    Verb.DESIGNATE: "指定承办",
    Verb.COHANDLE: "增加协办",
    Verb.EXTEND: "申请延期",
    Verb.GRANT: "同意延期",
    Verb.REFUSE: "不同意延期",
    Verb.SUSPEND: "挂账",
    Verb.RESUME: "恢复办理",
    Verb.HANDLE: "办理",
    Verb.REPLY: "单位答复",
    Verb.REDO: "退回重答",
    Verb.FINISH: "办结",
    Verb.VISIT: "回访",
    Verb.RATE: "评价",
    Verb.REWORK: "重办",
    Verb.CLOSE: "结案",
    Verb.ARCHIVE: "归档",
    Verb.WITHDRAW: "撤回工单",
    Verb.TERMINATE: "终止办理",
    Verb.URGE: "催办",
    Verb.SUPERVISE: "督办",
    Verb.RISK: "标注风险",
    Verb.AMEND: "修改工单",
}

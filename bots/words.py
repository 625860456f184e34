"""Every sentence a citizen reads from the bot, by language. Nowhere else.

A text says what happens next and, where the hotline promises it, by when; a menu ends with 0 for a person.
No text has more than 120 Chinese characters, and none for the elderly view more than 60 (domain.md 4.1).
"""

from __future__ import annotations

from bots.words_en import EN
from bots.words_mail import MAIL
from bots.words_sms import ONLY_SMS, SMS

ZH: dict[str, str] = {
    # Greeting and menu
    "welcome": "您好，这里是{city}{hotline}政务服务便民热线智能客服，24小时在线。可直接说您的问题，或回复数字：\n1 咨询政策 2 反映问题 3 查进度 4 补充材料 5 长辈模式 0 转人工\n紧急情况请拨打110、119、120、122。您提供的信息仅用于办理诉求{privacy}。",
    "privacy": "，见{url}",
    "welcome_elderly": "您好，我帮您反映问题。请直接说话或打字：发生了什么事？说完发送就行。要和工作人员说话，请回0，或直接打{hotline}。",
    "notice": "您好，这里是{city}{hotline}智能客服。您提供的信息仅用于办理诉求{privacy}。",
    "menu": "请直接说您的问题，或回复数字：\n1 咨询政策 2 反映问题 3 查进度 4 补充材料 5 长辈模式 0 转人工",
    "menu_elderly": "请直接说发生了什么事。要和工作人员说话，请回0，或打{hotline}。",
    "english_hint": "For English, please write a whole sentence in English, or reply 0 for an agent.",
    "thanks": "不客气，这是我们应该做的。还有问题请直接说，或回复 3 查进度，0 转人工。",
    "elderly_on": "已为您换成长辈模式，一次只问一件事。请说发生了什么事；要和工作人员说话，请回0。回复“普通模式”可换回。",
    "elderly_on_again": "已为您换成长辈模式。请接着回答刚才的问题，或回0转人工。",
    "elderly_off": "已换回普通模式。",
    "empty": "没有看到文字内容。请直接说您的问题，或回复数字：2 反映问题 3 查进度 0 转人工",
    "not_understood": "抱歉，我没有听懂。您可以换个说法，或回复数字：2 反映问题 3 查进度 0 转人工",
    "offer_human": "我可能帮不上您，请回复 0 转人工，也可以直接拨打{hotline}，24小时有人接听。",
    "failed": "您的消息已收到，但系统处理时出了问题，工作人员会查看并补办。急事请拨打12345；紧急情况请拨打110、119、120。",
    "ask_question": "请说您想咨询的问题，例如“公积金怎么提取”。回复 0 转人工。",
    "no_answer": "这个问题我还不能准确回答。请回复：1 登记下来，{hours}小时内受理，由工作人员答复您 2 重新提问 0 转人工",
    "answer": "{short}\n{basis}来源：{source} 更新：{updated}",
    "answer_basis": "依据：{basis} ",
    "answer_solved": "解决了吗？1 解决了 2 没解决（转人工） 3 我要提交诉求",
    "answer_choose": "您想问的是不是：\n{lines}\n{none} 都不是，登记下来由工作人员答复 0 转人工",
    "answer_choose_elderly": "您想问的是不是：\n{lines}\n{none} 都不是，登记下来 0 转人工",
    "answer_glad": "很高兴帮到您。还有问题请直接说，或回复 3 查进度，0 转人工。",
    "opted_out": "已停发办理进展提醒，您的诉求继续办理。随时回复 3 可查进度；回复“恢复提醒”可重新接收。",
    "opted_in": "已恢复办理进展提醒。",
    # Danger
    "danger": "您说的情况可能危及人身安全，请立即拨打 110报警 / 119火警 / 120急救 / 122交通事故，并注意自身安全。我已提醒值班人员。您现在安全吗？1 安全 2 不安全",
    "danger_elderly": "情况可能危险，请马上拨打110、119火警、120急救，注意安全。我已提醒值班人员。您现在安全吗？1 安全 2 不安全",
    "danger_self": "我很在意您的安全。请现在拨打120或110，也可拨打12356心理援助热线，我马上请工作人员联系您。请告诉我您在哪里。",
    "danger_safe": "好的，请继续注意安全。值班人员会看到您的消息，情况有变请立即拨打110、119或120。您可以接着说，0 转人工。",
    "danger_safe_elderly": "好的，请继续注意安全。情况有变请马上拨打110、119或120。您可以接着说，0 转人工。",
    "danger_unsafe": "请马上拨打110（火警119、急救120），尽量到有人的安全地方。方便时告诉我您在哪里，值班人员已收到提醒。",
    # Feelings
    "soothe_upset": "您的心情我理解，这件事确实影响生活，我们一起把它说清楚。",
    "soothe_angry": "让您久等、多次反映，非常抱歉。我会如实记录。",
    "soothe_abusive": "我愿意听您说完。请文明交流，我们仍会认真处理您的诉求；也可回复 0 转人工。",
    "abuse_again": "请文明交流，我们仍会认真处理您的诉求。您可以接着说，回复 0 转人工，或拨打{hotline}。",
    # Guided order
    "ask_text": "请描述发生了什么事（可发文字、语音、照片、视频）。",
    "ask_more": "请再说详细一点：是什么问题，影响是什么？至少写八个字，便于准确转办。",
    "ask_place": "请发送定位，或写清区县、街道、小区或路名、门牌。",
    "ask_when": "什么时候发生的？1 现在 2 今天 3 近几天 4 长期存在（也可直接写时间）0 转人工",
    "ask_demand": "您希望怎样解决？",
    "ask_kind": "这件事属于哪一类？1 咨询 2 求助 3 投诉 4 举报 5 建议 0 转人工",
    "ask_contact": "请留下称呼和手机号（用于承办单位联系您），例如：张女士 138开头的11位号码。",
    "ask_contact_known": "联系方式仍用{contact}吗？回1使用，或发新的称呼和手机号（用于承办单位联系您）。",
    "ask_phone": "还差联系电话。请发手机号，座机请带区号。",
    "bad_phone": "这个号码好像不对，请核对后重发。手机号是11位，座机请带区号。",
    "ask_secret": "是否需要对您的信息保密？1 保密 2 不需要 0 转人工",
    "ask_reply": "办理结果怎样告诉您？1 微信 2 短信 3 电话 4 不需要回复 0 转人工",
    "ask_materials": "如有照片、视频请现在发送，发完回1，没有回2，0 转人工。",
    "got_materials": "已收到{count}份材料。还有请继续发，发完回1。",
    "got_photo": "照片等材料已收到。",
    "got_voice": "语音已收到，工作人员能听到。请描述发生了什么事，写几个字也行；打字不便请回 0 转人工。",
    "review": "请核对：\n1类型：{kind}\n2地点：{place}\n3内容：{text}\n4联系：{contact}\n5保密：{secret}\n回复：1 提交 2 修改 0 转人工",
    "review_elderly": "请核对：{text}\n地点：{place}\n电话：{contact}\n1 提交 2 修改 0 转人工",
    "ask_item": "修改第几项？1 类型 2 地点 3 内容 4 联系 5 保密，或回复“返回”。0 转人工",
    "choose_number": "请回复选项前的数字，或回复“返回”“取消”，0 转人工。",
    "done": "已提交，单号{case_no}，查询码{code}。我们会在{hours}小时内完成受理，进展将通过{channel}告诉您。请保管好单号和查询码。",
    "done_accepted": "已提交并受理，单号{case_no}，查询码{code}。接下来转给承办单位办理，进展将通过{channel}告诉您。请保管好单号和查询码。",
    "done_quiet": "已提交，单号{case_no}，查询码{code}。我们会在{hours}小时内完成受理，按您的选择不再通知，随时回复 3 可查进度。请保管好单号和查询码。",
    "done_anonymous": "已提交，单号{case_no}，查询码{code}。我们会在{hours}小时内完成受理。您没有留电话，承办单位无法联系您，请务必保管好单号和查询码，凭它们查询结果。",
    "done_anonymous_elderly": "已提交，单号{case_no}，查询码{code}。{hours}小时内受理。没留电话，请记好单号和查询码，凭它们查结果。",
    "done_before": "您的诉求已提交，单号{case_no}，不用重复提交。回复 3 查进度，0 转人工。",
    "scanned": "这是“{spot}”的二维码，地点已记为：{place}。请直接说发生了什么事，可发文字、语音、照片；不是这里的事请回复“取消”。0 转人工",
    "scanned_elderly": "您在“{spot}”。请直接说发生了什么事，可以发语音。不是这里请回复“取消”。0 转人工",
    "cancelled": "已取消，没有提交。需要时请直接说您的问题，或回复 2 重新填写，0 转人工。",
    "restarted": "好的，我们重新开始。",
    "kept_order": "您有一件未提交的诉求：{text}。\n1 继续填写 2 不要了 0 转人工",
    "ask_first": "请先说最想解决的一件事：是什么事，在哪里？",
    "skipped": "没关系，这一项可请工作人员代填（回复 0 转人工），我们先往下。",
    "stuck": "没关系，这一项也可以请工作人员代填，请回复 0 转人工；或回复“返回”“取消”。",
    # Progress
    "no_cases": "没有查到您在这里提交的诉求。可发送单号和查询码查询（中间空一格），或回复 2 反映问题，0 转人工。",
    "progress": "{tail}｜{title}\n状态：{stage}{unit}{due}{latest}\n回复“催办”“补充”或“撤回”可继续操作，0 转人工。",
    "progress_ended": "{tail}｜{title}\n状态：{stage}{latest}\n{rate}有疑问请回复 0 转人工。",
    "progress_elderly": "{tail}｜{title}：{stage}{due}\n可回复“催办”“补充”，0 转人工。",
    "progress_ended_elderly": "{tail}：{stage}{latest}\n可回“评价”，有疑问回0。",
    "progress_rate": "回复“评价”可评价，",
    "progress_unit": "\n承办：{unit}",
    "progress_due": "\n应于{day}前答复",
    "progress_overdue": "\n应于{day}前答复，已超期，我们会督办",
    "progress_latest": "\n答复：{latest}",
    "cases": "您的诉求（最近{count}件）：\n{lines}\n回复序号查看，0 转人工。",
    "stranger": "尾号{tail}：{stage}{unit}{due}。更多内容只有提交人本人可以查看。",
    "ask_code": "为保护个人信息，请发送这件诉求的6位查询码（提交成功时告诉过您）。回复 0 转人工。",
    "unknown_tail": "没有找到您尾号{tail}的诉求。请发送17位单号和查询码（中间空一格），或回复 3 查看您的诉求，0 转人工。",
    "wrong_code": "单号或查询码不对，请核对后再发。连续输错会暂停查询一小时；也可拨打{hotline}由工作人员查询。",
    "code_locked": "输错次数较多，为保护信息安全，请一小时后再查，或拨打{hotline}由工作人员查询。",
    "bad_number": "这个单号不对，请核对17位数字后再发。回复 3 可查看您自己的诉求，0 转人工。",
    # Supplement, urge, withdraw, rate
    "pick": "请选择要{what}的诉求：\n{lines}\n回复序号，0 转人工。",
    "none_open": "您没有正在办理的诉求。回复 2 反映问题，3 查进度，0 转人工。",
    "ask_supplement": "请发送要补充到{tail}的文字、照片或视频，完成后回1。",
    "got_supplement": "已记下。还有请继续发，完成后回1。",
    "nothing_supplemented": "还没有收到补充内容。请发送文字、照片或视频，完成后回1；回复“取消”放弃。",
    "supplement_dropped": "好的，没有补充。回复 3 查进度，0 转人工。",
    "supplemented": "已补充到{tail}，{unit}会看到。{due}",
    "urged": "您的催办已转告{unit}并记录（第{count}次）。{due}进展会在这里告诉您，0 转人工。",
    "urged_lately": "您在24小时内已催办过，{unit}已收到。{due}进展会在这里告诉您，0 转人工。",
    "due_line": "该件应于{day}前答复，目前未超期。",
    "overdue_line": "该件应于{day}前答复，目前已超期，我们会督办。",
    "confirm_withdraw": "确认撤回{tail}？撤回后不再办理。1 确认 2 不撤回 0 转人工",
    "withdrawn": "已撤回{tail}，不再办理。以后需要，随时可以重新反映。",
    "not_withdrawn": "好的，{tail}继续办理。",
    "withdraw_refused": "{tail}是举报件，已在核查中，不能直接撤回。您的意愿请回复 0 告诉工作人员，由工作人员决定。",
    "not_now": "{tail}目前是“{stage}”，不能这样操作。回复 3 查进度，0 转人工。",
    "ask_rating": "{tail}已办结。您的评价：5 非常满意 4 满意 3 基本满意 2 不满意 1 非常不满意 0 转人工",
    "not_rated": "好的，先不评价。以后回复“评价”即可，0 转人工。",
    "ask_reasons": "很抱歉没让您满意。主要原因：1 没联系我 2 没解决 3 推诿敷衍 4 太慢 5 态度不好 6 其他 0 转人工\n您可以补充说明，我们会核实并要求重新办理。",
    "ask_reasons_elderly": "很抱歉没让您满意。原因：1 没联系我 2 没解决 3 推诿 4 太慢 5 态度不好 6 其他 0 转人工",
    "ask_reasons_final": "很抱歉没让您满意。主要原因：1 没联系我 2 没解决 3 推诿敷衍 4 太慢 5 态度不好 6 其他 0 转人工\n您可以补充说明，我们会核实。",
    "rated": "感谢您的评价“{label}”，本件到此办结。以后有问题随时找我们。",
    "rated_low": "已记录您的评价“{label}”，并要求重新办理，新的答复期限会告诉您。",
    "rated_low_final": "已记录您的评价“{label}”。本件已多次重办，不再自动重办；如仍未解决，请回复 0 转人工说明情况。",
    "nothing_to_rate": "您目前没有待评价的诉求。回复 3 查进度，0 转人工。",
    # A person
    "queued": "已为您登记转人工，前面还有{ahead}人。{agents}您说的话都会保留，工作人员能看到。\n1 继续等 2 请回电 3 留言；“返回”回到智能客服",
    "queued_elderly": "已为您登记转人工，前面还有{ahead}人。{agents}请稍等。1 继续等 2 请回电",
    "agents_none": "现在没有工作人员在线，{when}；急事请拨打{hotline}，24小时有人接听。",
    "agents_none_elderly": "现在没有人在线，急事请打{hotline}。",
    "agents_some": "工作人员会按先后顺序接入。",
    "hours_now": "有人上线后按先后顺序接待，不愿等可选请回电",
    "hours_later": "人工在线时段为{opens}到{closes}，届时按先后顺序处理",
    "hours_next": "人工服务{opens}开始，届时按先后顺序处理",
    "queue_full": "现在排队的人很多，建议请回电或留言，不用一直等。",
    "wait_short": "预计{high}分钟内接入。",
    "wait_band": "预计等候{low}到{high}分钟。",
    "wait_long": "预计等候超过{low}分钟。",
    "still_queued": "您已在排队，前面还有{ahead}人，位置一直保留。{agents}\n1 继续等 2 请回电 3 留言；“返回”回到智能客服",
    "still_queued_elderly": "您已在排队，前面还有{ahead}人。{agents}1 继续等 2 请回电",
    "heard": "已记下，工作人员接入后能看到。急事请拨打{hotline}。",
    "wait_on": "好的，您的位置一直保留。等待时可以继续发消息；急事请拨打{hotline}。",
    "ask_callback": "请发方便接听的电话号码，工作人员会按顺序回电。回复“返回”取消。",
    "callback_noted": "已登记回电{phone}，工作人员会按排队顺序联系您。急事请拨打{hotline}。",
    "ask_note": "请说您要留的话，工作人员上线后会看到并处理。回复“返回”取消。",
    "note_taken": "留言已记下，工作人员会按排队顺序处理，并在这里答复您。",
    "unqueued": "已取消排队，回到智能客服。请说您的问题，或回复 2 反映问题 3 查进度 0 转人工。",
    # A person at the desk
    "desk_taken": "座席{agent}号正在为您服务。",
    "desk_moved": "正在为您转接其他座席，您不用重复说明，请稍等。",
    "desk_place": "前面还有{ahead}人。{wait}您的位置一直保留。",
    "desk_long": "让您久等了，前面还有{ahead}人。1 继续等 2 请回电 3 留言",
    "desk_patience": "工作人员正在核实，请稍等。",
    "desk_idle": "您还在吗？{minutes}分钟内没有新消息，本次人工服务将结束。需要时随时回复 0 转人工。",
    "desk_back": "已为您转回智能客服。请说您的问题，或回复 2 反映问题 3 查进度 0 转人工。",
    "desk_closed": "本次人工服务已结束。感谢您的来访，需要时随时回复 0 转人工。",
    # Languages
    "english_matter": "Hello, this is {city} {hotline}. For emergencies call 110 (police), 119 (fire), 120 (ambulance). Your message is kept; a colleague who knows English will be asked to read it, in turn. Reply: 0 an agent.",
    "other_language": "Hello, this is {city} {hotline}. For emergencies call 110 (police), 119 (fire), 120 (ambulance). An agent who reads your language will be asked to reply. Reply 0 for an agent.",
    # Channels as they are named to citizens
    "via_wechat": "微信",
    "via_sms": "短信",
    "via_email": "电子邮件",
    "via_phone": "电话",
    "via_here": "这里",
    # One person's telephone
    "bind_code": "请在10分钟内，用要绑定的手机发送短信“YZ {code}”到 {number}。绑定后，手机和这里可互相查到您的诉求。",
    "bind_unavailable": "目前还不能在这里绑定手机。您可以凭单号和查询码查询，或回复 0 转人工。",
    "bind_here": "收到的短信已按您的手机号登记。请先在微信或邮件中发送“绑定手机”取得验证码，再用本机发送。",
    "bound": "已绑定。您在微信、邮件等处提交的诉求，用这部手机也能查到。",
    "bound_there": "已与尾号{tail}的手机绑定，两边都能查到您的诉求。如不是您本人操作，请立即回复 0 告诉工作人员，或拨打{hotline}。",
    "bind_wrong": "验证码不对或已过期，请核对后再发，或重新发送“绑定手机”取得新的验证码。",
    "bind_locked": "输错次数较多，为保护信息安全，请一小时后再试，或拨打{hotline}。",
    # Confidential
    "confided": "已将保密要求记入{tail}，工作人员会按保密处理。",
    "confided_no_more": "已将取消保密的要求记入{tail}，由工作人员处理。",
    **SMS,
    **ONLY_SMS,
    **MAIL,
}

_SUFFIX, _SHORT_SUFFIX = "_elderly", "_sms"
ELDERLY: dict[str, str] = {key.removesuffix(_SUFFIX): key for key in ZH if key.endswith(_SUFFIX)}
"""Keys that have a wording of their own in the elderly view."""
SHORT: dict[str, str] = {key.removesuffix(_SHORT_SUFFIX): key for key in SMS}
"""Keys that have a wording of their own for SMS."""

_LANGUAGES = {"zh": ZH, "en": EN}


def say(lang: str, key: str, **fields: object) -> str:
    """Return a sentence in a language, Chinese where that language has none; raises KeyError for an unknown key."""
    text = _LANGUAGES.get(lang, ZH).get(key) or ZH[key]
    return text.format(**fields) if fields else text

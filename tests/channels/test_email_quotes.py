import pytest

from channels.email.html import to_text
from channels.email.quotes import visible

MINE = "路灯还是不亮，请尽快处理。"
Q = "您好，您反映的问题已派单。"


TEXTS = {
    "QQ, 原始邮件": f'\n\n------------------ 原始邮件 ------------------\n发件人: "12345" <a@gov.cn>;\n发送时间: 2026年11月24日\n{Q}',
    "QQ, dashes apart": f"\n--- 原始邮件 ---\n{Q}",
    "Foxmail, full-width": f"\n\n\n张三\nx@qq.com\n \n发件人：12345\n发送时间：2026-11-24 10:00\n收件人：x\n主题：回复\n{Q}",
    "Foxmail, half-width with rule": f"\n \n________________________________\n发件人: 12345\n日期: 2026-11-24\n收件人: x\n{Q}",
    "163 web": f'\n\n\n在 2026-11-24 10:00:00，"12345热线" <a@gov.cn> 写道：\n\n> {Q}\n',
    "163 web, no marks": f"\n在 2026-11-24 10:00:00，12345 写道：\n{Q}",
    "163 master": f"\n\n---- 回复的原邮件 ----\n| 发件人 | 12345<a@gov.cn> |\n| 日期 | 2026年11月24日 |\n{Q}",
    "163 forwarded": f"\n\n-------- 转发邮件信息 --------\n发件人：a\n{Q}",
    "Outlook zh": f"\n\n发件人: 12345 <a@gov.cn>\n发送时间: 2026年11月24日 10:00\n收件人: x\n抄送: y\n主题: 回复\n\n{Q}",
    "Outlook zh, 主 题 apart": f"\n\n-----邮件原件-----\n发件人: a\n主 题: 回复\n{Q}",
    "Outlook en": f"\n\nFrom: 12345 <a@gov.cn>\nSent: Tuesday, November 24, 2026 10:00\nTo: x\nSubject: RE\n\n{Q}",
    "Outlook en, old": f"\n\n-----Original Message-----\nFrom: a\n{Q}",
    "Outlook mobile": f"\n\n获取 Outlook for iOS\n________________________________\n发件人: a\n发送时间: b\n收件人: c\n{Q}",
    "Outlook stars": f"\n\n*From:* a@gov.cn\n*Sent:* Tuesday\n*To:* x\n*Subject:* y\n{Q}",
    "Gmail zh": f"\n\n12345热线 <a@gov.cn> 于2026年11月24日周二 10:00写道：\n\n> {Q}\n>\n> 谢谢",
    "Gmail zh wrapped": f"\n\n12345热线 <a@gov.cn>\n于2026年11月24日周二 10:00写道：\n\n> {Q}",
    "Gmail zh-TW": f"\n\n12345 <a@gov.cn> 於 2026年11月24日 週二 上午10:00寫道：\n\n> {Q}",
    "Gmail en": f"\n\nOn Tue, Nov 24, 2026 at 10:00 AM 12345 <a@gov.cn> wrote:\n\n> {Q}",
    "Gmail en wrapped": f"\n\nOn Tue, Nov 24, 2026 at 10:00 AM The Long Named Hotline\n<a@gov.cn> wrote:\n\n> {Q}",
    "Gmail forward": f"\n\n---------- Forwarded message ---------\n发件人： 12345\n{Q}",
    "Apple zh": f"\n\n发自我的 iPhone\n\n> 在 2026年11月24日，上午10:00，12345 <a@gov.cn> 写道：\n> \n> {Q}",
    "Apple zh, mac": f"\n\n> 2026年11月24日 上午10:00，12345 <a@gov.cn> 写道：\n> \n> {Q}",
    "Apple en": f"\n\nSent from my iPhone\n\n> On Nov 24, 2026, at 10:00, 12345 <a@gov.cn> wrote:\n> \n> {Q}",
    "Apple forward": f"\n\nBegin forwarded message:\n\nFrom: a\n{Q}",
    "Huawei": f"\n\n发自我的华为手机\n\n-------- 原始邮件 --------\n发件人：a\n日期：b\n{Q}",
    "Huawei, 2": "\n\n来自我的华为手机\n",
    "Thunderbird zh": f"\n\n在 2026/11/24 10:00, 12345 写道:\n> {Q}\n",
    "Thunderbird en": f"\n\nOn 11/24/26 10:00, 12345 wrote:\n> {Q}\n",
    "Thunderbird below a signature": "\n\n-- \n张三\n13800001234",
    "QQ mail signature": "\n\n发自我的QQ邮箱",
    "iPhone only": "\n\n发自我的iPhone",
    "Windows mail": "\n\n从 Windows 版邮件发送",
    "Android en": "\n\nSent from my HUAWEI Mate 60",
}
HTMLS = {
    "QQ": (
        f'<div>{MINE}</div><div id="qqmail"><includetail><div>原始邮件</div>{Q}</includetail></div>',
        MINE,
    ),
    "QQ includetail": (f"<div>{MINE}</div><includetail><!--x--><div>{Q}</div></includetail>", MINE),
    "Foxmail": (f'<div>{MINE}</div><div class="FoxDiv20261124"><div>{Q}</div></div>', MINE),
    "Foxmail, header": (
        f"<div>{MINE}</div><hr><div><div>发件人：a</div><div>发送时间：b</div><div>收件人：c</div>{Q}</div>",
        MINE,
    ),
    "163": (
        f'<p>{MINE}</p><p>在 2026-11-24 10:00:00，"a" &lt;a@gov.cn&gt; 写道：</p><blockquote id="isReplyContent">{Q}</blockquote>',
        MINE,
    ),
    "163, cut div": (f'<p>{MINE}</p><div id="isReplyContent">{Q}</div>', MINE),
    "Gmail": (
        f'<div dir="ltr">{MINE}</div><br><div class="gmail_quote"><div>a于b写道：</div><blockquote>{Q}</blockquote></div>',
        MINE,
    ),
    "Outlook web": (
        f'<div>{MINE}</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">发件人</div><div>{Q}</div>',
        MINE,
    ),
    "Outlook desktop": (
        f'<p>{MINE}</p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p>From: a</p></div><p>{Q}</p>',
        MINE,
    ),
    "Apple": (
        f'<div>{MINE}</div><br><div><blockquote type="cite"><div>在 b，a 写道：</div></blockquote></div><blockquote type="cite">{Q}</blockquote>',
        MINE,
    ),
    "Thunderbird": (
        f'<p>{MINE}</p><div class="moz-cite-prefix">在 b, a 写道:</div><blockquote type="cite">{Q}</blockquote>',
        MINE,
    ),
    "Huawei": (
        f"<div>{MINE}</div><div>发自我的华为手机</div><div>-------- 原始邮件 --------</div><div>{Q}</div>",
        MINE,
    ),
    "only a quote": (f"<blockquote>{Q}</blockquote>", Q),
}
WHOLE = {
    "fields of his own": "时间：昨晚\n地点：人民路\n主题：噪声",
    "a sender's name and one field": "发件人：张三\n我要投诉噪声",
    "wrote in a sentence": "我在去年写道：希望修路。\n今年还没修。",
    "a list": "请处理：\n- 路灯\n- 井盖",
    "sent from, within": "这封信发自我的内心，请重视。\n谢谢",
    "nothing but a quote": f"> {Q}",
    "nothing but a signature": "发自我的iPhone",
    "English": "From the park to the school there is no light.\nPlease repair it.",
}


@pytest.mark.parametrize("client", TEXTS)
def test_a_text_reply_is_shown_without_what_it_quotes(client):
    assert Q not in (shown := visible(MINE + "\n" + TEXTS[client], ""))
    assert shown.split("\n")[0] == MINE
    assert shown in (MINE, f"{MINE}\n\n\n\n张三\nx@qq.com")


@pytest.mark.parametrize("client", HTMLS)
def test_an_html_reply_is_shown_without_what_it_quotes(client):
    html, own = HTMLS[client]
    assert visible(to_text(html), html) == own


@pytest.mark.parametrize("case", WHOLE)
def test_what_a_person_wrote_is_never_cut(case):
    assert visible(WHOLE[case], "") == WHOLE[case]


def test_answers_between_and_below_a_quote_are_kept():
    mail = f"在 2026-11-24，a <a@gov.cn> 写道：\n> {Q}\n已修好\n> 请评价\n满意"
    assert visible(mail, "") == "已修好\n满意"

// The small marks of a conversation: colour and words, never colour alone.

import { h } from './dom.js';
import { lang, listed, span, t } from './words.js';

export const CHANNELS = { wechat: '微信', miniprogram: '小程序', web: '网页', sms: '短信', email: '邮件', phone: '电话', app: '客户端', social_media: '社交媒体', agent: '座席代录' };
export const STATES = { bot: '智能客服接待', queued: '排队中', offered: '等您接受', agent: '接待中', wrap_up: '整理中', closed: '已结束' };
export const PRESENCE = { online: '在线', busy: '忙碌', away: '离开', reconnecting: '重连中', offline: '离线' };
export const MARKS = { urgent: '紧急', elderly: '长辈' };
const SLA = { ok: '', soon: '即将超时', late: '已超时' };

export const badge = (text, kind = '') => h('span', { class: `badge ${kind}` }, text);

/** Return the marks of a row, the most pressing first. */
export function badges(row, now = Date.now()) {
  const made = [];
  if (row.urgent) made.push(badge(t('紧急'), 'bad'));
  if (row.sla && SLA[row.sla.state]) made.push(badge(t(SLA[row.sla.state]), row.sla.state === 'late' ? 'bad' : 'warn'));
  if (row.elderly) made.push(badge(t('长辈'), 'calm'));
  if (row.state === 'offered') made.push(badge(t('等待接受'), 'warn'));
  else if (row.waiting_since && row.state !== 'bot') made.push(badge(t('等了{span}', { span: span(row.waiting_since, now) })));
  if (row.repeat > 1) made.push(badge(t('第{n}次来', { n: row.repeat })));
  if (row.held) made.push(badge(t('暂挂')));
  if (row.case_no) made.push(badge(t('有工单')));
  if (row.skill) made.push(badge(row.skill));
  if (row.draft) made.push(badge(t('草稿'), 'calm'));
  return made;
}

/** Return who else looks at a conversation or writes in it, in words; empty for nobody. */
export function company(row, me) {
  const others = (row.viewers ?? []).filter((each) => each.id !== me?.id);
  const typing = others.filter((each) => each.typing).map((each) => each.name);
  if (typing.length) return t('{names}正在输入', { names: listed(typing) });
  const names = others.map((each) => each.name);
  return names.length ? t('{names}也在看', { names: listed(names) }) : '';
}

// Whoever has told no name is called by a number, and what is no text by its kind; both come from the gateway in Chinese.
const NAMELESS = /^市民(?=[0-9a-f]{4}$)/;
const KIND = /^\[([^\][]+)\]/;

/** Return whether a citizen has told no name. */
export const nameless = (row) => !row?.name || NAMELESS.test(row.name);

/** Return what a citizen is called. */
export const called = (row) => (row?.name ? row.name.replace(NAMELESS, t('市民') + (lang === 'en' ? ' ' : '')) : t('市民'));

/** Return the last words of a conversation. */
export const lastWords = (row) => (row.last?.text ?? '').replace(KIND, (whole, kind) => `[${t(kind)}]`);

/** Return the name of a channel. */
export const channel = (name) => t(CHANNELS[name] ?? name ?? '');

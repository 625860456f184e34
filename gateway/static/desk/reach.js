// How far a channel carries: WeChat's window and count, the parts of a short message, the bytes of a text.

import { clock, t } from './words.js';

// A Chinese short message has 70 characters, of several parts 67 each (3GPP TS 23.040, UCS-2).
const ONE = 70;
const EACH = 67;

/** Return what is to be known before sending, and how pressing it is. */
export function reachText(reach, text) {
  if (!reach) return ['', ''];
  const said = [];
  let kind = '';
  if (reach.window_until) {
    const over = Date.parse(reach.window_until) <= Date.now();
    said.push(over ? t('微信回复时限已过，改用其他方式送达') : t('微信可回复到{time}', { time: clock(reach.window_until) }));
    if (over) kind = 'bad';
  }
  if (reach.left !== null && reach.left !== undefined) {
    said.push(t('还能发{n}条', { n: reach.left }));
    if (reach.left < 1) kind = 'bad';
  }
  const length = [...text].length;
  if (reach.sms_parts) {
    const parts = length <= ONE ? 1 : Math.ceil(length / EACH);
    said.push(t('{n}字，合{parts}条短信', { n: length, parts }));
  }
  if (reach.max_bytes) {
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > reach.max_bytes) {
      said.push(t('太长，会分成{n}条', { n: Math.ceil(bytes / reach.max_bytes) }));
      kind ||= 'warn';
    }
  }
  return [said.join(' · '), kind];
}

// What a supervisor decides of the ladder against abuse: what waits for him, what is appealed against, what holds now.

import { badge } from './badges.js';
import { button, dialog, fill, h } from './dom.js';
import { clock, noted, t } from './words.js';

export const GROUNDS = { insult: '辱骂', threat: '威胁', flood: '短时间大量发送', repeat: '无实质内容的反复骚扰', advert: '广告', false: '编造事实', joke: '戏弄' };
const LEVELS = { 1: '提醒', 2: '只由智能客服接待', 3: '限制文字服务', 4: '留存证据' };
const ACTS = { grant: '同意', refuse: '不同意', lift: '解除', uphold: '维持' };
const DONE = { grant: '已同意，限制开始', refuse: '已记下：不同意', lift: '已解除，市民会收到通知', uphold: '已维持，市民会收到通知' };

/** Make the part of the wall that shows the ladder; "load" reads it anew. */
export function abusePart(desk) {
  const { api, acts, store } = desk;
  const list = h('ul', { class: 'ladder' });
  const node = h('section', {}, h('h3', {}, t('滥用标记')), list);

  async function load() {
    if (!store.may('approve_abuse')) return;
    const answer = await acts.guarded(() => api.newest('abuse', 'abuse'));
    // Whoever stands on a button here is not thrown off it by a look at what stands.
    if (!answer || list.mark === JSON.stringify(answer.items)) return;
    list.mark = JSON.stringify(answer.items);
    fill(list, answer.items.length ? answer.items.map(step) : h('li', { class: 'soft' }, t('没有等待处理的，也没有生效中的限制')));
  }

  function step(each) {
    const waits = each.state === 'proposed';
    const can = waits ? ['refuse', 'grant'] : each.appealed ? ['uphold', 'lift'] : ['lift'];
    return h(
      'li',
      {},
      badge(waits ? t('等待同意') : each.appealed ? t('市民申诉') : t('生效中'), waits || each.appealed ? 'warn' : ''),
      h('strong', {}, t(LEVELS[each.level])),
      h('span', {}, each.note ? noted(t(GROUNDS[each.why] ?? each.why), each.note) : t(GROUNDS[each.why] ?? each.why)),
      h('span', { class: 'soft' }, t('{name}标记于{time}', { name: each.by, time: clock(each.at) })),
      each.until && h('span', { class: 'soft' }, t('到{time}自动解除', { time: clock(each.until) })),
      h('span', { class: 'tools' }, button(t('看对话'), () => desk.wall(false) ?? acts.open(each.talk), { kind: 'small' }), can.map((act) => button(t(ACTS[act]), () => decide(each, act), { kind: 'small' }))),
    );
  }

  function decide(each, act) {
    const why = h('textarea', { id: 'decide-why', rows: '3', maxlength: '500', 'aria-describedby': 'decide-fault' });
    const fault = h('span', { class: 'fault', id: 'decide-fault', role: 'alert' });
    const go = async () => {
      if (!why.value.trim()) {
        fault.textContent = t('请写理由，会留在记录里');
        return why.focus();
      }
      fault.textContent = '';
      if ((await acts.guarded(() => api.post(`abuse/${each.id}`, { act, reason: why.value.trim() }))) === undefined) return undefined;
      box.close();
      store.tell('say', t(DONE[act]));
      return load();
    };
    const box = dialog(
      `${t(ACTS[act])} · ${t(LEVELS[each.level])}`,
      h('div', {}, h('div', { class: 'field' }, h('label', { for: 'decide-why' }, t('理由')), why, fault), h('div', { class: 'tools' }, button(t('取消'), () => box.close()), button(t(ACTS[act]), go, { kind: 'main' }))),
    );
  }

  return { node, load };
}

// The supervisor's wall: who waits and how long, what each agent holds, what will soon be late.

import { abusePart } from './abuse.js';
import { badge, PRESENCE } from './badges.js';
import { button, fill, h } from './dom.js';
import { floorPart } from './floor.js';
import { span, t } from './words.js';

export function wallPage(root, desk) {
  const { store, acts, api } = desk;
  const figures = h('div', { class: 'figures' });
  const agents = h('tbody');
  const late = h('ul', { class: 'late' });
  const queues = h('tbody');
  const floor = floorPart(desk);
  const abuse = abusePart(desk);
  root.append(
    h('header', {}, h('h2', { tabindex: '-1' }, t('督导看板')), button(t('回到对话'), () => desk.wall(false), { key: 'W' })),
    figures,
    floor.node,
    abuse.node,
    h('div', { class: 'two' }, section(t('队列'), table([t('技能'), t('排队'), t('最久'), t('在线座席')], queues)), section(t('即将超时'), late)),
    section(t('所有座席'), table([t('座席'), t('状态'), t('手上／上限'), t('等回复'), t('技能')], agents)),
  );
  let timer = 0;

  async function load() {
    floor.load();
    abuse.load();
    const wall = await acts.guarded(() => api.newest('wall', 'wall'));
    if (wall) paint(wall);
  }

  function paint(wall) {
    const oldest = wall.oldest_since ?? wall.oldest?.since;
    const all = [[t('排队'), wall.waiting ?? 0], [t('最久等待'), oldest ? span(oldest) : '—'], [t('接待中'), wall.held ?? wall.talking ?? 0], [t('在线座席'), wall.online ?? (wall.agents ?? []).filter((each) => each.state === 'online').length], [t('已超时'), wall.late ?? 0], [t('今日服务满意率'), pleased(wall.service)]];
    fill(figures, all.map(([name, value]) => h('div', { class: 'figure' }, h('strong', {}, String(value)), h('span', {}, name))));
    const waits = wall.queues ?? [];
    fill(queues, !waits.length && h('tr', {}, h('td', { colspan: '4', class: 'soft' }, t('没有人排队'))), waits.map((each) => h('tr', {}, cell(each.skill || t('不限')), cell(each.waiting), cell(each.oldest_since ? span(each.oldest_since) : '—'), cell(each.online ?? '—'))));
    fill(agents, (wall.agents ?? []).map((each) => h('tr', {}, h('th', { scope: 'row' }, each.name), cell(t(PRESENCE[each.state] ?? each.state)), h('td', {}, gauge(each)), cell(each.unanswered ?? 0), cell((each.skills ?? []).join('、')))));
    const soon = wall.soon ?? wall.breaches ?? [];
    fill(late, soon.length ? soon.map(breach) : h('li', { class: 'soft' }, t('没有')));
  }

  const gauge = (each) => h('span', { class: 'load' }, h('meter', { min: '0', max: String(each.capacity || 1), value: String(each.load ?? 0), 'aria-label': t('{name}手上{n}个', { name: each.name, n: each.load ?? 0 }) }), ` ${each.load ?? 0}/${each.capacity ?? 0}`);
  const breach = (each) =>
    h('li', {}, badge(each.state === 'late' || each.sla?.state === 'late' ? t('已超时') : t('即将超时'), each.state === 'late' || each.sla?.state === 'late' ? 'bad' : 'warn'), ' ', button(each.name || each.case_no || t('市民'), () => {
      desk.wall(false);
      acts.open(each.id ?? each.talk);
    }, { kind: 'link' }), each.since && h('span', { class: 'soft' }, ` ${span(each.since)}`));

  return {
    show(yes) {
      clearInterval(timer);
      root.hidden = !yes;
      if (!yes) return;
      load();
      timer = setInterval(load, 5000);
      root.querySelector('h2').focus();
    },
  };
}

// Who said nothing is counted neither way.
const pleased = (said) => (said?.rated ? `${Math.round((100 * said.satisfied) / said.rated)}%（${said.satisfied}/${said.rated}）` : '—');
const section = (title, ...children) => h('section', {}, h('h3', {}, title), ...children);
const cell = (value) => h('td', {}, String(value));
const table = (heads, body) => h('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': heads[0] }, h('table', {}, h('thead', {}, h('tr', {}, heads.map((head) => h('th', { scope: 'col' }, head)))), body));

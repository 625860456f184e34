// The talks on the wall, and what a supervisor does with them there: take over, give, move up, whisper.

import { query } from './api.js';
import { badges, called, channel, lastWords, PRESENCE, STATES } from './badges.js';
import { button, dialog, h, keyed } from './dom.js';
import { t } from './words.js';

const DOUBTS = { full: '对方手上已满', away: '对方设为离开', skill: '对方缺少所需技能' };
const PAGE = 100;

/** Make the part of the wall that shows who waits and who is talked to; "load" reads it anew. */
export function floorPart(desk) {
  const { api, acts, store } = desk;
  const list = h('ul', { class: 'floor' });
  const none = h('p', { class: 'soft' }, t('没有排队和接待中的对话'));
  const heading = h('h3', { tabindex: '-1' }, t('对话列表'));
  const rest = button('', () => ((pages += 1), load()), { hidden: true });
  const node = h('section', {}, heading, none, list, rest);
  let pages = 1;

  async function load() {
    const answer = await acts.guarded(read);
    if (!answer) return;
    const { rows, total } = answer;
    const left = Math.max(0, total - rows.length);
    rest.hidden = !left;
    rest.textContent = t('还有{n}个没有显示，再看{more}个', { n: left, more: Math.min(left, PAGE) });
    none.hidden = rows.length > 0;
    const stood = list.contains(document.activeElement) ? document.activeElement : null;
    const minute = Math.floor(Date.now() / 60_000);
    keyed(list, rows, { key: (row) => row.id, mark: (row) => JSON.stringify([row.epoch, row.version, row.last, row.waiting_since && minute]), make });
    if (stood && !stood.isConnected) again(stood);
  }

  /** Return the talks of as many pages as were asked for, and how many there are; undefined when a later look overtook. */
  async function read() {
    const rows = new Map();
    let after = '0';
    let total = 0;
    for (let page = 0; page < pages && after; page += 1) {
      const answer = await api.newest(`floor ${page}`, `queue${query({ view: 'all', after })}`);
      if (!answer) return undefined;
      for (const row of answer.items) rows.set(row.id, row);
      ({ after } = answer);
      total = answer.counts.all ?? 0;
    }
    return { rows: [...rows.values()], total: Math.max(total, rows.size) };
  }

  /** Put the focus where it was: on the same button of the same talk, else on its first, else on the heading. */
  function again(stood) {
    const talk = list.querySelector(`[data-key="${stood.closest('li').dataset.key}"]`);
    const buttons = [...(talk?.querySelectorAll('button') ?? [])];
    (buttons.find((each) => each.textContent === stood.textContent) ?? buttons[0] ?? heading).focus();
  }

  function make(row) {
    store.take(row);
    return h(
      'li',
      {},
      h('span', { class: 'first' }, button(called(row), () => desk.wall(false) ?? acts.open(row.id), { kind: 'link' }), h('span', { class: 'soft' }, [channel(row.channel), t(STATES[row.state] ?? row.state), row.agent?.name].filter(Boolean).join(' · '))),
      h('span', { class: 'marks' }, badges(row)),
      h('span', { class: 'words' }, lastWords(row)),
      h(
        'span',
        { class: 'tools' },
        button(t('接管'), () => act(row, 'take', { over: true }, t('已接管')), { kind: 'small' }),
        row.state !== 'wrap_up' && button(t('指派…'), () => give(row), { kind: 'small' }),
        row.state === 'queued' && !row.urgent && button(t('优先'), () => act(row, 'boost', {}, t('已提到前面')), { kind: 'small' }),
        row.agent && !store.mine(row) && button(t('耳语…'), () => whisper(row), { kind: 'small' }),
      ),
    );
  }

  async function act(row, verb, more, said) {
    const done = await acts.act(row.id, verb, { epoch: row.epoch, ...more });
    if (done !== undefined) store.tell('say', said);
    await load();
    return done;
  }

  async function give(row) {
    desk.colleagues.known = null;
    const people = (await desk.colleagues()).filter((each) => each.id !== row.agent?.id);
    const to = h('select', { id: 'give-to' }, people.map((each) => h('option', { value: each.id, disabled: ['offline', 'reconnecting'].includes(each.state) }, `${each.name} · ${t(PRESENCE[each.state] ?? each.state)} ${each.load}/${each.capacity}`)));
    const { fault, main } = ask(t('指派'), t('指派给谁'), to, t('指派'), go);
    let despite = [];
    to.addEventListener('change', () => doubt([]));

    async function go() {
      if (!to.value) return undefined;
      try {
        store.take((await api.post(`talks/${row.id}/assign`, { epoch: row.epoch, to_agent: to.value, despite })).row);
      } catch (problem) {
        if (problem.kind !== 'doubtful') return acts.guarded(() => Promise.reject(problem), row.id);
        return void doubt(problem.body.doubts);
      }
      store.tell('say', t('已指派'));
      await load();
      return true;
    }

    /** Say why the router would not give it to him; whoever presses once more has decided. */
    function doubt(doubts) {
      despite = doubts;
      const whys = doubts.map((each) => t(DOUBTS[each])).join(' · ');
      fault.textContent = doubts.length ? t('{whys}。仍要指派，请再确认。', { whys }) : '';
      main.textContent = doubts.length ? t('仍要指派') : t('指派');
    }
  }

  function whisper(row) {
    const text = h('textarea', { id: 'whisper-text', rows: '3', maxlength: '4000' });
    ask(t('耳语'), t('写给{name}，市民看不到', { name: row.agent.name }), text, t('发送'), () => text.value.trim() && act(row, 'note', { text: text.value.trim(), whisper: true }, t('已告诉座席')));
  }

  function ask(title, label, input, name, go) {
    const done = async () => {
      if ((await go()) ?? false) box.close();
    };
    const fault = h('p', { class: 'fault', role: 'alert' });
    const main = button(name, done, { kind: 'main' });
    const box = dialog(title, h('div', {}, h('div', { class: 'field' }, h('label', { for: input.id }, label), input, fault), h('div', { class: 'tools' }, button(t('取消'), () => box.close()), main)));
    return { fault, main };
  }

  return { node, load };
}

// The queue: views with their counts, and a list of any length of which only what is seen is made.

import { badges, called, channel, company, lastWords } from './badges.js';
import { button, calm, fill, h, keyed } from './dom.js';
import { newView } from './views.js';
import { clock, t } from './words.js';

const HEIGHT = 78;
const SPARE = 6;
const BUILT_IN = { mine: '我的', waiting: '排队', all: '全部' };

export function queuePane(root, desk) {
  const { store, acts, api } = desk;
  const views = h('div', { class: 'views', role: 'group', 'aria-label': t('视图') });
  const sought = h('input', { type: 'search', id: 'sought', placeholder: t('找对话、工单（/）'), 'aria-label': t('查找对话和工单'), autocomplete: 'off' });
  const changed = button('', () => settle(), { kind: 'changed' });
  const list = h('ul', { id: 'queue-list', role: 'listbox', tabindex: '0', 'aria-label': t('对话列表') });
  const scroller = h('div', { class: 'scroller' }, list);
  const empty = h('p', { class: 'empty', hidden: true });
  const bulk = h('div', { class: 'bulk', role: 'group', 'aria-label': t('批量处理'), hidden: true });
  const saved = [];
  const picked = new Set();
  let shown = [];
  let over = false;

  root.append(
    h('h2', { class: 'hidden' }, t('对话队列')),
    views,
    h('div', { class: 'seek' }, sought, button('＋', () => newView(desk, loadViews, sought.value.trim()), { 'aria-label': t('存为视图'), title: t('存为视图') })),
    bulk,
    scroller,
    empty,
    changed,
  );
  changed.hidden = true;

  let drawn = '';

  /** Draw the views; a button stays the same while only its count or its choice changes, for somebody may be about to press it. */
  function tabs() {
    const names = [...Object.entries(BUILT_IN).map(([id, name]) => ({ id, name: t(name) })), ...saved];
    const form = JSON.stringify(names.map(({ id, name, mine }) => [id, name, mine && store.view === id]));
    if (form !== drawn) fill(views, names.map(view));
    drawn = form;
    for (const each of views.querySelectorAll('[data-view]')) {
      each.setAttribute('aria-pressed', String(store.view === each.dataset.view));
      each.querySelector('.count').textContent = String(store.counts[each.dataset.view] ?? '');
    }
  }

  const view = ({ id, name, mine }) =>
    h(
      'span',
      { class: 'view' },
      h('button', { type: 'button', data: { view: id }, on: { click: () => choose(id) } }, name, h('span', { class: 'count' })),
      mine && store.view === id && button('×', () => forget(id), { 'aria-label': t('删除视图{name}', { name }) }),
    );

  const choose = (view) => {
    sought.value = '';
    picked.clear();
    return acts.view(view);
  };

  /** Take the order that things have now; while the pointer is over the list, it stays as it was. */
  function settle() {
    shown = [...store.ids];
    changed.hidden = true;
    paint();
  }

  function arrange() {
    const still = shown.length > 0 && over;
    if (!still) return settle();
    const differs = shown.length !== store.ids.length || shown.some((id, at) => id !== store.ids[at]);
    changed.hidden = !differs;
    if (differs) fill(changed, t('列表有变化，点这里更新'));
    paint();
  }

  function paint() {
    tabs();
    empty.hidden = shown.length > 0;
    scroller.hidden = !shown.length;
    empty.textContent = store.sought ? t('没有找到') : t('这里没有对话');
    list.style.height = `${shown.length * HEIGHT}px`;
    const top = Math.max(0, Math.floor(scroller.scrollTop / HEIGHT) - SPARE);
    const bottom = Math.ceil((scroller.scrollTop + (scroller.clientHeight || 600)) / HEIGHT) + SPARE;
    const seen = shown.slice(top, bottom).map((id, at) => ({ row: store.rows.get(id), at: top + at })).filter(({ row }) => row);
    keyed(list, seen, {
      key: ({ row }) => row.id,
      mark: ({ row, at }) => JSON.stringify([row, at, shown.length, row.id === store.open, picked.has(row.id), Math.floor(Date.now() / 30_000)]),
      make: ({ row, at }) => item(row, at),
    });
    const open = list.querySelector('[aria-selected=true]');
    if (open) list.setAttribute('aria-activedescendant', open.id);
    else list.removeAttribute('aria-activedescendant');
    if (bottom >= shown.length && store.next) acts.more();
    selection();
  }

  function item(row, at) {
    const words = lastWords(row);
    const who = row.last?.who === 'agent' ? t('座席：') : row.last?.who === 'bot' ? t('智能客服：') : '';
    const others = company(row, store.me);
    const gone = !store.ids.includes(row.id);
    const node = h(
      'li',
      {
        id: `row-${row.id}`,
        role: 'option',
        class: `row ${row.urgent ? 'urgent' : ''} ${row.unread ? 'unread' : ''} ${gone ? 'gone' : ''} ${picked.has(row.id) ? 'picked' : ''}`,
        'aria-selected': String(row.id === store.open),
        'aria-setsize': String(shown.length),
        'aria-posinset': String(at + 1),
        on: { click: (event) => (event.ctrlKey || event.metaKey ? pick(row.id) : acts.open(row.id)) },
      },
      h(
        'div',
        { class: 'first' },
        h('strong', {}, called(row)),
        h('span', { class: 'soft' }, channel(row.channel)),
        row.unread ? h('span', { class: 'news' }, h('span', { class: 'hidden' }, t('未读')), String(row.unread === true ? '•' : row.unread)) : null,
        h('time', { class: 'soft', datetime: row.last?.at ?? row.since ?? '' }, row.last?.at ? clock(row.last.at) : ''),
      ),
      h('div', { class: 'words' }, who + words),
      h('div', { class: 'marks' }, badges(row), others && h('span', { class: 'company' }, others), row.agent && !store.mine(row) && h('span', { class: 'soft' }, row.agent.name)),
    );
    node.style.transform = `translateY(${at * HEIGHT}px)`;
    return node;
  }

  function pick(id) {
    if (!picked.delete(id)) picked.add(id);
    paint();
  }

  function selection() {
    bulk.hidden = !picked.size;
    if (!picked.size) return;
    const all = (act) => async () => {
      await acts.guarded(() => api.post('bulk', { ids: [...picked], act, epochs: Object.fromEntries([...picked].map((id) => [id, store.rows.get(id)?.epoch])) }));
      picked.clear();
      await acts.list();
    };
    fill(bulk, h('span', {}, t('选了{n}个', { n: picked.size })), button(t('领取'), all('take')), button(t('结束'), all('close')), picked.size === 2 && button(t('合并'), merge), button(t('不选'), () => { picked.clear(); paint(); }));
  }

  async function merge() {
    // Into the one that is one's own; the first chosen where both are.
    const [into, from] = [...picked].sort((a, b) => store.holds(store.rows.get(b)) - store.holds(store.rows.get(a)));
    if (!store.holds(store.rows.get(into))) return store.tell('say', t('请先领取要留下的那个对话，再合并'), 'bad');
    const done = await acts.guarded(() => api.post('merge', { kind: 'talk', into, from }));
    if (!done) return;
    picked.clear();
    store.tell('undoable', t('已合并'), () => acts.guarded(() => api.post(`merge/${done.id}/undo`)).then(acts.list));
    await acts.list();
  }

  /** Open the conversation some places further down, or up. */
  function step(by) {
    const at = shown.indexOf(store.open);
    const to = shown[Math.min(shown.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (!to || to === store.open) return;
    reveal(to);
    acts.open(to);
  }

  function reveal(id) {
    const at = shown.indexOf(id);
    if (at * HEIGHT < scroller.scrollTop) scroller.scrollTop = at * HEIGHT;
    const end = (at + 1) * HEIGHT - scroller.clientHeight;
    if (end > scroller.scrollTop) scroller.scrollTop = end;
  }

  async function loadViews() {
    const answer = await api.get('views').catch(() => null);
    for (const each of answer?.items ?? []) store.counts[each.id] = each.count;
    saved.splice(0, saved.length, ...(answer?.items ?? []).filter((each) => !(each.id in BUILT_IN)));
    tabs();
  }

  async function forget(id) {
    await acts.guarded(() => api.remove(`views/${encodeURIComponent(id)}`));
    await choose('mine');
    await loadViews();
  }

  const seek = calm(() => acts.view(store.view, sought.value.trim()), 250);
  sought.addEventListener('input', (event) => event.isComposing || seek());
  sought.addEventListener('compositionend', seek);
  sought.addEventListener('keydown', (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Escape') {
      sought.value = '';
      seek();
      list.focus();
    }
    if (event.key === 'ArrowDown' || event.key === 'Enter') list.focus();
  });
  list.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (event.key in moves) step(moves[event.key]);
    else if (event.key === 'Enter') store.tell('focus', 'talk');
    else return;
    event.preventDefault();
  });
  scroller.addEventListener('scroll', paint, { passive: true });
  scroller.addEventListener('pointerenter', () => (over = true));
  scroller.addEventListener('pointerleave', () => {
    over = false;
    arrange();
  });
  new ResizeObserver(paint).observe(scroller);
  setInterval(paint, 30_000);
  // What the search finds grows some seconds behind the talks, and nobody tells when.
  setInterval(() => {
    const open = saved.find((each) => each.id === store.view);
    if (open?.filter?.text && !store.next && !document.hidden) acts.list();
  }, 6_000);
  store.on('rows', arrange);
  store.on('open', paint);
  store.on('view', () => {
    shown = [];
    scroller.scrollTop = 0;
  });
  store.on('ready', loadViews);
  return { step, choose, focus: () => list.focus(), seek: () => sought.focus(), after: (id) => shown[shown.indexOf(id) + 1] ?? shown[shown.indexOf(id) - 1] };
}

// What must be noticed: alerts until they are acknowledged, offers while they last, the bar that takes a reply back.

import { called, lastWords } from './badges.js';
import { button, fill, h, keyed } from './dom.js';
import { grave } from './store.js';
import { clock, t } from './words.js';

export function notices(desk) {
  const { store, acts } = desk;
  const alerts = h('div', { class: 'alerts', role: 'alert' });
  const offers = h('div', { class: 'offers', role: 'region', 'aria-label': t('等您接受的对话') });
  const undoBar = h('div', { class: 'undobar', role: 'status', hidden: true });
  const toast = h('div', { class: 'toast', role: 'status', hidden: true });
  const heard = h('div', { class: 'hidden', 'aria-live': 'polite', id: 'heard' });
  const node = h('div', { class: 'notices' }, alerts, offers, toast, heard);
  let last = null;
  let gone = 0;

  function paintAlerts() {
    // What is grave lies over the page by itself.
    keyed(alerts, [...store.alerts.values()].filter((each) => !grave(each)), {
      key: (each) => each.id,
      mark: (each) => JSON.stringify(each),
      make: (each) =>
        h(
          'div',
          { class: 'alert' },
          h('strong', {}, t('有同事提到您')),
          h('span', {}, t('{name}在备注里提到您', { name: each.by }), store.rows.get(each.talk) && h('span', { class: 'soft' }, ` · ${called(store.rows.get(each.talk))}`)),
          h('time', { datetime: each.at }, clock(each.at)),
          button(t('打开'), () => opened(each)),
          button(t('知道了'), () => acts.acknowledge(each.id), { kind: 'main' }),
        ),
    });
    title();
  }

  /** Open where somebody was called: he has seen it then. */
  function opened(each) {
    acts.acknowledge(each.id);
    acts.open(each.talk);
  }

  function paintOffers() {
    const mine = [...store.rows.values()].filter((row) => row.state === 'offered' && store.mine(row));
    keyed(offers, mine, {
      key: (row) => row.id,
      mark: (row) => JSON.stringify([row.epoch, row.name]),
      make: (row) => {
        const left = h('span', { class: 'left' });
        const until = row.offer_until ? Date.parse(row.offer_until) : Date.now() + (store.settings.offer_seconds ?? 15) * 1000;
        const node = h('div', { class: 'offer' }, h('strong', {}, called(row)), h('span', { class: 'words' }, lastWords(row)), left, button(t('接受'), () => desk.take(row.id), { kind: 'main', key: 'A' }), button(t('不接'), () => desk.decline(row.id)));
        node.until = until;
        return node;
      },
    });
    for (const node of offers.children) node.querySelector('.left').textContent = t('还有{n}秒', { n: Math.max(0, Math.ceil((node.until - Date.now()) / 1000)) });
  }

  /** Say something for a while, over a dialog where one is open: what lies below it is dim and not read out. */
  function say(text, kind = '') {
    const over = document.querySelector('dialog[open]');
    (over ?? node).append(toast);
    over?.addEventListener('close', () => over.contains(toast) && node.append(toast), { once: true });
    toast.textContent = text;
    toast.className = `toast ${kind}`;
    toast.hidden = false;
    clearTimeout(gone);
    gone = setTimeout(() => (toast.hidden = true), kind === 'bad' ? 9000 : 4000);
  }

  function offerUndo(text, act, until) {
    const end = until ? Date.parse(until) : Date.now() + (store.settings.undo_seconds ?? 10) * 1000;
    last = { act, end };
    const left = h('span', { 'aria-hidden': 'true' });
    fill(undoBar, h('span', {}, text), left, button(t('撤回'), undo, { key: 'U' }));
    undoBar.left = left;
    tick();
  }

  function undo() {
    const doing = last;
    last = null;
    tick();
    if (doing && doing.end > Date.now()) doing.act();
  }

  function tick() {
    if (last && last.end <= Date.now()) last = null;
    undoBar.hidden = !last;
    if (last) undoBar.left.textContent = t('{n}秒', { n: Math.ceil((last.end - Date.now()) / 1000) });
    paintOffers();
  }

  function title() {
    const unread = [...store.rows.values()].filter((row) => store.mine(row) && row.unread).length + store.alerts.size;
    document.title = unread ? `(${unread}) ${t('接诉座席台')}` : t('接诉座席台');
  }

  setInterval(tick, 1000);
  store.on('alerts', paintAlerts);
  store.on('rows', () => {
    paintOffers();
    title();
  });
  store.on('say', say);
  store.on('undoable', offerUndo);
  store.on('heard', (text) => (heard.textContent = text));
  return { node, undoBar, say, undo, undoable: () => Boolean(last) };
}

let sounds = null;

/** Make a short sound, where nobody sees the page or where it is grave. */
export function sound(grave = false) {
  if (!document.hidden && !grave) return;
  try {
    sounds ??= new AudioContext();
    const tone = sounds.createOscillator();
    const loud = sounds.createGain();
    tone.frequency.value = grave ? 880 : 620;
    loud.gain.setValueAtTime(0.08, sounds.currentTime);
    loud.gain.exponentialRampToValueAtTime(0.001, sounds.currentTime + 0.4);
    tone.connect(loud).connect(sounds.destination);
    tone.start();
    tone.stop(sounds.currentTime + 0.4);
  } catch {
    // No sound device: the page shows all that it would have said.
  }
}

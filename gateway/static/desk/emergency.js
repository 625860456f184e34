// Words of danger: nothing else goes on at the desk until somebody has said that he looks after it.

import { called } from './badges.js';
import { button, fill, h } from './dom.js';
import { grave } from './store.js';
import { clock, t } from './words.js';

const DANGERS = { self_harm: '轻生', fire: '火情', gas: '燃气泄漏', medical: '急病受伤', drowning: '溺水', trapped: '有人被困', police: '人身安全', traffic: '交通事故' };

/** Keep a box over the page while alerts of an emergency are open; Escape does not close it, and no key answers it by chance. */
export function emergencies({ store, acts }) {
  const heading = h('h2', { id: 'emergency-title', tabindex: '-1' });
  const list = h('ul');
  const box = h('dialog', { class: 'emergency', 'aria-labelledby': 'emergency-title' }, heading, h('p', {}, t('请先处理：打开对话看情况，需要时打110、119、120。有人处理后这里自动关闭。')), list);
  box.addEventListener('cancel', (event) => event.preventDefault());
  let from = null;
  let shown = '';

  function paint() {
    const open = [...store.alerts.values()].filter(grave);
    const mark = open.map((each) => each.id).join();
    if (mark === shown) return;
    shown = mark;
    if (!open.length) return close();
    heading.textContent = t('紧急求助：{n}件等人处理', { n: open.length });
    fill(list, open.map(item));
    if (!box.open) {
      from = document.activeElement;
      document.body.append(box);
      box.showModal();
    }
    heading.focus();
  }

  const item = (each) =>
    h(
      'li',
      { class: 'alert' },
      h('strong', {}, called(store.rows.get(each.talk))),
      h('span', {}, t('{danger}：提到“{word}”', { danger: t(DANGERS[each.kind] ?? '紧急'), word: each.word })),
      h('time', { datetime: each.at }, clock(each.at)),
      button(t('知道了，只记录'), () => acts.acknowledge(each.id)),
      button(t('我来处理'), async () => (await acts.acknowledge(each.id)) && acts.open(each.talk), { kind: 'main' }),
    );

  function close() {
    box.close();
    box.remove();
    if (from?.isConnected && document.activeElement === document.body) from.focus();
  }

  store.on('alerts', paint);
}

// The conversation: who it is with and who has it, its lines, and below them the place to write.

import { called, channel, company, STATES } from './badges.js';
import { composer } from './compose.js';
import { button, fill, h, keyed } from './dom.js';
import { lineNode, mark, words } from './lines.js';
import { span, t } from './words.js';

export function talkPane(root, desk) {
  const { store, acts } = desk;
  const name = h('h2', { tabindex: '-1' });
  const about = h('p', { class: 'soft about' });
  const tools = h('div', { class: 'tools', role: 'toolbar', 'aria-label': t('对话操作') });
  const others = h('p', { class: 'company', 'aria-live': 'polite' });
  const list = h('ol', { class: 'lines' });
  const log = h('div', { class: 'log', role: 'log', tabindex: '0', 'aria-live': 'off', 'aria-label': t('对话内容') }, list);
  const older = button(t('看更早的'), () => acts.older(store.open), { kind: 'small older' });
  const news = button(t('有新消息 ↓'), () => bottom(), { kind: 'small fresh' });
  const summary = h('div', { class: 'summary' });
  const nothing = h('p', { class: 'empty' }, t('从左边选一个对话；按 J、K 上下移动，按 ? 看全部快捷键。'));
  const write = composer(desk);
  const body = h('div', { class: 'talk', hidden: true }, h('header', {}, h('div', {}, name, about, others), tools), summary, h('div', { class: 'logbox' }, log, news), write.node);
  log.prepend(older);
  root.append(h('h2', { class: 'hidden' }, t('对话')), nothing, body);
  news.hidden = true;
  let now = null;

  const near = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  function bottom() {
    log.scrollTop = log.scrollHeight;
    news.hidden = true;
  }
  // Who reads at the end stays there when the pane changes its size.
  let stuck = true;
  log.addEventListener('scroll', () => {
    stuck = near();
    if (stuck) news.hidden = true;
  }, { passive: true });
  new ResizeObserver(() => stuck && bottom()).observe(log);

  function paint(id) {
    if (id && id !== store.open) return;
    const talk = store.talks.get(store.open);
    const row = store.rows.get(store.open);
    nothing.hidden = Boolean(row);
    body.hidden = !row;
    if (!row) return;
    head(row);
    if (talk) lines(talk);
    else fill(list);
    write.show(row, talk);
  }

  function head(row) {
    name.textContent = called(row);
    const whose = store.mine(row) ? t('我') : row.agent?.name;
    about.textContent = [channel(row.channel), t(STATES[row.state] ?? row.state), whose, row.waiting_since && t('市民等了{span}', { span: span(row.waiting_since) })].filter(Boolean).join(' · ');
    others.textContent = company(row, store.me);
    const made = buttons(row);
    const wanted = made.map((each) => each.textContent).join();
    if (tools.mark === wanted + row.id) return;
    // Whoever stands on a button that goes away stands on the talk then, not nowhere.
    const lost = tools.contains(document.activeElement);
    tools.mark = wanted + row.id;
    fill(tools, made);
    if (lost) (tools.querySelector('button') ?? name).focus();
  }

  function buttons(row) {
    const verb = (label, act, more) => button(t(label), () => act(row.id), more);
    if (row.state === 'offered' && store.mine(row)) return [verb('接受', desk.take, { kind: 'main', key: 'A' }), verb('不接', desk.decline)];
    if (store.holds(row) || (row.state === 'wrap_up' && store.mine(row))) {
      const talking = row.state === 'agent';
      return [
        talking && verb('转派', desk.transfer, { key: 'T' }),
        talking && verb(row.held ? '取消暂挂' : '暂挂', desk.hold),
        talking && verb('交回智能客服', desk.back),
        talking && verb('整理', desk.wrap),
        verb('结束', desk.close, { kind: 'main', key: 'E' }),
      ].filter(Boolean);
    }
    if (row.agent && store.may('take_over')) return [verb('接管', desk.takeOver, { kind: 'main' })];
    if (!row.agent && ['queued', 'bot'].includes(row.state) && store.may('reply')) return [verb('领取', desk.take, { kind: 'main', key: 'A' })];
    return [];
  }

  function lines(talk) {
    const stay = near();
    const fresh = now !== store.open;
    now = store.open;
    sum(talk);
    older.hidden = !talk.more;
    const at = log.scrollHeight - log.scrollTop;
    keyed(list, talk.lines, { key: (line) => line.echo || line.id, mark, make: (line) => lineNode(line, { undo: desk.undo, again: desk.again }) });
    if (fresh || stay) bottom();
    else if (talk.grown) log.scrollTop = log.scrollHeight - at;
    talk.grown = false;
  }

  function sum(talk) {
    const { text, place, when, demand } = talk.order ?? {};
    const known = [['事情', text], ['地点', place], ['时间', when], ['诉求', demand]].filter(([, value]) => value);
    summary.hidden = !known.length;
    fill(summary, h('strong', {}, t('智能客服已了解')), known.map(([name, value]) => h('span', { class: 'known' }, h('span', { class: 'soft' }, t(name)), ' ', value)));
  }

  store.on('rows', (id) => (!id || id === store.open) && paint());
  store.on('open', () => {
    news.hidden = true;
    paint();
  });
  store.on('talk', paint);
  store.on('older', (id) => {
    const talk = store.talks.get(id);
    talk.grown = true;
    paint(id);
  });
  store.on('lines', (id, line, added) => {
    if (id !== store.open) return;
    const stay = near();
    paint(id);
    if (!added || !line) return;
    if (line.who === 'agent' && line.local) bottom();
    else if (!stay) news.hidden = false;
    if (line.who === 'citizen') store.tell('heard', t('市民：{words}', { words: words(line) }));
  });
  store.on('focus', (where) => where === 'talk' && name.focus());
  setInterval(() => store.open && paint(), 20_000);
  return { write };
}

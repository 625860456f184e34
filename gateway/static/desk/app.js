// The desk's page: joins the panes to what the gateway tells, and holds the verbs that keys and buttons share.

import { accountBox } from './account.js';
import { createActions } from './actions.js';
import { createApi } from './api.js';
import { called, PRESENCE } from './badges.js';
import { caseCard, casePane } from './case.js';
import { commandBox, commands } from './command.js';
import { button, calm, dialog, fill, h } from './dom.js';
import { emergencies } from './emergency.js';
import { caseForm } from './form.js';
import { listen } from './keys.js';
import { follow } from './live.js';
import { login } from './login.js';
import { notices, sound } from './notices.js';
import { passOn } from './passing.js';
import { phrases } from './phrases.js';
import { queuePane } from './queue.js';
import { createStore, grave } from './store.js';
import { talkPane } from './talk.js';
import { wallPage } from './wall.js';
import { choose, lang, speak, t } from './words.js';

const here = document.querySelector('#desk');
await speak(here.dataset.english);
document.title = t('接诉座席台');

const store = createStore();
const api = createApi({ expired });
const acts = createActions(store, api, { say: (...words) => store.tell('say', ...words) });
const passwords = here.dataset.passwords !== 'no';
const desk = { store, api, acts, passwords, colleagues, showCase, phoneCase, leave, pane, wall, account: () => accountBox(desk), choices: () => store.choices ?? {} };
const CHOSEN = ['online', 'busy', 'away'];
const tab = crypto.randomUUID();
let line = null;
let asking = null;
let panes = null;

// Who is in

async function expired() {
  if (asking) return asking;
  const known = store.me;
  const sso = here.dataset[lang === 'en' ? 'ssoEn' : 'sso'];
  asking = login(api, { again: Boolean(known), name: known?.login ?? '', sso, passwords });
  await asking;
  asking = null;
  await begin(known);
}

async function begin(known = null) {
  let me;
  try {
    me = await api.get('me', { quiet: Boolean(asking) });
  } catch (problem) {
    if (problem.status !== 401) {
      store.tell('say', t('打不开座席台，请刷新再试'), 'bad');
      setTimeout(begin, 5000, known);
    }
    return;
  }
  // What one agent wrote is not for the next one on the same chair.
  if (known && known.id !== me.agent.id) return location.reload();
  Object.assign(store, { me: me.agent, rights: new Set(me.rights), settings: me.settings ?? {}, totp: me.totp });
  api.csrf = me.csrf;
  store.tell('me');
  if (!panes) build();
  line?.stop();
  line = follow({ cursor: me.cursor ?? '0', happened, changed: link, reset, refused: stillIn });
  await Promise.all([acts.list(), alerts(), store.open && acts.load(store.open)]);
  store.choices ??= await api.get('choices').catch(() => null);
  store.tell('ready');
  store.tell('link');
}

/** Show what somebody chose to be before he came back: it is known once a tab of his is alive. */
async function chosen() {
  const me = await api.get('me', { quiet: true }).catch(() => null);
  if (!me || CHOSEN.includes(store.me.state)) return;
  store.me = { ...store.me, state: me.agent.state };
  store.tell('me');
}

const stillIn = calm(() => api.get('me').catch(() => {}), 300);

async function alerts() {
  const answer = await api.get('alerts').catch(() => null);
  store.alerts = new Map((answer?.items ?? []).map((each) => [each.id, each]));
  store.tell('alerts');
}

async function leave() {
  await panes.talk.write.saveAll();
  const left = await acts.guarded(() => api.post('logout'));
  // Out at the single sign-on too, where it began the session.
  if (left?.onward) location.assign(left.onward);
  else location.reload();
}

// What happens

function happened(kind, data) {
  const row = data.row ?? (kind === 'talk' && data.state ? data : null);
  const id = row?.id ?? data.talk ?? data.id;
  if (kind === 'talk' && row) came(row);
  else if (kind === 'talk') again(id);
  else if (kind === 'line') {
    if (row) came(row);
    if (data.line?.gone) store.bury(id, data.line.id);
    else if (data.line) store.line(id, data.line);
  } else if (kind === 'alert') alert(data.alert ?? data);
  else if (kind === 'presence') presence(data);
  else if (kind === 'me') Object.assign(store, { me: { ...store.me, ...(data.agent ?? data) } }), store.tell('me');
  else if (kind === 'wall') store.tell('wall', data);
}

function came(row) {
  const old = store.rows.get(row.id);
  if (!store.take(row)) return;
  const offered = row.state === 'offered' && store.mine(row) && old?.state !== 'offered';
  if (offered) {
    sound();
    store.tell('heard', t('有新的对话等您接受：{name}', { name: called(row) }));
  } else if (store.mine(row) && row.last?.who === 'citizen' && old?.last?.at !== row.last.at) sound();
  if (row.id === store.open) store.read(row.id);
  if (row.id === store.open && old && (old.epoch !== row.epoch || old.case_no !== row.case_no)) again(row.id);
  if (store.within(store.view, row) === undefined) recount();
}

const again = calm((id) => (id === store.open ? acts.load(id) : acts.list()), 120);
const recount = calm(() => acts.list(), 1500);

function alert(each) {
  if (each.acknowledged) {
    const was = store.alerts.delete(each.id);
    if (was && each.by && grave(each) && each.by !== store.me.name) store.tell('say', t('{name}已在处理“{word}”', { name: each.by, word: each.word }));
  } else {
    if (!store.alerts.has(each.id)) sound(grave(each));
    store.alerts.set(each.id, each);
  }
  store.tell('alerts');
}

function presence(data) {
  colleagues.known = null;
  const row = store.rows.get(data.talk);
  if (row && data.viewers) {
    row.viewers = data.viewers;
    store.tell('rows', row.id);
  }
}

function link(state) {
  const was = store.link;
  store.link = state;
  store.tell('link');
  // What a page showed while the line was broken may be old; the events say what changed, the list what is.
  if (state === 'open' && was !== 'open' && store.me) alerts();
}

async function reset() {
  await Promise.all([acts.list(), alerts(), store.open && acts.load(store.open)]);
}

async function colleagues() {
  colleagues.known ??= (await api.get('colleagues').catch(() => null))?.items ?? [];
  return colleagues.known;
}

// What keys and buttons do

const row = (id) => store.rows.get(id);
desk.take = async (id) => {
  const offered = row(id)?.state === 'offered' && store.mine(row(id));
  if ((await acts.act(id, offered ? 'accept' : 'take')) === undefined) return;
  if (store.open !== id) await acts.open(id);
  panes.talk.write.reply();
};
/** Return what "take" means now: the conversation that is open, or else the first that is offered. */
desk.takeable = () => {
  const open = row(store.open);
  const free = open && !open.agent && ['queued', 'bot'].includes(open.state);
  const offered = [...store.rows.values()].filter((each) => each.state === 'offered' && store.mine(each));
  return free || offered.includes(open) ? open.id : offered[0]?.id;
};
desk.decline = (id) => acts.act(id, 'decline');
desk.takeOver = (id) => acts.act(id, 'take', { over: true });
desk.hold = (id) => acts.act(id, row(id).held ? 'unhold' : 'hold');
desk.back = (id) => acts.act(id, 'back');
desk.wrap = (id) => acts.act(id, 'close', { wrap_up: true });
desk.transfer = (id) => passOn(desk, id);
desk.close = async (id) => {
  const next = panes.queue.after(id);
  if ((await acts.act(id, 'close')) === undefined) return;
  store.tell('say', t('已结束'));
  if (next) await acts.open(next);
};
desk.undo = async (sent, id = store.open) => {
  const words = (sent.parts ?? []).map((each) => each.text).filter(Boolean).join('\n');
  if (await acts.undo(id, sent)) panes.talk.write.back(id, words);
};
desk.again = async (sent) => {
  const words = sent.parts.map((each) => each.text).filter(Boolean).join('\n');
  await acts.reply(store.open, words, sent.parts.filter((each) => each.kind !== 'text'), sent.echo).catch(() => panes.talk.write.back(store.open, words));
};

async function showCase(no) {
  const found = await acts.guarded(() => api.get(`cases/${no}`));
  if (!found) return;
  const holder = h('div');
  const paint = async () => holder.replaceChildren(caseCard(desk, (await acts.guarded(() => api.get(`cases/${no}`))) ?? found, { again: paint }));
  holder.append(caseCard(desk, found, { again: paint }));
  dialog(t('工单'), holder, { kind: 'wide' });
}

function phoneCase() {
  const form = caseForm({ need_reply: true, urgency: '2', kind: '99' }, desk.choices());
  const key = crypto.randomUUID();
  const save = button(t('建工单'), async () => {
    const done = await desk.sent(() => api.post('cases', { form: form.values(), key }), form);
    if (!done) return;
    box.close();
    toldByPhone(done);
  }, { kind: 'main' });
  const box = dialog(t('代录电话诉求'), h('div', {}, form.node, h('div', { class: 'tools' }, button(t('取消'), () => box.close()), save)), { kind: 'wide' });
}

/** Show what the caller is to be told; it stays until the agent has read it out. */
function toldByPhone({ case_no: no, query_code: code }) {
  const box = dialog(t('工单建好了'), h('div', {}, h('p', { class: 'number' }, t('单号 {no}', { no })), h('p', { class: 'number' }, t('查询码 {code}', { code })), h('p', {}, t('请把单号和查询码读给来电人，凭它们可以查进度。')), h('div', { class: 'tools' }, button(t('读过了'), () => box.close(), { kind: 'main' }))));
}

// How it stands on the screen

function pane(name) {
  if (here.dataset.page === 'wall') wall(false);
  here.dataset.pane = name;
  for (const each of here.querySelectorAll('.tabs button')) each.setAttribute('aria-pressed', String(each.dataset.pane === name));
}

function wall(yes = here.dataset.page !== 'wall') {
  here.dataset.page = yes ? 'wall' : 'talks';
  here.querySelector('.panes').hidden = yes;
  panes.wall.show(yes);
}

function top(undoBar) {
  const state = h('select', { id: 'state', 'aria-label': t('我的状态'), on: { change: () => acts.state(state.value) } }, CHOSEN.map((each) => h('option', { value: each }, t(PRESENCE[each]))));
  const linked = h('span', { class: 'link', role: 'status' });
  const name = button('', () => accountBox(desk), { kind: 'who', title: t('我的账号') });
  const wide = button(t('看板'), () => wall(), { key: 'W', hidden: true });
  const paint = () => {
    // Whom no tab has kept alive yet is shown as he will be once this one has.
    state.value = ['busy', 'away'].includes(store.me.state) ? store.me.state : 'online';
    name.textContent = store.me.name;
    name.setAttribute('aria-label', t('我的账号：{name}', { name: store.me.name }));
    wide.hidden = !store.may('see_wall');
  };
  store.on('me', paint);
  store.on('link', () => {
    const words = { open: t('已连接'), connecting: t('正在连接…'), lost: t('已断线，正在重连…') };
    linked.textContent = words[store.link];
    linked.className = `link ${store.link}`;
  });
  paint();
  return h(
    'header',
    { class: 'top' },
    h('h1', {}, t('接诉座席台')),
    linked,
    h('span', { class: 'room' }, undoBar),
    button(t('命令'), () => commandBox(desk), { key: 'Ctrl K' }),
    wide,
    state,
    name,
    button(lang === 'en' ? '中文' : 'English', () => choose(lang === 'en' ? 'zh' : 'en'), { lang: lang === 'en' ? 'zh-CN' : 'en' }),
    button('?', () => press('?'), { 'aria-label': t('快捷键') }),
  );
}

const press = (key) => commands(desk).find((each) => each.key === key && (!each.when || each.when()))?.act();

function build() {
  const told = notices(desk);
  emergencies(desk);
  // Another password is another session: the stream goes on in it.
  store.on('entered', () => begin(store.me));
  desk.notices = () => told;
  const parts = ['queue', 'talk', 'case'].map((name) => h('section', { class: `pane ${name}`, 'aria-label': { queue: t('队列'), talk: t('对话'), case: t('市民和工单') }[name] }));
  const tabs = h('nav', { class: 'tabs', 'aria-label': t('面板') }, [['queue', t('队列')], ['talk', t('对话')], ['case', t('工单')]].map(([name, label]) => h('button', { type: 'button', data: { pane: name }, on: { click: () => pane(name) } }, label)));
  const board = h('section', { class: 'wall', hidden: true, 'aria-label': t('督导看板') });
  fill(here, top(told.undoBar), told.node, h('main', {}, tabs, h('div', { class: 'panes' }, parts), board));
  Object.assign(desk, phrases({ ...desk, talk: () => panes.talk }));
  panes = { queue: queuePane(parts[0], desk), talk: talkPane(parts[1], desk), beside: casePane(parts[2], desk), wall: wallPage(board, desk) };
  Object.assign(desk, { queue: () => panes.queue, talk: () => panes.talk, beside: () => panes.beside });
  pane('queue');
  store.on('open', () => pane('talk'));
  const letters = ['a', 'r', 'n', 'e', 't', 'j', 'k', '/', '?', 'u', 'c', 'p', 'w', '1', '2', '3'];
  listen({
    plain: Object.fromEntries(letters.map((key) => [key, () => press(key.toUpperCase())])),
    held: { k: () => commandBox(desk), m: () => store.open && desk.canned() },
  });
  const worker = new Worker(here.dataset.beat);
  let active = true;
  for (const kind of ['keydown', 'pointerdown', 'wheel']) addEventListener(kind, () => (active = true), { passive: true, capture: true });
  const beat = (more = {}) => {
    if (!store.me || asking) return;
    const told = api.post('me/beat', { tab, active, ...more }, { quiet: true, last: more.closed }).catch(() => {});
    active = false;
    return told;
  };
  worker.addEventListener('message', () => {
    beat();
    if (store.open && !document.hidden) acts.viewing(store.open, false);
  });
  beat()?.then(chosen);
  store.on('open', (id) => acts.viewing(id, false));
  store.on('left', (id) => acts.viewing(id, false, false));
  addEventListener('pagehide', () => beat({ closed: true }));
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    line?.now();
    store.read(store.open);
  });
}

await begin();

// The place to write: replies and notes with their drafts, what the channel allows, warnings before anything is sent.

import { attachments } from './attach.js';
import { button, calm, fill, h } from './dom.js';
import { mentions } from './mention.js';
import { actName, follow } from './phrases.js';
import { reachText } from './reach.js';
import { listed, t } from './words.js';

const SAVE = 500;
const TYPING = 4000;
const CHECK = 900;

export function composer(desk) {
  const { store, acts, api } = desk;
  const drafts = new Map();
  let id = null;
  let mode = 'text';
  let typed = 0;
  let sure = '';
  let going = false;

  const area = h('textarea', { id: 'reply', rows: '3', 'aria-describedby': 'reach warned', maxlength: '4000' });
  const modes = h('div', { class: 'modes', role: 'group', 'aria-label': t('写给谁') });
  const reach = h('p', { id: 'reach', class: 'soft' });
  const kept = h('span', { class: 'kept soft', role: 'status' });
  const warned = h('div', { id: 'warned', role: 'alert', class: 'warned' });
  const after = h('p', { class: 'after', hidden: true });
  const send = button(t('发送'), () => go(), { kind: 'main', key: 'Ctrl ⏎' });
  const files = attachments(desk, () => id);
  const names = mentions(area, desk, () => mode === 'note');
  const label = h('label', { for: 'reply', class: 'hidden' });
  const tools = h(
    'div',
    { class: 'tools' },
    button(t('常用语'), () => desk.canned(), { key: 'Ctrl M' }),
    button(t('知识库'), () => desk.knowledge()),
    files.button,
    kept,
    send,
  );
  const form = h('form', { class: 'composer' }, modes, label, area, names.node, files.node, warned, after, reach, tools);
  form.addEventListener('submit', (event) => event.preventDefault());

  const draft = () => {
    if (!drafts.has(id)) drafts.set(id, { text: '', note: '', saved: '' });
    return drafts.get(id);
  };
  const state = (each) => JSON.stringify([each.text, each.note]);
  const unsaved = (each) => state(each) !== each.saved;

  async function save(which) {
    const each = drafts.get(which);
    if (!each || !unsaved(each)) return;
    const was = state(each);
    try {
      await acts.draft(which, { text: each.text, note: each.note });
      each.saved = was;
      if (which === id) kept.textContent = each.text || each.note ? t('草稿已保存') : '';
    } catch (problem) {
      if (which === id) kept.textContent = t('草稿还没有保存，会再试');
      if (problem.status === 0 || problem.status >= 500) setTimeout(() => save(which), 5000);
    }
  }
  const saveSoon = calm(() => save(id), SAVE);
  const checkSoon = calm(() => check(), CHECK);

  function write(text) {
    area.value = text;
    draft()[mode] = text;
    grow();
    later();
    saveSoon();
    checkSoon();
    limits();
  }

  function grow() {
    area.style.height = 'auto';
    area.style.height = `${Math.min(220, Math.max(72, area.scrollHeight + 2))}px`;
  }

  /** Show what a macro does once its reply was sent; with the words it goes too. */
  function later() {
    const each = draft();
    if (!each.text.trim()) each.acts = [];
    const wanted = mode === 'text' ? (each.acts ?? []) : [];
    after.hidden = !wanted.length;
    fill(after, wanted.length ? [t('发出后：{what}', { what: listed(wanted.map(actName)) }), button(t('不做'), () => ((each.acts = []), later()), { kind: 'small' })] : []);
  }

  function choose(which) {
    mode = which;
    area.value = draft()[mode];
    later();
    warn([]);
    sure = '';
    paint();
    grow();
    area.focus();
  }

  function paint() {
    const row = store.rows.get(id);
    const whisper = store.may('whisper') && !store.mine(row);
    const kinds = { text: t('回复市民'), note: whisper ? t('耳语给座席') : t('内部备注') };
    const marked = mode + JSON.stringify(kinds);
    if (modes.mark !== marked) {
      modes.mark = marked;
      fill(modes, Object.entries(kinds).map(([which, name]) => h('button', { type: 'button', 'aria-pressed': String(which === mode), on: { click: () => choose(which) } }, name, h('kbd', { 'aria-hidden': 'true' }, which === 'text' ? 'R' : 'N'))));
    }
    label.textContent = kinds[mode];
    form.classList.toggle('noting', mode === 'note');
    const may = mode === 'note' ? store.may('note') : store.holds(row);
    area.placeholder = may ? (mode === 'note' ? t('只有同事看得到；用 @ 提到同事') : t('写给市民；Ctrl+Enter 发送')) : t('领取以后才能回复');
    area.readOnly = mode === 'text' && !may;
    send.disabled = !may || (store.link === 'lost' && mode === 'text');
    files.allow(mode === 'text' && may);
    limits();
  }

  function limits() {
    const talk = store.talks.get(id);
    const [text, kind] = mode === 'note' ? [t('市民看不到备注'), ''] : store.link === 'lost' ? [t('已断线，重连以后才能发送；您写的不会丢'), 'bad'] : reachText(talk?.reach, area.value);
    reach.textContent = text;
    reach.className = `soft ${kind}`;
  }

  function warn(found) {
    fill(warned, found.length ? [h('p', {}, t('请留意：{what}', { what: found.map((each) => `“${each.words}” ${t(each.why)}`).join('；') }))] : []);
    warned.hidden = !found.length;
  }

  /** Ask what of the words should not be said; nothing is found where nobody answers in time. */
  async function check() {
    const text = area.value;
    if (mode === 'note' || !text.trim()) return warn([]) ?? [];
    const answer = await api.post('check', { text }, { patience: 1500, quiet: true }).catch(() => null);
    const found = answer?.warnings ?? [];
    if (area.value === text) warn(found);
    return found;
  }

  /** Send once, however often somebody presses while it is looked at. */
  async function go() {
    if (going) return;
    going = true;
    try {
      await sendNow();
    } finally {
      going = false;
    }
  }

  async function sendNow() {
    const talk = id;
    const text = area.value.trim();
    if ((!text && !(mode === 'text' && files.count())) || send.disabled) return;
    if (mode === 'note') return note(talk, text);
    if (files.busy()) return store.tell('say', t('文件还在上传，请稍等'));
    if (sure !== text && (await check()).length) {
      sure = text;
      warned.append(h('p', {}, t('再按一次发送就会照样发出')));
      return;
    }
    sure = '';
    const given = files.take();
    const wanted = drafts.get(talk).acts ?? [];
    clear(talk, 'text');
    // What comes back is not waited for: the next words can be sent meanwhile.
    acts.reply(talk, text, given).then(
      (sent) => {
        if (!sent) return;
        store.tell('undoable', t('已发给市民'), () => desk.undo(sent, talk), sent.undo_until);
        follow(acts, talk, wanted);
      },
      () => back(talk, text),
    );
  }

  async function note(talk, text) {
    const row = store.rows.get(talk);
    const whisper = store.may('whisper') && !store.mine(row);
    const done = await acts.act(talk, 'note', { text, whisper, mentions: await names.called(text) });
    if (done !== undefined && drafts.get(talk)?.note.trim() === text) clear(talk, 'note');
  }

  function clear(talk, which) {
    const each = drafts.get(talk);
    each[which] = '';
    if (talk === id && mode === which) {
      write('');
      warn([]);
      checkSoon.drop();
    }
    save(talk);
  }

  /** Put what was not sent back where it was written. */
  function back(talk, text) {
    const each = drafts.get(talk) ?? { text: '', note: '', saved: '' };
    drafts.set(talk, each);
    each.text = [text, each.text].filter(Boolean).join('\n');
    if (talk === id && mode === 'text') write(each.text);
    else save(talk);
  }

  /** Put words in where the cursor stands; "wanted" is done after they were sent. */
  function insert(text, wanted = []) {
    if (mode === 'note') choose('text');
    if (wanted.length) draft().acts = wanted;
    const [from, to] = [area.selectionStart, area.selectionEnd];
    write(area.value.slice(0, from) + text + area.value.slice(to));
    area.focus();
    area.setSelectionRange(from + text.length, from + text.length);
  }

  area.addEventListener('input', () => {
    draft()[mode] = area.value;
    later();
    sure = '';
    if (!area.value.trim()) warn([]);
    grow();
    limits();
    kept.textContent = '';
    saveSoon();
    checkSoon();
    if (Date.now() - typed > TYPING) {
      typed = Date.now();
      acts.viewing(id, true);
    }
  });
  area.addEventListener('keydown', (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      go();
    }
    if (event.key === 'Escape' && !names.open()) {
      event.preventDefault();
      area.blur();
      store.tell('focus', 'talk');
    }
  });
  window.addEventListener('beforeunload', (event) => {
    if ([...drafts.values()].some(unsaved)) event.preventDefault();
  });
  store.on('left', (old) => save(old));
  store.on('link', () => {
    if (id) paint();
    if (store.link === 'open') for (const each of drafts.keys()) save(each);
  });

  function show(row, talk) {
    if (row.id !== id) {
      id = row.id;
      mode = store.holds(row) || !store.may('note') ? 'text' : mode;
      kept.textContent = '';
      files.clear();
      files.button.hidden = !store.settings.files;
      warn([]);
    }
    const each = draft();
    if (talk && !each.loaded) {
      each.loaded = true;
      const was = talk.draft ?? {};
      if (!each.text && !each.note) Object.assign(each, { text: was.text ?? '', note: was.note ?? '' });
      each.saved = JSON.stringify([was.text ?? '', was.note ?? '']);
      if (!each.text && each.note && !store.holds(row)) mode = 'note';
    }
    if (area.value !== each[mode]) {
      area.value = each[mode];
      grow();
    }
    later();
    paint();
  }

  return { node: form, show, insert, back, reply: () => choose('text'), note: () => choose('note'), saveAll: () => Promise.all([...drafts.keys()].map(save)), text: () => area.value };
}

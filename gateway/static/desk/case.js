// Beside the talk: who the citizen is, what he came with before, the case of this talk or the form for one, abuse.

import { GROUNDS } from './abuse.js';
import { badge, nameless } from './badges.js';
import { caseForm } from './form.js';
import { button, calm, dialog, fill, h } from './dom.js';
import { clock, t } from './words.js';

/** What is asked for beside what the hotline's rules need, which the gateway says of each verb. */
const WANTS = { divert: ['unit_name'], cohandle: ['unit_name'], answer: ['text'], supplement: ['text'], withdraw: ['reason'], supervise: ['score', 'reason'] };
const ASKED = { unit_name: '承办单位', reason: '理由', text: '内容', days: '工作日数', score: '评分（1—5）', code: '原因' };
/** What a verb means by a field, where it means something of its own. */
const MEANS = { ask: { reason: '请市民补充什么' }, supervise: { score: '督办级别' } };
const HEARD = 1500;
const LONG = ['text', 'reason'];
const NUMBERS = ['days', 'score'];

export function casePane(root, desk) {
  const { store, acts, api } = desk;
  const who = h('section', { 'aria-label': t('市民') });
  const matter = h('section', { 'aria-label': t('工单') });
  const before = h('section', { 'aria-label': t('以往来过') });
  const bad = h('section', { 'aria-label': t('滥用标记') });
  const empty = h('p', { class: 'empty' }, t('打开一个对话，这里是市民和工单'));
  const body = h('div', { class: 'beside', hidden: true }, who, matter, before, bad);
  root.append(h('h2', { class: 'hidden' }, t('市民和工单')), empty, body);
  const forms = new Map();
  let shown = '';

  async function paint() {
    const id = store.open;
    const talk = store.talks.get(id);
    const row = store.rows.get(id);
    empty.hidden = Boolean(row);
    body.hidden = !row;
    if (!talk || !row) return;
    const wanted = JSON.stringify([id, row.case_no, store.mine(row), row.name, talk.order, talk.phone]);
    if (wanted === shown) return;
    const moved = !shown.startsWith(`["${id}"`);
    shown = wanted;
    person(row, talk);
    abuse(row);
    if (moved) fill(before);
    await Promise.all([row.case_no ? existing(row) : fresh(row, talk), history(id)]);
  }

  function person(row, talk) {
    const order = talk.order ?? {};
    // What he said only to people stands in the form beside him.
    const told = forms.get(row.id)?.told ?? {};
    const name = (nameless(row) ? told.name : row.name) || t('没有留');
    const number = talk.phone || order.phone || told.phone || t('没有留');
    const mark = JSON.stringify([row.id, name, number, order.place, row.elderly, row.repeat]);
    // What somebody is about to press is not taken from under his hand.
    if (who.mark === mark) return;
    who.mark = mark;
    const phone = h('dd', {}, number);
    const facts = [[t('称呼'), name], [t('电话'), phone]];
    if (order.place) facts.push([t('地点'), order.place]);
    fill(
      who,
      h('h3', {}, t('市民'), row.elderly && badge(t('长辈'), 'calm'), row.repeat > 1 && badge(t('第{n}次来', { n: row.repeat }))),
      h('dl', {}, facts.map(([name, value]) => h('div', {}, h('dt', {}, name), value instanceof Node ? value : h('dd', {}, value)))),
      store.may('reveal') && button(t('看完整信息（会记录）'), async (event) => {
        const full = await acts.guarded(() => api.post(`talks/${encodeURIComponent(row.id)}/reveal`));
        if (!full) return;
        phone.textContent = full.phone || full.address || t('没有留');
        if (full.name) who.querySelector('dd').textContent = full.name;
        event.target.remove();
      }, { kind: 'small' }),
    );
  }

  async function fresh(row, talk) {
    if (!store.may('act_on_cases')) return fill(matter);
    const had = forms.get(row.id);
    const upto = newest(talk);
    const answer = had && !had.stale ? null : await api.get(`talks/${encodeURIComponent(row.id)}/form`).catch(() => null);
    if (store.open !== row.id) return;
    // What is on the screen stays when nobody answers.
    if (answer || !had) forms.set(row.id, { form: caseForm(answer?.form ?? filled(talk.order ?? {}), desk.choices(), { said: answer?.said }), upto: answer ? upto : null, told: answer?.form });
    if (answer) person(row, talk);
    const { form } = forms.get(row.id);
    const key = crypto.randomUUID();
    const submit = button(t('建工单'), async () => {
      submit.disabled = true;
      const done = await sent(() => api.post('cases', { talk: row.id, form: form.values(), key }), form);
      submit.disabled = false;
      if (!done) return;
      forms.delete(row.id);
      store.tell('say', t('工单{no}建好了，查询码{code}', { no: done.case_no, code: done.query_code }));
      await acts.load(row.id);
    }, { kind: 'main' });
    fill(matter, h('h3', {}, t('建工单')), h('p', { class: 'soft' }, t('智能客服了解的、市民在人工服务里说的已先填好，请核对')), form.node, h('div', { class: 'tools' }, submit));
  }

  async function existing(row) {
    const found = await acts.guarded(() => api.get(`cases/${row.case_no}`));
    if (!found || store.open !== row.id) return;
    matter.replaceChildren(caseCard(desk, found, { again: () => Promise.all([existing(row), history(row.id)]) }));
  }

  async function history(id) {
    const answer = await api.get(`citizens/${encodeURIComponent(id)}/history`).catch(() => null);
    if (store.open !== id) return;
    const items = answer?.items ?? [];
    fill(before, h('h3', {}, t('以往来过')), items.length ? h('ol', { class: 'history' }, items.map(past)) : h('p', { class: 'soft' }, t('没有查到以往的来访')));
  }

  function past(each) {
    const about = each.title || each.snippet || each.case_no || '';
    const open = () => (each.case_no ? desk.showCase(each.case_no) : acts.open(each.talk));
    return h('li', {}, button(`${each.at ? clock(each.at) : ''} ${about}`, open, { kind: 'link' }), each.stage && h('span', { class: 'soft' }, ` ${t(each.stage_label)}`));
  }

  function abuse(row) {
    if (!store.may('mark_abuse') || bad.mark === row.id) return;
    bad.mark = row.id;
    fill(bad, button(t('滥用标记…'), () => markAbuse(row), { kind: 'small' }));
  }

  function markAbuse(row) {
    const kind = h('select', { id: 'abuse-kind' }, Object.entries(GROUNDS).map(([code, label]) => h('option', { value: code }, t(label))));
    const note = h('textarea', { id: 'abuse-note', rows: '2' });
    const box = dialog(
      t('滥用标记'),
      h(
        'div',
        {},
        h('p', {}, t('先警告，再限制；限制要督导同意，紧急求助的话始终接收。')),
        h('div', { class: 'field' }, h('label', { for: 'abuse-kind' }, t('情形')), kind),
        h('div', { class: 'field' }, h('label', { for: 'abuse-note' }, t('说明')), note),
        h('div', { class: 'tools' }, button(t('不标了'), () => box.close()), button(t('标记'), async () => {
          const done = await acts.act(row.id, 'abuse', { kind: kind.value, note: note.value });
          if (done === undefined) return;
          store.tell('say', t('已标记'));
          box.close();
        }, { kind: 'main' })),
      ),
    );
  }

  async function sent(ask, form) {
    try {
      return await ask();
    } catch (problem) {
      if (form.wrong(named(problem.body?.errors ?? []))) return undefined;
      return acts.guarded(() => Promise.reject(problem));
    }
  }
  desk.sent = sent;
  /** Fill the form anew with what the citizen has just said, while nobody has written in it. */
  const heard = calm((id) => {
    const had = forms.get(id);
    const talk = store.talks.get(id);
    if (id !== store.open || !had || !talk || had.upto === newest(talk)) return;
    if (had.form.node.contains(document.activeElement) || Object.keys(had.form.changes()).length) return;
    had.stale = true;
    fresh(store.rows.get(id), talk);
  }, HEARD);

  store.on('lines', (id) => heard(id));
  store.on('talk', (id) => paint().then(() => heard(id)));
  store.on('rows', (id) => (!id || id === store.open) && paint());
  store.on('open', () => {
    shown = '';
    paint();
  });
  return { focus: () => (matter.querySelector('input, textarea, select, button') ?? root).focus() };
}

/** Return the last line of the citizen. */
const newest = (talk) => talk.lines.findLast((each) => each.who === 'citizen')?.id;

/** Return faults by field: what is wrong is told by a pointer (RFC 6901). */
const named = (faults) => Object.fromEntries(faults.map((each) => [each.pointer.split('/').at(-1), each.detail]));

const filled = (order) => ({ need_reply: true, urgency: '2', text: order.text, place: order.place, occurred: order.when ?? order.occurred, demand: order.demand, kind: order.kind ?? '99', category: order.category, name: order.name, phone: order.phone, anonymous: order.anonymous, secret: order.secret });

const logged = (each) => h('li', {}, h('time', { class: 'soft', datetime: each.at }, clock(each.at)), ` ${t(each.label)} · ${t(each.actor)}`, each.reason && h('p', { class: 'soft' }, each.reason));

/** Make the card of a case: what it is, what may be done with it, its form to put right. */
export function caseCard(desk, found, { again }) {
  const { store, acts, api } = desk;
  const no = found.case_no;
  const rev = found.rev;
  const node = h(
    'div',
    { class: 'case' },
    h('h3', {}, t('工单'), badge(t(found.stage_label ?? ''), 'calm'), found.sla === 'late' && badge(t('已超时'), 'bad'), found.sla === 'soon' && badge(t('即将超时'), 'warn')),
    h('p', { class: 'number' }, no),
    h('p', {}, h('strong', {}, found.title ?? '')),
    h('p', { class: 'soft' }, [t(found.kind_label), t(found.category_label), found.unit].filter(Boolean).join(' · ')),
    found.deadline_at && h('p', { class: 'soft' }, t('期限：{time}', { time: clock(found.deadline_at) })),
    found.old_case_no && linked(t('此前的工单：{no}', { no: found.old_case_no }), found.old_case_no),
    found.master_case_no && linked(t('并入的工单：{no}', { no: found.master_case_no }), found.master_case_no),
    h('div', { class: 'acts' }, (found.verbs ?? []).map((can) => button(t(can.label), () => act(can), { kind: 'small' }))),
  );
  if (found.form && store.may('act_on_cases')) node.append(edit(found.form));
  if (found.log?.length) node.append(h('details', {}, h('summary', {}, t('办理记录')), h('ol', { class: 'history' }, found.log.map(logged))));
  return node;

  function linked(words, other) {
    return h('p', {}, button(words, () => desk.showCase(other), { kind: 'link' }));
  }

  function act({ verb, label, needs, codes }) {
    const inputs = [...new Set([...needs, ...(WANTS[verb] ?? [])])].map((name) => [name, input(verb, name, codes)]);
    const fault = h('p', { class: 'fault', role: 'alert' });
    const go = async () => {
      const missing = inputs.find(([name, input]) => needs.includes(name) && !input.value.trim());
      if (missing) {
        fault.textContent = t('请填写：{what}', { what: t(MEANS[verb]?.[missing[0]] ?? ASKED[missing[0]]) });
        missing[1].focus();
        return;
      }
      const given = Object.fromEntries(inputs.map(([name, input]) => [name, NUMBERS.includes(name) ? Number(input.value) : input.value.trim()]));
      if (given.unit_name && !given.unit) given.unit = given.unit_name;
      const done = await acts.guarded(() => api.post(`cases/${no}/act`, { verb, rev, ...given }));
      if (done === undefined) return;
      box.close();
      store.tell('say', t('{verb}：已办', { verb: t(label) }));
      again();
    };
    const box = dialog(
      t(label),
      h(
        'div',
        {},
        inputs.map(([name, input]) => h('div', { class: 'field' }, h('label', { for: input.id }, t(MEANS[verb]?.[name] ?? ASKED[name])), input)),
        fault,
        h('div', { class: 'tools' }, button(t('取消'), () => box.close()), button(t('确定'), go, { kind: 'main' })),
      ),
    );
  }

  function input(verb, name, codes) {
    const id = `act-${name}`;
    const listed = name === 'code' ? Object.entries(codes) : verb === 'supervise' && name === 'score' && desk.choices().supervisions;
    if (listed) return h('select', { id }, listed.map(([value, label]) => h('option', { value }, t(label))));
    if (LONG.includes(name)) return h('textarea', { id, rows: '3' });
    return h('input', NUMBERS.includes(name) ? { id, type: 'number', min: '1' } : { id });
  }

  function edit(values) {
    const form = caseForm(values, desk.choices());
    const save = button(t('保存'), async () => {
      const done = await desk.sent(() => api.patch(`cases/${no}`, { rev, changes: form.changes() }), form);
      if (!done) return;
      store.tell('say', t('已保存'));
      again();
    }, { kind: 'main' });
    return h('details', {}, h('summary', {}, t('看和改内容')), form.node, h('div', { class: 'tools' }, save));
  }
}

// Beside the talk: who the citizen is, what he came with before, the case of this talk or the form for one, abuse.

import { GROUNDS } from './abuse.js';
import { badge } from './badges.js';
import { caseForm } from './form.js';
import { button, dialog, fill, h } from './dom.js';
import { clock, t } from './words.js';

const VERBS = {
  accept: '受理', ask: '请市民补充', answer: '直接答复', divert: '转其他平台', reject: '不予受理', object: '退回重报', dispatch: '派单', sign: '签收', remind: '提醒', return: '退单', uphold: '同意退单', overrule: '不同意退单', dispute: '提出争议', designate: '指定承办', cohandle: '协办', extend: '申请延期', grant: '同意延期', refuse: '不同意延期', suspend: '挂起', resume: '恢复', handle: '办理', reply: '答复', redo: '退回重办', finish: '办结', visit: '回访', rate: '评价', rework: '重办', close: '结案', archive: '归档', withdraw: '撤回', terminate: '终止', urge: '催办', supervise: '督办', risk: '风险标记', supplement: '补充',
};
const NEEDS = {
  dispatch: ['unit_name'], designate: ['unit_name'], cohandle: ['unit_name'], divert: ['unit_name', 'reason'], reject: ['reason'], answer: ['text'], reply: ['text'], ask: ['text'], supplement: ['text'], extend: ['days', 'reason'], rate: ['score'], return: ['reason'], suspend: ['reason'], terminate: ['reason'], withdraw: ['reason'], rework: ['reason'], supervise: ['reason'], redo: ['reason'], risk: ['reason'],
};
const ASKED = { unit_name: '承办单位', reason: '理由', text: '内容', days: '工作日数', score: '评分（1—5）' };

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
    const phone = h('dd', {}, talk.phone || order.phone || t('没有留'));
    const facts = [[t('称呼'), row.name || t('没有留')], [t('电话'), phone]];
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
    const answer = had ? null : await api.get(`talks/${encodeURIComponent(row.id)}/form`).catch(() => null);
    if (store.open !== row.id) return;
    const form = had ?? caseForm(answer?.form ?? filled(talk.order ?? {}), desk.choices());
    forms.set(row.id, form);
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
    fill(matter, h('h3', {}, t('建工单')), h('p', { class: 'soft' }, t('智能客服已了解的先填好了，请核对')), form.node, h('div', { class: 'tools' }, submit));
  }

  async function existing(row) {
    const found = await acts.guarded(() => api.get(`cases/${row.case_no}`));
    if (!found || store.open !== row.id) return;
    matter.replaceChildren(caseCard(desk, found, { again: () => existing(row) }));
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
    return h('li', {}, button(`${each.at ? clock(each.at) : ''} ${about}`, open, { kind: 'link' }), each.stage && h('span', { class: 'soft' }, ` ${each.stage_label}`));
  }

  function abuse(row) {
    if (!store.may('mark_abuse')) return fill(bad);
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
  store.on('talk', () => paint());
  store.on('rows', (id) => (!id || id === store.open) && paint());
  store.on('open', () => {
    shown = '';
    paint();
  });
  return { focus: () => (matter.querySelector('input, textarea, select, button') ?? root).focus() };
}

/** Return faults by field: what is wrong is told by a pointer (RFC 6901). */
const named = (faults) => Object.fromEntries(faults.map((each) => [each.pointer.split('/').at(-1), each.detail]));

const filled = (order) => ({ need_reply: true, urgency: '2', text: order.text, place: order.place, occurred: order.when ?? order.occurred, demand: order.demand, kind: order.kind ?? '99', category: order.category, name: order.name, phone: order.phone, anonymous: order.anonymous, secret: order.secret });

const logged = (each) => h('li', {}, h('time', { class: 'soft', datetime: each.at }, clock(each.at)), ` ${each.label} · ${each.actor}${each.reason ? `：${each.reason}` : ''}`);

/** Make the card of a case: what it is, what may be done with it, its form to put right. */
export function caseCard(desk, found, { again }) {
  const { store, acts, api } = desk;
  const no = found.case_no;
  const rev = found.rev;
  const node = h(
    'div',
    { class: 'case' },
    h('h3', {}, t('工单'), badge(found.stage_label ?? '', 'calm'), found.sla === 'late' && badge(t('已超时'), 'bad'), found.sla === 'soon' && badge(t('即将超时'), 'warn')),
    h('p', { class: 'number' }, no),
    h('p', {}, h('strong', {}, found.title ?? '')),
    h('p', { class: 'soft' }, [found.kind_label, found.category_label, found.unit].filter(Boolean).join(' · ')),
    found.deadline_at && h('p', { class: 'soft' }, t('期限：{time}', { time: clock(found.deadline_at) })),
    h('div', { class: 'acts' }, (found.verbs ?? []).map(({ verb, label }) => button(t(VERBS[verb] ?? label), () => act(verb), { kind: 'small' }))),
  );
  if (found.form && store.may('act_on_cases')) node.append(edit(found.form));
  if (found.log?.length) node.append(h('details', {}, h('summary', {}, t('办理记录')), h('ol', { class: 'history' }, found.log.map(logged))));
  return node;

  function act(verb) {
    const needs = NEEDS[verb] ?? [];
    const inputs = needs.map((name) => [name, h(name === 'text' || name === 'reason' ? 'textarea' : 'input', { id: `act-${name}`, ...(name === 'days' || name === 'score' ? { type: 'number', min: '1' } : {}) })]);
    const go = async () => {
      const given = Object.fromEntries(inputs.map(([name, input]) => [name, input.type === 'number' ? Number(input.value) : input.value.trim()]));
      if (given.unit_name && !given.unit) given.unit = given.unit_name;
      const done = await acts.guarded(() => api.post(`cases/${no}/act`, { verb, rev, ...given }));
      if (done === undefined) return;
      box.close();
      store.tell('say', t('{verb}：已办', { verb: t(VERBS[verb] ?? verb) }));
      again();
    };
    const box = dialog(
      t(VERBS[verb] ?? verb),
      h(
        'div',
        {},
        inputs.map(([name, input]) => h('div', { class: 'field' }, h('label', { for: input.id }, t(ASKED[name])), input)),
        h('div', { class: 'tools' }, button(t('取消'), () => box.close()), button(t('确定'), go, { kind: 'main' })),
      ),
    );
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

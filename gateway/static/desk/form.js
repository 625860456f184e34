// The form of a case: its fields in the order in which an agent asks for them (domain.md 2.1, groups B and C).

import { fill, h } from './dom.js';
import { t } from './words.js';

const KINDS = [['01', '咨询'], ['02', '求助'], ['03', '投诉'], ['04', '举报'], ['05', '意见建议'], ['06', '在线办理指导'], ['07', '表扬感谢'], ['99', '其他']];
const URGENCIES = [['2', '一般'], ['1', '紧急'], ['0', '特急'], ['3', '可缓']];
const WISHES = [['', '按来的渠道'], ['wechat', '微信'], ['sms', '短信'], ['phone', '电话'], ['email', '邮件']];
const FIELDS = [
  { name: 'text', label: '诉求内容', kind: 'area', rows: 4 },
  { name: 'title', label: '标题' },
  { name: 'kind', label: '诉求类型', kind: 'select', of: 'kinds' },
  { name: 'urgency', label: '紧急程度', kind: 'select', of: 'urgencies' },
  { name: 'category', label: '问题分类', kind: 'pick', of: 'categories' },
  { name: 'place', label: '事发地点' },
  { name: 'place_detail', label: '详细位置' },
  { name: 'occurred', label: '发生时间' },
  { name: 'demand', label: '希望怎样解决' },
  { name: 'reflect_name', label: '反映对象' },
  { name: 'name', label: '称呼' },
  { name: 'phone', label: '联系电话', type: 'tel' },
  { name: 'email', label: '邮箱', type: 'email' },
  { name: 'reply_by', label: '答复方式', kind: 'select', of: 'wishes' },
  { name: 'need_reply', label: '需要答复', kind: 'check' },
  { name: 'anonymous', label: '匿名', kind: 'check' },
  { name: 'secret', label: '保密', kind: 'check' },
];
let number = 0;

/**
 * Make a form filled with values; "choices" are lists of [code, label] that the server knows better, "said" the fields
 * that were filled from what the citizen told people.
 */
export function caseForm(values, choices = {}, { said = [] } = {}) {
  const lists = { kinds: KINDS, urgencies: URGENCIES, wishes: WISHES, categories: [], ...choices };
  const base = `form-${(number += 1)}`;
  const inputs = new Map(FIELDS.map((field) => [field.name, control(field, values[field.name], lists, `${base}-${field.name}`)]));
  const faults = new Map();
  const node = h('form', { class: 'caseform', novalidate: true }, FIELDS.map((field) => around(field, inputs.get(field.name), faults, said.includes(field.name))));
  node.addEventListener('submit', (event) => event.preventDefault());
  const was = Object.fromEntries(FIELDS.map((field) => [field.name, read(field, inputs.get(field.name))]));

  return {
    node,
    values: () => ({ ...values, ...Object.fromEntries(FIELDS.map((field) => [field.name, read(field, inputs.get(field.name))])) }),
    /** Return the fields that are no longer as they were given: what was masked is not sent back. */
    changes: () => Object.fromEntries(FIELDS.map((field) => [field.name, read(field, inputs.get(field.name))]).filter(([name, value]) => value !== was[name])),
    /** Show what is wrong beside its field and go to the first; returns whether anything was. */
    wrong(found) {
      for (const field of FIELDS) {
        const said = found[field.name] ?? '';
        fill(faults.get(field.name), said);
        inputs.get(field.name).setAttribute('aria-invalid', String(Boolean(said)));
      }
      const first = FIELDS.find((field) => found[field.name]);
      if (first) inputs.get(first.name).focus();
      return Boolean(first);
    },
  };
}

function around(field, input, faults, said) {
  const fault = h('span', { class: 'fault', id: `${input.id}-fault` });
  faults.set(field.name, fault);
  input.setAttribute('aria-describedby', fault.id);
  const label = h('label', { for: input.id }, t(field.label), said && h('span', { class: 'saidto' }, t('市民对人工说的')));
  if (field.kind === 'check') return h('div', { class: 'field check' }, input, label, fault);
  return h('div', { class: `field ${field.kind ?? ''} ${field.name}` }, label, input, fault);
}

function control(field, value, lists, id) {
  switch (field.kind) {
    case 'area':
      return h('textarea', { id, rows: String(field.rows), maxlength: '2000', value: value ?? '' });
    case 'check':
      return h('input', { id, type: 'checkbox', checked: Boolean(value) });
    case 'select':
      return h('select', { id }, lists[field.of].map(([code, label]) => h('option', { value: code, selected: code === String(value ?? '') }, t(label))));
    case 'pick':
      return picker(id, value, lists[field.of]);
    default:
      return h('input', { id, type: field.type ?? 'text', maxlength: '200', value: value ?? '', autocomplete: 'off' });
  }
}

function picker(id, value, list) {
  if (!list.length) return h('input', { id, type: 'text', value: value ?? '', autocomplete: 'off' });
  const options = [['', t('请选择')], ...list];
  return h('select', { id }, options.map(([code, label]) => h('option', { value: code, selected: code === String(value ?? '') }, t(label))));
}

const read = (field, input) => (field.kind === 'check' ? input.checked : input.value.trim());

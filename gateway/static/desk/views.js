// A view to be saved: what it shows, and for whom.

import { button, dialog, h } from './dom.js';
import { t } from './words.js';

export async function newView({ store, acts, api, colleagues }, saved, sought = '') {
  const skills = [...new Set((await colleagues()).flatMap((each) => each.skills ?? []).concat(store.me.skills ?? []))].sort();
  const name = h('input', { id: 'view-name', maxlength: '20', required: true, autocomplete: 'off' });
  const skill = h('select', { id: 'view-skill' }, h('option', { value: '' }, t('不限')), skills.map((each) => h('option', { value: each }, each)));
  const text = h('input', { id: 'view-text', maxlength: '100', value: sought, autocomplete: 'off', 'aria-describedby': 'view-text-hint' });
  const minutes = h('input', { id: 'view-minutes', type: 'number', min: '0', value: '0' });
  const urgent = h('input', { id: 'view-urgent', type: 'checkbox' });
  const mine = h('input', { id: 'view-mine', type: 'checkbox' });
  const all = h('input', { id: 'view-all', type: 'checkbox' });
  const save = async () => {
    if (!name.reportValidity()) return;
    const filter = { text: text.value.trim(), skill: skill.value, waiting_minutes: Number(minutes.value), urgent: urgent.checked || null, mine: mine.checked };
    if ((await acts.guarded(() => api.post('views', { name: name.value.trim(), scope: all.checked ? 'all' : 'own', filter }))) === undefined) return;
    box.close();
    await saved();
  };
  const field = (label, input, kind = '') => h('div', { class: `field ${kind}` }, h('label', { for: input.id }, label), input);
  const check = (label, input) => h('div', { class: 'field check' }, input, h('label', { for: input.id }, label));
  const box = dialog(
    t('存为视图'),
    h(
      'div',
      {},
      field(t('名称'), name),
      field(t('含有的文字'), text),
      h('p', { class: 'soft', id: 'view-text-hint' }, t('在对话、工单和文件里找，几个词用空格分开；留空则不限')),
      field(t('技能'), skill),
      field(t('至少等了几分钟'), minutes),
      check(t('只看紧急'), urgent),
      check(t('只看我的'), mine),
      store.me.role === 'supervisor' && check(t('大家都能看到'), all),
      h('div', { class: 'tools' }, button(t('取消'), () => box.close()), button(t('保存'), save, { kind: 'main' })),
    ),
  );
}

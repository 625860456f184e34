// Passing a conversation on: to a colleague, to those with a skill, to the supervisor, with a note for them.

import { PRESENCE } from './badges.js';
import { button, dialog, h } from './dom.js';
import { t } from './words.js';

export async function passOn({ store, acts, colleagues }, id) {
  const people = (await colleagues()).filter((each) => each.id !== store.me.id);
  const skills = [...new Set(people.flatMap((each) => each.skills ?? []))].sort();
  const supervisors = people.filter((each) => each.role === 'supervisor');
  const to = h(
    'select',
    { id: 'pass-to' },
    h('option', { value: '' }, t('任何有空的座席')),
    skills.length ? h('optgroup', { label: t('技能组') }, skills.map((each) => h('option', { value: `skill:${each}` }, each))) : null,
    h('optgroup', { label: t('座席') }, people.filter((each) => !supervisors.includes(each)).map(option)),
    supervisors.length ? h('optgroup', { label: t('督导') }, supervisors.map(option)) : null,
  );
  const note = h('textarea', { id: 'pass-note', rows: '3' });
  const go = async () => {
    const [kind, value] = to.value.split(':');
    const target = kind === 'skill' ? { to_skill: value } : to.value ? { to_agent: value } : {};
    if ((await acts.act(id, 'transfer', { ...target, note: note.value })) !== undefined) {
      box.close();
      store.tell('say', t('已转出'));
    }
  };
  const box = dialog(
    t('转派'),
    h(
      'div',
      {},
      h('div', { class: 'field' }, h('label', { for: 'pass-to' }, t('转给谁')), to),
      h('div', { class: 'field' }, h('label', { for: 'pass-note' }, t('给接手同事的备注')), note),
      h('div', { class: 'tools' }, button(t('取消'), () => box.close()), button(t('转派'), go, { kind: 'main' })),
    ),
  );
}

function option(each) {
  const load = each.load === undefined ? '' : ` ${each.load}/${each.capacity}`;
  const away = each.state === 'offline' || each.state === 'reconnecting';
  return h('option', { value: `agent:${each.id}`, disabled: away }, `${each.name} · ${t(PRESENCE[each.state] ?? each.state ?? '')}${load}`);
}

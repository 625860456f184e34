// Canned replies, macros and knowledge: found by words or pinyin initials, seen before they are put in.

import { button, calm, dialog, fill, h } from './dom.js';
import { listed, noted, t } from './words.js';

/** Let an agent choose of what a search finds; "chosen" gets the item. */
export function finder(title, { find, label, preview, chosen, put = t('放进回复') }) {
  const input = h('input', { type: 'text', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'found', 'aria-label': title, autocomplete: 'off', placeholder: t('输入文字或拼音首字母') });
  const list = h('ul', { id: 'found', role: 'listbox', 'aria-label': t('结果') });
  const look = h('div', { class: 'preview', role: 'region', tabindex: '0', 'aria-label': t('预览') });
  const box = dialog(title, h('div', { class: 'finder' }, input, h('div', { class: 'two' }, list, look), h('div', { class: 'tools' }, button(t('关闭'), () => box.close()), button(put, () => take(), { kind: 'main', key: '⏎' }))), { kind: 'wide' });
  let items = [];
  let at = 0;
  let asked = 0;

  async function search() {
    const number = (asked += 1);
    const found = await find(input.value.trim());
    if (number !== asked || !found) return;
    items = found;
    at = 0;
    paint();
  }

  function paint() {
    fill(list, items.length ? items.map((each, n) => h('li', { role: 'option', id: `found-${n}`, 'aria-selected': String(n === at), on: { click: () => move(n), dblclick: () => take() } }, label(each))) : h('li', { role: 'option', 'aria-selected': 'false', 'aria-disabled': 'true' }, input.value.trim() ? t('没有找到') : t('写几个字来找')));
    input.setAttribute('aria-activedescendant', items.length ? `found-${at}` : '');
    list.children[at]?.scrollIntoView({ block: 'nearest' });
    fill(look, items[at] ? h('p', {}, preview(items[at])) : '');
  }

  function move(to) {
    at = Math.max(0, Math.min(items.length - 1, to));
    paint();
  }

  function take() {
    if (!items[at]) return;
    const item = items[at];
    box.close();
    chosen(item);
  }

  const soon = calm(search, 150);
  input.addEventListener('input', (event) => event.isComposing || soon());
  input.addEventListener('compositionend', soon);
  input.addEventListener('keydown', (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'ArrowDown') move(at + 1);
    else if (event.key === 'ArrowUp') move(at - 1);
    else if (event.key === 'Enter') take();
    else return;
    event.preventDefault();
  });
  input.focus();
  search();
  return box;
}

const ACTS = { close: '结束对话', wrap_up: '进入整理', hold: '暂挂', back: '交回智能客服', transfer: '转派', note: '写内部备注' };

/** Return in words what a macro does after its reply was sent. */
export function actName(act) {
  const [verb, what] = act.split(/:(.*)/s);
  return what ? noted(t(ACTS[verb] ?? verb), what) : t(ACTS[verb] ?? verb);
}

/** Do what a macro asks for, one after the other; the first that is refused ends it. */
export async function follow(acts, talk, wanted) {
  for (const each of wanted) {
    const [verb, what = ''] = each.split(/:(.*)/s);
    const more = { wrap_up: ['close', { wrap_up: true }], transfer: ['transfer', { to_skill: what }], note: ['note', { text: what }] }[verb] ?? [verb, {}];
    if ((await acts.act(talk, ...more)) === undefined) return;
  }
}

export function phrases({ store, api, acts, talk }) {
  const insert = (text) => talk().write.insert(text);

  function canned() {
    const find = async (typed) => (await acts.guarded(() => api.get(`replies?q=${encodeURIComponent(typed)}${store.open ? `&talk=${encodeURIComponent(store.open)}` : ''}`)))?.items ?? [];
    finder(t('常用语'), {
      find,
      label: (each) => each.title,
      preview: (each) => [each.filled, each.missing?.length && t('还缺：{what}', { what: listed(each.missing.map((name) => t(name))) }), each.acts?.length && t('发出后：{what}', { what: listed(each.acts.map(actName)) })].filter(Boolean).join('\n\n'),
      chosen: (each) => talk().write.insert(each.filled, each.acts ?? []),
    });
  }

  function knowledge() {
    finder(t('知识库'), {
      find: async (typed) => (typed ? (await acts.guarded(() => api.get(`knowledge?q=${encodeURIComponent(typed)}`)))?.items ?? [] : []),
      label: (each) => each.title ?? each.question,
      preview: (each) => each.answer ?? each.text ?? '',
      chosen: (each) => insert(each.answer ?? each.text ?? ''),
    });
  }
  return { canned, knowledge };
}

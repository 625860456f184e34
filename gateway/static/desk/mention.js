// @ in a note: the colleagues whose name, or its pinyin initials, begin so.

import { fill, h } from './dom.js';
import { meant, t } from './words.js';

export function mentions(area, { store, colleagues }, wanted) {
  const list = h('ul', { class: 'mentions', role: 'listbox', id: 'mentions', 'aria-label': t('提到同事'), hidden: true });
  let found = [];
  let at = 0;

  const typed = () => /@([^\s@]{0,12})$/.exec(area.value.slice(0, area.selectionStart));
  const hide = () => {
    found = [];
    list.hidden = true;
    area.removeAttribute('aria-activedescendant');
  };

  async function look() {
    const asked = wanted() && typed();
    if (!asked) return hide();
    const all = (await colleagues()).filter((each) => each.id !== store.me.id);
    found = all.filter((each) => meant(each.name, asked[1])).slice(0, 6);
    at = 0;
    if (!found.length) return hide();
    list.hidden = false;
    paint();
  }

  function paint() {
    fill(list, found.map((each, n) => h('li', { role: 'option', id: `mention-${n}`, 'aria-selected': String(n === at), on: { mousedown: (event) => put(event, each) } }, each.name)));
    area.setAttribute('aria-activedescendant', `mention-${at}`);
  }

  function put(event, each) {
    event.preventDefault();
    const end = area.selectionStart;
    const start = end - typed()[0].length;
    area.setRangeText(`@${each.name} `, start, end, 'end');
    hide();
    area.dispatchEvent(new Event('input'));
  }

  area.addEventListener('input', (event) => event.isComposing || look());
  area.addEventListener('blur', hide);
  area.addEventListener('keydown', (event) => {
    if (!found.length || event.isComposing || event.keyCode === 229) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') at = (at + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % found.length;
    else if (event.key === 'Enter' || event.key === 'Tab') return event.ctrlKey || put(event, found[at]);
    else if (event.key === 'Escape') {
      event.stopImmediatePropagation();
      return hide();
    } else return;
    event.preventDefault();
    paint();
  });

  /** Return the ids of the colleagues whom a text calls; of two names that begin alike the longer one counts. */
  async function called(text) {
    if (!text.includes('@')) return [];
    const all = (await colleagues()).filter((each) => each.id !== store.me.id).sort((a, b) => b.name.length - a.name.length);
    let rest = text;
    return all.filter((each) => {
      const there = rest.includes(`@${each.name}`);
      rest = rest.replaceAll(`@${each.name}`, ' ');
      return there;
    }).map((each) => each.id);
  }

  return { node: list, called, open: () => found.length > 0 };
}

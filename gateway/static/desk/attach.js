// Files to a reply: chosen, dropped or pasted, sent up at once, shown until the reply takes them along.

import { button, fill, h } from './dom.js';
import { t } from './words.js';

const LARGEST = 20 * 1024 * 1024;

export function attachments({ store, api, acts }, talk) {
  const input = h('input', { type: 'file', multiple: true, hidden: true, 'aria-label': t('选择文件') });
  const opener = button(t('附件'), () => input.click());
  const node = h('ul', { class: 'attached', hidden: true, 'aria-label': t('要发的文件') });
  let files = [];

  function paint() {
    node.hidden = !files.length;
    fill(node, files.map((each) => h('li', {}, each.id ? each.name : t('{name}（上传中）', { name: each.name }), button('×', () => drop(each), { 'aria-label': t('不发{name}', { name: each.name }) }))));
  }

  function drop(each) {
    files = files.filter((other) => other !== each);
    paint();
  }

  async function add(chosen) {
    for (const file of chosen) {
      if (file.size > LARGEST) {
        store.tell('say', t('{name}超过20MB，发不了', { name: file.name }), 'bad');
        continue;
      }
      const each = { name: file.name, mime: file.type };
      files.push(each);
      paint();
      const form = new FormData();
      form.append('file', file, file.name);
      const answer = await acts.guarded(() => api.post(`talks/${encodeURIComponent(talk())}/files`, form, { patience: 60_000 }));
      if (!answer) drop(each);
      else Object.assign(each, answer);
      paint();
    }
  }

  input.addEventListener('change', () => {
    add([...input.files]);
    input.value = '';
  });
  return {
    node: h('div', {}, node, input),
    button: opener,
    count: () => files.length,
    busy: () => files.some((each) => !each.id),
    allow: (may) => (opener.disabled = !may),
    clear: () => {
      files = [];
      paint();
    },
    take: () => {
      const taken = files;
      files = [];
      paint();
      return taken;
    },
  };
}

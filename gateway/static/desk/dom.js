// Elements without a framework: made by h(), lists kept by their keys so that focus and scroll survive.

/** Make an element. Of the properties, "on" holds listeners, "data" the data set; null and false are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') for (const [kind, act] of Object.entries(value)) element.addEventListener(kind, act);
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name in PROPERTIES) element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((each) => each !== null && each !== undefined && each !== false));
  return element;
}

const PROPERTIES = { value: 1, checked: 1, disabled: 1, hidden: 1, textContent: 1, selected: 1 };

/** Put children into an element in place of what it holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((each) => each !== null && each !== undefined && each !== false));
}

/** Keep the children of an element equal to items: one node a key, made anew only when its mark changed. */
export function keyed(element, items, { key, mark, make }) {
  const had = new Map([...element.children].map((node) => [node.dataset.key, node]));
  let at = element.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let node = had.get(name);
    had.delete(name);
    const wanted = mark(item);
    if (!node || node.mark !== wanted) {
      const made = make(item);
      made.dataset.key = name;
      made.mark = wanted;
      if (node) {
        if (node === at) at = made;
        node.replaceWith(made);
      }
      node = made;
    }
    if (node === at) at = at.nextElementSibling;
    else element.insertBefore(node, at);
  }
  for (const node of had.values()) node.remove();
}

/** Make a button that acts. */
export function button(label, act, { kind = '', key = '', ...more } = {}) {
  const shown = key ? [label, h('kbd', { 'aria-hidden': 'true' }, key)] : [label];
  return h('button', { type: 'button', class: kind, on: { click: act }, ...more }, ...shown);
}

/** Open a dialog over the page; it goes when it is closed, and focus returns to where it was. */
export function dialog(title, body, { kind = '', closed = () => {} } = {}) {
  const from = document.activeElement;
  const heading = h('h2', { id: `dialog-${(made += 1)}` }, title);
  const box = h('dialog', { class: kind, 'aria-labelledby': heading.id }, heading, body);
  box.addEventListener('close', () => {
    box.remove();
    // What was chosen in it may have taken the focus since: the event comes later than the closing.
    if (from?.isConnected && document.activeElement === document.body) from.focus();
    closed();
  });
  document.body.append(box);
  box.showModal();
  return box;
}

let made = 0;

/** Return a function that runs another once things are quiet for a while. */
export function calm(act, wait) {
  let timer = 0;
  const later = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), wait);
  };
  later.drop = () => clearTimeout(timer);
  return later;
}

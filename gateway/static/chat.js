// The talk goes on without reloading: lines come by Server-Sent Events, words go by fetch.
// Where either fails, the form is sent as it would be without scripts.

// A label begins with a Chinese character or a capital: "0 for a person" is a sentence, not a menu.
const LABEL = /^[\u4e00-\u9fffA-Z]/;
const WORDS = ['催办', '补充', '撤回', '评价', '返回', '取消'];
const OPTION = /(?:^|[\s：:，。？！；）)])(\d{1,2})\s+([^\s\d：:，。？！；、（）()“”]{1,10})(?=$|[\s，。；（(])/g;

/** Return what a message offers to answer, as [label, what is sent]; a menu stands on one line. */
export function choices(text) {
  const found = new Map();
  for (const line of text.split('\n')) {
    const options = [...line.matchAll(OPTION)].map((each) => [each[2], each[1]]).filter(([label]) => LABEL.test(label));
    if (line.includes('回复') || line.includes('”回到')) {
      for (const word of WORDS) if (line.includes(`“${word}”`)) options.push([word, word]);
    }
    // The last menu counts: lines above may repeat what the citizen wrote himself.
    if (options.length) {
      found.clear();
      for (const [label, sent] of options) found.set(sent, label);
    }
  }
  return [...found].map(([sent, label]) => [label, sent]);
}

export function start(log) {
  const list = log.querySelector('ol');
  const form = document.querySelector('#end');
  const area = form.elements.text;
  const button = form.querySelector('button');
  const state = document.querySelector('#state');
  const refresh = form.querySelector('a.button');
  const offered = document.querySelector('#choices');
  const base = form.elements.token.value;
  const words = log.dataset;
  let source = null;
  let sent = 0;
  let sending = false;

  const tell = (name) => {
    state.textContent = words[name] || '';
    refresh.hidden = name === 'open';
    state.className = name === 'open' ? 'hint' : 'hint lost';
  };

  function offer() {
    const last = list.querySelector('li:last-child');
    offered.textContent = '';
    offered.hidden = true;
    if (!last || last.classList.contains('mine')) return;
    for (const [label, answer] of choices(last.querySelector('.said').textContent)) {
      const choice = document.createElement('button');
      choice.type = 'button';
      choice.className = 'button quiet';
      choice.textContent = label;
      choice.addEventListener('click', () => say(answer));
      offered.append(choice);
      offered.hidden = false;
    }
  }

  function line({ id, mine, text, link }) {
    if (list.querySelector(`[data-id="${id}"]`)) return;
    for (const greeting of list.querySelectorAll('li:not([data-id])')) greeting.remove();
    const item = document.createElement('li');
    const who = document.createElement('span');
    const said = document.createElement('span');
    item.dataset.id = id;
    item.className = mine ? 'mine' : '';
    who.className = 'hidden';
    who.textContent = mine ? words.mine : words.theirs;
    said.className = 'said';
    said.textContent = text;
    if (link) {
      const file = document.createElement('a');
      file.href = link;
      file.textContent = words.file;
      said.append(file);
    }
    item.append(who, said);
    // Ids ascend with time; a line that was committed late still finds its place.
    const after = [...list.children].find((each) => each.dataset.id > id);
    list.insertBefore(item, after || null);
    offer();
    form.scrollIntoView({ block: 'end' });
  }

  function listen() {
    if (source) source.close();
    const last = list.querySelector('li[data-id]:last-child');
    source = new EventSource(`${words.live}?after=${last ? last.dataset.id : ''}`);
    source.onopen = () => tell('open');
    source.onerror = () => tell(source.readyState === EventSource.CLOSED ? 'off' : 'lost');
    source.addEventListener('line', (event) => line(JSON.parse(event.data)));
    source.addEventListener('ending', () => tell('lost'));
    source.addEventListener('moved', () => {
      source.close();
      tell('moved');
    });
  }

  async function say(text) {
    if (sending || !text.trim()) return;
    if (!source || source.readyState !== EventSource.OPEN) {
      area.value = text;
      form.submit();
      return;
    }
    sending = button.disabled = true;
    const body = new URLSearchParams(new FormData(form));
    body.set('text', text);
    body.set('token', `${base}-${sent}`);
    try {
      const answer = await fetch(form.action, { method: 'POST', body, redirect: 'manual' });
      if (answer.type !== 'opaqueredirect') {
        area.value = text;
        form.submit();
        return;
      }
      sent += 1;
      if (area.value === text) area.value = '';
    } catch {
      area.value = text;
      tell('unsent');
    } finally {
      sending = button.disabled = false;
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    say(area.value);
  });
  area.addEventListener('keydown', (event) => {
    const plain = event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
    if (!plain || !matchMedia('(pointer: fine)').matches) return;
    event.preventDefault();
    say(area.value);
  });
  // A page that nobody looks at needs no line.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) source.close();
    else listen();
  });
  window.addEventListener('pagehide', () => source.close());
  window.addEventListener('pageshow', (event) => event.persisted && listen());
  offer();
  listen();
}

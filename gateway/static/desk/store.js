// What the desk knows: rows of conversations, the talks that were opened, alerts; panes hear what changed.

/** Return whether an alert says that somebody may be in danger: all but a colleague's call do. */
export const grave = (alert) => alert.kind !== 'mention';
export const MINE = ['offered', 'agent', 'wrap_up'];

export function createStore() {
  const heard = new Map();
  const buried = new Set();
  const came = new Map();
  const store = {
    me: null,
    rights: new Set(),
    settings: {},
    view: 'mine',
    sought: '',
    rows: new Map(),
    ids: [],
    counts: {},
    next: null,
    open: null,
    talks: new Map(),
    alerts: new Map(),
    link: 'connecting',
    wall: null,
  };

  /** Call a function when something of a topic changed. */
  store.on = (topic, act) => {
    if (!heard.has(topic)) heard.set(topic, new Set());
    heard.get(topic).add(act);
  };
  store.tell = (topic, ...given) => heard.get(topic)?.forEach((act) => act(...given));
  store.may = (right) => store.rights.has(right);
  store.mine = (row) => Boolean(row?.agent) && row.agent.id === store.me?.id && MINE.includes(row.state);
  store.holds = (row) => store.mine(row) && row.state === 'agent';

  /** Return whether a row belongs to one of the built-in views; undefined for a saved one, which the server knows. */
  store.within = (view, row) => {
    if (view === 'mine') return store.mine(row);
    if (view === 'waiting') return row.state === 'queued';
    return view === 'all' ? row.state !== 'closed' : undefined;
  };

  /** Take a row in, unless a newer one is known, and return whether it was news. */
  store.take = (row) => {
    const old = store.rows.get(row.id);
    if (old && (old.version ?? 0) > (row.version ?? 0)) return false;
    store.rows.set(row.id, { ...old, ...row });
    if (!store.sought) place(store.rows.get(row.id), old);
    store.tell('rows', row.id);
    return true;
  };

  function place(row, old) {
    for (const view of ['mine', 'waiting', 'all']) {
      const change = Number(store.within(view, row)) - Number(old ? store.within(view, old) : 0);
      if (change && view in store.counts) store.counts[view] = Math.max(0, store.counts[view] + change);
    }
    const belongs = store.within(store.view, row);
    const at = store.ids.indexOf(row.id);
    if (belongs === false && at >= 0) store.ids.splice(at, 1);
    if (belongs && at < 0) store.ids.push(row.id);
    if (belongs) store.ids.sort((a, b) => before(store.view, store.rows.get(a), store.rows.get(b)));
  }

  /** Put the server's list in place of ours; newer rows that came live meanwhile stay. */
  store.list = (answer, { more = false } = {}) => {
    for (const row of answer.items) {
      const old = store.rows.get(row.id);
      if (!old || (old.version ?? 0) <= (row.version ?? 0)) store.rows.set(row.id, { ...old, ...row });
    }
    const ids = answer.items.map((row) => row.id);
    store.ids = more ? [...new Set([...store.ids, ...ids])] : ids;
    store.counts = answer.counts ?? store.counts;
    store.next = answer.after ?? null;
    store.tell('rows');
  };

  /** Mark what is open before the agent's eyes as read. */
  store.read = (id) => {
    const row = store.rows.get(id);
    if (!row?.unread || document.hidden) return;
    row.unread = 0;
    store.tell('rows', id);
  };

  /** Put a talk in place of ours; what came live while it was on its way is newer and stays. */
  store.loading = (id) => came.has(id) || came.set(id, []);
  store.loaded = (id, talk) => {
    const newer = came.get(id) ?? [];
    came.delete(id);
    store.talks.set(id, talk);
    for (const line of newer) store.line(id, line);
  };

  /** Take a line into a talk that is known: by its echo or its id there is only ever one of it. */
  store.line = (id, line) => {
    came.get(id)?.push(line);
    const talk = store.talks.get(id);
    if (!talk || !store.alive(line)) return;
    const at = talk.lines.findIndex((each) => each.id === line.id || (line.echo && each.echo === line.echo));
    if (at >= 0) talk.lines[at] = { ...talk.lines[at], ...line };
    else talk.lines.push(line);
    talk.lines.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    store.tell('lines', id, line, at < 0);
  };

  store.drop = (id, key) => {
    const talk = store.talks.get(id);
    if (!talk) return;
    talk.lines = talk.lines.filter((each) => each.id !== key && each.echo !== key);
    store.tell('lines', id);
  };

  /** Drop a line that was taken back, for good: an answer that was on its way does not bring it again. */
  store.bury = (id, key) => {
    buried.add(key);
    store.drop(id, key);
  };
  store.alive = (line) => !buried.has(line.id);
  return store;
}

const instant = (iso) => (iso ? Date.parse(iso) : Infinity);

/** Return the order of two rows: who waits for us first, the urgent before all others. */
export function before(view, a, b) {
  if (view === 'all') return instant(b.last?.at ?? b.since) - instant(a.last?.at ?? a.since);
  const offered = Number(b.state === 'offered') - Number(a.state === 'offered');
  const urgent = Number(b.urgent) - Number(a.urgent);
  const elderly = view === 'waiting' ? Number(b.elderly) - Number(a.elderly) : 0;
  const wait = instant(a.waiting_since) - instant(b.waiting_since) || 0;
  return offered || urgent || elderly || wait || instant(a.since) - instant(b.since) || (a.id < b.id ? -1 : 1);
}

// What an agent does, each with the epoch under which he saw the conversation; what is refused keeps its draft.

import { Problem, query } from './api.js';
import { t } from './words.js';

export function createActions(store, api, { say }) {
  const acts = {};
  const row = (id) => store.rows.get(id);
  const at = (id) => `talks/${encodeURIComponent(id)}`;

  /** Load the list of the view that is chosen; an answer that was overtaken is dropped. */
  acts.list = async () => {
    const answer = await guarded(() => api.newest('queue', `queue${query({ view: store.view, q: store.sought })}`));
    if (answer) store.list(answer);
  };
  acts.more = async () => {
    if (!store.next) return;
    const after = store.next;
    store.next = null;
    const path = `queue${query({ view: store.view, q: store.sought, after })}`;
    const answer = await guarded(() => api.newest('more', path));
    if (answer) store.list(answer, { more: true });
  };
  acts.view = async (view, sought = '') => {
    Object.assign(store, { view, sought, ids: [] });
    api.forget('more');
    store.tell('view');
    store.tell('rows');
    await acts.list();
  };

  acts.open = async (id) => {
    const before = store.open;
    store.open = id;
    if (before && before !== id) store.tell('left', before);
    store.tell('open', id);
    await acts.load(id);
  };
  acts.load = async (id) => {
    const known = store.talks.get(id);
    store.loading(id);
    const [talk, draft] = await Promise.all([
      guarded(() => api.newest('talk', at(id))),
      known ? null : api.get(`${at(id)}/draft`).catch(() => null),
    ]);
    if (!talk) return;
    talk.draft = draft ?? known?.draft ?? talk.draft;
    const unsent = (known?.lines ?? []).filter((line) => line.local);
    talk.lines = talk.lines.filter(store.alive);
    const echoes = new Set(talk.lines.map((line) => line.echo).filter(Boolean));
    talk.lines.push(...unsent.filter((line) => !echoes.has(line.echo)));
    store.loaded(id, talk);
    store.take(talk.row);
    store.read(id);
    store.tell('talk', id);
  };
  acts.older = async (id) => {
    const talk = store.talks.get(id);
    const path = `${at(id)}/lines${query({ before: talk.lines[0]?.id })}`;
    const answer = await guarded(() => api.newest(`older ${id}`, path));
    if (!answer) return false;
    const known = new Set(talk.lines.map((line) => line.id));
    talk.lines.unshift(...answer.lines.filter((line) => !known.has(line.id)));
    talk.more = answer.more;
    store.tell('older', id);
    return true;
  };

  /** Do one of the plain verbs; returns the answer, undefined when it was refused. */
  acts.act = async (id, verb, more = {}) => {
    const answer = await guarded(() => api.post(`${at(id)}/${verb}`, { epoch: row(id)?.epoch, ...more }), id);
    if (answer?.row) store.take(answer.row);
    else if (answer?.parts) store.line(id, answer);
    else if (answer !== undefined) await refresh(id);
    return answer === null ? {} : answer;
  };

  /** Send a reply at once on the screen; its echo makes a second attempt harmless (T22). */
  acts.reply = async (id, text, files = [], echo = crypto.randomUUID()) => {
    const parts = [...(text ? [{ kind: 'text', text }] : []), ...files.map((file) => ({ ...file, kind: file.kind ?? 'file' }))];
    const line = { id: echo, echo, at: new Date().toISOString(), who: 'agent', agent: store.me, parts, local: true };
    store.line(id, { ...line, state: 'sending' });
    try {
      const body = { text, files: files.map((file) => file.id), echo, epoch: row(id)?.epoch };
      const sent = await api.post(`${at(id)}/reply`, body);
      store.line(id, { undo_until: null, ...sent, echo, local: false });
      return sent;
    } catch (problem) {
      if (problem.status === 0 || problem.status >= 500) {
        // The answer was lost; where the reply itself was told live, it is there.
        const known = store.talks.get(id)?.lines.find((each) => each.echo === echo && each.id !== echo);
        if (known) return known;
        store.line(id, { ...line, state: 'unsent' });
        return null;
      }
      store.drop(id, echo);
      refused(problem, id);
      throw problem;
    }
  };
  acts.undo = async (id, line) => {
    const answer = await guarded(() => api.post(`${at(id)}/lines/${line.id}/undo`, { epoch: row(id)?.epoch }), id);
    if (answer === undefined) return false;
    store.bury(id, line.id);
    return true;
  };
  acts.draft = (id, draft) => api.put(`${at(id)}/draft`, draft, { quiet: false });
  acts.viewing = (id, typing, here = true) => api.post(`${at(id)}/viewing`, { typing, here }, { quiet: true }).catch(() => {});
  acts.acknowledge = async (id) => {
    const done = await guarded(() => api.post(`alerts/${id}/ack`));
    // Refused is what somebody else looks after already: it goes from here too.
    store.alerts.delete(id);
    store.tell('alerts');
    return done !== undefined;
  };
  acts.state = async (state) => {
    if ((await guarded(() => api.post('me/state', { state }))) === undefined) return;
    store.me = { ...store.me, state };
    store.tell('me');
  };

  /** Ask, and say what went wrong in place of an answer. */
  async function guarded(ask, id) {
    try {
      return await ask();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      refused(problem, id);
      return undefined;
    }
  }
  acts.guarded = guarded;

  function refused(problem, id) {
    if (problem.status === 401) return;
    say(reason(problem), 'bad');
    if (id && problem.status === 409) refresh(id);
  }

  async function refresh(id) {
    if (store.open === id) await acts.load(id);
    else await acts.list();
  }
  return acts;
}

/** Return in plain words why something was refused. */
export function reason(problem) {
  const holder = problem.body?.holder?.name;
  if (holder) return t('{name}已经接了这个对话，您写的内容还在草稿里', { name: holder });
  if (problem.status === 409 && problem.kind === 'stale-epoch') return t('对话刚刚有了变化，没有发出；请看一下再试，草稿还在');
  if (problem.status === 0) return t('网络没有回应，请稍后再试');
  if (problem.status === 404) return problem.message || t('这个功能还没有开通');
  return problem.message || t('没有做成，请再试一次');
}

// What happens, as it happens: Server-Sent Events from a cursor on, again after each break, nothing missed or doubled.

const EVENTS = ['talk', 'line', 'alert', 'presence', 'me', 'wall', 'draft', 'case'];
const FIRST = 1000;
const LONGEST = 30_000;
const SILENCE = 180_000;

/** Follow the desk's events. "happened" gets (kind, data); "changed" the state: connecting, open, lost. */
export function follow({ cursor, happened, changed, reset, refused }) {
  let last = cursor;
  let source = null;
  let timer = 0;
  let watch = 0;
  let pause = FIRST;
  let over = false;

  function open() {
    clearTimeout(timer);
    if (over) return;
    changed('connecting');
    source = new EventSource(`/desk/live?cursor=${encodeURIComponent(last)}`);
    source.addEventListener('open', () => {
      pause = FIRST;
      changed('open');
      heard();
    });
    source.addEventListener('error', broken);
    source.addEventListener('beat', heard);
    source.addEventListener('reset', (event) => {
      last = event.lastEventId || last;
      reset();
    });
    for (const kind of EVENTS) source.addEventListener(kind, (event) => take(kind, event));
  }

  function take(kind, event) {
    heard();
    // Ids grow; what was played already is not played again.
    if (event.lastEventId) {
      if (Number(event.lastEventId) < Number(last)) return;
      last = event.lastEventId;
    }
    happened(kind, JSON.parse(event.data));
  }

  function heard() {
    clearTimeout(watch);
    // The heartbeat of the line does not reach a page, so a line that is silent for long is opened anew.
    watch = setTimeout(renew, SILENCE);
  }

  function renew() {
    source?.close();
    open();
  }

  function broken() {
    source?.close();
    source = null;
    clearTimeout(watch);
    if (over) return;
    changed('lost');
    refused();
    clearTimeout(timer);
    timer = setTimeout(open, pause * (0.75 + Math.random() / 2));
    pause = Math.min(LONGEST, pause * 1.7);
  }

  const now = () => {
    pause = FIRST;
    if (!source || source.readyState === EventSource.CLOSED) open();
  };
  window.addEventListener('online', now);
  window.addEventListener('offline', broken);
  open();
  return {
    now,
    from(id) {
      last = id;
    },
    stop() {
      over = true;
      source?.close();
      clearTimeout(timer);
      clearTimeout(watch);
    },
  };
}

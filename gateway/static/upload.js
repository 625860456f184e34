// Photos, videos and files are sent while the form is filled in, each with its progress, and go on after a cut (tus 1.0).
// Without scripts, or where tus could not be installed, the plain form sends them.

const KB = 1024;
const PIECE = 1024 * KB;
const DELAYS = [0, 1000, 3000, 5000, 10000, 20000];

function size(bytes) {
  return bytes < KB * KB ? `${Math.max(1, Math.round(bytes / KB))} KB` : `${(bytes / KB / KB).toFixed(1)} MB`;
}

// What the server says of a file that it does not take (RFC 9457).
function reason(error) {
  try {
    return JSON.parse(error.originalResponse.getBody()).detail;
  } catch {
    return '';
  }
}

export async function start(form) {
  const words = form.dataset;
  await import(words.tus);
  const { tus } = window;
  const input = form.querySelector('input[type=file]');
  const list = document.createElement('ul');
  list.className = 'files';
  list.setAttribute('aria-live', 'polite');
  form.append(list);
  form.querySelector('.plain').hidden = true;
  const next = document.querySelector('#next');
  let under = 0;
  let failures = 0;

  function busy(change) {
    under += change;
    if (next) next.disabled = under > 0;
  }

  function send(file) {
    const row = document.createElement('li');
    const name = document.createElement('span');
    const bar = document.createElement('progress');
    const said = document.createElement('span');
    const remove = document.createElement('button');
    name.textContent = `${file.name}（${size(file.size)}）`;
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute('aria-label', file.name);
    said.className = 'hint';
    said.textContent = words.sending;
    remove.type = 'button';
    remove.className = 'button quiet';
    remove.textContent = words.remove;
    remove.setAttribute('aria-label', `${words.remove} ${file.name}`);
    row.append(name, remove, bar, said);
    list.append(row);

    let open = true;
    const done = (text, failed) => {
      if (open) busy(-1);
      open = false;
      said.textContent = text;
      said.className = failed ? 'error' : 'hint';
      failures += failed ? 1 : 0;
      // Once all are there, the page lists them with their pictures, and can take each back.
      if (!under && !failures) window.location.assign(words.here);
    };
    const upload = new tus.Upload(file, {
      endpoint: words.endpoint,
      chunkSize: PIECE,
      retryDelays: DELAYS,
      headers: { Authorization: `Bearer ${words.grant}`, 'Accept-Language': document.documentElement.lang },
      metadata: { filename: file.name, filetype: file.type },
      removeFingerprintOnSuccess: true,
      onProgress: (sent, all) => {
        bar.value = all ? Math.round(sent * 100 / all) : 100;
        said.textContent = `${words.sending} ${bar.value}%`;
      },
      onSuccess: () => {
        bar.value = 100;
        done(words.sent, false);
      },
      onError: (error) => {
        done(reason(error) || words.failed, true);
      },
    });
    remove.addEventListener('click', async () => {
      // What was received already is taken back; a refusal of that changes nothing for who clicked.
      await upload.abort(true).catch(() => {});
      if (open) busy(-1);
      open = false;
      row.remove();
      input.focus();
    });
    busy(1);
    upload.findPreviousUploads().then((before) => {
      if (before.length) upload.resumeFromPreviousUpload(before[0]);
      upload.start();
    });
  }

  input.addEventListener('change', () => {
    for (const file of input.files) send(file);
    input.value = '';
  });
}

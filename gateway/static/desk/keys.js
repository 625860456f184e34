// The keyboard. Nothing is a shortcut while an input method composes, and no letter is one in a place to write.

const WRITES = 'input, textarea, select, [contenteditable]';

/** Listen: "plain" are letters, "held" those with Ctrl or ⌘. */
export function listen({ plain, held }) {
  document.addEventListener('keydown', (event) => {
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (!event.altKey && !event.shiftKey && held[key] && !document.querySelector('dialog[open]')) {
        event.preventDefault();
        held[key]();
      }
      return;
    }
    if (event.altKey || !plain[key] || event.repeat && !'jk'.includes(key)) return;
    if (event.target.closest?.(WRITES) || document.querySelector('dialog[open]')) return;
    event.preventDefault();
    plain[key]();
  });
}

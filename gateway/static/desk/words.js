// What the desk says. Chinese stands in the code, English in en.json by the Chinese text.

let table = {};
export let lang = 'zh';

/** Choose the language that this browser remembers, Chinese when it remembers none. */
export async function speak(address) {
  lang = remembered('desk.lang') === 'en' ? 'en' : 'zh';
  document.documentElement.lang = lang === 'en' ? 'en' : 'zh-CN';
  if (lang === 'en') table = await (await fetch(address)).json();
}

export function choose(language) {
  try {
    localStorage.setItem('desk.lang', language);
  } catch {
    return; // a browser that keeps nothing stays Chinese
  }
  location.reload();
}

function remembered(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Return a text in the chosen language, with its {fields} filled in. */
export function t(text, fields = {}) {
  return (table[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => fields[name] ?? whole);
}

/** Return what happened, which the gateway told as words with fields, in the chosen language. */
export function told({ words, fields: { note, ...fields } }) {
  const said = t(words, Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.split('、').map((each) => t(each)).join('、')])));
  return note ? noted(said, note) : said;
}

/** Return words with more of them behind a colon. */
export const noted = (what, more) => `${what}${lang === 'en' ? ': ' : '：'}${more}`;

/** Return names one after the other. */
export const listed = (names) => names.join(lang === 'en' ? ', ' : '、');

const two = (number) => String(number).padStart(2, '0');

/** Return an instant as the desk shows it: the hour today, else the day too; always Beijing time. */
export function clock(iso, now = Date.now()) {
  const [day, hour] = beijing(Date.parse(iso));
  return day === beijing(now)[0] ? hour : `${day.slice(5)} ${hour}`;
}

function beijing(ms) {
  const at = new Date(ms + 8 * 3600_000);
  const day = `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
  return [day, `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`];
}

/** Return how long ago an instant was, short. */
export function span(iso, now = Date.now()) {
  const minutes = Math.max(0, Math.floor((now - Date.parse(iso)) / 60_000));
  if (minutes < 1) return t('不到1分钟');
  if (minutes < 60) return t('{n}分钟', { n: minutes });
  if (minutes < 48 * 60) return t('{n}小时', { n: Math.floor(minutes / 60) });
  return t('{n}天', { n: Math.floor(minutes / 1440) });
}

// The first character of each letter in the order of pinyin; what stands before it begins with the letter before.
const FIRSTS = '阿八嚓哒妸发旮哈讥咔垃妈拏噢妑七呥仨他穵夕丫帀';
const LETTERS = 'abcdefghjklmnopqrstwxyz';
const order = new Intl.Collator('zh-Hans-CN-u-co-pinyin');

/** Return the pinyin initials of a text: "转派" gives "zp"; what is not Chinese stays. */
export function initials(text) {
  return [...text.toLowerCase()].map(initial).join('').replace(/\s/g, '');
}

function initial(character) {
  if (!/[\u4e00-\u9fff]/.test(character)) return character;
  let at = 0;
  while (at + 1 < FIRSTS.length && order.compare(character, FIRSTS[at + 1]) >= 0) at += 1;
  return LETTERS[at];
}

/** Return whether a text is meant by what somebody typed: a part of it, or of its initials. */
export function meant(text, typed) {
  const asked = typed.trim().toLowerCase();
  return text.toLowerCase().includes(asked) || initials(text).includes(asked.replace(/\s/g, ''));
}

// The lines of a talk: what citizen, bot, agents and the system said, with photos, videos, voices and places.

import { button, h } from './dom.js';
import { clock, t, told } from './words.js';

const WHO = { citizen: '市民', bot: '智能客服', agent: '座席', system: '已告诉市民', note: '内部备注', whisper: '督导耳语' };
const STATES = { sending: '发送中', undo: '可撤回', sent: '已发出', delivered: '已送达', failed: '没有送到', unknown: '不知是否送到', unsent: '没有发出', queued: '等待发出', undone: '已撤回' };

/** Return what a line was made of: it is made anew when this changes. */
export const mark = (line) => JSON.stringify([line.id, line.state, line.parts, line.who, undoable(line)]);

const undoable = (line) => Boolean(line.undo_until) && Date.parse(line.undo_until) > Date.now() && line.state !== 'undone';

/** Make a line; "acts" has undo(line) and again(line). */
export function lineNode(line, acts) {
  const kind = line.whisper ? 'whisper' : line.who;
  const name = ['agent', 'note'].includes(line.who) ? line.agent?.name : '';
  const happened = (line.parts ?? []).some((each) => each.words);
  const said = h(
    'li',
    { class: `line ${kind} ${line.state ?? ''} ${happened ? 'happened' : ''}` },
    h(
      'div',
      { class: 'by' },
      h('span', {}, [t(WHO[kind] ?? kind), name].filter(Boolean).join(' ')),
      h('time', { datetime: line.at }, clock(line.at)),
      line.state && ['agent', 'bot'].includes(line.who) && h('span', { class: `state ${line.state}` }, t(STATES[line.state] ?? line.state)),
    ),
    h('div', { class: 'said' }, (line.parts ?? []).map(part)),
  );
  if (line.state === 'unsent') said.append(button(t('再发一次'), () => acts.again(line), { kind: 'small' }));
  if (undoable(line)) said.append(button(t('撤回'), () => acts.undo(line), { kind: 'small' }));
  return said;
}

/** Return the words of a line, for whoever hears them. */
export const words = (line) => (line.parts ?? []).map((each) => each.text || t(KINDS[each.kind] ?? '文件')).join(' ');

const KINDS = { image: '照片', video: '视频', voice: '语音', audio: '语音', place: '位置', location: '位置', link: '链接', file: '文件', text: '文字', event: '关注、扫码或点了菜单' };

function part(each) {
  switch (each.kind) {
    case 'text':
      return h('p', {}, each.words ? told(each) : each.text);
    case 'image':
      return picture(each);
    case 'video':
      return h('figure', {}, each.url ? h('video', { controls: true, preload: 'none', src: each.play ?? each.url, poster: each.preview, 'aria-label': t('市民发来的视频') }) : waiting(each), note(each));
    case 'voice':
    case 'audio':
      return h('figure', {}, each.url ? h('audio', { controls: true, preload: 'none', src: each.play ?? each.url, 'aria-label': t('语音{n}秒', { n: each.seconds ?? '' }) }) : waiting(each), note(each));
    case 'event':
      return h('p', { class: 'soft' }, each.text || t(KINDS.event));
    case 'place':
    case 'location':
      return place(each);
    default:
      return each.url ? h('p', {}, h('a', { href: each.url, target: '_blank', rel: 'noopener' }, each.name || t('文件'))) : h('p', {}, each.text || waiting(each));
  }
}

const TRIES = [3000, 10_000, 30_000];

/** Make a photo; one that is still looked at by the scanner is asked for again, by itself a few times. */
function picture(each, tries = 0) {
  if (!each.url && !each.preview) return waiting(each);
  const image = h('img', { src: each.preview || each.url, alt: each.text || each.name || t('市民发来的照片'), loading: 'lazy' });
  image.addEventListener('error', () => {
    const again = (next) => said.isConnected && said.replaceWith(picture(each, next));
    const said = h('span', {}, waiting(each), ' ', button(t('再取一次'), () => again(0), { kind: 'small' }));
    link.replaceWith(said);
    if (tries < TRIES.length) setTimeout(again, TRIES[tries], tries + 1);
  });
  const link = h('a', { href: each.url || each.preview, target: '_blank', rel: 'noopener', class: 'photo', 'aria-label': t('看大图：{name}', { name: each.name || t('照片') }) }, image);
  return link;
}

const waiting = (each) => h('span', { class: 'waiting' }, t('{kind}还没有取到', { kind: t(KINDS[each.kind] ?? '文件') }));
const note = (each) => (each.text ? h('figcaption', {}, t('听写：{text}', { text: each.text })) : null);

function place(each) {
  const point = each.lat === null || each.lat === undefined ? '' : `${each.lat.toFixed(5)}, ${each.lon.toFixed(5)}`;
  return h('p', { class: 'place' }, h('span', { class: 'badge' }, t('位置')), ' ', h('strong', {}, each.text || each.name || ''), ' ', h('span', { class: 'soft' }, point));
}

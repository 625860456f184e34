// The command box (Ctrl/⌘ K): everything that can be done, found by words or by pinyin initials; and the help (?).

import { dialog, h } from './dom.js';
import { finder } from './phrases.js';
import { clock, meant, t } from './words.js';

/** The commands: [name, what it does, its key]. */
export function commands(desk) {
  const { store, acts } = desk;
  const row = () => store.rows.get(store.open);
  const has = () => Boolean(row());
  const all = [
    { name: t('领取或接受'), key: 'A', when: () => Boolean(desk.takeable()), act: () => desk.take(desk.takeable()) },
    { name: t('回复市民'), key: 'R', when: has, act: () => desk.pane('talk') ?? desk.talk().write.reply() },
    { name: t('写内部备注'), key: 'N', when: has, act: () => desk.pane('talk') ?? desk.talk().write.note() },
    { name: t('结束并看下一个'), key: 'E', when: () => store.mine(row()), act: () => desk.close(store.open) },
    { name: t('转派'), key: 'T', when: () => store.holds(row()), act: () => desk.transfer(store.open) },
    { name: t('暂挂或取消暂挂'), when: () => store.holds(row()), act: () => desk.hold(store.open) },
    { name: t('交回智能客服'), when: () => store.holds(row()), act: () => desk.back(store.open) },
    { name: t('接管这个对话'), right: 'take_over', when: has, act: () => desk.takeOver(store.open) },
    { name: t('下一个对话'), key: 'J', act: () => desk.queue().step(1) },
    { name: t('上一个对话'), key: 'K', act: () => desk.queue().step(-1) },
    { name: t('查找对话和工单'), key: '/', act: () => desk.pane('queue') ?? desk.queue().seek() },
    { name: t('撤回刚发的'), key: 'U', when: () => desk.notices().undoable(), act: () => desk.notices().undo() },
    { name: t('常用语'), key: 'Ctrl M', when: has, act: () => desk.canned() },
    { name: t('知识库'), when: has, act: () => desk.knowledge() },
    { name: t('填写工单'), key: 'C', when: has, act: () => desk.pane('case') ?? desk.beside().focus() },
    { name: t('代录电话诉求'), key: 'P', right: 'act_on_cases', act: () => desk.phoneCase() },
    { name: t('看我的对话'), key: '1', act: () => desk.queue().choose('mine') },
    { name: t('看排队'), key: '2', act: () => desk.queue().choose('waiting') },
    { name: t('看全部'), key: '3', act: () => desk.queue().choose('all') },
    { name: t('我在线'), act: () => acts.state('online') },
    { name: t('我忙碌'), act: () => acts.state('busy') },
    { name: t('我离开'), act: () => acts.state('away') },
    { name: t('督导看板'), key: 'W', right: 'see_wall', act: () => desk.wall() },
    { name: t('我的账号'), act: () => desk.account() },
    { name: t('快捷键'), key: '?', act: () => help(desk) },
    { name: t('退出登录'), act: () => desk.leave() },
  ];
  return all.filter((each) => !each.right || store.may(each.right));
}

/** Open the command box. */
export function commandBox(desk) {
  const { store, acts, api } = desk;
  const all = commands(desk).filter((each) => !each.when || each.when());
  const find = async (typed) => {
    const found = all.filter((each) => !typed || meant(each.name, typed));
    if (typed.length < 2) return found;
    const [people, replies, talks] = await Promise.all([desk.colleagues(), store.open ? api.get(`replies?q=${encodeURIComponent(typed)}`).catch(() => null) : null, api.get(`search?q=${encodeURIComponent(typed)}`).catch(() => null)]);
    const to = people.filter((each) => store.holds(store.rows.get(store.open)) && each.id !== store.me.id && meant(each.name, typed)).map((each) => ({ name: t('转给{name}', { name: each.name }), act: () => acts.act(store.open, 'transfer', { to_agent: each.id }) }));
    const said = (replies?.items ?? []).slice(0, 5).map((each) => ({ name: `${t('常用语')} ${each.title}`, about: each.filled, act: () => desk.talk().write.insert(each.filled) }));
    const seen = (talks?.items ?? []).slice(0, 8).map((each) => ({ name: each.case_no || each.snippet, about: `${clock(each.at)}\n${each.snippet}`, act: () => (each.talk ? acts.open(each.talk) : desk.showCase(each.case_no)) }));
    const off = talks && !talks.by_words && !seen.length ? [{ name: t('本站没有开启按词语查找'), about: t('可以按单号或完整的电话号码找工单'), act: () => {} }] : [];
    return [...found, ...to, ...said, ...seen, ...off];
  };
  finder(t('要做什么'), {
    find,
    put: t('执行'),
    label: (each) => h('span', { class: 'command' }, each.name, each.key && h('kbd', { 'aria-hidden': 'true' }, each.key)),
    preview: (each) => each.about ?? (each.key ? t('快捷键 {key}', { key: each.key }) : each.name),
    chosen: (each) => each.act(),
  });
}

/** Show all shortcuts. */
export function help(desk) {
  const rows = [...commands(desk).filter((each) => each.key), { name: t('打开命令框'), key: 'Ctrl K' }, { name: t('发送'), key: 'Ctrl ⏎' }, { name: t('从输入框出来'), key: 'Esc' }];
  dialog(t('快捷键'), h('div', { class: 'help', tabindex: '0', role: 'region', 'aria-label': t('快捷键') }, h('p', { class: 'soft' }, t('输入法选字时、光标在输入框里时，字母键不会触发。苹果电脑用 ⌘ 代替 Ctrl。')), h('dl', {}, rows.map((each) => h('div', {}, h('dt', {}, h('kbd', {}, each.key)), h('dd', {}, each.name))))));
}

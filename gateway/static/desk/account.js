// One's own account: another password, and the second factor with a code to be read by a telephone's camera.

import { button, dialog, fill, h } from './dom.js';
import { reason } from './actions.js';
import { t } from './words.js';

const CELL = 8;

/** Open the account's dialog: what guards it, and what can be changed. */
export function accountBox(desk) {
  const { store } = desk;
  const on = store.totp;
  const box = dialog(
    t('我的账号'),
    h(
      'div',
      {},
      h('p', {}, on ? t('动态验证码：已启用。换手机请找管理员重置密码，再重新启用。') : t('动态验证码：没有启用。启用后登录更安全。')),
      h('div', { class: 'tools' }, button(t('改密码'), () => box.close() ?? changeBox(desk)), !on && button(t('启用动态验证码'), () => box.close() ?? factorBox(desk), { kind: 'main' })),
    ),
  );
}

function changeBox({ api, store }) {
  const old = field('old', t('现在的密码'), { type: 'password', autocomplete: 'current-password' });
  const fresh = field('new', t('新密码（至少12位）'), { type: 'password', autocomplete: 'new-password' });
  const twice = field('twice', t('再写一次新密码'), { type: 'password', autocomplete: 'new-password' });
  const code = field('code', t('动态验证码'), { inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: '8' });
  const fields = [old, fresh, twice, ...(store.totp ? [code] : [])];
  const box = asking(t('改密码'), fields, t('改密码'), async () => {
    if (fresh.input.value !== twice.input.value) return twice.wrong(t('两次写的不一样'));
    if (fresh.input.value.length < 12) return fresh.wrong(t('新密码至少要12个字符'));
    try {
      const answer = await api.post('me/password', { old: old.input.value, new: fresh.input.value, code: code.input.value.trim() }, { quiet: true });
      api.csrf = answer.csrf;
    } catch (problem) {
      if (problem.status === 401) return old.wrong(store.totp ? t('现在的密码或动态验证码不对') : t('现在的密码不对'));
      if (problem.body?.errors?.[0]?.pointer === '/new') return fresh.wrong(problem.body.errors[0].detail);
      return old.wrong(reason(problem));
    }
    box.close();
    store.tell('say', t('密码改好了，其他地方的登录已退出'));
    store.tell('entered');
    return undefined;
  });
}

async function factorBox({ api, store, acts, passwords }) {
  const made = await acts.guarded(() => api.post('me/totp'));
  if (!made) return;
  const code = field('code', t('应用显示的6位数字'), { inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: '8' });
  const password = field('old', t('现在的密码'), { type: 'password', autocomplete: 'current-password' });
  const shown = h(
    'ol',
    { class: 'steps' },
    h('li', {}, t('在手机上打开身份验证器应用，扫这个二维码：'), drawn(made)),
    h('li', {}, t('不能扫的话，手工输入这个密钥：'), h('code', { class: 'secret' }, made.secret.replace(/(.{4})(?=.)/g, '$1 '))),
    h('li', {}, passwords ? t('把应用显示的6位数字和现在的密码写在下面。') : t('把应用显示的6位数字写在下面。')),
  );
  const box = asking(t('启用动态验证码'), [code, ...(passwords ? [password] : [])], t('启用'), async () => {
    try {
      await api.post('me/totp/confirm', { secret: made.secret, code: code.input.value.trim(), password: passwords ? password.input.value : '' }, { quiet: true });
    } catch (problem) {
      if (problem.kind === 'wrong-login') return password.wrong(t('现在的密码不对'));
      return code.wrong(problem.status === 422 ? t('验证码不对：请看手机时间准不准，等下一个数字再试') : reason(problem));
    }
    store.totp = true;
    box.close();
    store.tell('say', t('动态验证码启用了，下次登录要用。手机丢了请找管理员重置密码。'));
    return undefined;
  }, shown);
}

/** Draw a QR code; a light edge of four cells is part of it, in dark colours too. */
function drawn({ side, drawn: path }) {
  const wide = (side + 8) * CELL;
  const box = h('canvas', { class: 'qr', width: wide, height: wide, role: 'img', 'aria-label': t('动态验证码的二维码') });
  const pen = box.getContext('2d');
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, wide, wide);
  pen.scale(CELL, CELL);
  pen.translate(4, 4);
  pen.fillStyle = '#000';
  pen.fill(new Path2D(path));
  return box;
}

/** Open a dialog that asks for some fields; what is wrong is told beside the field and takes the focus. */
function asking(title, fields, done, go, before = null) {
  const send = h('button', { type: 'submit', class: 'main' }, done);
  const form = h('form', { novalidate: true }, before, fields.map((each) => each.node), h('div', { class: 'tools' }, button(t('取消'), () => box.close()), send));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    for (const each of fields) each.right();
    const empty = fields.find((each) => !each.input.value.trim());
    if (empty) return empty.wrong(t('请填写'));
    send.disabled = true;
    await go();
    send.disabled = false;
    return undefined;
  });
  const box = dialog(title, form);
  fields[0].input.focus();
  return box;
}

function field(name, label, more) {
  const input = h('input', { id: `account-${name}`, type: 'text', 'aria-describedby': `account-${name}-fault`, ...more });
  const fault = h('span', { class: 'fault', id: `account-${name}-fault`, role: 'alert' });
  const told = (text) => {
    fill(fault, text);
    input.setAttribute('aria-invalid', String(Boolean(text)));
    if (text) input.focus();
  };
  return { input, node: h('div', { class: 'field' }, h('label', { for: input.id }, label), input, fault), wrong: told, right: () => told('') };
}

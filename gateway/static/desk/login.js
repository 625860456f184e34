// Logging in, over the page: what was written stays below it, and is there again afterwards.

import { h } from './dom.js';
import { Problem } from './api.js';
import { t } from './words.js';

/**
 * Ask for name and password until somebody is in; resolves with the answer. "sso" is what the button of single sign-on
 * says, where there is one; it opens a page of its own when something may lie unsaved below.
 */
export function login(api, { again = false, name = '', sso = '', passwords = true } = {}) {
  return new Promise((done) => {
    const user = field('login', t('登录名'), { autocomplete: 'username', value: name, required: true });
    const password = field('password', t('密码'), { type: 'password', autocomplete: 'current-password', required: true });
    const code = field('code', t('动态验证码'), { inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: '8' });
    const fresh = field('fresh', t('新密码（至少12位）'), { type: 'password', autocomplete: 'new-password', minlength: '12' });
    code.node.hidden = true;
    fresh.node.hidden = true;
    const said = h('p', { class: 'fault', role: 'alert' });
    const go = h('button', { type: 'submit', class: sso ? '' : 'main' }, t('登录'));
    const door = sso && h('a', { class: 'main', href: '/desk/sso', target: again ? '_blank' : null }, sso);
    const typed = passwords ? [sso && h('p', { class: 'soft' }, t('或者用登录名和密码')), user.node, password.node, code.node, fresh.node, said, go] : [said];
    const form = h('form', { class: 'login' }, h('h1', { id: 'login-title' }, t('座席登录')), again && h('p', {}, t('登录过期了。您写的内容还在，登录后可以接着写。')), door, typed);
    const box = h('dialog', { class: 'loginbox', 'aria-labelledby': 'login-title' }, form);
    box.addEventListener('cancel', (event) => event.preventDefault());

    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      said.textContent = '';
      go.disabled = true;
      try {
        const answer = await attempt();
        if (answer) entered(answer);
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        said.textContent = problem.status === 0 ? t('网络没有回应，请稍后再试') : problem.message || t('登录名、密码或验证码不对');
      } finally {
        go.disabled = false;
      }
    });

    function entered(answer) {
      window.removeEventListener('focus', look);
      box.close();
      box.remove();
      done(answer);
    }

    // Single sign-on ends in a page of its own: who comes back from there is in.
    async function look() {
      const me = await api.get('me', { quiet: true }).catch(() => null);
      if (me && box.open) entered(me);
    }
    if (sso && again) window.addEventListener('focus', look);

    async function attempt() {
      const given = { password: password.input.value, code: code.input.value.trim() };
      if (!fresh.node.hidden) return change(given);
      let answer;
      try {
        answer = await api.post('login', { login: user.input.value.trim(), ...given }, { quiet: true });
      } catch (problem) {
        if (problem.kind === 'needs-code') return ask(code, t('请输入动态验证码'));
        throw problem;
      }
      api.csrf = answer.csrf;
      return answer.one_time ? ask(fresh, t('一次性密码只能用一次，请设一个新密码')) : answer;
    }

    async function change(given) {
      const body = { old: given.password, new: fresh.input.value, code: given.code };
      const answer = await api.post('me/password', body, { quiet: true });
      api.csrf = answer.csrf;
      return answer;
    }

    function ask(which, words) {
      which.node.hidden = false;
      which.input.required = true;
      said.textContent = words;
      which.input.focus();
      return null;
    }

    document.body.append(box);
    box.showModal();
    (door || (name ? password : user).input).focus();
  });
}

function field(id, label, more) {
  const input = h('input', { id: `login-${id}`, name: id, type: 'text', ...more });
  return { input, node: h('div', { class: 'field' }, h('label', { for: input.id }, label), input) };
}

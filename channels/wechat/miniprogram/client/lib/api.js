// The JSON API (docs/api.md) for this citizen: every verb returns the answer's body or throws Trouble.
const http = require('./http')
const session = require('./session')
const trouble = require('./trouble')

const PREFIX = '/api/v1'

async function send(method, path, options) {
  const { data, header } = options || {}
  let token = await session.token()
  let answer = await http.call(method, PREFIX + path, { data, header: bearing(token, header) })
  if (answer.status === 401) {
    token = await session.instead(token)
    answer = await http.call(method, PREFIX + path, { data, header: bearing(token, header) })
  }
  if (answer.status >= 400) throw trouble.of(answer)
  return answer.data
}

function bearing(token, header) {
  return Object.assign({ Authorization: `Bearer ${token}` }, header)
}

const one = (number) => `/cases/${encodeURIComponent(number)}`

module.exports = {
  read: (text) => send('POST', '/read', { data: { text } }),
  open: (matter, mark) => send('POST', '/cases', { data: matter, header: { 'Idempotency-Key': mark } }),
  cases: async () => (await send('GET', '/cases')).cases,
  show: (number) => send('GET', one(number)),
  timeline: async (number) => (await send('GET', `${one(number)}/timeline`)).lines,
  supplement: (number, data) => send('POST', `${one(number)}/supplements`, { data }),
  urge: (number) => send('POST', `${one(number)}/urges`, { data: {} }),
  withdraw: (number) => send('POST', `${one(number)}/withdrawal`),
  rate: (number, data) => send('POST', `${one(number)}/ratings`, { data }),
  lookUp: (data) => send('POST', '/lookups', { data }),
  likes: (data) => send('POST', '/likes', { data }),
  follows: async () => (await send('GET', '/follows')).followed,
  follow: (data) => send('POST', '/follows', { data }),
  unfollow: (like) => send('DELETE', `/follows/${like}`),
  grant: () => send('POST', '/uploads'),
  uploaded: async () => (await send('GET', '/uploads')).files,
  me: () => send('GET', '/session'),
  phone: (code) => send('POST', '/session/wechat/phone', { data: { code } }),
  templates: (account) => send('GET', `/wechat/templates?account=${encodeURIComponent(account)}`),
  search: async (words) => (await send('GET', `/knowledge?q=${encodeURIComponent(words)}`)).entries,
  entry: (id) => send('GET', `/knowledge/${encodeURIComponent(id)}`),
}

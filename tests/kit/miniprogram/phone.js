// Drives the mini-program for tests: one JSON command a line in, one answer a line out.
//
// node phone.js CLIENT FOLDER BASE [CONFIG]: the client's source, the telephone's storage, the gateway, and changes to
// the client's config.js as JSON.
const { flushCompileCache = () => {} } = require('module')
const path = require('path')
const readline = require('readline')

const [root, folder, base, changes] = process.argv.slice(2)
const stack = []
const top = () => stack[stack.length - 1]
const pages = {
  push: (url) => { open(url) },
  replace: (url) => { close(); open(url) },
  restart: (url) => { while (stack.length) close(); open(url) },
  back: () => { close(); if (top()) shown() },
}
const phone = require('./wx')(folder, base, pages)
global.wx = phone.wx
const screen = require('./screen')(root)

// Timers of the client are waited for too.
const timer = global.setTimeout
const counted = (work, wait) => {
  phone.pending += 1
  return timer(() => { phone.pending -= 1; work() }, wait)
}

function open(url) {
  const [page, search] = url.replace(/^\//, '').split('?')
  const query = {}
  new URLSearchParams(search || '').forEach((value, name) => { query[name] = value })
  const made = screen.render(page)
  stack.push(Object.assign(made, { page }))
  if (made.instance.onLoad) made.instance.onLoad(query)
  shown()
}

function shown() {
  if (top().instance.onShow) top().instance.onShow()
}

function close() {
  const gone = stack.pop()
  if (!gone) return
  if (gone.instance.onUnload) gone.instance.onUnload()
  gone.close()
}

// Wait until nothing is on its way any more.
async function quiet() {
  for (let still = 0; still < 8; still = phone.pending ? 0 : still + 1) await new Promise(setImmediate)
}

const taps = () => screen.all(top().dom, '.tap')

function target(label) {
  const found = taps().find((each) => screen.text(each) === label) || taps().find((each) => screen.text(each).includes(label))
  if (!found) throw new Error(`nothing to tap says ${label}: ${taps().map(screen.text).join(' | ')}`)
  return found
}

function tap(element) {
  phone.tapping = true
  screen.send(element, 'tap')
  phone.tapping = false
}

function field(name) {
  const fields = screen.all(top().dom, 'wx-input, wx-textarea')
  const found = fields.find((each) => (screen.node(each).dataset || {}).name === name)
  if (!found) throw new Error(`no field ${name}`)
  return found
}

const VERBS = {
  open: ({ url }) => pages.push(url),
  tap: ({ label, times }) => {
    const element = target(label)
    for (let n = 0; n < (times || 1); n += 1) tap(element)
  },
  write: ({ name, value }) => screen.send(field(name), 'input', { value }),
  phone: ({ code }) => screen.send(target('微信绑定'), 'getphonenumber', { code }),
  pull: () => top().instance.onPullDownRefresh(),
  reach: () => top().instance.onReachBottom(),
  back: () => pages.back(),
  set: ({ values }) => Object.assign(phone, values),
  look: () => undefined,
  measure: () => measures(),
}

function answer() {
  const { dom, page } = top()
  return {
    page,
    title: phone.title,
    text: screen.text(dom),
    taps: taps().map(screen.text),
    asked: phone.asked, called: phone.called, toasts: phone.toasts, previews: phone.previews,
    requests: phone.requests.map(({ method, path: where, size, status }) => ({ method, path: where, size, status })),
  }
}

// What the page looks like. It takes seconds to work out, so only who wants to know it asks.
function measures() {
  const elements = screen.all(top().dom, '*')
  return {
    targets: taps().map((each) => ({
      text: screen.text(each),
      height: parseFloat(screen.styled(each, 'min-height')) || 0,
      width: parseFloat(screen.styled(each, 'min-width')) || 0,
    })),
    type: elements.filter(screen.text).map(screen.sizes()),
    strange: elements.map((each) => each.tagName.toLowerCase()).filter((tag) => !known(tag)),
  }
}

const OWN = ['trouble', 'danger', 'files', 'page']
const known = (tag) => OWN.includes(tag) || screen.KNOWN.includes(tag.replace(/^wx-/, ''))

async function main() {
  Object.assign(require(path.join(root, 'config.js')), { base }, JSON.parse(changes || '{}'))
  global.setTimeout = counted
  global.App = (app) => app.onLaunch && app.onLaunch()
  require(path.join(root, 'app.js'))
  // A telephone is not ended but killed: what was compiled is kept for the next one now.
  flushCompileCache()
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line)
    let said
    try {
      const measured = await VERBS[command.do](command)
      await quiet()
      said = command.do === 'measure' ? measured : answer()
    } catch (error) {
      said = { error: error.stack }
    }
    process.stdout.write(`${JSON.stringify(said)}\n`)
  }
}

main()

// The report that is being written: kept on this phone for a day, then forgotten, as the privacy notice says.
const files = require('./files')

const KEY = 'draft'
const BOX = 'draft'
const LIVES = 24 * 3600 * 1000
const EMPTY = {
  step: 0, text: '', place: '', lon: null, lat: null, when: '', demand: '', kind: '',
  name: '', phone: '', secret: false, anonymous: false, needReply: true,
}

// The draft as it was left, or a new one with a mark of its own: by the mark a submit that is sent twice is one case.
function get() {
  return wx.getStorageSync(KEY) || Object.assign({ mark: mark(), at: Date.now() }, EMPTY)
}

function keep(changes) {
  const draft = Object.assign(get(), changes, { at: Date.now() })
  wx.setStorageSync(KEY, draft)
  return draft
}

function drop() {
  files.clear(BOX)
  wx.removeStorageSync(KEY)
}

// Whether there is something to go on with.
const begun = () => Boolean(wx.getStorageSync(KEY) && get().text)

function sweep() {
  const draft = wx.getStorageSync(KEY)
  if (draft && Date.now() - draft.at > LIVES) drop()
}

function mark() {
  const part = () => Math.random().toString(36).slice(2, 12)
  return `mini-${Date.now().toString(36)}-${part()}${part()}`
}

module.exports = { get, keep, drop, begun, sweep, BOX }

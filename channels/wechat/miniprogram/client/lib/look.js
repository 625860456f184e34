// How the citizen wants to read: language, and large type. Kept on the phone.
const KEY = 'look'

function get() {
  return Object.assign({ lang: 'zh', elderly: false }, wx.getStorageSync(KEY))
}

function set(changes) {
  wx.setStorageSync(KEY, Object.assign(get(), changes))
  return get()
}

module.exports = { get, set }

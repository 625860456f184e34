// Which version of the privacy notice the citizen agreed to, and when.
const config = require('../config')

const KEY = 'privacy'

const agreed = () => (wx.getStorageSync(KEY) || {}).version === config.noticeVersion

function agree() {
  wx.setStorageSync(KEY, { version: config.noticeVersion, at: Date.now() })
}

module.exports = { agreed, agree }

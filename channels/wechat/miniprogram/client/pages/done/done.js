// A report was submitted: its number and code.
const page = require('../../lib/page')

page('done', {
  data: { number: '', code: '', accepted: false, danger: null },

  onLoad() {
    this.setData(wx.getStorageSync('opened') || {})
  },

  // The code is for the citizen's eyes; it does not stay on the phone.
  onUnload() {
    wx.removeStorageSync('opened')
  },

  see() {
    wx.redirectTo({ url: `/pages/case/case?number=${this.data.number}` })
  },

  home() {
    wx.reLaunch({ url: '/pages/home/home' })
  },
})

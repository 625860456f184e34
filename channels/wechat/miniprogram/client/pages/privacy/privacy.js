// The privacy notice. Before the first report, and again when its version is new, it is agreed to here.
const config = require('../../config')
const page = require('../../lib/page')
const privacy = require('../../lib/privacy')

page('privacy', {
  data: { asked: false, version: config.noticeVersion, city: config.city, url: config.privacyUrl },

  onLoad(query) {
    this.setData({ asked: query.asked === '1' })
  },

  agree() {
    privacy.agree()
    wx.redirectTo({ url: '/pages/report/report' })
  },

  refuse() {
    wx.showToast({ title: this.data.t.refused, icon: 'none' })
    wx.reLaunch({ url: '/pages/home/home' })
  },
})

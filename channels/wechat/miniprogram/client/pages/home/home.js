// The first page: the few things that can be done here.
const draft = require('../../lib/draft')
const look = require('../../lib/look')
const page = require('../../lib/page')

page('home', {
  data: { begun: false },

  onShow() {
    this.setData({ begun: draft.begun() })
  },

  elder() {
    look.set({ elderly: !look.get().elderly })
    this.dress()
  },

  speak() {
    look.set({ lang: look.get().lang === 'zh' ? 'en' : 'zh' })
    this.dress()
  },

  dial(event) {
    wx.makePhoneCall({ phoneNumber: event.currentTarget.dataset.number, fail() {} })
  },
})

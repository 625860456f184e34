// Every page: it speaks the citizen's language in his type, says what went wrong, and does one thing at a time.
const config = require('../config')
const look = require('./look')
const texts = require('./texts')
const { told } = require('./trouble')

module.exports = (name, definition) => {
  const data = { t: {}, lang: 'zh', elderly: false, busy: false, wrong: '', hotline: config.hotline }
  const shown = definition.onShow

  Page(Object.assign({}, definition, {
    data: Object.assign(data, definition.data),

    onShow() {
      this.dress()
      if (shown) return shown.call(this)
    },

    dress() {
      const { lang, elderly } = look.get()
      const t = Object.assign({}, texts.of(lang, 'all'), texts.of(lang, name))
      this.setData({ t, lang, elderly })
      wx.setNavigationBarTitle({ title: t.title })
    },

    // Do something that may fail; while it goes on nothing else is begun. Returns what it returned, or undefined.
    async during(work) {
      if (this.working) return undefined
      this.working = true
      this.setData({ busy: true, wrong: '' })
      try {
        return await work()
      } catch (error) {
        this.fail(error)
        return undefined
      } finally {
        this.working = false
        this.setData({ busy: false })
      }
    },

    fail(error) {
      this.setData({ wrong: told(error, this.data.lang) })
    },

    go(event) {
      wx.navigateTo({ url: event.currentTarget.dataset.to })
    },

    call() {
      wx.makePhoneCall({ phoneNumber: config.hotline, fail() {} })
    },
  }))
}

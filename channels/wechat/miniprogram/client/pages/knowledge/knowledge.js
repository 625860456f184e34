// Questions and answers of the knowledge base, by words.
const api = require('../../lib/api')
const page = require('../../lib/page')

page('knowledge', {
  data: { words: '', entries: [], asked: false },

  write(event) {
    this.setData({ words: event.detail.value })
  },

  ask() {
    const words = this.data.words.trim()
    if (!words) return undefined
    return this.during(async () => {
      this.setData({ entries: await api.search(words), asked: true })
    })
  },

  see(event) {
    wx.navigateTo({ url: `/pages/entry/entry?id=${event.currentTarget.dataset.id}` })
  },
})

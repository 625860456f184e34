// Something is added to a case: words, and photos or films.
const api = require('../../lib/api')
const files = require('../../lib/files')
const page = require('../../lib/page')

page('supplement', {
  data: { number: '', text: '', danger: null },

  onLoad(query) {
    this.setData({ number: query.number || '', text: wx.getStorageSync(`add.${query.number}`) || '' })
  },

  write(event) {
    this.setData({ text: event.detail.value })
    wx.setStorageSync(`add.${this.data.number}`, event.detail.value)
  },

  trouble(event) {
    this.fail(event.detail)
  },

  async send() {
    const { number, text, t } = this.data
    if (!text.trim()) return this.setData({ wrong: t.missing })
    if (!files.ready(number)) return this.setData({ wrong: t.waiting })
    const added = await this.during(() => sent(number, text))
    if (!added) return undefined
    files.clear(number)
    wx.removeStorageSync(`add.${number}`)
    if (!added.danger) return wx.navigateBack()
    return this.setData({ danger: added.danger, text: '' })
  },
})

// Files that the gateway does not have any more are uploaded once more.
async function sent(number, text) {
  const body = () => ({ text, files: files.keys(number) })
  try {
    return await api.supplement(number, body())
  } catch (error) {
    if (!error.about || !error.about('/files')) throw error
    await files.anew(number)
    return api.supplement(number, body())
  }
}

// Something is added to a case: words, and photos or films.
const api = require('../../lib/api')
const files = require('../../lib/files')
const page = require('../../lib/page')

page('supplement', {
  data: { number: '', text: '', danger: null, alone: false },

  onLoad(query) {
    const { number, alone } = query
    this.setData({ number: number || '', text: wx.getStorageSync(`add.${number}`) || '', alone: alone === '1' })
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
    if (added.danger) return this.setData({ danger: added.danger, text: '' })
    return this.data.alone ? wx.redirectTo({ url: `/pages/case/case?number=${number}` }) : wx.navigateBack()
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

// One case: how far it is, the answer, what happened, its files, and what its citizen may do with it now.
const api = require('../../lib/api')
const config = require('../../config')
const page = require('../../lib/page')
const texts = require('../../lib/texts')
const times = require('../../lib/times')

page('case', {
  data: { number: '', it: null, lines: [], pictures: [], said: '' },

  onLoad(query) {
    this.setData({ number: query.number || '' })
  },

  onShow() {
    return this.load()
  },

  async onPullDownRefresh() {
    await this.load()
    wx.stopPullDownRefresh()
  },

  load() {
    return this.during(async () => {
      const { number } = this.data
      const [it, lines] = await Promise.all([api.show(number), api.timeline(number)])
      this.show(it, lines)
    })
  },

  show(it, lines) {
    const { lang } = this.data
    const files = it.files.map((file) => ({
      key: file.key,
      name: file.name,
      kind: file.kind,
      picture: file.preview ? config.base + file.preview : '',
      play: file.play ? config.base + file.play : '',
    }))
    this.setData({
      it: Object.assign({}, it, { status: texts.word(lang, it.status), due: times.day(it.deadline_at), files }),
      lines: lines.map((line, at) => ({
        at,
        when: times.minute(line.at),
        label: texts.word(lang, line.label),
        note: line.note || '',
      })),
      pictures: files.filter((file) => file.kind === 'image').map((file) => file.picture),
    })
  },

  view(event) {
    wx.previewImage({ urls: this.data.pictures, current: event.currentTarget.dataset.url })
  },

  play(event) {
    const { url } = event.currentTarget.dataset
    wx.previewMedia({ sources: [{ url, type: 'video' }] })
  },

  supplement() {
    wx.navigateTo({ url: `/pages/supplement/supplement?number=${this.data.number}` })
  },

  rate() {
    wx.navigateTo({ url: `/pages/rate/rate?number=${this.data.number}` })
  },

  urge() {
    return this.surely(this.data.t.urgeSure, api.urge, this.data.t.urged)
  },

  withdraw() {
    return this.surely(this.data.t.withdrawSure, api.withdraw, '')
  },

  // Ask before it is done, then show the case as it is by then.
  async surely(content, act, said) {
    const { t, number } = this.data
    const asked = { content, confirmText: t.confirm, cancelText: t.cancel }
    const sure = await new Promise((resolve) => {
      wx.showModal(Object.assign(asked, { success: (chosen) => resolve(chosen.confirm), fail: () => resolve(false) }))
    })
    if (!sure) return undefined
    const done = await this.during(async () => {
      await act(number)
      return true
    })
    if (!done) return undefined
    this.setData({ said })
    return this.load()
  },
})

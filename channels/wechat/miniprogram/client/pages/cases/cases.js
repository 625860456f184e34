// One's own cases, newest first, ten more at each pull; and the cases of others that one follows.
const api = require('../../lib/api')
const page = require('../../lib/page')
const texts = require('../../lib/texts')
const times = require('../../lib/times')

const MORE = 10

page('cases', {
  data: { rows: [], follows: [], all: 0, known: false },

  onShow() {
    return this.load()
  },

  async onPullDownRefresh() {
    await this.load()
    wx.stopPullDownRefresh()
  },

  onReachBottom() {
    this.show(this.data.rows.length + MORE)
  },

  load() {
    return this.during(async () => {
      const [cases, follows] = await Promise.all([api.cases(), api.follows()])
      this.cases = cases
      this.show(Math.max(MORE, this.data.rows.length))
      const { lang } = this.data
      this.setData({ known: true, follows: follows.map((each) => Object.assign({}, each, { status: texts.word(lang, each.status) })) })
    })
  },

  show(count) {
    const { lang } = this.data
    const rows = (this.cases || []).slice(0, count).map((each) => ({
      number: each.case_no,
      title: each.title,
      status: texts.word(lang, each.status),
      made: times.minute(each.created_at),
    }))
    this.setData({ rows, all: (this.cases || []).length })
  },

  see(event) {
    wx.navigateTo({ url: `/pages/case/case?number=${event.currentTarget.dataset.number}` })
  },

  async unfollow(event) {
    const { like } = event.currentTarget.dataset
    await this.during(() => api.unfollow(like))
    return this.load()
  },
})

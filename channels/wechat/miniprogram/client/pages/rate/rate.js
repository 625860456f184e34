// How a case was handled: one of five, and for the two low ones why.
const api = require('../../lib/api')
const page = require('../../lib/page')
const texts = require('../../lib/texts')

const SCORES = [[5, '非常满意'], [4, '满意'], [3, '基本满意'], [2, '不满意'], [1, '非常不满意']]
const REASONS = [[1, '未联系本人'], [2, '未解决'], [3, '敷衍推诿'], [4, '超时'], [5, '态度差'], [7, '答非所问'], [6, '其他']]
const LOW = 2

page('rate', {
  data: { number: '', scores: [], reasons: [], score: 0, why: [], text: '', low: false },

  onLoad(query) {
    this.setData({ number: query.number || '' })
  },

  onShow() {
    this.rows()
  },

  rows() {
    const { lang, score, why } = this.data
    const row = (chosen) => ([code, name]) => ({ code, name: texts.word(lang, name), chosen: chosen(code) })
    this.setData({
      scores: SCORES.map(row((code) => code === score)),
      reasons: REASONS.map(row((code) => why.includes(code))),
      low: score > 0 && score <= LOW,
    })
  },

  choose(event) {
    this.setData({ score: event.currentTarget.dataset.code })
    this.rows()
  },

  reason(event) {
    const { code } = event.currentTarget.dataset
    const { why } = this.data
    this.setData({ why: why.includes(code) ? why.filter((each) => each !== code) : why.concat(code) })
    this.rows()
  },

  write(event) {
    this.setData({ text: event.detail.value })
  },

  async send() {
    const { number, score, why, text, low, t } = this.data
    if (!score) return this.setData({ wrong: t.choose })
    const rated = await this.during(() => api.rate(number, { score, reasons: low ? why : [], text }))
    return rated && wx.navigateBack()
  },
})

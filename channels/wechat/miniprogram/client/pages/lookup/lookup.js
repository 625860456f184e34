// How far anybody's case is, by its number and query code.
const api = require('../../lib/api')
const page = require('../../lib/page')
const texts = require('../../lib/texts')
const times = require('../../lib/times')

page('lookup', {
  data: { number: '', code: '', found: null },

  write(event) {
    this.setData({ [event.currentTarget.dataset.name]: event.detail.value })
  },

  ask() {
    const number = this.data.number.replace(/\D/g, '')
    const code = this.data.code.replace(/\D/g, '')
    this.setData({ found: null })
    if (number.length !== 17 || code.length !== 6) return this.setData({ wrong: this.data.t.wrong })
    return this.during(async () => {
      const found = await api.lookUp({ case_no: number, query_code: code })
      const status = texts.word(this.data.lang, found.status)
      this.setData({ found: Object.assign({}, found, { status, due: times.day(found.deadline_at) }) })
    })
  },
})

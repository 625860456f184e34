// A report in steps. What is written is kept at every step, so that it can be gone on with after anything.
const api = require('../../lib/api')
const config = require('../../config')
const draft = require('../../lib/draft')
const files = require('../../lib/files')
const matter = require('../../lib/matter')
const news = require('../../lib/news')
const page = require('../../lib/page')
const place = require('../../lib/place')
const privacy = require('../../lib/privacy')
const texts = require('../../lib/texts')
const { Trouble } = require('../../lib/trouble')

const STEPS = ['what', 'where', 'when', 'files', 'contact', 'check']
// Large print asks less: one thing a page, and only what is needed.
const SHORT = ['what', 'where', 'files', 'contact', 'check']

page('report', {
  data: {
    d: {}, step: 'what', number: 1, count: STEPS.length, read: [], danger: null, kinds: [], whens: [],
    rows: [], mine: '', others: [], signed: Boolean(config.account), begun: false,
  },

  onLoad() {
    if (!privacy.agreed()) return wx.redirectTo({ url: '/pages/privacy/privacy?asked=1' })
    draft.sweep()
    return undefined
  },

  onShow() {
    if (!privacy.agreed()) return undefined
    return this.at(draft.get().step)
  },

  steps() {
    return this.data.elderly ? SHORT : STEPS
  },

  // Show a step, counted from 0.
  async at(wished) {
    const steps = this.steps()
    const step = Math.min(wished, steps.length - 1)
    const d = draft.get()
    this.setData({
      d, step: steps[step], number: step + 1, count: steps.length, wrong: '', begun: draft.begun(),
      kinds: matter.kinds(this.data.lang, d.kind),
      whens: matter.whens(this.data.lang, d.when),
    })
    if (steps[step] === 'check') await this.checked()
  },

  keep(changes) {
    this.setData({ d: draft.keep(changes) })
  },

  write(event) {
    this.keep({ [event.currentTarget.dataset.name]: event.detail.value })
  },

  kind(event) {
    const { code } = event.currentTarget.dataset
    this.keep({ kind: this.data.d.kind === code ? '' : code })
    this.setData({ kinds: matter.kinds(this.data.lang, this.data.d.kind) })
  },

  when(event) {
    this.keep({ when: event.currentTarget.dataset.code })
    this.setData({ whens: matter.whens(this.data.lang, this.data.d.when) })
  },

  flip(event) {
    const { name } = event.currentTarget.dataset
    this.keep({ [name]: !this.data.d[name] })
  },

  trouble(event) {
    this.fail(event.detail)
  },

  back() {
    return this.to(this.data.number - 2)
  },

  edit(event) {
    return this.to(Math.max(0, this.steps().indexOf(event.currentTarget.dataset.step)))
  },

  to(step) {
    this.keep({ step })
    return this.at(step)
  },

  next() {
    const missing = matter.missing(this.data.step, this.data.d)
    if (missing) return this.setData({ wrong: this.data.t[missing] })
    return this.during(async () => {
      if (this.data.step === 'what') await this.understand()
      await this.to(this.data.number)
    })
  },

  // Smart fill: what the words say goes where nothing is written yet. It is a help; without it one goes on.
  async understand() {
    const { d, lang, t } = this.data
    try {
      const said = await api.read(d.text)
      const taken = matter.taken(d, said)
      this.keep(taken)
      const read = [taken.place && `${t.rowWhere}：${taken.place}`, taken.when && `${t.rowWhen}：${taken.when}`]
      read.push(taken.kind && `${t.rowKind}：${matter.kindName(lang, taken.kind)}`)
      this.setData({ danger: said.danger, read: read.filter(Boolean) })
    } catch (error) {
      this.setData({ danger: null, read: [] })
    }
  },

  async locate() {
    try {
      const there = await place.choose()
      if (there) this.keep(there)
    } catch (error) {
      this.fail(error)
    }
  },

  unlocate() {
    this.keep({ lon: null, lat: null })
  },

  // The number that WeChat knows: the gateway learns it, this phone is shown it masked.
  phone(event) {
    const { code } = event.detail
    if (!code) return this.fail(new Trouble('phone'))
    return this.during(async () => {
      const { phone } = await api.phone(code).catch(() => {
        throw new Trouble('phone')
      })
      this.keep({ proved: phone, anonymous: false })
    })
  },

  // The read-back; whether the same is reported already; and what to ask for at the tap on submit.
  async checked() {
    const { d, lang, t } = this.data
    this.setData({ rows: matter.rows(d, files.list(draft.BOX).length, t, lang), mine: '', others: [] })
    news.load()
    try {
      const likes = await api.likes(matter.like(d))
      const others = likes.others.map((each) => Object.assign({}, each, { status: texts.word(lang, each.status) }))
      this.setData({ mine: likes.mine || '', others })
    } catch (error) {
      this.setData({ mine: '', others: [] })
    }
  },

  async follow(event) {
    const { like } = event.currentTarget.dataset
    const followed = await this.during(async () => {
      await api.follow(Object.assign(matter.like(this.data.d), { like }))
      return true
    })
    if (!followed) return
    wx.showToast({ title: this.data.t.followed, icon: 'none' })
    draft.drop()
    wx.redirectTo({ url: '/pages/cases/cases' })
  },

  addToMine() {
    const { mine, d } = this.data
    wx.setStorageSync(`add.${mine}`, d.text)
    files.move(draft.BOX, mine)
    draft.drop()
    wx.redirectTo({ url: `/pages/supplement/supplement?number=${mine}&alone=1` })
  },

  // WeChat lets one ask for messages only in the tap itself, so that comes first; then the case, once.
  submit() {
    if (!files.ready(draft.BOX)) return this.setData({ wrong: this.data.t.waiting })
    return this.during(async () => {
      await news.ask()
      const opened = await sent(this.data.elderly)
      draft.drop()
      wx.setStorageSync('opened', {
        number: opened.case_no, code: opened.query_code, accepted: opened.accepted, danger: opened.danger,
      })
      wx.redirectTo({ url: '/pages/done/done' })
    })
  },

  discard() {
    draft.drop()
    this.setData({ danger: null, read: [] })
    return this.at(0)
  },
})

// Files that the gateway does not have any more (the session ended meanwhile) are uploaded once more.
async function sent(elderly) {
  const { mark } = draft.get()
  const body = () => matter.body(draft.get(), files.keys(draft.BOX), elderly)
  try {
    return await api.open(body(), mark)
  } catch (error) {
    if (!error.about || !error.about('/files')) throw error
    await files.anew(draft.BOX)
    return api.open(body(), mark)
  }
}

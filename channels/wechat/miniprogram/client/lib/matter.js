// A matter as it is written, checked, read back and sent (docs/api.md, POST /cases).
const texts = require('./texts')

const KINDS = [['02', '求助'], ['03', '投诉'], ['04', '举报'], ['05', '意见建议'], ['01', '咨询'], ['06', '在线办理指导'], ['07', '表扬感谢']]
const WHENS = ['现在', '今天', '近几天', '长期存在']
const HAN = /[\u3400-\u9fff]/g
const PHONE = /^(1[3-9]\d{9}|0\d{2,3}-?\d{7,8})$/

const kinds = (lang, chosen) => KINDS.map(([code, name]) => ({ code, name: texts.word(lang, name), chosen: code === chosen }))
const whens = (lang, chosen) => WHENS.map((name) => ({ code: name, name: texts.word(lang, name), chosen: name === chosen }))

function kindName(lang, code) {
  const row = KINDS.find((each) => each[0] === code)
  return row ? texts.word(lang, row[1]) : ''
}

const plain = (phone) => phone.replace(/[\s-]/g, '')

// Enough is said by eight Chinese characters, or by some words of another script.
function enough(text) {
  const han = (text.match(HAN) || []).length
  return han >= 8 || (han === 0 && text.trim().length >= 20)
}

// The key of the sentence that says what a step lacks; empty when it lacks nothing.
function missing(step, d) {
  if (step === 'what' && !enough(d.text)) return 'whatShort'
  if (step === 'where' && !d.place.trim() && d.lon === null) return 'placeMissing'
  if (step !== 'contact' || d.anonymous) return ''
  if (!d.phone && !d.proved) return 'phoneMissing'
  return d.phone && !PHONE.test(plain(d.phone)) ? 'phoneWrong' : ''
}

// What the gateway read in the words, where the citizen has written nothing yet.
function taken(d, said) {
  const all = {}
  ;['place', 'when', 'demand', 'kind', 'name', 'phone'].forEach((name) => {
    if (said[name] && !d[name]) all[name] = said[name]
  })
  if (said.secret) all.secret = true
  return all
}

// The read-back: what, what it says, and the step where it is changed.
function rows(d, count, t, lang) {
  const contact = d.anonymous ? t.noContact : [d.name, d.phone || d.proved].filter(Boolean).join(' ')
  return [
    { label: t.rowWhat, value: d.text, step: 'what' },
    { label: t.rowWhere, value: d.place || (d.lon === null ? t.none : t.located), step: 'where' },
    { label: t.rowWhen, value: texts.word(lang, d.when) || t.none, step: 'when' },
    { label: t.rowDemand, value: d.demand || t.none, step: 'when' },
    { label: t.rowKind, value: kindName(lang, d.kind) || t.staff, step: 'when' },
    { label: t.rowFiles, value: `${count} ${t.count}`.trim(), step: 'files' },
    { label: t.rowContact, value: contact, step: 'contact' },
    { label: t.rowSecret, value: d.secret ? t.yes : t.no, step: 'contact' },
  ]
}

// To see whether it is reported already.
function like(d) {
  const all = { text: d.text, place: d.place }
  if (d.kind) all.kind = d.kind
  return all
}

function body(d, keys, elderly) {
  const all = Object.assign(like(d), {
    when: d.when, demand: d.demand, secret: d.secret, anonymous: d.anonymous, need_reply: d.needReply, elderly, files: keys,
  })
  if (!d.anonymous) Object.assign(all, { name: d.name, phone: plain(d.phone) })
  if (d.lon !== null) Object.assign(all, { lon: d.lon, lat: d.lat, datum: 'gcj02' })
  return all
}

module.exports = { kinds, whens, kindName, missing, taken, rows, like, body }

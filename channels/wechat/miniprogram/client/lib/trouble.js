// What went wrong, and how it is told: what happened, and what to do.
const texts = require('./texts')

class Trouble extends Error {
  // kind: the last word of the problem's type (docs/api.md), or "offline".
  constructor(kind, status, detail, errors) {
    super(kind)
    this.kind = kind
    this.status = status || 0
    this.detail = detail || ''
    this.errors = errors || []
  }

  // Whether one of the fields that are wrong is this one.
  about(pointer) {
    return this.errors.some((each) => each.pointer === pointer)
  }
}

const CHINESE = /[\u4e00-\u9fff]/
// Of these the gateway speaks to programs.
const OURS = ['invalid', 'key-used', 'no-session']

// The sentence for a citizen. The gateway speaks Chinese; in English its kinds have sentences here.
function told(trouble, lang) {
  const known = texts.of(lang, 'wrong')
  if (!(trouble instanceof Trouble)) return known.failed
  const fields = trouble.errors.map((each) => each.detail).filter((detail) => CHINESE.test(detail))
  if (lang === 'zh' && fields.length) return fields.join('')
  if (lang === 'zh' && trouble.detail && !OURS.includes(trouble.kind)) return trouble.detail
  return known[trouble.kind] || known.failed
}

// What an answer that is no success says.
function of(answer) {
  const data = answer.data || {}
  const kind = String(data.type || '').split(':').pop()
  const fallback = answer.status >= 500 ? 'failed' : 'invalid'
  return new Trouble(data.type && kind !== 'blank' ? kind : fallback, answer.status, data.detail, data.errors)
}

module.exports = { Trouble, told, of }

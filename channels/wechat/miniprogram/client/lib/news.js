// News of a case by WeChat's subscribe messages. WeChat lets a page ask only in a tap, so which to ask for is loaded before.
const api = require('./api')
const ask = require('./ask')
const config = require('../config')

const MOST = 3
let ids = []

async function load() {
  if (!config.account) return
  try {
    ids = ((await api.templates(config.account)).templates || []).map((each) => each.id || each).slice(0, MOST)
  } catch (error) {
    ids = []
  }
}

// Whatever the citizen answers, the report goes on: news are an offer.
async function asking() {
  if (ids.length) await ask('requestSubscribeMessage', { tmplIds: ids }).catch(() => undefined)
}

module.exports = { load, ask: asking }

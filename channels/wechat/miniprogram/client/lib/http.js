// One request to the gateway. Whatever answer comes is returned; that none came is trouble "offline".
const ask = require('./ask')
const config = require('../config')
const { Trouble } = require('./trouble')

async function call(method, path, options) {
  const { data, header } = options || {}
  try {
    const answer = await ask('request', {
      url: path.startsWith('https://') || path.startsWith('http://') ? path : config.base + path,
      method,
      data,
      header: Object.assign({ 'content-type': 'application/json' }, header),
      timeout: config.patience,
    })
    return { status: answer.statusCode, data: read(answer.data), header: lowered(answer.header) }
  } catch (error) {
    throw new Trouble('offline')
  }
}

// WeChat reads JSON only by itself where the type says so exactly; problem+json may stay text.
function read(data) {
  if (typeof data !== 'string') return data
  try {
    return JSON.parse(data)
  } catch (error) {
    return null
  }
}

// Names of headers come as each phone likes them.
function lowered(header) {
  const all = {}
  Object.keys(header || {}).forEach((name) => {
    all[name.toLowerCase()] = header[name]
  })
  return all
}

module.exports = { call }

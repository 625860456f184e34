// A place chosen on WeChat's map; its degrees are GCJ-02, as the gateway takes them.
const ask = require('./ask')
const { Trouble } = require('./trouble')

const LONGEST = 100

async function choose() {
  let chosen
  try {
    chosen = await ask('chooseLocation')
  } catch (error) {
    if (/cancel/.test(error.errMsg || '')) return null
    throw new Trouble('location')
  }
  const { name, address, longitude, latitude } = chosen
  const words = [address, name].filter(Boolean).join(' ').slice(0, LONGEST)
  return Object.assign({ lon: longitude, lat: latitude }, words && { place: words })
}

module.exports = { choose }

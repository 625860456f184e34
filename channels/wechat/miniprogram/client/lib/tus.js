// One file to the gateway in pieces (tus 1.0). It goes on where the gateway says it stands, after any cut.
//
// wx.request knows no PATCH, so a piece is a POST that says so (tus: X-HTTP-Method-Override).
const config = require('../config')
const http = require('./http')
const trouble = require('./trouble')

const OFFSETS = 'application/offset+octet-stream'
const VERSION = { 'Tus-Resumable': '1.0.0' }

// Begin an upload and return its address.
async function begin(grant, name, size, lang) {
  const header = Object.assign({}, VERSION, {
    Authorization: `Bearer ${grant.grant}`,
    'Upload-Length': String(size),
    'Upload-Metadata': `filename ${wx.arrayBufferToBase64(bytes(name))}`,
    'Accept-Language': lang,
  })
  const answer = await http.call('POST', grant.tus, { header })
  if (answer.status !== 201) throw trouble.of(answer)
  return answer.header.location
}

// Where an upload stands in bytes; -1 when the gateway does not know it any more.
async function stands(place) {
  const answer = await http.call('HEAD', place, { header: VERSION })
  if (answer.status === 404 || answer.status === 410) return -1
  if (answer.status >= 400) throw trouble.of(answer)
  return Number(answer.header['upload-offset'])
}

// Send one piece and return where the upload stands then; another stand than was thought is asked for.
async function piece(place, path, at, size, lang) {
  const length = Math.min(config.piece, size - at)
  const data = await slice(path, at, length)
  const header = Object.assign({}, VERSION, {
    'X-HTTP-Method-Override': 'PATCH',
    'Upload-Offset': String(at),
    'content-type': OFFSETS,
    'Accept-Language': lang,
  })
  const answer = await http.call('POST', place, { data, header })
  if (answer.status === 409 || answer.status === 408) return stands(place)
  if (answer.status >= 400) throw trouble.of(answer)
  return Number(answer.header['upload-offset'])
}

async function slice(path, position, length) {
  try {
    const read = (options) =>
      new Promise((resolve, reject) => {
        const done = { success: (found) => resolve(found.data), fail: reject }
        wx.getFileSystemManager().readFile(Object.assign(options, done))
      })
    return await read({ filePath: path, position, length })
  } catch (error) {
    throw new trouble.Trouble('gone')
  }
}

// Names are made here, of letters and digits.
function bytes(name) {
  return Uint8Array.from(name, (letter) => letter.charCodeAt(0)).buffer
}

module.exports = { begin, stands, piece }

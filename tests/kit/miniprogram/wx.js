// A telephone's side of WeChat for tests: `wx`, over real HTTP and a folder that outlives the process.
//
// It refuses what WeChat refuses: methods that wx.request does not know, domains that are not in the list, a question
// for messages outside a tap. `cut` pieces of uploads pass, then the line is dead; the answer to a POST to `lost` is
// lost; `given` are answers of addresses that the gateway has not got yet.
const fs = require('fs')
const http = require('http')
const path = require('path')

const METHODS = ['OPTIONS', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'CONNECT']

module.exports = (folder, base, pages) => {
  const phone = {
    pending: 0, tapping: false, cut: null, offline: false, asked: [], called: [], toasts: [], previews: [], requests: [],
    lost: '', codes: [], camera: [], there: null, sure: true, given: {},
  }
  const kept = path.join(folder, 'storage.json')
  const storage = fs.existsSync(kept) ? JSON.parse(fs.readFileSync(kept, 'utf8')) : {}
  const save = () => fs.writeFileSync(kept, JSON.stringify(storage))

  // Answer later, as WeChat does; what is on its way is counted, so that a test can wait until all is quiet.
  const later = (options, work) => {
    phone.pending += 1
    setImmediate(async () => {
      try {
        const found = await work()
        if (options.success) options.success(found)
      } catch (error) {
        if (options.fail) options.fail({ errMsg: error.message })
      } finally {
        phone.pending -= 1
      }
    })
  }

  const request = (options) => later(options, () => new Promise((resolve, reject) => {
    const method = options.method || 'GET'
    if (!METHODS.includes(method)) return reject(new Error(`request:fail invalid method ${method}`))
    if (!options.url.startsWith(`${base}/`)) return reject(new Error('request:fail url not in domain list'))
    if (phone.offline) return reject(new Error('request:fail'))
    const canned = phone.given[options.url.slice(base.length)]
    if (canned) return resolve({ statusCode: 200, header: {}, data: canned })
    const header = Object.assign({}, options.header)
    const body = encoded(options.data)
    const said = { method, path: options.url.slice(base.length), header, size: body ? body.length : 0 }
    phone.requests.push(said)
    const piece = header['X-HTTP-Method-Override'] === 'PATCH'
    const cut = piece && phone.cut !== null && phone.cut-- <= 0
    const sent = http.request(options.url, { method, headers: header }, (answer) => {
      const parts = []
      answer.on('data', (part) => parts.push(part))
      answer.on('error', () => reject(new Error('request:fail')))
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString()
        said.status = answer.statusCode
        if (method === 'POST' && said.path === phone.lost) {
          phone.lost = ''
          return reject(new Error('request:fail'))
        }
        resolve({ statusCode: answer.statusCode, header: answer.headers, data: parsed(text), errMsg: 'request:ok' })
        return undefined
      })
    })
    sent.on('error', () => reject(new Error('request:fail')))
    sent.setTimeout(options.timeout || 60000, () => sent.destroy())
    if (!cut) return sent.end(body)
    // Half of the piece leaves, then the line is dead, and stays so.
    phone.offline = true
    sent.setHeader('content-length', body.length)
    sent.write(body.subarray(0, body.length >> 1), () => sent.destroy())
    return undefined
  }))

  const go = (how) => (options) => later(options, async () => pages[how](options.url))
  const system = {
    saveFile: (options) => later(options, async () => {
      const target = path.join(folder, `saved-${path.basename(options.tempFilePath)}`)
      fs.copyFileSync(options.tempFilePath, target)
      return { savedFilePath: target }
    }),
    removeSavedFile: (options) => later(options, async () => fs.unlinkSync(options.filePath)),
    readFile: (options) => later(options, async () => {
      const data = Buffer.alloc(options.length)
      const file = fs.openSync(options.filePath)
      fs.readSync(file, data, 0, options.length, options.position)
      fs.closeSync(file)
      return { data: data.buffer.slice(data.byteOffset, data.byteOffset + data.length) }
    }),
  }

  phone.wx = {
    request,
    getStorageSync: (key) => (key in storage ? JSON.parse(JSON.stringify(storage[key])) : ''),
    setStorageSync: (key, value) => {
      storage[key] = JSON.parse(JSON.stringify(value))
      save()
    },
    removeStorageSync: (key) => {
      delete storage[key]
      save()
    },
    arrayBufferToBase64: (buffer) => Buffer.from(buffer).toString('base64'),
    getFileSystemManager: () => system,
    login: (options) => later(options, async () => {
      if (!phone.codes.length) throw new Error('login:fail')
      return { code: phone.codes.shift() }
    }),
    chooseMedia: (options) => later(options, async () => {
      const tempFiles = phone.camera.splice(0, options.count).map((file) => ({
        tempFilePath: file, size: fs.statSync(file).size, fileType: options.mediaType[0],
      }))
      if (!tempFiles.length) throw new Error('chooseMedia:fail cancel')
      return { tempFiles }
    }),
    chooseLocation: (options) => later(options, async () => {
      if (!phone.there) throw new Error('chooseLocation:fail auth deny')
      return phone.there
    }),
    requestSubscribeMessage: (options) => {
      const tapping = phone.tapping
      later(options, async () => {
        if (!tapping) throw new Error('requestSubscribeMessage:fail can only be invoked by user TAP gesture.')
        phone.asked.push(options.tmplIds)
        return {}
      })
    },
    showModal: (options) => later(options, async () => ({ confirm: phone.sure, cancel: !phone.sure })),
    showToast: (options) => phone.toasts.push(options.title),
    setNavigationBarTitle: (options) => {
      phone.title = options.title
    },
    stopPullDownRefresh: () => undefined,
    makePhoneCall: (options) => phone.called.push(options.phoneNumber),
    previewImage: (options) => phone.previews.push(options.current),
    previewMedia: (options) => phone.previews.push(options.sources[0].url),
    navigateTo: go('push'),
    redirectTo: go('replace'),
    reLaunch: go('restart'),
    navigateBack: (options) => later(options || {}, async () => pages.back()),
  }
  return phone
}

function encoded(data) {
  if (data === undefined) return null
  if (data instanceof ArrayBuffer) return Buffer.from(data)
  return Buffer.from(typeof data === 'string' ? data : JSON.stringify(data))
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return text
  }
}

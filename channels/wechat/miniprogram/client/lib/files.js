// The files of a report or a supplement: kept on the phone until they are sent, uploaded one after the other.
//
// A box ("draft", or a case's number) holds a list, in storage, so that it outlives the app. Of a file: where it lies,
// how far it is (state: waiting, sending, done, stopped, refused), its upload's address, and its key once it is there.
const api = require('./api')
const ask = require('./ask')
const config = require('../config')
const look = require('./look')
const tus = require('./tus')
const { Trouble, told } = require('./trouble')

const running = {}
const watchers = {}
const MOST = 9

const name = (box) => `files.${box}`
const list = (box) => wx.getStorageSync(name(box)) || []

function put(box, files) {
  wx.setStorageSync(name(box), files)
  ;(watchers[box] || []).forEach((each) => each(files))
}

function change(box, id, more) {
  put(box, list(box).map((file) => (file.id === id ? Object.assign({}, file, more) : file)))
}

// Call back now and at every change; returns how to stop.
function watch(box, seen) {
  watchers[box] = (watchers[box] || []).concat(seen)
  seen(list(box))
  return () => {
    watchers[box] = watchers[box].filter((each) => each !== seen)
  }
}

// Let the citizen choose photos or a film, and begin to upload them.
async function choose(box, kind) {
  const left = MOST - list(box).length
  if (left <= 0) throw new Trouble('count')
  const options = { count: Math.min(left, 9), mediaType: [kind], sourceType: ['album', 'camera'], sizeType: ['compressed'] }
  let chosen
  try {
    chosen = (await ask('chooseMedia', options)).tempFiles
  } catch (error) {
    if (/cancel/.test(error.errMsg || '')) return
    throw new Trouble('album')
  }
  const added = []
  for (const each of chosen) added.push(await kept(each, kind))
  put(box, list(box).concat(added))
  await run(box)
}

// WeChat drops what was chosen when the app ends; saved, it can go on the next day.
async function kept(chosen, kind) {
  const ending = (/\.(\w{2,4})$/.exec(chosen.tempFilePath) || ['', kind === 'video' ? 'mp4' : 'jpg'])[1]
  const id = `${kind}-${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`
  const saved = await saving(chosen.tempFilePath)
  return { id, kind, path: saved, name: `${id}.${ending}`, size: chosen.size, at: 0, state: 'waiting', place: '', key: '', why: '' }
}

function saving(path) {
  return new Promise((resolve) => {
    const done = { success: (saved) => resolve(saved.savedFilePath), fail: () => resolve(path) }
    wx.getFileSystemManager().saveFile(Object.assign({ tempFilePath: path }, done))
  })
}

// Upload what is not there yet; one run at a time for a box.
function run(box) {
  if (!running[box]) {
    running[box] = through(box).finally(() => {
      delete running[box]
    })
  }
  return running[box]
}

async function through(box) {
  let next
  while ((next = list(box).find((file) => file.state === 'waiting' || file.state === 'sending'))) {
    await one(box, next.id)
  }
}

async function one(box, id) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await sent(box, id)
    } catch (error) {
      const passing = error instanceof Trouble && (error.kind === 'offline' || error.status >= 500)
      if (passing && tries < config.waits.length) {
        await new Promise((resolve) => setTimeout(resolve, config.waits[tries]))
        continue
      }
      const state = passing || error.status === 429 ? 'stopped' : 'refused'
      return change(box, id, { state, why: told(error, look.get().lang) })
    }
  }
}

const found = (box, id) => list(box).find((file) => file.id === id)

async function sent(box, id) {
  const { lang } = look.get()
  const { name: called, path, size, place } = found(box, id)
  let at = place ? await tus.stands(place) : -1
  let where = place
  if (at < 0) {
    where = await tus.begin(await api.grant(), called, size, lang)
    at = 0
  }
  change(box, id, { state: 'sending', place: where, at, why: '' })
  while (at < size) {
    const before = at
    at = await tus.piece(where, path, at, size, lang)
    if (!found(box, id)) return
    if (at === before) throw new Trouble('offline')
    if (at < 0) return change(box, id, { state: 'waiting', place: '', at: 0 })
    change(box, id, { at })
  }
  await named(box, id)
}

// What was taken in has a key; it is known by the name it was sent under.
async function named(box, id) {
  const there = (await api.uploaded()).find((file) => file.name.startsWith(`${id}.`))
  if (!there) return change(box, id, { state: 'refused', why: told(new Trouble('gone'), look.get().lang) })
  change(box, id, { state: 'done', key: there.key, at: found(box, id).size })
}

// Go on with what stopped.
function again(box) {
  put(box, list(box).map((file) => (file.state === 'stopped' ? Object.assign({}, file, { state: 'waiting' }) : file)))
  return run(box)
}

// Upload all once more: the gateway does not have them any more (the session ended, or a day went by).
function anew(box) {
  put(box, list(box).map((file) => Object.assign({}, file, { state: 'waiting', place: '', key: '', at: 0 })))
  return run(box)
}

function remove(box, id) {
  const file = found(box, id)
  if (file) drop(file.path)
  put(box, list(box).filter((each) => each.id !== id))
}

function clear(box) {
  list(box).forEach((file) => drop(file.path))
  wx.removeStorageSync(name(box))
}

// What was chosen for one thing is for another now.
function move(from, to) {
  put(to, list(to).concat(list(from)))
  put(from, [])
}

function drop(path) {
  wx.getFileSystemManager().removeSavedFile({ filePath: path, success() {}, fail() {} })
}

// The keys of what is there; ready when all is: what was not taken must be removed by the citizen, who then knows.
const keys = (box) => list(box).filter((file) => file.key).map((file) => file.key)
const ready = (box) => list(box).every((file) => file.state === 'done')

module.exports = { watch, choose, run, again, anew, remove, clear, move, keys, ready, list }

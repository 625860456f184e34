// The session: its token is kept on the phone, and a new one is had by wx.login when there is none or it has ended.
const ask = require('./ask')
const config = require('../config')
const http = require('./http')
const trouble = require('./trouble')

const KEY = 'token'
let coming = null

function token() {
  return wx.getStorageSync(KEY) || begun()
}

// A token instead of one that was refused; whoever asks while one is coming gets the same.
function instead(old) {
  if (wx.getStorageSync(KEY) === old) wx.removeStorageSync(KEY)
  return token()
}

function keep(fresh) {
  wx.setStorageSync(KEY, fresh)
  return fresh
}

function begun() {
  if (!coming) {
    coming = began().then(
      (fresh) => {
        coming = null
        return keep(fresh)
      },
      (error) => {
        coming = null
        throw error
      },
    )
  }
  return coming
}

async function began() {
  const answer = config.account ? await signedIn() : await http.call('POST', '/api/v1/sessions')
  if (answer.status !== 201 && answer.status !== 200) throw trouble.of(answer)
  return answer.data.token
}

// A login code is good once; one that was too old is asked for once more.
async function signedIn() {
  const answer = await brought()
  return answer.status === 401 ? brought() : answer
}

async function brought() {
  let code
  try {
    code = (await ask('login', { timeout: config.patience })).code
  } catch (error) {
    throw new trouble.Trouble('login')
  }
  return http.call('POST', '/api/v1/sessions/wechat', { data: { account: config.account, code } })
}

module.exports = { token, instead, keep }

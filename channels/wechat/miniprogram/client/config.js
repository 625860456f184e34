// What one city sets. docs/miniprogram.md says how.
module.exports = {
  // Where the gateway is, https and no slash at the end; also a request domain in the WeChat console.
  base: 'https://your.host',
  // The gateway's account of kind "miniprogram"; empty: nobody is signed in, cases are this phone's alone.
  account: '',
  city: '',
  hotline: '12345',
  // The notice's version; a new one is shown again before the next report.
  noticeVersion: '2026-1',
  privacyUrl: '',
  // Milliseconds an answer may take; how large the pieces of an upload are, in bytes, and how long it waits between tries.
  patience: 20000,
  piece: 512 * 1024,
  waits: [1000, 4000],
}

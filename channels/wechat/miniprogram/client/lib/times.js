// Times as they are read: the gateway writes them in the hotline's own zone, and they are shown in it.
const minute = (written) => (written ? written.slice(0, 16).replace('T', ' ') : '')
const day = (written) => (written ? written.slice(0, 10) : '')

module.exports = { minute, day }

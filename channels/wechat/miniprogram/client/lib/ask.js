// WeChat's verbs as promises; one that fails rejects with what WeChat said.
module.exports = (name, options) =>
  new Promise((resolve, reject) => {
    wx[name](Object.assign({}, options, { success: resolve, fail: reject }))
  })

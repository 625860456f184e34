// One entry of the knowledge base.
const api = require('../../lib/api')
const page = require('../../lib/page')

page('entry', {
  data: { it: null },

  onLoad(query) {
    this.id = query.id || ''
  },

  onShow() {
    return this.during(async () => {
      this.setData({ it: await api.entry(this.id) })
    })
  },
})

// Begins with what the citizen chose last time: language and view.
const draft = require('./lib/draft')

App({
  onLaunch() {
    draft.sweep()
  },
})

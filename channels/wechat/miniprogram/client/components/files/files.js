// Choosing photos and films, and how far each is.
const files = require('../../lib/files')
const look = require('../../lib/look')
const texts = require('../../lib/texts')

Component({
  options: { addGlobalClass: true },
  properties: { box: String },
  data: { rows: [], stopped: false, t: {} },

  lifetimes: {
    attached() {
      this.setData({ t: texts.of(look.get().lang, 'files') })
      this.stop = files.watch(this.data.box, (list) => this.show(list))
      files.again(this.data.box)
    },
    detached() {
      if (this.stop) this.stop()
    },
  },

  methods: {
    show(list) {
      const t = this.data.t
      const rows = list.map((file, at) => ({
        id: file.id,
        name: `${file.kind === 'video' ? t.film : t.image} ${at + 1}`,
        path: file.kind === 'image' ? file.path : '',
        state: t[file.state],
        part: file.size ? Math.floor((file.at * 100) / file.size) : 0,
        moving: file.state === 'sending',
        why: file.why,
      }))
      this.setData({ rows, stopped: list.some((file) => file.state === 'stopped') })
    },

    photo() {
      return this.choose('image')
    },

    video() {
      return this.choose('video')
    },

    async choose(kind) {
      try {
        await files.choose(this.data.box, kind)
      } catch (error) {
        this.triggerEvent('trouble', error)
      }
    },

    again() {
      return files.again(this.data.box)
    },

    remove(event) {
      files.remove(this.data.box, event.currentTarget.dataset.id)
    },
  },
})

// Somebody may be in danger: whom to call, before anything else.
Component({
  options: { addGlobalClass: true },
  properties: { about: Object, label: String },
  methods: {
    call() {
      wx.makePhoneCall({ phoneNumber: this.data.about.number, fail() {} })
    },
  },
})

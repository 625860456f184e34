// What went wrong, where the citizen sees and hears it at once.
Component({
  options: { addGlobalClass: true },
  properties: { text: String },
})

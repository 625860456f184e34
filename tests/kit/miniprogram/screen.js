// A telephone's screen for tests: pages are compiled by WeChat's own compiler and rendered by miniprogram-simulate.
const fs = require('fs')
const path = require('path')
const { JSDOM } = require('jsdom')

const NAMES = ['window', 'document', 'HTMLElement', 'Node', 'Event', 'CustomEvent', 'MutationObserver', 'Element']
// Of WeChat's built-in components, those that are used.
const KNOWN = ['view', 'text', 'button', 'input', 'textarea', 'image', 'progress']

module.exports = (root) => {
  const { window } = new JSDOM('<!doctype html><html><body></body></html>', { pretendToBeVisual: true })
  NAMES.forEach((name) => {
    global[name] = name === 'window' ? window : window[name]
  })
  global.requestAnimationFrame = window.requestAnimationFrame
  const { document } = window
  const simulate = require('miniprogram-simulate')
  const exparser = require('miniprogram-exparser')

  const style = document.createElement('style')
  style.textContent = fs.readFileSync(path.join(root, 'app.wxss'), 'utf8')
    .replace(/(^|\s)textarea\./g, '$1wx-textarea.')
  document.head.appendChild(style)

  // A page is made of a component whose methods are the page's; app.wxss holds for all.
  const component = global.Component
  global.Component = (definition) => component(Object.assign({}, definition, {
    options: Object.assign({}, definition.options, { classPrefix: '' }),
  }))
  global.Page = ({ data, ...methods }) => global.Component({ data, methods })

  const render = (name) => {
    const id = simulate.load(path.join(root, name), 'page', { rootPath: root })
    const made = simulate.render(id)
    const place = document.createElement('div')
    document.body.appendChild(place)
    made.attach(place)
    return { instance: made.instance, dom: made.dom, close: () => { made.detach(); place.remove() } }
  }

  const all = (dom, selector) => [...dom.querySelectorAll(selector)]
  const text = (dom) => dom.textContent.replace(/\s+/g, ' ').trim()
  const node = (element) => element.__wxElement

  const send = (element, name, detail) => {
    const options = { bubbles: true, capturePhase: true, composed: true, extraFields: { touches: {}, changedTouches: {} } }
    exparser.Event.dispatchEvent(node(element), exparser.Event.create(name, detail || {}, options))
  }

  const styled = (element, name) => window.getComputedStyle(element)[name]
  // A function of the size of an element's type in pixels: its own, else its parent's.
  const sizes = () => {
    const known = new Map()
    const size = (each) => {
      if (!each || each.nodeType !== 1) return 0
      if (!known.has(each)) {
        const own = styled(each, 'font-size')
        known.set(each, /px$/.test(own) ? parseFloat(own) : size(each.parentNode))
      }
      return known.get(each)
    }
    return size
  }

  return { render, all, text, node, send, styled, sizes, KNOWN }
}

// Where it is: from the telephone's own position, or by a pin on a map where the city has set one.
// The telephone and most maps abroad speak WGS-84, Chinese maps GCJ-02; the field "datum" says which it is.

const AXIS = 6378245;
const ECCENTRICITY = 0.00669342162296594323;

/** Return GCJ-02 degrees [lon, lat] of WGS-84 ones, for showing where the telephone is on a Chinese map. */
export function toGcj(lon, lat) {
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lon, lat];
  const [x, y] = [lon - 105, lat - 35];
  const waves = (at, all) => all.reduce((sum, [high, often]) => sum + high * Math.sin(at * often * Math.PI), 0) * 2 / 3;
  const root = Math.sqrt(Math.abs(x));
  const short = waves(x, [[20, 6], [20, 2]]);
  const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + short
    + waves(x, [[20, 1], [40, 1 / 3], [150, 1 / 12], [300, 1 / 30]]);
  const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + short
    + waves(y, [[20, 1], [40, 1 / 3], [160, 1 / 12], [320, 1 / 30]]);
  const angle = lat * Math.PI / 180;
  const bend = 1 - ECCENTRICITY * Math.sin(angle) ** 2;
  const degrees = 180 / Math.PI;
  return [
    lon + east * degrees / (AXIS / Math.sqrt(bend) * Math.cos(angle)),
    lat + north * degrees / (AXIS * (1 - ECCENTRICITY) / bend ** 1.5),
  ];
}

export function start(place) {
  const said = place.querySelector('#located');
  const words = said.dataset;
  const field = (name) => document.querySelector(`#${name}`);
  let show = () => {};

  function keep(lon, lat, datum, word) {
    field('lon').value = lon.toFixed(6);
    field('lat').value = lat.toFixed(6);
    field('datum').value = datum;
    said.textContent = words[word];
  }

  const locate = place.querySelector('#locate');
  if (navigator.geolocation) {
    place.querySelector('.locate').hidden = false;
    locate.addEventListener('click', () => {
      said.textContent = words.asking;
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          keep(coords.longitude, coords.latitude, 'wgs84', 'ok');
          show(coords.longitude, coords.latitude);
        },
        () => { said.textContent = words.failed; },
        { enableHighAccuracy: true, timeout: 10000 },
      );
    });
  }

  const box = place.querySelector('#map');
  if (box) map(box, keep).then((shown) => { show = shown; }).catch(() => {});
}

async function map(box, keep) {
  const given = box.dataset;
  const style = document.createElement('link');
  style.rel = 'stylesheet';
  style.href = given.style;
  document.head.append(style);
  await import(given.leaflet);
  const { L } = window;
  const datum = given.datum;
  const hasPin = given.lon !== '';
  const middle = hasPin ? [given.lat, given.lon] : given.center.split(',').reverse();
  box.hidden = false;
  document.querySelector('#pin').hidden = false;
  const shown = L.map(box, { zoomControl: true }).setView(middle.map(Number), Number(hasPin ? 17 : given.zoom));
  L.tileLayer(given.tiles, { attribution: given.attribution, subdomains: given.subdomains, maxZoom: 18 }).addTo(shown);
  const icon = L.divIcon({ className: 'pin', iconSize: [44, 44], iconAnchor: [22, 44] });
  let pin = null;

  function put(at) {
    if (!pin) {
      pin = L.marker(at, { icon, draggable: true, keyboard: false, alt: given.pin }).addTo(shown);
      pin.on('dragend', () => take(pin.getLatLng()));
    }
    pin.setLatLng(at);
  }

  function take(at) {
    put(at);
    keep(at.lng, at.lat, datum, 'pinned');
  }

  if (hasPin) put(shown.getCenter());
  shown.on('click', (event) => take(event.latlng));
  // By keyboard: arrows move the map, Enter or the button puts the pin in its middle.
  document.querySelector('#pin').addEventListener('click', () => take(shown.getCenter()));
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.target !== box) return;
    event.preventDefault();
    take(shown.getCenter());
  });
  return (lon, lat) => {
    const [east, north] = datum === 'gcj02' ? toGcj(lon, lat) : [lon, lat];
    shown.setView([north, east], 17);
    put([north, east]);
  };
}

// Small comforts; every page works without them.

const problems = document.querySelector('.problems');
if (problems) problems.focus();

for (const form of document.querySelectorAll('form')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = 'yes';
    setTimeout(() => delete form.dataset.sent, 4000);
  });
}

const locate = document.querySelector('#locate');
if (locate && navigator.geolocation) {
  locate.parentElement.hidden = false;
  const said = document.querySelector('#located');
  locate.addEventListener('click', () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        document.querySelector('#lon').value = coords.longitude.toFixed(6);
        document.querySelector('#lat').value = coords.latitude.toFixed(6);
        said.textContent = said.dataset.ok;
      },
      () => { said.textContent = said.dataset.failed; },
      { enableHighAccuracy: true, timeout: 10000 },
    );
  });
}

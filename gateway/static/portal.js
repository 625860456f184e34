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

// What one page needs alone comes when that page is open.
for (const element of document.querySelectorAll('[data-module]')) {
  import(element.dataset.module).then((module) => module.start(element)).catch(() => {});
}

// Reasons are asked only of who is not content.
const reasons = document.querySelector('#reasons');
if (reasons) {
  const show = () => {
    const score = document.querySelector('input[name=score]:checked');
    reasons.hidden = !score || Number(score.value) > 2;
  };
  document.addEventListener('change', show);
  show();
}

const print = document.querySelector('#print');
if (print) {
  print.hidden = false;
  print.addEventListener('click', () => window.print());
}

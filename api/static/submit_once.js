// A second click while the first is on its way sends nothing. The server does not depend on it.
const LONGEST_WAIT_MS = 15_000;
const sending = new WeakSet();

function buttonsOf(form) {
  return form.querySelectorAll('button[type="submit"]');
}

function release(form) {
  sending.delete(form);
  for (const button of buttonsOf(form)) {
    if (!button.hasAttribute("data-waiting")) button.removeAttribute("aria-disabled");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (sending.has(form)) {
    event.preventDefault();
    return;
  }
  sending.add(form);
  for (const button of buttonsOf(form)) button.setAttribute("aria-disabled", "true");
  setTimeout(() => release(form), LONGEST_WAIT_MS);
});

// Back again, from the browser's cache of pages: the buttons work as before.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form").forEach(release);
});

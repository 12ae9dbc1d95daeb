// The code page: counts down, keeps "again" waiting, and follows the mail while it is on its way.
import { countDown } from "./countdown.js";

const LOOK_EVERY_MS = 3_000;
const LOOK_FOR_MS = 10 * 60_000;

for (const element of document.querySelectorAll("[data-countdown]:not([data-again-wait])")) {
  element.hidden = false;
  countDown(element, Number(element.dataset.countdown), element.dataset.words);
}

const again = document.querySelector("form[data-again]");
const wait = Number(again?.dataset.wait ?? 0);
if (wait > 0) {
  const button = again.querySelector("button");
  button.setAttribute("aria-disabled", "true");
  button.setAttribute("data-waiting", "");
  const stop = (event) => event.preventDefault();
  again.addEventListener("submit", stop);
  const words = again.querySelector("[data-again-wait]");
  countDown(words, wait, words.dataset.words, () => {
    again.removeEventListener("submit", stop);
    button.removeAttribute("data-waiting");
    button.removeAttribute("aria-disabled");
  });
}

const state = document.getElementById("mail-state");
const page = document.querySelector("form[data-again]")?.action;
const until = performance.now() + LOOK_FOR_MS;

async function look() {
  if (state.dataset.state !== "queued" || performance.now() > until) return;
  if (!document.hidden) await renew().catch(() => {});
  setTimeout(look, LOOK_EVERY_MS);
}

// Only the words about the mail are renewed: what is being typed stays.
async function renew() {
  const answer = await fetch(page, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const newer = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = newer.getElementById("mail-state");
  if (!found || found.textContent.trim() === state.textContent.trim()) return;
  state.dataset.state = found.dataset.state;
  state.replaceChildren(...found.childNodes);
}

if (state && page) setTimeout(look, LOOK_EVERY_MS);

// What is said over a signing window: that it is lost, that its document was changed, that it is about
// to be closed for silence. None is escaped. The question whether somebody is still there comes over
// whatever is open, also what somebody reads because of us, and leaves it as it was (WCAG 2.2.1).
import { countDown } from "./countdown.js";
import { refuseEscape } from "./no_escape.js";

const lostDialog = document.querySelector("[data-lost-dialog]");
const staleDialog = document.querySelector("[data-stale-dialog]");
const idleDialog = document.querySelector("[data-idle-dialog]");
const NO_WAY_BACK = ["link_renewed", "session_ended"];

let stopCounting = () => {};

for (const each of [lostDialog, staleDialog, idleDialog]) refuseEscape(each);

// `look` is what shows the changes, `stay` the answer "I'm still here".
export function whenAnswered({ look, stay }) {
  staleDialog.querySelector("[data-stale-look]").addEventListener("click", look);
  idleDialog.querySelector("[data-signing-stay]").addEventListener("click", stay);
}

// A browser's end has the room's words, a window's its own.
function wordsOf(reason, isBrowsers) {
  const name = CSS.escape(reason ?? "");
  const own = document.querySelector(`template[data-window-reason="${name}"]`);
  const rooms = isBrowsers && document.querySelector(`template[data-reason="${name}"]`);
  return (rooms || own || document.querySelector('template[data-window-reason=""]')).dataset.words;
}

export function showLost(reason, { isBrowsers }) {
  lostDialog.querySelector("[data-lost-words]").textContent = wordsOf(reason, isBrowsers);
  lostDialog.querySelector("[data-lost-back]").hidden = NO_WAY_BACK.includes(reason);
  calm();
  document.querySelectorAll("dialog[open]").forEach((each) => each.close());
  document.body.classList.add("is-over");
  lostDialog.showModal();
}

export function showKept() {
  lostDialog.querySelector("[data-lost-kept]").hidden = false;
}

export function showStale() {
  if (staleDialog.open) return;
  const isAsked = isAsking();
  if (isAsked) idleDialog.close();
  staleDialog.showModal();
  if (isAsked) idleDialog.showModal();
}

export function isStale() {
  return staleDialog.open;
}

export function warn(seconds) {
  const left = idleDialog.querySelector("[data-signing-left]");
  stopCounting();
  stopCounting = countDown(left, seconds, left.dataset.words);
  if (!idleDialog.open) idleDialog.showModal();
}

export function isAsking() {
  return idleDialog.open;
}

export function calm() {
  stopCounting();
  if (idleDialog.open) idleDialog.close();
}

// It is over for everybody: the room says so, and nothing of the window's own hides what was typed.
export function giveWay() {
  calm();
  if (staleDialog.open) staleDialog.close();
}

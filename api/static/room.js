// A page of the room: hears of the end at once, warns before an idle place is lost, says "still here".
import { countDown } from "./countdown.js";
import { follow } from "./live.js";
import { refuseEscape } from "./no_escape.js";

const STAY_AT_MOST_EVERY_MS = 60_000;
const READ_FOR_MS = 4_000;
const ACTIVE_AT_MOST_EVERY_MS = 10_000;

const room = document.getElementById("room").dataset.room;
const tell = follow(`gatepass-${room.split("/").pop()}`, `${room}/events`, hear);

// A page that has more to say of it says so itself, and may take the end into its own hands.
function hear(message) {
  const event = new CustomEvent("gatepass:live", { detail: message, cancelable: true });
  if (!document.dispatchEvent(event)) return;
  if (message.event === "ended") showEnd(message.reason);
  if (message.event === "idle") warn(message.seconds_left);
  if (message.event === "active") calm();
}

// The end: a notice over the whole page, which the room's own page then explains. Only the first counts.
let isTold = false;

export function showEnd(reason) {
  const words = document.querySelector(`template[data-reason="${CSS.escape(reason)}"]`);
  const notice = document.querySelector("[data-ended-notice]");
  if (!words || isTold) return;
  isTold = true;
  calm();
  notice.querySelector("[data-ended-title]").textContent = words.dataset.title;
  notice.querySelector("[data-ended-words]").textContent = words.dataset.words;
  const isTyped = hasUnsent();
  notice.querySelector("[data-unsent]").hidden = !isTyped;
  const copy = notice.querySelector("[data-ended-copy]");
  copy.hidden = !isTyped;
  copy.addEventListener("click", () => notice.close());
  refuseEscape(notice);
  notice.querySelector("[data-ended-go]").addEventListener("click", explain);
  document.body.classList.add("is-over");
  notice.showModal();
  // After Quit nothing is known of this browser any more: the notice itself is the explanation.
  if (reason === "quit") notice.querySelector("[data-ended-go]").hidden = true;
  else if (!isTyped) setTimeout(explain, READ_FOR_MS);
}

function explain() {
  location.assign(room);
}

function hasUnsent() {
  const controls = document.querySelectorAll("main form :is(input, textarea, select)");
  return [...controls].some((each) => {
    if (each.type === "hidden") return false;
    if (each.type === "checkbox" || each.type === "radio") return each.checked !== each.defaultChecked;
    if (each.options) return [...each.options].some((option) => option.selected !== option.defaultSelected && option.value);
    // What was saved on the way to a signature was never sent either, and is read here alone.
    return each.value !== (each.closest("[data-place]") ? "" : each.defaultValue);
  });
}

// The idle warning, and activity in any tab that keeps the place.

const banner = document.querySelector("[data-idle]");
let stopCounting = () => {};

function warn(seconds) {
  const left = banner.querySelector("[data-idle-left]");
  stopCounting();
  stopCounting = countDown(left, seconds, left.dataset.words);
  banner.hidden = false;
}

function calm() {
  stopCounting();
  banner.hidden = true;
}

let stayedAt = performance.now();

async function stay() {
  stayedAt = performance.now();
  const answer = await fetch(`${room}/stay`, { method: "POST" }).catch(() => null);
  // A refusal is not shown here: the connection tells why, and what was typed stays on the page.
  if (answer?.ok) tell({ event: "active" });
}

banner.querySelector("[data-stay]").addEventListener("click", stay);
document.addEventListener("input", () => {
  if (performance.now() - stayedAt > STAY_AT_MOST_EVERY_MS) stay();
});

// Any tab's activity counts, so the others hear of it (SX-3).
let toldAt = 0;

function beActive() {
  if (performance.now() - toldAt < ACTIVE_AT_MOST_EVERY_MS) return;
  toldAt = performance.now();
  tell({ event: "activity" });
}

for (const sign of ["pointerdown", "keydown"]) document.addEventListener(sign, beActive, { passive: true });

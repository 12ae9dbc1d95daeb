// A signed-in member's page: hears of the end at once, asks in every tab before it comes (EE-7).
import { countDown } from "./countdown.js";
import { follow } from "./live.js";

const STAY_AT_MOST_EVERY_MS = 30_000;

const { base, member, reacquires } = document.getElementById("console").dataset;
const name = `gatepass-console-${base.split("/").pop()}`;
const tell = follow(name, `${base}/events?member=${member}`, hear);
// Tabs of whoever was signed in here before learn that somebody else is.
tell({ event: "signed_in", member });

function hear(message) {
  if (message.event === "ended" && !comesAgain(message)) leave();
  if (message.event === "signed_in" && message.member !== member) leave();
  if (message.event === "idle") warn(message.seconds_left);
  if (message.event === "active") calm();
}

// The next request begins a new session by itself, and what was typed here is not lost (EE-3).
function comesAgain(message) {
  return reacquires !== undefined && message.reason !== "different_user";
}

// The whole page goes to the sign-in, which says why it ended and leads back here.
function leave() {
  document.dispatchEvent(new Event("gatepass:ended"));
  const here = location.pathname + location.search;
  location.replace(`${base}/sign-in?next=${encodeURIComponent(here)}`);
}

// The warning; the server's clock decides, and an answer in any tab counts for all.

const dialog = document.querySelector("[data-warning]");
let stopCounting = () => {};

function warn(seconds) {
  document.dispatchEvent(new Event("gatepass:idle"));
  if (!dialog) return;
  const left = dialog.querySelector("[data-warning-left]");
  stopCounting();
  stopCounting = countDown(left, seconds, left.dataset.words);
  if (!dialog.open) dialog.showModal();
}

function calm() {
  if (!dialog) return;
  stopCounting();
  if (dialog.open) dialog.close();
}

let stayedAt = performance.now();

async function stay() {
  stayedAt = performance.now();
  const answer = await fetch(`${base}/stay`, { method: "POST" }).catch(() => null);
  // A refusal is not shown here: the connection tells why.
  if (answer?.ok) tell({ event: "active" });
}

dialog?.querySelector("[data-stay]").addEventListener("click", stay);
// Somebody who presses Escape is there.
dialog?.addEventListener("cancel", (event) => {
  event.preventDefault();
  stay();
});
document.addEventListener("input", () => {
  if (performance.now() - stayedAt > STAY_AT_MOST_EVERY_MS) stay();
});

// The window of an editor: says that it is open, hears at once when another one took its place, and
// then saves nothing any more; what it had not saved is kept apart (EX-16, EX-17, N8).
import { follow } from "./live.js";
import { refuseEscape } from "./no_escape.js";
import { every } from "./steady.js";

const RELOADED_WITHIN_MS = 1_500;

const { address, agreement, window: name, fence, version, member, beat: pace } =
  document.getElementById("editing").dataset;
const form = document.getElementById("editor");
const dialog = document.querySelector("[data-lost]");
let isLost = false;
let isLeaving = false;
let stopBeating = () => {};

// A tab that was duplicated has the other's name: it asks for a place of its own.
if (navigator.locks) {
  const late = AbortSignal.timeout(RELOADED_WITHIN_MS);
  navigator.locks
    .request(`gatepass-window-${name}`, { signal: late }, () => {
      begin();
      return new Promise(() => {});
    })
    .catch((error) => {
      if (!["AbortError", "TimeoutError"].includes(error.name)) throw error;
      askForOwnPlace();
    });
} else {
  begin();
}

function askForOwnPlace() {
  isLeaving = true;
  const own = document.createElement("form");
  own.method = "post";
  own.action = `${address}/edit`;
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = "window";
  input.value = crypto.randomUUID();
  own.append(input);
  document.body.append(own);
  own.submit();
}

function begin() {
  beat();
  stopBeating = every(pace, beat);
  follow(`gatepass-editing-${agreement}`, `${address}/events`, hear);
}

// Back from the browser's cache of pages the lock is gone, but not the name.
addEventListener("pageshow", (event) => event.persisted && location.reload());

function hear(message) {
  if (message.event !== "editing" || isLost) return;
  if (String(message.fence) !== fence) {
    lose(message.member === member ? "opened_elsewhere" : "taken_over");
  } else if (message.version > Number(version)) {
    document.querySelector("[data-newer]").hidden = false;
  }
}

function place(more = {}) {
  return new URLSearchParams({ window: name, fence, ...more });
}

async function beat() {
  if (isLeaving) return;
  const answer = await send("beat", place());
  if (answer?.status === 409) lose((await answer.json()).reason);
}

function send(what, body) {
  const sent = { method: "POST", body, keepalive: body.toString().length < 60_000 };
  return fetch(`${address}/edit/${what}`, sent).catch(() => null);
}

async function lose(reason) {
  if (isLost) return;
  isLost = true;
  stopBeating();
  say(reason, "");
  form.inert = true;
  refuseEscape(dialog);
  dialog.showModal();
  const answer = await send("left-behind", new URLSearchParams(new FormData(form)));
  if (answer?.status !== 200) return;
  const told = await answer.json();
  say(told.reason, told.who);
  dialog.querySelector("[data-lost-kept]").hidden = !told.kept;
}

function say(reason, who) {
  const known = document.querySelector(`template[data-reason="${CSS.escape(reason)}"]`);
  const words = known ?? document.querySelector('template[data-reason="session_ended"]');
  dialog.querySelector("[data-lost-words]").textContent = who
    ? words.dataset.named.replace("{who}", () => who)
    : words.dataset.words;
}

form.addEventListener("submit", () => (isLeaving = true));
addEventListener("pagehide", () => {
  stopBeating();
  if (!isLost && !isLeaving) navigator.sendBeacon(`${address}/edit/beat`, place({ leaving: "yes" }));
});

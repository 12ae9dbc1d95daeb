// The window in which a document is signed: keeps its place, saves what is entered, hears what becomes
// of it. The server decides; without this script the page's form does the same on request.
import { showEnd } from "./room.js";
import * as dialogs from "./signing_dialogs.js";
import { isOnlyOne } from "./signing_lock.js";
import { drawPages } from "./signing_pages.js";
import { prepareMarks } from "./signing_marks.js";
import { followFields } from "./signing_progress.js";
import { every } from "./steady.js";

const SAVE_AFTER_MS = 1_000;
const SAVE_AT_LEAST_EVERY_MS = 2_000;
const RETRY_AFTER_MS = 3_000;
const FIRST_LOOKS_MS = [0, 700, 2_000];
const ACTIVITY_EVERY_MS = 10_000;
const KEEPALIVE_BYTES = 60_000;
const NEWS_WITHIN_MS = 3_000;
const SENT_WITHIN_MS = 5_000;

const here = document.getElementById("signing").dataset;
const form = document.querySelector("[data-signing-form]");
// Ends of this browser's place. The others are the whole session's, and the room tells of them.
const own = ["quit", "inactive", "opened_elsewhere", "session_ended", "link_renewed"];
let isOver = false;
let awaitsNews = false;
let goingOn = 0;

// After a post the address is the page's again, so that a reload sends nothing.
const address = `${here.task}?window=${here.window}`;
history.replaceState(null, "", address);

// What is said to the server. A place is named with everything.

function placed(values = {}) {
  return new URLSearchParams({ window: here.window, fence: here.fence, ...values });
}

async function post(what, body, more = {}) {
  return fetch(`${here.task}/${what}`, { method: "POST", body, ...more });
}

async function refusalOf(answer) {
  return answer.json().catch(() => ({}));
}

// Whether the answer was taken; a refusal is shown.
async function heed(answer) {
  if (answer.ok) return true;
  const refusal = await refusalOf(answer);
  const kind = refusal.type?.split("/").at(-1);
  if (kind === "window-lost") lose(refusal.reason, refusal);
  else if (kind === "binding-lost") lose(refusal.reason, { ...refusal, isBrowsers: true });
  else if (kind === "agreement-stale") stale();
  else if (kind === "session-ended" || kind === "erased") {
    // Which end it was is about to be told; leaving now would take along what was typed.
    rest();
    setTimeout(() => showEnd("session_ended"), NEWS_WITHIN_MS);
  } else if (kind === "not-found") {
    // Out, by Quit or a link that was replaced: that, too, is about to be told.
    rest();
    awaitsNews = true;
    setTimeout(() => awaitsNews && location.replace(address), NEWS_WITHIN_MS);
  } else if (answer.status < 500) {
    // Signed, closed: its page says which.
    isOver = true;
    location.replace(address);
  }
  return false;
}

function rest() {
  isOver = true;
  awaitsNews = false;
  clearTimeout(timer);
  clearTimeout(goingOn);
  dialogs.giveWay();
}

// Saving: soon after typing stops, and at least every two seconds while it goes on (N8).

let unsavedSince = 0;
let isUntouched = true;
let timer = 0;
let saving = null;
const savedWords = document.querySelector("[data-saved]");

function entered() {
  isUntouched = false;
  const now = performance.now();
  unsavedSince ||= now;
  clearTimeout(timer);
  const latest = unsavedSince + SAVE_AT_LEAST_EVERY_MS - now;
  timer = setTimeout(save, Math.max(0, Math.min(SAVE_AFTER_MS, latest)));
}

// Somebody typed before this script was there.
function isAheadOfScript() {
  const controls = form.querySelectorAll("[data-place] input:not([type=hidden])");
  return [...controls].some((each) => (each.type === "checkbox" ? each.checked !== each.defaultChecked : each.value !== each.defaultValue));
}

function say(words) {
  if (savedWords && savedWords.textContent !== words) savedWords.textContent = words;
}

async function save() {
  clearTimeout(timer);
  if (!form || !unsavedSince || isOver) return;
  if (saving) {
    await saving;
    return save();
  }
  unsavedSince = 0;
  saving = send().finally(() => (saving = null));
  await saving;
}

function everything() {
  const body = new URLSearchParams(new FormData(form));
  body.delete("code");
  return body;
}

async function send() {
  say(here.wordsSaving);
  const body = everything();
  const keepalive = body.toString().length < KEEPALIVE_BYTES;
  const answer = await post("values", body, { keepalive }).catch(() => null);
  if (answer === null || answer.status >= 500) {
    say(here.wordsUnsaved);
    unsavedSince ||= performance.now();
    timer = setTimeout(save, RETRY_AFTER_MS);
    return;
  }
  if (!(await heed(answer))) return;
  const { errors = {} } = await answer.json();
  say(Object.keys(errors).length ? here.wordsUnfit : here.wordsSaved);
  fields?.mark(errors);
}

// Signs of life: the window's every few seconds, hidden or not, the person's with the next one.

let wasActive = true;
let toldActiveAt = 0;

function active() {
  wasActive = true;
  const now = performance.now();
  if (now - toldActiveAt < ACTIVITY_EVERY_MS) return;
  toldActiveAt = now;
  if (document.hidden || dialogs.isAsking()) beat();
}

async function beat() {
  if (isOver) return;
  const body = placed(wasActive ? { active: "yes" } : {});
  wasActive = false;
  const answer = await post("beat", body).catch(() => null);
  if (!answer || answer.status >= 500 || !(await heed(answer))) return;
  const said = await answer.json();
  showLeftBehind(said.left_behind, said.left_behind_newest);
  if (String(said.version) !== here.version) stale();
  // What was sent by the page before, when it was reloaded, arrived after this one was made.
  else if (form && isUntouched && said.saved !== here.saved && !isOver) {
    isOver = true;
    location.replace(address);
  }
}

function showLeftBehind(count, newest) {
  const notice = document.querySelector("[data-left-behind]");
  if (!notice || !count || notice.dataset.newest === newest) return;
  const words = notice.querySelector("[data-left-behind-words]");
  words.textContent = count === 1 ? words.dataset.one : words.dataset.many.replace("{count}", count);
  notice.hidden = false;
}

function leave() {
  if (isOver) return;
  if (unsavedSince) save();
  navigator.sendBeacon(`${here.task}/leave`, placed());
}

// What becomes of this window: lost, changed under it, or about to be closed for silence.

function lose(reason, { kept = false, isBrowsers = false } = {}) {
  if (kept) dialogs.showKept();
  if (isOver && !awaitsNews) return;
  rescue();
  isOver = true;
  awaitsNews = false;
  dialogs.showLost(reason, { isBrowsers });
}

// What was typed since the last save goes after it, and is kept for whoever has the place now (N8).
async function rescue() {
  if (!form || (!unsavedSince && !saving)) return;
  const answer = await post("values", everything()).catch(() => null);
  if (answer?.status === 409 && (await refusalOf(answer)).kept) dialogs.showKept();
}

function stale() {
  if (isOver || dialogs.isStale()) return;
  clearTimeout(timer);
  dialogs.showStale();
}

async function look() {
  // Nothing is lost: the server keeps it for the version that was seen.
  await saving;
  if (form && unsavedSince) await post("values", everything()).catch(() => null);
  isOver = true;
  location.replace(address);
}

function stay() {
  wasActive = true;
  dialogs.calm();
  beat();
}

dialogs.whenAnswered({ look, stay });

function hearWindow(news) {
  if (news.task !== here.key || isOver) return;
  if (news.fence < Number(here.fence)) return;
  if (news.holder !== here.window || news.fence !== Number(here.fence)) lose("opened_elsewhere");
  else if (news.reason) lose(news.reason);
  if (isOver) return;
  if (String(news.version) !== here.version) stale();
  if (news.seconds_left !== null) dialogs.warn(news.seconds_left);
  else dialogs.calm();
}

document.addEventListener("gatepass:live", (event) => {
  const message = event.detail;
  if (message.event === "signing") hearWindow(message);
  // Somebody is active in another tab of this browser: nobody is idle (SX-3).
  if (message.event === "activity") active();
  if (message.event !== "ended") return;
  if (own.includes(message.reason)) {
    event.preventDefault();
    lose(message.reason, { isBrowsers: true });
  } else {
    rest();
  }
});

// The page.

const fields = form && followFields(form, here);
isOnlyOne(here.window).then((isOnly) => {
  if (isOnly) return;
  isOver = true;
  location.replace(here.task);
});
if (form) {
  document.querySelector("[data-save]").hidden = true;
  if (isAheadOfScript()) entered();
  prepareMarks(form, here, entered);
  form.addEventListener("input", (event) => {
    if (!event.target.closest("[data-place]")) return;
    entered();
    fields.count();
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter?.formAction.endsWith("/values")) {
      event.preventDefault();
      unsavedSince ||= performance.now();
      save();
      return;
    }
    // What is sent now has everything in it.
    clearTimeout(timer);
    unsavedSince = 0;
    if (isOver) return;
    isOver = true;
    goingOn = setTimeout(() => (isOver = false), SENT_WITHIN_MS);
  });
  drawPages(document.querySelectorAll("[data-page]"), here);
}
for (const sign of ["pointerdown", "keydown", "input", "wheel", "touchmove"]) {
  document.addEventListener(sign, active, { passive: true });
}
every(here.beat, beat);
for (const after of FIRST_LOOKS_MS) setTimeout(beat, after);
document.addEventListener("visibilitychange", () => (document.hidden ? save() : beat()));
addEventListener("pagehide", leave);
addEventListener("pageshow", (event) => event.persisted && location.replace(address));

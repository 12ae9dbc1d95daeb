// The files on their way: two at a time, each until it is there, refused or cancelled.
import {
  fileItem, focusOn, goingItem, itemOf, note, percentInWords, replaceItem, say, setRefused, sizeInWords,
  takeAway, tellChange, words,
} from "./upload_list.js";
import { isSingle, refusalOf } from "./upload_rules.js";
import { newId, transfer } from "./upload_transfer.js";

const AT_A_TIME = 2;
const SETTLED_MS = [1_000, 5_000];
const KEPT_OUT = new Set([401, 403, 410]);

const root = document.getElementById("upload");
const going = new Map(); // item → {file, slot, id, replaced, abort, isRunning}

// The ids of uploads that were cancelled on their way: one may have been whole already.
export const cancelled = new Set();

export function isAnyGoing() {
  return going.size > 0;
}

// Puts a file into the queue, or says why it cannot be taken.
export function add(slot, file, refusal = refusalOf(slot, file)) {
  const item = goingItem(file);
  slot.querySelector("[data-list]").append(item);
  if (refusal) {
    setRefused(item, refusal);
    return;
  }
  if (isSingle(slot)) for (const each of going.keys()) if (each.closest("[data-slot]") === slot) cancel(each);
  const replaced = isSingle(slot) ? slot.querySelector("[data-file]")?.dataset.file : undefined;
  going.set(item, { file, slot, id: newId(), replaced, abort: new AbortController(), isRunning: false });
  item.querySelector("[data-cancel]").onclick = () => stop(item);
  say(words("said_going", { name: file.name }));
  const hadFocus = slot.querySelector("[data-chooser]").contains(document.activeElement);
  tellChange();
  if (hadFocus && isSingle(slot)) focusOn(item);
  next();
}

function next() {
  const waiting = [...going].filter(([, each]) => !each.isRunning);
  const free = AT_A_TIME - (going.size - waiting.length);
  for (const [item, upload] of waiting.slice(0, Math.max(0, free))) run(item, upload);
}

async function run(item, upload) {
  upload.isRunning = true;
  const answer = await transfer(requestOf(upload), upload.abort.signal, voiceOf(item, upload.file));
  if (answer === null) return;
  going.delete(item);
  if (answer.status === 200 || answer.status === 201) arrived(item, upload, answer.body);
  else refused(item, upload, answer);
  next();
}

function requestOf({ file, slot, id, replaced }) {
  const headers = {
    "content-type": "application/octet-stream",
    accept: "application/json",
    "x-upload-id": id,
    "x-file-name": inHeader(file.name),
    "x-slot": inHeader(slot.dataset.slot),
  };
  if (replaced) headers["x-replaces"] = replaced;
  return { file, address: root.dataset.files, headers };
}

// Half a character, which a name may have, cannot be encoded; there and back makes it a whole one.
function inHeader(text) {
  return encodeURIComponent(new TextDecoder().decode(new TextEncoder().encode(text)));
}

// How one transfer shows on the page.
function voiceOf(item, file) {
  const bar = item.querySelector("progress");
  const again = item.querySelector("[data-again]");
  const size = sizeInWords(file.size);
  let isLost = false;
  return {
    going(tries) {
      again.hidden = true;
      item.removeAttribute("data-lost");
      if (tries) note(item, words("trying"));
    },
    progress(share) {
      bar.value = share * 100;
      note(item, words("going", { percent: percentInWords(share), size }));
      // Sending is activity: the room's script hears it and keeps the place, as for typing.
      root.dispatchEvent(new Event("input", { bubbles: true }));
    },
    saving() {
      bar.value = 100;
      note(item, words("saving"));
    },
    waiting(seconds, isAnswered, now) {
      bar.value = 0;
      item.dataset.lost = "";
      note(item, words(isAnswered ? "unavailable" : "lost", { seconds }));
      again.hidden = false;
      again.onclick = now;
      if (!isLost) say(words("said_lost"));
      isLost = true;
    },
  };
}

function arrived(item, { replaced }, file) {
  itemOf(file.id)?.remove();
  replaceItem(item, fileItem(file));
  if (replaced) itemOf(replaced)?.remove();
  say(words("said_done", { name: file.name }));
  tellChange();
}

function refused(item, { slot, file }, { status, body, isUnreadable }) {
  if (isPlaceLost(status, body)) {
    leave();
    return;
  }
  const why = body?.detail || words(isUnreadable ? "unreadable" : "failed");
  // What was refused for a reason is refused again; anything else may go better.
  const mayGoBetter = !isUnreadable && !body?.reason;
  setRefused(item, why, mayGoBetter ? () => again(item, slot, file) : null);
}

function again(item, slot, file) {
  takeAway(item);
  add(slot, file);
}

function stop(item) {
  const { file, id, isRunning } = going.get(item);
  cancel(item);
  say(words("said_cancelled", { name: file.name }));
  next();
  if (!isRunning) return;
  cancelled.add(id);
  for (const ms of SETTLED_MS) setTimeout(() => root.dispatchEvent(new Event("files-doubtful")), ms);
}

function cancel(item) {
  going.get(item).abort.abort();
  going.delete(item);
  takeAway(item);
}

// The place in this browser is lost or the session is over: the page itself says which, and why.
export function isPlaceLost(status, body) {
  return body?.reload === true || (KEPT_OUT.has(status) && !body?.reason);
}

export function leave() {
  for (const { abort } of going.values()) abort.abort();
  going.clear();
  location.assign(root.dataset.task);
}

// The upload task where there is JavaScript: files go up at once, several at a time, by choosing or
// dropping them, and survive a lost connection. Without it the forms of the page do the same work.
import { fileItem, focusOn, itemOf, nameOf, say, setState, takeAway, tellChange, words } from "./upload_list.js";
import { add, cancelled, isAnyGoing, isPlaceLost, leave } from "./upload_queue.js";
import { isSingle } from "./upload_rules.js";

const LOOK_EVERY_MS = 2_000;

const root = document.getElementById("upload");
const slots = [...root.querySelectorAll("[data-slot]")];
const send = root.querySelector("[data-send]");

// Choosing and dropping.

function choose(slot, files, folders = 0) {
  for (const each of slot.querySelectorAll("[data-refused]")) each.remove();
  slot.querySelector(":scope > .error")?.remove();
  slot.querySelector(".drop-input").removeAttribute("aria-invalid");
  const wanted = isSingle(slot) ? files.slice(0, 1) : files;
  for (const file of wanted) add(slot, file);
  const count = files.length;
  for (const file of files.slice(wanted.length)) add(slot, file, words("only_one", { count }));
  for (let left = folders; left > 0; left -= 1) add(slot, { name: "", size: 0 }, words("folder"));
}

for (const slot of slots) {
  const input = slot.querySelector(".drop-input");
  slot.querySelector("[data-plain]").hidden = true;
  slot.querySelector("[data-drop-words]").hidden = false;
  input.addEventListener("change", () => {
    const files = [...input.files];
    // Emptied, so that the same file can be chosen again.
    input.value = "";
    choose(slot, files);
  });
}
root.dataset.live = "";

function slotUnder(event) {
  return event.target instanceof Element ? event.target.closest("[data-slot]") : null;
}

function showDrag(isDragging, over) {
  root.toggleAttribute("data-dragging", isDragging);
  for (const slot of slots) slot.toggleAttribute("data-over", slot === over);
}

// Beside the places a file must not be opened in place of the page.
document.addEventListener("dragover", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  const over = slotUnder(event);
  event.dataTransfer.dropEffect = over ? "copy" : "none";
  showDrag(true, over);
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) showDrag(false, null);
});
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  showDrag(false, null);
  const slot = slotUnder(event);
  if (slot) chooseDropped(slot, [...event.dataTransfer.items]);
});

function chooseDropped(slot, items) {
  const folders = items.filter((each) => each.webkitGetAsEntry?.()?.isDirectory);
  const files = items.filter((each) => !folders.includes(each)).map((each) => each.getAsFile());
  choose(slot, files.filter(Boolean), folders.length);
}

// What is there: removed, replaced, and looked after while it is being checked.

root.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-remove]")) return;
  event.preventDefault();
  remove(event.target);
});
root.addEventListener("click", (event) => {
  if (event.target.closest("[data-replace]")) slotUnder(event).querySelector(".drop-input").click();
});

async function remove(form) {
  const item = form.closest("[data-file]");
  if ("leaving" in item.dataset) return;
  item.dataset.leaving = "";
  const answer = await ask(form.action, "POST");
  if (answer.ok || answer.status === 404) {
    say(words("said_removed", { name: nameOf(item) }));
    takeAway(item);
  } else if (isPlaceLost(answer.status, answer.body)) {
    leave();
  } else {
    item.removeAttribute("data-leaving");
    item.querySelector("[data-state-words]").textContent = words("not_removed");
    say(words("not_removed"));
  }
}

async function ask(address, method) {
  const answer = await fetch(address, { method, headers: { accept: "application/json" } }).catch(() => null);
  const body = await answer?.json().catch(() => null);
  return { ok: answer?.ok ?? false, status: answer?.status ?? 0, body };
}

let looking = 0;
let changes = 0;

async function look() {
  const before = changes;
  const { ok, status, body } = document.hidden ? {} : await ask(root.dataset.files, "GET");
  looking = 0;
  if (isPlaceLost(status, body)) leave();
  // What changed while the answer was on its way is newer than the answer.
  else if (ok && body && before === changes) adopt(body.files);
  lookAgain();
}

function lookAgain() {
  if (!looking && root.querySelector('[data-state="checking"]')) looking = setTimeout(look, LOOK_EVERY_MS);
}

function adopt(files) {
  const ids = new Set(files.map((each) => each.id));
  for (const item of root.querySelectorAll("[data-file]")) if (!ids.has(item.dataset.file)) takeAway(item);
  for (const file of files) {
    if (cancelled.has(file.upload_id)) ask(`${root.dataset.files}/${encodeURIComponent(file.id)}/remove`, "POST");
    else adoptOne(file);
  }
  tellChange();
}

function adoptOne(file) {
  const item = itemOf(file.id);
  const slot = slots.find((each) => each.dataset.slot === file.slot);
  if (!item) slot?.querySelector("[data-list]").append(fileItem(file));
  else if (item.dataset.state !== file.state) {
    setState(item, file.state);
    say(`${file.name}: ${words(file.state)}`);
  }
}

// The page follows: which places are open, what is missing, whether all can be sent.

function show() {
  changes += 1;
  for (const slot of slots) showSlot(slot);
  root.querySelector("[data-missing]").textContent = missing();
  const button = send.querySelector("button");
  button.toggleAttribute("data-waiting", isAnyGoing());
  if (isAnyGoing()) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
  lookAgain();
}

function showSlot(slot) {
  const isTaken = isSingle(slot) && slot.querySelector("[data-file], [data-going]") !== null;
  slot.querySelector("[data-chooser]").hidden = isTaken;
  const isGoing = slot.querySelector("[data-going]") !== null;
  for (const each of slot.querySelectorAll("[data-replace]")) each.hidden = !isSingle(slot) || isGoing;
}

const SOUND = '[data-file]:not([data-state="infected"], [data-state="unscannable"])';
const listed = new Intl.ListFormat(document.documentElement.lang, { type: "unit" });

function missing() {
  if (isAnyGoing()) return words("busy");
  const open = slots.filter((each) => "required" in each.dataset && !each.querySelector(SOUND));
  const count = root.querySelectorAll(SOUND).length;
  const least = Number(root.dataset.leastFiles);
  if (open.length) return words("missing", { names: listed.format(open.map((each) => each.dataset.title)) });
  return count < least ? words("least", { count, least }) : words("complete");
}

root.addEventListener("files-changed", show);
root.addEventListener("files-doubtful", look);
show();

send.addEventListener("submit", (event) => {
  if (!isAnyGoing()) return;
  event.preventDefault();
  say(words("busy"));
  focusOn(root.querySelector("[data-going]"));
});

addEventListener("beforeunload", (event) => {
  // After the end there is nothing left to wait for, and the page says so.
  if (!isAnyGoing() || document.body.classList.contains("is-over")) return;
  event.preventDefault();
  event.returnValue = true;
});

// What the page of an upload task shows of its files; the words come from the page.

const root = document.getElementById("upload");
const WORDS = JSON.parse(document.getElementById("upload-words").textContent);
const SAID_EVERY_MS = 700;
const language = document.documentElement.lang;

export function words(key, values = {}) {
  const known = { kinds: WORDS.kinds, ...values };
  return WORDS[key].replace(/\{(\w+)\}/g, (whole, name) => known[name] ?? whole);
}

const percents = new Intl.NumberFormat(language, { style: "percent" });
const SIZES = ["byte", "kilobyte", "megabyte"];

export function percentInWords(share) {
  return percents.format(Math.floor(share * 100) / 100);
}

// As the server counts, and rounded up: a file over the limit never reads as if it were within.
export function sizeInWords(bytes) {
  const power = Math.min(SIZES.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  const digits = power > 1 ? 10 : 1;
  const size = Math.ceil((bytes / 1024 ** power) * digits) / digits;
  // "591 byte" is what the short form of many languages makes of it.
  const unitDisplay = power ? "short" : "long";
  const unit = { style: "unit", unit: SIZES[power], unitDisplay, maximumFractionDigits: 1, useGrouping: false };
  return new Intl.NumberFormat(language, unit).format(size);
}

// What a screen reader says: in one go where several things happen at once.
let unsaid = [];

export function say(text) {
  unsaid.push(text);
  if (unsaid.length > 1) return;
  setTimeout(() => {
    root.querySelector("[data-announce]").textContent = [...new Set(unsaid)].join(" ");
    unsaid = [];
  }, SAID_EVERY_MS);
}

function copyOf(template) {
  return document.getElementById(template).content.firstElementChild.cloneNode(true);
}

function name(item, text) {
  item.querySelector(".file-name bdi").textContent = text;
  for (const each of item.querySelectorAll("button .visually-hidden")) each.textContent = ` ${text}`;
}

export function nameOf(item) {
  return item.querySelector(".file-name").textContent;
}

function setIcon(item, kind) {
  const icon = item.querySelector(".file-icon");
  icon.dataset.kind = kind;
  icon.textContent = kind;
}

function extensionOf(file) {
  return /\.([^.]{1,5})$/.exec(file.name)?.[1].toLowerCase() ?? "";
}

export function itemOf(id) {
  return root.querySelector(`[data-file="${CSS.escape(id)}"]`);
}

// A file that is there, as the server describes it: {id, slot, name, kind, state, size_text}.
export function fileItem(file) {
  const item = copyOf("file-item");
  item.dataset.file = file.id;
  name(item, file.name);
  setIcon(item, file.kind);
  item.querySelector("[data-size]").textContent = file.size_text;
  item.querySelector("[data-remove]").action = `${root.dataset.files}/${encodeURIComponent(file.id)}/remove`;
  setState(item, file.state);
  return item;
}

export function setState(item, state) {
  item.dataset.state = state;
  item.querySelector("[data-state-words]").textContent = words(state);
}

export function note(item, text) {
  const place = item.querySelector("[data-note]");
  if (place.textContent !== text) place.textContent = text;
}

// A file on its way.
export function goingItem(file) {
  const item = copyOf("going-item");
  name(item, file.name);
  setIcon(item, extensionOf(file));
  item.querySelector("progress").setAttribute("aria-label", file.name);
  note(item, words("waiting"));
  return item;
}

// A file that comes to nothing; the item says why until the person dismisses it.
export function setRefused(item, why, again = null) {
  item.removeAttribute("data-going");
  item.dataset.refused = "";
  item.querySelector("progress").hidden = true;
  item.querySelector("[data-cancel]").hidden = true;
  const button = item.querySelector("[data-again]");
  button.hidden = !again;
  button.onclick = again;
  const dismiss = item.querySelector("[data-dismiss]");
  dismiss.hidden = false;
  dismiss.onclick = () => takeAway(item);
  note(item, why);
  say(`${nameOf(item)}: ${why}`);
  tellChange();
}

// The keyboard stays where it was when the item under it is replaced or goes.

export function focusOn(place) {
  if (place.matches("li")) place.tabIndex = -1;
  place.focus();
}

export function replaceItem(item, by) {
  const hadFocus = item.contains(document.activeElement);
  item.replaceWith(by);
  if (hadFocus) focusOn(by);
}

export function takeAway(item) {
  const chooser = item.closest("[data-slot]").querySelector("[data-chooser]");
  const hadFocus = item.contains(document.activeElement);
  const beside = item.nextElementSibling ?? item.previousElementSibling;
  item.remove();
  tellChange();
  if (hadFocus) focusOn(beside ?? chooser.querySelector(".drop-input"));
}

// What is there or on its way changed: `upload.js` hears it and brings the page up to date.
export function tellChange() {
  root.dispatchEvent(new Event("files-changed"));
}

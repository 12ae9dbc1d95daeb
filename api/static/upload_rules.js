// What is refused before anything is sent. The server decides; this spares the person the wait.
import { sizeInWords, words } from "./upload_list.js";

const { accept, mostBytes } = document.getElementById("upload").dataset;
const ALLOWED = accept.toLowerCase().split(",").map((each) => each.trim());
const ENDINGS = ALLOWED.filter((each) => each.startsWith("."));

// A place with a name holds one file; a new one takes the place of the old one.
export function isSingle(slot) {
  return slot.dataset.slot !== "";
}

// Why a file cannot be taken, in words; "" if it can.
export function refusalOf(slot, file) {
  if (file.size === 0) return words("empty");
  if (file.size > Number(mostBytes)) return words("too_large", { size: sizeInWords(file.size) });
  if (!isAllowed(file.name.toLowerCase())) return words("kind");
  return isSingle(slot) || hasRoom(slot) ? "" : words("too_many", { most: slot.dataset.most });
}

function isAllowed(name) {
  return ENDINGS.length === 0 || ENDINGS.some((each) => name.endsWith(each));
}

function hasRoom(slot) {
  return slot.querySelectorAll("[data-file], [data-going]").length < Number(slot.dataset.most);
}

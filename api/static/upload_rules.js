// What is refused before anything is sent. The server decides; this spares the person the wait.
import { sizeInWords, words } from "./upload_list.js";

const LONGEST_SHOWN = 40;
// How many bytes a file may have, by the ending of its name; other endings are not possible.
const BYTES = new Map(Object.entries(JSON.parse(document.getElementById("upload").dataset.bytes)));

// A place with a name holds one file; a new one takes the place of the old one.
export function isSingle(slot) {
  return slot.dataset.slot !== "";
}

// Why a file cannot be taken, in words; "" if it can.
export function refusalOf(slot, file) {
  const ending = endingOf(file.name);
  const most = BYTES.get(ending);
  if (most === undefined) return words("kind", { given: ending ? `.${ending}` : file.name.slice(0, LONGEST_SHOWN) });
  if (file.size === 0) return words("empty");
  if (file.size > most) return words("too_large", { size: sizeInWords(file.size), largest: sizeInWords(most) });
  return isSingle(slot) ? "" : refusalOfCount(slot);
}

function endingOf(name) {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}

function refusalOfCount(slot) {
  const count = slot.querySelectorAll("[data-file], [data-going]").length + 1;
  return count > Number(slot.dataset.most) ? words("too_many", { most: slot.dataset.most, count }) : "";
}

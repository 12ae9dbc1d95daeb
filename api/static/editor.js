// The fields on the pages: placed, moved and resized by pointer or keyboard. The inputs beside them
// stay the truth, and all that is sent.
const STEP = 0.5;
const LEAST = 0.5;
const SIGNERS = 6;
const PLACE = ["x", "y", "width", "height"];
const SIZES = { checkbox: [3, 2], initials: [12, 5], signature: [30, 6] };
const USUAL = [30, 3];
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const form = document.getElementById("editor");
const list = form.querySelector("[data-list]");
const palette = form.querySelector("[data-palette]");
const kinds = palette.querySelector("#palette-kind");
const signers = palette.querySelector("#palette-signer");
const placing = palette.querySelector("[data-place]");
const template = document.querySelector("[data-field-template]");
const said = form.querySelector("[data-said]");
const sheets = [...form.querySelectorAll("[data-sheet]")];
const parties = [...signers.options].map((each) => each.value).filter(Boolean);
const marks = new Map();
let next = list.children.length;

const input = (row, name) => row.querySelector(`[name="field.${row.dataset.field}.${name}"]`);
const number = (row, name) => Number.parseFloat(input(row, name).value) || 0;
const within = (value, low, high) => Math.min(Math.max(value, low), high);
const short = (value) => String(Math.round(value * 100) / 100);

// From inputs to the mark on its page.

function draw(row) {
  const mark = marks.get(row) ?? newMark(row);
  const page = within(Math.round(number(row, "page")), 1, sheets.length);
  const paper = sheets[page - 1].querySelector("[data-paper]");
  if (mark.parentElement !== paper) paper.append(mark);
  mark.style.left = `${number(row, "x")}%`;
  mark.style.top = `${number(row, "y")}%`;
  mark.style.width = `${number(row, "width")}%`;
  mark.style.height = `${number(row, "height")}%`;
  const at = parties.indexOf(input(row, "signer").value);
  const colour = `signer-${at < 0 ? 0 : (at % SIGNERS) + 1}`;
  const swatch = row.querySelector("[data-swatch]");
  mark.className = `field-mark ${colour}`;
  swatch.className = `swatch ${colour}`;
  row.querySelector("[data-value]").hidden = at >= 0;
  const words = name(row);
  row.querySelector("[data-summary]").textContent = words;
  mark.querySelector("span").textContent = input(row, "label").value || words;
  mark.setAttribute("aria-label", `${words}, ${chosen(input(row, "signer"))}`);
}

const chosen = (select) => select.selectedOptions[0]?.textContent ?? "";
const name = (row) => `${chosen(input(row, "kind"))}: ${input(row, "label").value}`;

function newMark(row) {
  const mark = document.createElement("div");
  mark.tabIndex = 0;
  mark.setAttribute("role", "button");
  mark.append(document.createElement("span"), document.createElement("i"));
  marks.set(row, mark);
  mark.addEventListener("keydown", (event) => press(row, event));
  mark.addEventListener("pointerdown", (event) => drag(row, mark, event));
  mark.addEventListener("dblclick", () => show(row));
  return mark;
}

function show(row) {
  for (const each of list.children) each.open = each === row;
  input(row, "label").focus();
}

function put(row, values) {
  for (const [name, value] of Object.entries(values)) input(row, name).value = short(value);
  draw(row);
  changed();
}

function move(row, dx, dy) {
  put(row, {
    x: within(number(row, "x") + dx, 0, 100 - number(row, "width")),
    y: within(number(row, "y") + dy, 0, 100 - number(row, "height")),
  });
}

function resize(row, dx, dy) {
  put(row, {
    width: within(number(row, "width") + dx, LEAST, 100 - number(row, "x")),
    height: within(number(row, "height") + dy, LEAST, 100 - number(row, "y")),
  });
}

// By keyboard.

function press(row, event) {
  const step = KEYS[event.key];
  const page = number(row, "page");
  if (step && event.shiftKey) resize(row, step[0] * STEP, step[1] * STEP);
  else if (step) move(row, step[0] * STEP, step[1] * STEP);
  else if (event.key === "PageUp") put(row, { page: within(page - 1, 1, sheets.length) });
  else if (event.key === "PageDown") put(row, { page: within(page + 1, 1, sheets.length) });
  else if (event.key === "Delete" || event.key === "Backspace") remove(row);
  else if (event.key === "Enter" || event.key === " ") show(row);
  else return;
  event.preventDefault();
  if (marks.has(row) && event.key !== "Enter" && event.key !== " ") {
    marks.get(row).focus();
    tell(row);
  }
}

function tell(row) {
  said.textContent = said.dataset.words.replace(/\{(\w+)\}/g, (_, key) =>
    key === "field" ? name(row) : input(row, key).value,
  );
}

// By pointer: the mark itself moves, its corner resizes.

function drag(row, mark, event) {
  if (event.button !== 0) return;
  const paper = mark.parentElement.getBoundingClientRect();
  const act = event.target.tagName === "I" ? resize : move;
  let from = [event.clientX, event.clientY];
  mark.setPointerCapture(event.pointerId);
  const moved = (next) => {
    const dx = ((next.clientX - from[0]) / paper.width) * 100;
    const dy = ((next.clientY - from[1]) / paper.height) * 100;
    from = [next.clientX, next.clientY];
    act(row, dx, dy);
  };
  mark.addEventListener("pointermove", moved);
  mark.addEventListener("lostpointercapture", () => mark.removeEventListener("pointermove", moved), {
    once: true,
  });
}

// Added, copied, removed.

function insert(values, after = null) {
  const holder = document.createElement("div");
  holder.innerHTML = template.innerHTML.replaceAll("__at__", String(next));
  next += 1;
  const row = holder.querySelector("[data-field]");
  if (after) after.after(row);
  else list.append(row);
  for (const [name, value] of Object.entries(values)) {
    const one = input(row, name);
    if (one.type === "checkbox") one.checked = value;
    else one.value = value;
  }
  renumber();
  draw(row);
  changed();
  return row;
}

// The order in which fields are sent is that of their numbers.
function renumber() {
  [...list.children].forEach((row, at) => {
    const old = row.dataset.field;
    if (old === String(at)) return;
    row.dataset.field = `new-${at}`;
    for (const each of row.querySelectorAll(`[name^="field.${old}."]`)) {
      each.dataset.name = `field.${at}.${each.name.split(".").pop()}`;
    }
  });
  [...list.querySelectorAll("[data-name]")].forEach((each) => {
    each.name = each.dataset.name;
    delete each.dataset.name;
  });
  [...list.children].forEach((row, at) => (row.dataset.field = String(at)));
  form.querySelector("[data-none]").hidden = list.children.length > 0;
}

function added(page, x, y) {
  const [width, height] = SIZES[kinds.value] ?? USUAL;
  const row = insert({
    kind: kinds.value,
    signer: signers.value,
    label: chosen(kinds),
    page,
    width,
    height,
    x: short(within(x - width / 2, 0, 100 - width)),
    y: short(within(y - height / 2, 0, 100 - height)),
    required: kinds.value !== "checkbox",
  });
  marks.get(row).focus();
  tell(row);
}

function remove(row) {
  const other = row.nextElementSibling ?? row.previousElementSibling;
  marks.get(row)?.remove();
  marks.delete(row);
  row.remove();
  renumber();
  changed();
  (other ? marks.get(other) : placing).focus();
}

function duplicate(row) {
  const names = ["kind", "signer", "label", "value", "page", ...PLACE];
  const values = Object.fromEntries(names.map((name) => [name, input(row, name).value]));
  const y = within(number(row, "y") + number(row, "height") + 1, 0, 100 - number(row, "height"));
  const required = input(row, "required").checked;
  const copy = insert({ ...values, y: short(y), required, key: "" }, row);
  marks.get(copy).focus();
  tell(copy);
}

function inSight() {
  const seen = (sheet) => {
    const box = sheet.getBoundingClientRect();
    return Math.min(box.bottom, innerHeight) - Math.max(box.top, 0);
  };
  return sheets.reduce((best, each) => (seen(each) > seen(best) ? each : best), sheets[0]);
}

form.addEventListener("click", (event) => {
  const row = event.target.closest("[data-field]");
  if (event.target.closest("[data-duplicate]")) duplicate(row);
  else if (event.target.closest("[data-remove]")) remove(row);
  else if (event.target.closest("[data-add]")) added(inSight().dataset.sheet, 50, 40);
  else if (event.target.closest("[data-place]")) {
    placing.setAttribute("aria-pressed", String(placing.getAttribute("aria-pressed") !== "true"));
    form.classList.toggle("is-placing");
    return;
  } else return;
  event.preventDefault();
});

for (const sheet of sheets) {
  const paper = sheet.querySelector("[data-paper]");
  paper.addEventListener("click", (event) => {
    if (placing.getAttribute("aria-pressed") !== "true" || event.target.closest(".field-mark")) return;
    const box = paper.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 100;
    const y = ((event.clientY - box.top) / box.height) * 100;
    added(sheet.dataset.sheet, x, y);
  });
  paper.querySelector("svg").remove();
}

// What is not saved is said; unsaved.js asks about it before it is left.

const unsaved = form.querySelector("[data-unsaved]");
const wasTyped = form.querySelector("[name=uses_left]") || document.querySelector(".error-summary");
const before = new URLSearchParams(new FormData(form)).toString();

function changed() {
  const isSame = new URLSearchParams(new FormData(form)).toString() === before;
  unsaved.textContent = isSame && !wasTyped ? "" : unsaved.dataset.words;
}

form.addEventListener("input", (event) => {
  const row = event.target.closest("[data-field]");
  if (row) draw(row);
  changed();
});

palette.hidden = false;
form.querySelector("[data-keys]").hidden = false;
form.querySelector("[data-plain]").hidden = true;
for (const row of list.children) draw(row);
changed();

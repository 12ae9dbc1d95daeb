// Signatures and initials: drawn or typed in a dialog. A drawing is points as fractions of its box's
// width, so that turning the phone, another window or another screen moves nothing.
import SignaturePad from "./signature_pad.min.js";

const RATIOS = { signature: 0.4, initials: 0.6 };
const MOST_POINTS = 1_500;
const INK = "#12235c";
const DIGITS = 10_000;

export function prepareMarks(form, words, entered) {
  const places = [...form.querySelectorAll("[data-place]")].filter((each) => each.dataset.kind in RATIOS);
  if (!places.length) return;
  const pad = padOf(document.querySelector("[data-pad]"));
  for (const place of places) prepare(place, places, pad, words, entered);
}

function rounded(value) {
  return Math.round(value * DIGITS) / DIGITS;
}

function drawingOf(text) {
  try {
    const drawing = JSON.parse(text || "null");
    return Array.isArray(drawing?.strokes) && drawing.strokes.length ? drawing : null;
  } catch {
    return null;
  }
}

// One field: a button in place of the input, which shows what is there and opens the dialog.
function prepare(place, places, pad, words, entered) {
  const drawing = place.querySelector("[data-drawing]");
  const typed = place.querySelector("[data-typed]");
  const button = place.querySelector("[data-mark]");
  const label = place.querySelector("[data-label]");
  const kind = place.dataset.kind;

  function show() {
    const drawn = drawingOf(drawing.value);
    const canvas = button.querySelector("canvas");
    const said = button.querySelector(".mark-words");
    canvas.hidden = !drawn;
    said.textContent = drawn ? words.wordsDrawn : typed.value || (kind === "initials" ? words.wordsInitials : words.wordsEmpty);
    said.classList.toggle("visually-hidden", Boolean(drawn));
    said.classList.toggle("handwritten", Boolean(typed.value) && !drawn);
    button.toggleAttribute("data-empty", !drawn && !typed.value);
    if (drawn) requestAnimationFrame(() => paint(canvas, drawn));
  }

  function keep(mark) {
    drawing.value = mark.strokes ? JSON.stringify(mark) : "";
    typed.value = mark.typed ?? "";
    show();
    typed.dispatchEvent(new Event("input", { bubbles: true }));
    entered();
  }

  // What was signed once need not be drawn again: it is offered in the next empty field.
  function before() {
    const known = { drawing: drawingOf(drawing.value), typed: typed.value };
    if (known.drawing || known.typed) return known;
    const other = places.find((each) => each.dataset.kind === kind && each !== place && each.hasAttribute("data-filled"));
    if (!other) return known;
    return { drawing: drawingOf(other.querySelector("[data-drawing]").value), typed: other.querySelector("[data-typed]").value };
  }

  typed.type = "hidden";
  place.querySelector("[data-drawn-note]")?.remove();
  button.hidden = false;
  button.id = typed.id;
  // What is seen on the button is part of its name (WCAG 2.5.3).
  label.id = `${typed.id}-label`;
  button.querySelector(".mark-words").id = `${typed.id}-words`;
  button.setAttribute("aria-labelledby", `${label.id} ${typed.id}-words`);
  typed.removeAttribute("id");
  for (const name of ["aria-invalid", "aria-describedby"]) {
    if (typed.hasAttribute(name)) button.setAttribute(name, typed.getAttribute(name));
  }
  button.addEventListener("click", () => pad.open(label.textContent.trim(), RATIOS[kind], before(), keep, button));
  new ResizeObserver(show).observe(button);
  show();
}

// A drawing in a box of its own shape, as the sealed page will have it.
function paint(canvas, { strokes, ratio = RATIOS.signature }) {
  const box = canvas.parentElement.getBoundingClientRect();
  const scale = Math.min(box.width, box.height / ratio) * 0.94;
  const dots = devicePixelRatio || 1;
  canvas.width = Math.max(1, scale * dots);
  canvas.height = Math.max(1, scale * ratio * dots);
  canvas.style.width = `${scale}px`;
  canvas.style.height = `${scale * ratio}px`;
  const pen = canvas.getContext("2d");
  pen.strokeStyle = pen.fillStyle = INK;
  pen.lineWidth = Math.max(1, scale / 120) * dots;
  pen.lineCap = pen.lineJoin = "round";
  for (const stroke of strokes) {
    pen.beginPath();
    stroke.forEach(([x, y]) => pen.lineTo(x * canvas.width, y * canvas.width));
    if (stroke.length === 1) pen.lineTo(stroke[0][0] * canvas.width + 0.1, stroke[0][1] * canvas.width);
    pen.stroke();
  }
}

function padOf(dialog) {
  const canvas = dialog.querySelector("[data-pad-canvas]");
  const typed = dialog.querySelector("#pad-typed");
  const missing = dialog.querySelector("[data-pad-missing]");
  const ways = dialog.querySelectorAll("[data-pad-way]");
  const pad = new SignaturePad(canvas, { penColor: INK, minWidth: 0.8, maxWidth: 2.4 });
  let strokes = [];
  let ratio = RATIOS.signature;
  let way = "draw";
  let keep = () => {};

  function width() {
    return canvas.getBoundingClientRect().width || 1;
  }

  function read() {
    const across = width();
    strokes = pad.toData().map((group) => group.points.map(({ x, y }) => [rounded(x / across), rounded(y / across)]));
  }

  // From the points alone, at whatever size the box has now.
  function redraw() {
    const across = canvas.parentElement.clientWidth;
    if (!across) return;
    const dots = devicePixelRatio || 1;
    canvas.style.height = `${across * ratio}px`;
    canvas.width = across * dots;
    canvas.height = across * ratio * dots;
    canvas.getContext("2d").scale(dots, dots);
    pad.clear();
    pad.fromData(strokes.map((points) => ({ ...options(), points: points.map(([x, y]) => ({ x: x * across, y: y * across, pressure: 0.5, time: 0 })) })));
  }

  function options() {
    return { penColor: INK, dotSize: 0, minWidth: 0.8, maxWidth: 2.4, velocityFilterWeight: 0.7, compositeOperation: "source-over" };
  }

  function choose(wanted) {
    way = wanted;
    for (const each of ways) each.setAttribute("aria-pressed", String(each.dataset.padWay === way));
    dialog.querySelector("[data-pad-draw]").hidden = way !== "draw";
    dialog.querySelector("[data-pad-type]").hidden = way !== "type";
    missing.hidden = true;
    if (way === "draw") redraw();
    else typed.focus();
  }

  function use() {
    const mark = way === "draw" ? { strokes: thinned(strokes), ratio: rounded(ratio) } : { typed: typed.value.trim() };
    missing.hidden = Boolean(mark.typed || mark.strokes?.length);
    if (!missing.hidden) return;
    dialog.close();
    keep(mark);
  }

  pad.addEventListener("beginStroke", () => (missing.hidden = true));
  pad.addEventListener("endStroke", read);
  typed.addEventListener("input", () => (missing.hidden = true));
  new ResizeObserver(redraw).observe(canvas.parentElement);
  ways.forEach((each) => each.addEventListener("click", () => choose(each.dataset.padWay)));
  dialog.querySelector("[data-pad-undo]").addEventListener("click", () => {
    strokes = strokes.slice(0, -1);
    redraw();
  });
  dialog.querySelector("[data-pad-clear]").addEventListener("click", () => {
    strokes = [];
    redraw();
  });
  dialog.querySelector("[data-pad-use]").addEventListener("click", use);
  dialog.querySelector("[data-pad-cancel]").addEventListener("click", () => dialog.close());
  typed.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    use();
  });

  return {
    open(title, wanted, known, kept, from) {
      dialog.querySelector("[data-pad-title]").textContent = title;
      strokes = known.drawing?.strokes ?? [];
      ratio = known.drawing?.ratio ?? wanted;
      typed.value = known.typed ?? "";
      keep = kept;
      dialog.addEventListener("close", () => from.focus(), { once: true });
      dialog.showModal();
      choose(known.typed && !known.drawing ? "type" : "draw");
    },
  };
}

// A long drawing keeps its shape with fewer points.
function thinned(strokes) {
  const points = strokes.reduce((sum, each) => sum + each.length, 0);
  const step = Math.ceil(points / MOST_POINTS);
  if (step <= 1) return strokes;
  return strokes.map((each) => each.filter((_, at) => at % step === 0 || at === each.length - 1));
}

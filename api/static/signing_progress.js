// How many fields are filled in, which comes next, and what does not fit yet.

export function followFields(form, words) {
  const places = [...form.querySelectorAll("[data-place]")];
  const bar = form.querySelector("[data-bar]");
  const progress = bar.querySelector("[data-progress]");
  const next = bar.querySelector("[data-next]");

  function isFilled(place) {
    const box = place.querySelector('input[type="checkbox"]');
    if (box) return box.checked;
    return [...place.querySelectorAll("input")].some((each) => each.value.trim());
  }

  function count() {
    const done = places.filter(isFilled).length;
    for (const each of places) each.toggleAttribute("data-filled", isFilled(each));
    const isComplete = !places.some((each) => each.hasAttribute("data-required") && !isFilled(each));
    const said = words.wordsProgress.replace("{done}", done).replace("{total}", places.length);
    const isFull = isComplete && done === places.length;
    progress.textContent = isFull ? words.wordsComplete : said;
    next.textContent = isFull ? words.wordsEnd : words.wordsNext;
    bar.toggleAttribute("data-complete", isComplete);
  }

  function controlOf(place) {
    return place.querySelector("[data-mark]:not([hidden]), input:not([type=hidden]):not([hidden])");
  }

  // The next one after where the person is that is still empty; at the end, the consent.
  function go() {
    const at = places.indexOf(document.activeElement?.closest("[data-place]"));
    const order = [...places.slice(at + 1), ...places.slice(0, at + 1)];
    const place = order.find((each) => !isFilled(each) && each.hasAttribute("data-required")) ?? order.find((each) => !isFilled(each));
    const control = place ? controlOf(place) : form.querySelector("#field-consent, [data-sign]");
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    (place ?? control).scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
    control.focus({ preventScroll: true });
  }

  const keyOf = (place) => place.id.slice("place-".length);

  function mark(errors) {
    for (const each of places) say(each, errors[keyOf(each)]);
  }

  // What is wrong with a field; nothing any more where there are no words.
  function say(place, said) {
    place.classList.toggle("invalid", said !== undefined);
    controlOf(place)?.toggleAttribute("aria-invalid", said !== undefined);
    let words = place.querySelector(".error");
    if (said === undefined) {
      words?.remove();
      return;
    }
    if (!words) {
      words = document.createElement("p");
      words.className = "error";
      words.id = `field-${keyOf(place)}-error`;
      place.append(words);
      controlOf(place)?.setAttribute("aria-describedby", words.id);
    }
    words.textContent = said;
  }

  // Whoever mends it need not read on that it is wrong; saving says what is.
  form.addEventListener("input", (event) => {
    const place = event.target.closest("[data-place]");
    if (place) say(place);
  });
  next.addEventListener("click", go);
  bar.hidden = places.length === 0;
  count();
  return { count, mark };
}

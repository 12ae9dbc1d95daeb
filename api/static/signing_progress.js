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

  function mark(errors) {
    for (const each of places) {
      const key = each.id.slice("place-".length);
      each.classList.toggle("invalid", key in errors);
      controlOf(each)?.toggleAttribute("aria-invalid", key in errors);
      let words = each.querySelector(".error");
      if (!(key in errors)) {
        words?.remove();
        continue;
      }
      if (!words) {
        words = document.createElement("p");
        words.className = "error";
        words.id = `field-${key}-error`;
        each.append(words);
        controlOf(each)?.setAttribute("aria-describedby", words.id);
      }
      words.textContent = errors[key];
    }
  }

  next.addEventListener("click", go);
  bar.hidden = places.length === 0;
  count();
  return { count, mark };
}

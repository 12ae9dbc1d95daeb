// Draws a document's pages with pdf.js, when they come near, over the pictures that are there already;
// its text can be selected and read aloud. Whatever goes wrong, the picture stays.

const SHARPEST = 2.5;
const NEAR = "600px";

export async function drawPages(sheets, here) {
  try {
    const pdfjs = await import("./pdf.min.mjs");
    pdfjs.GlobalWorkerOptions.workerSrc = here.pdfWorker;
    const pdf = await pdfjs.getDocument({
      url: `${here.task}/document.pdf?version=${here.version}`,
      // As our Content-Security-Policy wants it: no WebAssembly, nothing evaluated.
      useWasm: false,
      isEvalSupported: false,
      enableXfa: false,
      // A page that pdf.js cannot draw whole is left to its picture.
      stopAtErrors: true,
    }).promise;
    watch(sheets, pdfjs, pdf);
  } catch (error) {
    console.info("The pages stay pictures:", error?.message);
  }
}

function watch(sheets, pdfjs, pdf) {
  const seen = new IntersectionObserver(
    (entries) => {
      for (const each of entries.filter((one) => one.isIntersecting)) {
        seen.unobserve(each.target);
        draw(each.target, pdfjs, pdf).catch((error) => console.info("This page stays a picture:", error?.message));
      }
    },
    { rootMargin: NEAR },
  );
  sheets.forEach((each) => seen.observe(each));
}

async function draw(sheet, pdfjs, pdf) {
  const page = await pdf.getPage(Number(sheet.dataset.page));
  const paper = sheet.querySelector(".sheet-paper");
  const natural = page.getViewport({ scale: 1 });
  const scale = paper.clientWidth / natural.width;
  const viewport = page.getViewport({ scale: scale * Math.min(SHARPEST, Math.max(1, devicePixelRatio) * 1.25) });
  const canvas = document.createElement("canvas");
  canvas.className = "sheet-drawn";
  canvas.width = Math.floor(viewport.width);
  canvas.height = Math.floor(viewport.height);
  canvas.setAttribute("aria-hidden", "true");
  await page.render({ canvas, viewport, annotationMode: pdfjs.AnnotationMode.DISABLE }).promise;
  const text = document.createElement("div");
  text.className = "sheet-text";
  const layer = new pdfjs.TextLayer({ textContentSource: page.streamTextContent(), container: text, viewport: page.getViewport({ scale }) });
  await layer.render();
  const picture = paper.querySelector("img");
  picture.after(...(hasItsFonts(page) ? [canvas] : []), text);
  picture.alt = "";
  fit(paper, text, natural.width);
}

// A font that is not in the document looks different on each machine: then the picture shows it.
function hasItsFonts(page) {
  return ![...page.commonObjs].some(([, each]) => each?.missingFile || each?.systemFontInfo);
}

// pdf.js sizes the text by a property; it follows the page's width.
function fit(paper, text, width) {
  const set = () => text.style.setProperty("--total-scale-factor", String(paper.clientWidth / width));
  new ResizeObserver(set).observe(paper);
  set();
}

// One file on its way. A lost connection is no end: it is sent again under the same id, which the
// server takes once, until there is an answer or the person has had enough.

const WAITS_S = [1, 2, 4, 8, 15, 30];
const LONGEST_WAIT_S = 60;
const STALL_MS = 30_000;
// Once all is sent the server still checks and saves: it gets longer, and is asked again after that.
const ANSWER_MS = 120_000;
const NO_ANSWER = 0;
const SENT_AGAIN = new Set([NO_ANSWER, 408, 429, 502, 503, 504]);

// `crypto.randomUUID` exists on https only.
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
  return digits.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

// Sends `what` = {file, address, headers} and tells `told` = {going, progress, saving, waiting}.
// Returns {status, body}, {isUnreadable}, or null once `signal` is aborted.
export async function transfer(what, signal, told) {
  for (let tries = 0; !signal.aborted; tries += 1) {
    told.going(tries);
    const answer = await attempt(what, signal, told);
    if (signal.aborted) break;
    if (!SENT_AGAIN.has(answer.status)) return answer;
    // A file that changed or vanished fails like a network that did, and for good.
    if (!(await isReadable(what.file))) return { isUnreadable: true };
    const wait = Math.max(WAITS_S[Math.min(tries, WAITS_S.length - 1)], answer.retryAfter);
    await pause(Math.min(wait, LONGEST_WAIT_S), answer.status, signal, told);
  }
  return null;
}

function attempt({ file, address, headers }, signal, told) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    let watch = 0;
    const waitAtMost = (ms) => {
      clearTimeout(watch);
      watch = setTimeout(stop, ms);
    };
    request.open("POST", address);
    request.responseType = "json";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => {
      waitAtMost(STALL_MS);
      told.progress(event.total ? event.loaded / event.total : 0);
    });
    request.upload.addEventListener("load", () => {
      waitAtMost(ANSWER_MS);
      told.saving();
    });
    request.addEventListener("loadend", () => {
      clearTimeout(watch);
      signal.removeEventListener("abort", stop);
      done({ status: request.status, body: request.response, retryAfter: retryAfter(request) });
    });
    signal.addEventListener("abort", stop);
    waitAtMost(STALL_MS);
    request.send(file);
  });
}

function retryAfter(request) {
  return Number(request.getResponseHeader("retry-after")) || 0;
}

async function isReadable(file) {
  return file.slice(0, 1).arrayBuffer().then(() => true, () => false);
}

// Until the time is over, the network is back, or the person says "now".
function pause(seconds, status, signal, told) {
  return new Promise((done) => {
    const endsAt = performance.now() + seconds * 1000;
    const show = () => {
      const left = Math.ceil((endsAt - performance.now()) / 1000);
      if (left > 0) told.waiting(left, status !== NO_ANSWER, over);
      else over();
    };
    const timer = setInterval(show, 1000);
    function over() {
      clearInterval(timer);
      removeEventListener("online", over);
      signal.removeEventListener("abort", over);
      done();
    }
    addEventListener("online", over);
    signal.addEventListener("abort", over);
    show();
  });
}

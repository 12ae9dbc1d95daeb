// One window is one document: a copy of a tab has the same name, and asks for a place of its own.
const TRIES = 5;
const AGAIN_MS = 150;

// Whether no other tab has this window's name; it is kept for as long as the page is there.
export async function isOnlyOne(name, tries = TRIES) {
  if (!navigator.locks || (await isGranted(`signing:${name}`))) return true;
  if (tries === 1) return false;
  // The page that was here before a reload may still be letting go.
  await new Promise((done) => setTimeout(done, AGAIN_MS));
  return isOnlyOne(name, tries - 1);
}

function isGranted(lock) {
  return new Promise((done) => {
    navigator.locks.request(lock, { ifAvailable: true }, (held) => {
      done(Boolean(held));
      return held ? new Promise(() => {}) : null;
    });
  });
}

// Passkeys: asked for by a button, because browsers want a person's click. The server decides.
const sheet = globalThis.PublicKeyCredential;
const able = Boolean(sheet?.parseRequestOptionsFromJSON && sheet?.parseCreationOptionsFromJSON);

function send(form, credential) {
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  form.submit();
}

function make(form) {
  const publicKey = sheet.parseCreationOptionsFromJSON(JSON.parse(form.dataset.passkeyMake));
  return navigator.credentials.create({ publicKey });
}

async function signIn(form) {
  const answer = await fetch(form.dataset.passkeySignIn, { method: "POST" });
  if (!answer.ok) throw new Error("no question");
  const publicKey = sheet.parseRequestOptionsFromJSON(await answer.json());
  return navigator.credentials.get({ publicKey });
}

function prepare(form, ask) {
  const failed = form.querySelector("[data-passkey-failed]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    try {
      send(form, await ask(form));
    } catch {
      // Cancelled, timed out, or there is none: the person may try again, or do it another way.
      failed.hidden = false;
    }
  });
}

for (const form of document.querySelectorAll("form[data-passkey-make]")) {
  if (able) prepare(form, make);
}
for (const form of document.querySelectorAll("form[data-passkey-sign-in]")) {
  if (able) prepare(form, signIn);
}
for (const each of document.querySelectorAll("[data-passkey-unable]")) each.hidden = able;

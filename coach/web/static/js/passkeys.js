// Passkeys: ask Backstop what to ask the device, ask the device, hand its answer in. One form, one button each.
// Its words, in the reader's language: templates/parts/passkey_words.html.
const SAYS = document.getElementById("passkey-words").dataset;

class Refused extends Error {}

async function post(form, address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": form.dataset.csrf, Accept: "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(said?.error?.what || SAYS.silent);
  return said;
}

async function ask(form) {
  const options = await post(form, form.dataset.options, {});
  if (form.dataset.passkey === "new") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

async function use(form) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return SAYS.cannot;
  const answer = (await ask(form)).toJSON();
  const body = { answer, name: form.elements.name?.value, confirm: form.dataset.confirm === "yes", next: form.dataset.next || "" };
  location.assign((await post(form, form.dataset.answer, body)).next);
  return "";
}

function words(error) {
  if (error instanceof Refused) return error.message;
  if (error.name === "InvalidStateError") return SAYS.there;
  if (error.name === "NotAllowedError") return SAYS.stopped;
  return SAYS.failed;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button"), told = form.querySelector("[data-passkey-told]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    told.textContent = "";
    try {
      told.textContent = await use(form);
    } catch (error) {
      told.textContent = words(error);
    }
    button.disabled = false;
  });
}

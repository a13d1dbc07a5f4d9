// Copy the text of a field. The clipboard needs https or localhost; elsewhere the old command still works.
async function copy(field) {
  if (navigator.clipboard && isSecureContext) {
    await navigator.clipboard.writeText(field.value);
    return true;
  }
  field.select();
  return document.execCommand("copy");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  const told = document.getElementById(`${button.dataset.copy}-told`);
  let done = false;
  try { done = await copy(field); } catch { done = false; }
  if (!done) field.select();
  told.textContent = done ? button.dataset.copied : button.dataset.byHand;
});

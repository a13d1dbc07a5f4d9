// Browsers that can put the page on the home screen say so; where one does not, nothing is offered.
const card = document.querySelector("[data-install]");

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  card.hidden = false;
  card.querySelector("button").addEventListener("click", async () => { await event.prompt(); card.hidden = true; }, { once: true });
});

// The list of athletes by keyboard alone. Without this script every row is a link and the filter a form.

const form = document.querySelector("[data-roster-filter]");
const keys = document.querySelector("[data-keys]");
const opener = document.querySelector("[data-help]");

function rows() {
  return [...document.querySelectorAll("[data-roster] .roster-row")];
}

function goTo(index) {
  const all = rows();
  all[Math.max(0, Math.min(all.length - 1, index))]?.focus();
}

function step(by) {
  const here = rows().indexOf(document.activeElement);
  goTo(here < 0 ? (by > 0 ? 0 : rows().length - 1) : here + by);
}

const STEPS = {
  j: () => step(1), ArrowDown: () => step(1),
  k: () => step(-1), ArrowUp: () => step(-1),
  g: () => goTo(0), Home: () => goTo(0),
  G: () => goTo(Infinity), End: () => goTo(Infinity),
  "/": () => { form?.elements.q.focus(); form?.elements.q.select(); },
  f: () => form?.elements.group.focus(),
  "?": () => keys.showModal(),
};

function typing(target) {
  return target.matches("input, select, textarea");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  if (typing(event.target)) {
    // Out of the fields and into the list: from the search also by the arrow, as in other lists.
    const leaves = event.key === "Escape" || (event.key === "ArrowDown" && event.target.type === "search");
    if (!leaves || !rows().length) return;
    event.preventDefault();
    goTo(0);
    return;
  }
  // Arrows scroll the page while nothing of the list has the focus, but at its top they lead into it.
  const inList = rows().includes(document.activeElement);
  if (["ArrowUp", "Home", "End"].includes(event.key) && !inList) return;
  const move = STEPS[event.key];
  if (!move) return;
  event.preventDefault();
  move();
});

opener.hidden = false;
opener.addEventListener("click", () => keys.showModal());

// What is asked for stands in the address, so that a reload or the way back shows the same list.
form?.addEventListener("input", () => {
  const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  history.replaceState(history.state, "", asked.size ? `?${asked}` : location.pathname);
});

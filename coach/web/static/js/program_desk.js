// Many at once: one tick for all, how many are chosen; and a level that brings its own dose. Without this file the
// ticks, the levels and the doses are sent as they stand, and the server does the same.

for (const form of document.querySelectorAll("[data-many]")) {
  const all = form.querySelector("[data-all]");
  const count = form.querySelector("[data-count]");
  const each = () => [...form.querySelectorAll("input[name=plan], input[name=step], input[name=athlete]")];
  const tell = () => {
    const chosen = each().filter((one) => one.checked).length;
    if (all) {
      const box = all.querySelector("input");
      box.checked = chosen > 0 && chosen === each().length;
      box.indeterminate = chosen > 0 && chosen < each().length;
    }
    if (count) count.textContent = chosen ? `${count.dataset.words} ${chosen}` : "";
  };
  if (all) {
    all.hidden = false;
    all.querySelector("input").addEventListener("change", (event) => {
      for (const one of each()) one.checked = event.target.checked;
      tell();
    });
  }
  form.addEventListener("change", tell);
  tell();
}

for (const select of document.querySelectorAll("[data-level]")) {
  select.addEventListener("change", () => {
    const level = select.selectedOptions[0];
    const sets = document.getElementById(`sets_${select.dataset.level}`);
    const hold = document.getElementById(`hold_${select.dataset.level}`);
    sets.value = level.dataset.sets;
    if (hold && Number(level.dataset.hold) > 0) hold.value = level.dataset.hold;
  });
}

// Moving a session: dragged by its grip, or with Alt and an arrow on its link. Both fill in the session's own form, so that
// there is one way to move and the server decides.
const week = () => document.querySelector("[data-my-week]");
const daysOf = (session) => (session.dataset.days ?? "").split(" ").filter(Boolean);
const dayOf = (element) => element?.closest("[data-day]");
// A finger that only trembles drags nothing.
const FROM_PX = 6;

function moveTo(session, day) {
  const form = session.querySelector("form[data-move]");
  if (!form || !daysOf(session).includes(day)) return false;
  form.elements.to.value = day;
  form.requestSubmit();
  return true;
}

function light(session) {
  const may = new Set(daysOf(session));
  for (const day of week().querySelectorAll("[data-day]")) day.toggleAttribute("data-may", may.has(day.dataset.day));
  week().classList.add("is-dragging");
}

function unlight() {
  week()?.classList.remove("is-dragging");
  for (const day of document.querySelectorAll("[data-may], [data-over]")) { day.removeAttribute("data-may"); day.removeAttribute("data-over"); }
}

class Drag {
  constructor(session, event) {
    Object.assign(this, { session, x: event.clientX, y: event.clientY + scrollY, begun: false, over: null });
  }

  to(event) {
    const dx = event.clientX - this.x, dy = event.clientY + scrollY - this.y;
    if (!this.begun && Math.hypot(dx, dy) < FROM_PX) return;
    if (!this.begun) { this.begun = true; this.session.classList.add("is-dragged"); light(this.session); }
    this.session.style.transform = `translate(${dx}px, ${dy}px)`;
    this.find(event);
    // At the edge of the screen the page goes along.
    if (event.clientY < 60) scrollBy(0, -12);
    if (event.clientY > innerHeight - 60) scrollBy(0, 12);
  }

  find(event) {
    this.session.style.pointerEvents = "none";
    const day = dayOf(document.elementFromPoint(event.clientX, event.clientY));
    this.session.style.pointerEvents = "";
    const over = day?.hasAttribute("data-may") ? day : null;
    if (over === this.over) return;
    this.over?.removeAttribute("data-over");
    over?.setAttribute("data-over", "");
    this.over = over;
  }

  end(dropped) {
    this.session.classList.remove("is-dragged");
    // An empty attribute would be copied when the week is drawn anew, which the page's policy refuses.
    this.session.removeAttribute("style");
    const day = dropped && this.over?.dataset.day;
    unlight();
    if (day) moveTo(this.session, day);
  }
}

let drag = null;

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest("[data-grip]");
  if (!grip || event.button) return;
  event.preventDefault();
  grip.setPointerCapture(event.pointerId);
  drag = new Drag(grip.closest("[data-session]"), event);
});
document.addEventListener("pointermove", (event) => drag?.to(event));
document.addEventListener("pointerup", () => { drag?.end(true); drag = null; });
document.addEventListener("pointercancel", () => { drag?.end(false); drag = null; });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && drag) { drag.end(false); drag = null; return; }
  const session = event.target.closest("[data-session]"), step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!event.altKey || !session || !step || event.target.closest("select, input")) return;
  const now = dayOf(session).dataset.day;
  const onward = daysOf(session).filter((day) => (step > 0 ? day > now : day < now)).sort();
  const day = step > 0 ? onward[0] : onward[onward.length - 1];
  if (!day) return;
  event.preventDefault();
  // The week is drawn anew: where the keyboard was, it is again.
  document.addEventListener("htmx:after:swap", () => focusOn(day), { once: true });
  moveTo(session, day);
});

// Where a session may go is the server's to say, so moving waits for the network.
document.addEventListener("htmx:error", (event) => {
  const said = document.querySelector("[data-week-told]");
  if (!said || !event.target.closest?.("[data-my-week]")) return;
  said.textContent = said.dataset.offlineWords;
  said.hidden = false;
});

function focusOn(day) {
  week()?.querySelector(`[data-day="${day}"] [data-session] a`)?.focus();
}

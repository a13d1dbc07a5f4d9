// Makes a page work without a network: registers the worker that keeps copies, keeps answers and sends each once, and says
// on the page what is a copy and what waits. Its words stand in the page.
"use strict";

(() => {
  const { backstopOffline } = self;
  const who = document.body.dataset.who ?? "";
  const RENEW_MS = 60000, SETTLE_MS = 2000, RETRY_MS = 15000;
  const place = (name) => document.querySelector(`[data-offline="${name}"]`);
  // Of the registration, not of this page: the first page of a browser is not under the worker that it registers.
  const tellWorker = async (what) => (await navigator.serviceWorker.getRegistration("/"))?.active?.postMessage(what);

  function shortTime(moment) {
    const lang = document.documentElement.lang;
    return new Intl.DateTimeFormat(lang, { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(moment);
  }

  function sayKept() {
    const made = document.documentElement.dataset.kept, said = place("kept");
    if (!made || !said) return;
    said.textContent = said.dataset.words.replace("{at}", shortTime(new Date(made)));
    said.hidden = false;
  }

  async function sayWaiting() {
    const mine = (await backstopOffline.answers()).filter((each) => each.who === who);
    const waiting = mine.filter((each) => each.refused === null).length;
    const said = place("waiting");
    if (said) {
      said.textContent = waiting ? (waiting === 1 ? said.dataset.one : said.dataset.many.replace("{n}", waiting)) : "";
      said.hidden = !waiting;
    }
    const refused = mine.filter((each) => each.refused !== null), list = place("refused");
    if (!list) return;
    list.replaceChildren(...refused.map((each) => refusedLine(each, list.dataset)));
    list.hidden = !refused.length;
  }

  function refusedLine(answer, words) {
    const line = document.createElement("p");
    const why = answer.refused === "old" ? words.old : answer.refused;
    line.textContent = `${words.words.replace("{at}", shortTime(new Date(answer.told_at)))} ${why} `;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-outline";
    button.textContent = words.understood;
    button.addEventListener("click", async () => { await backstopOffline.drop(answer.id); await sayWaiting(); });
    line.append(button);
    return line;
  }

  // Sending

  async function send() {
    const became = await backstopOffline.send();
    if (became.length) await tellWorker("renew");
    await sayWaiting();
    return became;
  }

  async function askToSendLater() {
    const ready = await navigator.serviceWorker?.ready;
    // Not every browser has it; the next page that is opened sends.
    await ready?.sync?.register("answers").catch(() => {});
  }

  // Answers

  function fieldsOf(form, submitter) {
    const data = new FormData(form, submitter);
    // The copy's own key and token are as old as the copy; a key of its own makes this answer one answer.
    data.delete("csrf_token");
    if (data.has("key") && !form.dataset.keyKept) data.set("key", crypto.randomUUID().replaceAll("-", ""));
    return [...data].filter(([, value]) => typeof value === "string");
  }

  function holds(form, fields) {
    if (form.dataset.holds === "always") return true;
    const from = Number(form.dataset.holdsFrom), named = (form.dataset.holds ?? "").split(" ");
    return fields.some(([name, value]) => named.includes(name) && value !== "" && Number(value) >= from);
  }

  async function keepAndSend(form, submitter, fields) {
    const path = new URL(submitter?.formAction && submitter.hasAttribute("formaction") ? submitter.formAction : form.action).pathname;
    // What stops training is known here before the server knows it.
    if (holds(form, fields)) await backstopOffline.setFact("hold", { who, at: new Date().toISOString() });
    const id = await backstopOffline.add({ who, path, fields });
    const became = (await send()).find((each) => each.id === id);
    return became ?? {};
  }

  async function answer(form, submitter) {
    // Read before the buttons are shut: one that is tells nothing of itself.
    const fields = fieldsOf(form, submitter), buttons = [...form.querySelectorAll("button")];
    for (const each of buttons) each.disabled = true;
    let told;
    // Without a place to keep it in, the browser sends the form as it always did.
    try { told = await keepAndSend(form, submitter, fields); } catch { buttons.forEach((each) => { each.disabled = false; }); delete form.dataset.queue; form.requestSubmit(submitter); return; }
    const { onward, refused } = told;
    if (refused) { location.reload(); return; }
    const here = form.dataset.stay !== undefined;
    for (const each of buttons) each.disabled = !here;
    if (here) form.dispatchEvent(new CustomEvent("backstop:answered", { bubbles: true, detail: { onward, fields } }));
    else if (onward) location.assign(onward);
    else if (form.dataset.away) location.assign(form.dataset.away);
    else sayKeptHere(form);
    if (!onward) await askToSendLater();
  }

  function sayKeptHere(form) {
    const said = document.createElement("p");
    said.className = "alert-line calm";
    said.setAttribute("role", "status");
    said.textContent = place("waiting")?.dataset.one ?? "";
    form.append(said);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.queue === undefined || event.defaultPrevented || !self.indexedDB || !self.isSecureContext) return;
    event.preventDefault();
    answer(form, event.submitter);
  });

  // Without a network nobody signs out by mistake with answers in the pocket.
  document.addEventListener("submit", async (event) => {
    const form = event.target, words = form.dataset.waitingWords;
    if (!words || form.dataset.sure) return;
    event.preventDefault();
    const waiting = (await backstopOffline.answers().catch(() => [])).some((each) => each.who === who && each.refused === null);
    if (waiting && !confirm(words)) return;
    form.dataset.sure = "yes";
    form.requestSubmit();
  });

  // The worker

  async function renewSometimes() {
    const known = await backstopOffline.fact("copies");
    const old = !known || known.who !== who || Date.now() - 1000 * known.made_at_utc_s > RENEW_MS;
    if (old || location.pathname === "/start") (await navigator.serviceWorker.ready).active?.postMessage("renew");
  }

  async function begin() {
    sayKept();
    if (!self.indexedDB || !self.isSecureContext || !navigator.serviceWorker) return;
    if (!who) { await tellWorker("forget"); return; }
    await navigator.serviceWorker.register("/sw.js", { scope: "/" });
    navigator.serviceWorker.addEventListener("message", ({ data }) => { if (data.became) sayWaiting(); });
    await send();
    setTimeout(() => renewSometimes().catch(() => {}), SETTLE_MS);
    addEventListener("online", () => send());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
    setInterval(async () => {
      if ((await backstopOffline.answers()).some((each) => each.who === who && each.refused === null)) await send();
    }, RETRY_MS);
  }

  // A browser that keeps nothing (a private window) works as it did without this.
  addEventListener("load", () => begin().catch(() => {}));
})();

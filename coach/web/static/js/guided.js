// Leads through a session: which set, what counts, when to rest. What is counted comes from the server's live count; taps
// count beside it, with or without a network. Where somebody is, the server keeps: this page can be left at any time.
import { EventStream } from "./event_stream.js";
import { Band } from "./guided_band.js";
import { numbersRow } from "./guided_numbers.js";
import { Sound } from "./guided_sound.js";

// The set ends by itself so long after its last one: somebody may still be on the way back, or take one off.
const END_MS = 2500;
const TICK_MS = 100;
const KEPT = "backstop-guided-";
const CLOCK = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

// For whoever measures: when which count stood on the screen.
window.backstopGuided = { shown: [] };

const host = document.getElementById("guided");
const at = (name) => host.querySelector(`[data-at="${name}"]`);
const part = (name) => host.querySelector(`[data-part="${name}"]`);
const button = (name) => host.querySelector(`[data-do="${name}"]`);

function words(key, values = {}) {
  const text = host.querySelector(`[data-word="${key}"]`)?.textContent ?? "";
  return Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
}

function put(place, text) { if (place && place.textContent !== text) place.textContent = text; }

class Guided {
  constructor() {
    try { this.keptBefore = localStorage.getItem(KEPT + host.dataset.session); } catch { this.keptBefore = null; }
    this.steps = JSON.parse(host.dataset.steps);
    this.usual = JSON.parse(host.dataset.usual);
    this.url = host.dataset.url;
    this.band = new Band(at("band"));
    this.sound = new Sound(at("sound"));
    this.seen = null;
    this.holdFrom = null;
    this.waiting = 0;
    this.take(JSON.parse(host.dataset.state));
    this.restore();
    document.querySelector("#guided-begin form")?.addEventListener("submit", (event) => { event.preventDefault(); this.begin(); });
    this.stream = new EventStream(`${this.url}/live`, {
      take: (news) => this.news(news),
      lost: () => { this.streamLost = true; this.show(); },
      back: (again) => { this.streamLost = false; if (again) this.ask(); this.show(); },
      over: () => { this.signedOut = true; this.show(); },
      elsewhere: () => { this.streamLost = true; this.show(); },
    });
    this.listen();
    setInterval(() => this.tick(), TICK_MS);
    this.show();
  }

  listen() {
    button("start").addEventListener("click", () => this.start());
    button("tap").addEventListener("click", () => this.tap());
    button("less").addEventListener("click", () => this.count(-1));
    button("end").addEventListener("click", () => this.end("ended"));
    button("skip").addEventListener("click", () => this.end("skipped"));
    button("go").addEventListener("click", () => { this.restUntil = 0; this.show(); });
    button("finish").addEventListener("click", () => { this.ending = true; this.show(); part("end").scrollIntoView(); });
    host.querySelector("[data-pain]").addEventListener("submit", (event) => this.pain(event), { capture: true });
    host.querySelector("[data-pain]").addEventListener("change", (event) => this.painSays(Number(event.target.value)));
    for (const form of host.querySelectorAll("form")) form.addEventListener("submit", () => { this.leaving = true; });
    addEventListener("online", () => this.ask());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.ask(); });
  }

  // What is known

  take(told) {
    // What this page told and could not send yet is newer than what the server knows.
    if (this.waiting && this.sets) return;
    this.offset = told.now_utc_s - Date.now() / 1000;
    this.state = told.state;
    const lasts = this.sets ? new Map([...this.sets].map(([number, set]) => [number, set.lasts])) : new Map();
    this.sets = new Map(told.sets.map((each) => [each.number, { ...each, lasts: lasts.get(each.number) }]));
    this.link = told.link;
    this.restUntil = told.rest_until_utc_s ?? 0;
    if (told.seen) this.seen = told.seen;
    // What was saved here leads on by itself; told on another device, this page shows what it came to.
    if (!["running", null].includes(this.state)) { if (!this.leaving) location.reload(); return; }
    if (told.halted) { this.halt(); return; }
    if (this.state === "running") this.begin();
    this.forget();
  }

  // Something that stands against it was told elsewhere: the set ends, and the page says why when it is asked for anew.
  halt() {
    if (this.halted) return;
    this.halted = this.leaving = true;
    clearTimeout(this.ends);
    const set = this.set;
    if (set) this.tell("set", { number: set.number, by_hand: set.by_hand, over: "ended" });
    (this.told ?? Promise.resolve()).finally(() => location.reload());
  }

  // The server begins a session with its first set, so that this works from a kept copy of the page too.
  begin() {
    document.getElementById("guided-begin")?.remove();
    if (host.hidden) { host.hidden = false; scrollTo(0, 0); }
  }

  // Without a network a page that is opened anew goes on from what this device knows.
  keep() {
    try { localStorage.setItem(KEPT + host.dataset.session, JSON.stringify({ sets: [...this.sets.values()], restUntil: this.restUntil })); } catch { /* only this page knows, then */ }
  }

  forget() { try { localStorage.removeItem(KEPT + host.dataset.session); } catch { /* nothing was kept */ } }

  restore() {
    if (document.documentElement.dataset.kept === undefined || !this.keptBefore) return;
    const { sets, restUntil } = JSON.parse(this.keptBefore);
    this.sets = new Map(sets.map((each) => [each.number, each]));
    this.restUntil = restUntil;
    this.offline = true;
    this.begin();
    this.keep();
  }

  get now() { return Date.now() / 1000 + this.offset; }
  get step() { return this.steps.find((step) => !["ended", "settled", "skipped"].includes(this.sets.get(step.number)?.state)) ?? null; }
  get set() { return this.step ? this.sets.get(this.step.number) : undefined; }
  get resting() { return this.step !== null && !this.set && this.restUntil > this.now; }

  counted(set) { return Math.max((set?.seen ?? 0) + (set?.by_hand ?? 0), 0); }

  news(news) {
    if (news.link) this.link = news.link;
    if (news.changed) this.ask();
    if (news.set) this.line(news.set);
    this.show();
  }

  line(seen) {
    const step = this.step, set = this.set;
    if (!step || !set || seen.number !== step.number) return;
    const before = this.counted(set), phase = this.seen?.phase;
    this.seen = seen;
    this.heardAt = performance.now();
    set.seen = seen.seen;
    set.watched = true;
    this.band.add(seen, step, this.aim(step));
    if (seen.phase !== phase) this.turned(seen.phase, phase);
    if (this.counted(set) !== before) {
      if (seen.last) (set.lasts ??= []).push(seen.last);
      this.rose(step, set, seen.notified_utc_s);
    }
  }

  turned(phase, before) {
    if (phase === "ready" && before === "settling") this.sound.go();
    if (phase === "holding") { this.enough = false; this.sound.hold(); }
  }

  rose(step, set, notified_utc_s = null) {
    const count = this.counted(set);
    this.sound.count(count);
    this.showNumbers(step, set);
    window.backstopGuided.shown.push({ number: step.number, count, at_utc_s: Date.now() / 1000, notified_utc_s });
    clearTimeout(this.ends);
    if (count >= step.target) this.ends = setTimeout(() => { if (this.step === step && this.counted(this.set) >= step.target) this.end("ended"); }, END_MS);
  }

  aim(step) { return this.seen?.rom_deg ?? this.usual[step.number] ?? null; }

  // What is told

  start(byHand = false) {
    const step = this.step;
    if (!step || this.set) return;
    const watched = !byHand && this.link[step.number] !== undefined;
    this.sets.set(step.number, { number: step.number, state: "running", by_hand: 0, seen: watched ? 0 : null, counted: 0, watched, detail: [] });
    this.seen = null;
    this.heardAt = performance.now();
    this.band.clear();
    this.sound.wake();
    this.tell("set", { number: step.number, begin: byHand ? "by_hand" : "1" });
    this.show();
  }

  tap() {
    const step = this.step;
    if (!this.set) return;
    this.sound.wake();
    if (step.hold_s === null || this.set.watched) { this.count(1); return; }
    if (this.holdFrom === null) { this.holdFrom = performance.now(); this.enough = false; this.sound.hold(); this.show(); return; }
    const held = (performance.now() - this.holdFrom) / 1000;
    this.holdFrom = null;
    if (held >= step.hold_s / 2) this.count(1);
    this.show();
  }

  count(more) {
    const step = this.step, set = this.set;
    if (!set || this.counted(set) + more < 0) return;
    set.by_hand += more;
    this.tell("set", { number: step.number, by_hand: set.by_hand });
    if (more > 0) this.rose(step, set); else { clearTimeout(this.ends); this.showNumbers(step, set); }
    this.show();
  }

  end(over) {
    const step = this.step;
    if (!step) return;
    clearTimeout(this.ends);
    const set = this.set ?? { number: step.number, by_hand: 0, seen: null, detail: [] };
    set.state = over;
    this.sets.set(step.number, set);
    this.holdFrom = this.seen = null;
    this.restUntil = over === "ended" ? this.now + step.rest_s : 0;
    this.rested = step.rest_s;
    if (over === "ended") this.sound.rest(words("rest"));
    this.tell("set", { number: step.number, by_hand: set.by_hand, over });
    this.show();
  }

  painSays(pain) {
    put(at("pain_says"), pain >= Number(host.dataset.askAtPain) ? words("pain_stop") : words("pain_less"));
  }

  // Little pain is remembered for the end; much pain ends the session.
  pain(event) {
    const chosen = event.target.querySelector("input[type=radio]:checked");
    const pain = chosen ? Number(chosen.value) : null;
    if (pain !== null && pain >= Number(host.dataset.askAtPain)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (pain === null) return;
    const most = part("end").querySelector("input[name=pain_during]:checked");
    if (!most || Number(most.value) < pain) part("end").querySelector(`input[name=pain_during][value="${pain}"]`).checked = true;
    event.target.closest("details").open = false;
  }

  // One at a time and in order; what cannot be sent now waits on the device and is sent once.
  tell(where, fields) {
    this.waiting += 1;
    const told_at = new Date().toISOString();
    this.told = (this.told ?? Promise.resolve()).then(() => this.send(where, fields, told_at)).finally(() => { this.waiting -= 1; });
  }

  async send(where, fields, told_at) {
    const path = `${this.url}/${where}`, body = new URLSearchParams(fields);
    const kept = self.backstopOffline;
    if (!this.offline) {
      try {
        const answer = await fetch(path, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": host.dataset.csrf } });
        if (answer.ok) { const told = await answer.json(); if (this.waiting === 1) { this.waiting = 0; this.take(told); this.waiting = 1; this.show(); } return; }
        if (answer.status === 401) { this.signedOut = true; this.show(); return; }
        if (answer.status < 500) { location.reload(); return; }
      } catch { /* no network */ }
    }
    this.offline = true;
    this.keep();
    this.show();
    if (!kept) return;
    await kept.add({ who: host.dataset.who, path, fields: Object.entries(fields).map(([name, value]) => [name, String(value)]), told_at });
    setTimeout(() => this.ask(), 3000);
  }

  async ask() {
    if (this.waiting) return;
    try {
      if (this.offline) {
        await self.backstopOffline?.send();
        const left = (await self.backstopOffline?.answers() ?? []).some((each) => each.refused === null && each.path.startsWith(this.url));
        if (left) { setTimeout(() => this.ask(), 3000); return; }
      }
      const answer = await fetch(`${this.url}.json`, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (!answer.ok) return;
      this.offline = false;
      this.take(await answer.json());
      this.show();
    } catch { if (this.offline) setTimeout(() => this.ask(), 5000); }
  }

  // What is shown

  tick() {
    const step = this.step;
    if (!step) return;
    if (this.resting) { this.showRest(step); return; }
    if (this.wasResting) { this.wasResting = false; this.sound.go(words("go_on")); this.show(); }
    if (this.holdFrom !== null) {
      const held = (performance.now() - this.holdFrom) / 1000;
      this.showHold(step, held);
      if (held >= step.hold_s) { this.holdFrom = null; this.sound.enough(); this.count(1); }
    } else if (this.seen?.phase === "holding" && !this.seen.silent) {
      // Between two events the hold goes on; not much longer than to the next one.
      this.showHold(step, this.seen.held_s + Math.min((performance.now() - this.heardAt) / 1000, 0.6));
    }
    this.band.draw();
  }

  show() {
    const step = this.step, set = this.set;
    at("offline").hidden = !this.offline;
    at("progress").value = this.steps.filter((each) => ["ended", "settled", "skipped"].includes(this.sets.get(each.number)?.state)).length;
    this.showLost(step, set);
    const ended = step === null || this.ending;
    part("end").hidden = !ended;
    part("rest").hidden = ended || !this.resting;
    part("work").hidden = ended || this.resting;
    button("skip").hidden = ended;
    if (ended) { put(at("title"), ""); put(at("name"), words("sets_done", { n: at("progress").value, all: this.steps.length })); return; }
    put(at("title"), step.title);
    put(at("name"), step.name);
    for (const each of host.querySelectorAll("[data-drawing]")) each.hidden = each.dataset.drawing !== step.exercise;
    for (const each of host.querySelectorAll("[data-cues]")) each.hidden = each.dataset.cues !== step.exercise;
    put(at("next"), `${step.name}, ${step.title}`);
    if (this.resting) { this.showRest(step); return; }
    button("start").hidden = set !== undefined;
    button("tap").hidden = part("ends").hidden = set === undefined;
    part("band").hidden = !set?.watched;
    button("tap").textContent = this.tapWord(step, set);
    button("tap").classList.toggle("btn-primary", set !== undefined && (!set.watched || this.isLost));
    button("tap").classList.toggle("btn-outline", set === undefined || (set.watched && !this.isLost));
    button("end").classList.toggle("btn-primary", set?.watched === true && !this.isLost);
    button("end").classList.toggle("btn-outline", !set?.watched || this.isLost);
    const link = this.link[step.number];
    put(at("wearable"), link ? words("seen_by", { name: link.name }) : words("not_seen"));
    this.showNumbers(step, set);
    put(at("phase"), this.phaseWords(step, set));
  }

  tapWord(step, set) {
    if (set?.watched) return words("tap_hand");
    if (step.hold_s === null) return words("tap");
    return words(this.holdFrom === null ? "tap_hold" : "tap_hold_end");
  }

  phaseWords(step, set) {
    if (set === undefined) return words("begin");
    if (this.counted(set) >= step.target) return words("done");
    if (!set.watched || this.isLost) return words(step.hold_s === null || set.watched ? "by_hand" : this.holdFrom === null ? "by_hand_hold" : "holding");
    if (this.seen?.phase === "holding" && step.hold_s === null) return words("away");
    if (this.seen?.phase === "holding" && this.seen.held_s >= step.hold_s) return words("enough");
    return words(this.seen?.phase ?? "settling");
  }

  get isLost() {
    const set = this.set;
    if (!set?.watched) return false;
    return this.streamLost || this.seen?.silent === true || this.link[this.step.number]?.state === "lost";
  }

  showLost(step, set) {
    let said = "";
    if (this.signedOut) said = words("no_one");
    else if (step && set?.watched && this.isLost) {
      const link = this.link[step.number];
      said = this.streamLost ? words("stream") : words(link?.state === "lost" ? "lost" : "silent", { n: this.counted(set) });
    }
    put(at("lost"), said);
    at("lost").hidden = !said;
  }

  showNumbers(step, set) {
    put(at("count"), String(this.counted(set)));
    put(at("of"), ` ${words("of", { target: step.target })}`);
    put(at("spoken"), set ? `${this.counted(set)} ${words("of", { target: step.target })}` : "");
    this.showHold(step, this.seen?.phase === "holding" ? this.seen.held_s : 0);
    this.showLast(step);
    this.showTable(set);
  }

  showHold(step, held) {
    // Taps count whole holds; of a hold that nobody times there is nothing to show.
    at("hold").hidden = step.hold_s === null || (this.set?.watched === true && this.isLost);
    if (at("hold").hidden) return;
    put(at("hold"), words("hold", { held: Math.floor(held), hold: step.hold_s }));
    if (held >= step.hold_s && this.seen?.phase === "holding" && !this.enough) { this.enough = true; this.sound.enough(); put(at("phase"), words("enough")); }
  }

  showLast(step) {
    const seen = this.seen, aim = this.aim(step), said = [];
    if (seen?.last) said.push(step.hold_s === null ? words("last_rom", { s: seen.last.s, deg: Math.round(seen.last.rom_deg) }) : words("last_held", { s: seen.last.held_s }));
    if (seen?.short) said.push(words("short", { n: seen.short }));
    said.push(step.hold_s === null ? words("aim_pace", { s: step.pace_s }) : words("aim_hold", { s: step.hold_s }));
    if (aim) said.push(words("aim_rom", { low: Math.round(aim * (1 - step.rom_share)), high: Math.round(aim * (1 + step.rom_share)) }));
    put(at("last"), said.join(" · "));
  }

  showTable(set) {
    const rows = set?.lasts ?? [];
    if (at("table").childElementCount === rows.length) return;
    at("table").replaceChildren(...rows.map(numbersRow));
  }

  showRest(step) {
    const left = Math.max(this.restUntil - this.now, 0), whole = this.steps[step.number - 1]?.rest_s ?? left;
    this.wasResting = true;
    put(at("rest"), CLOCK(Math.ceil(left)));
    at("rest_bar").max = whole || 1;
    at("rest_bar").value = whole - left;
  }
}

if (host) window.backstopGuided.page = new Guided();

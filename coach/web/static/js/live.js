// The live line: one event stream, one chart, the sentence above it, and word to the page's parts that something changed.
import { clock, fillTable, inclinationChart, onSchemeChange, stepRows } from "./chart.js";
import { EventStream } from "./event_stream.js";

const WINDOW_S = 120;
// A hole of this many sample times is a gap; shorter ones are rounding.
const GAP_STEPS = 2.5;
const LATENCIES_KEPT = 2000;
const FIRST_WINDOW_S = 15;
// Live blocks come four times a second; three seconds without one is silence, and the last angle is no longer "live".
const SILENCE_MS = 3000;
const LATE_S = 15;

// For whoever measures. latency_s: from the gateway's live block to the drawn chart; age_s: from the oldest new sample,
// by the signal's own clock, to the drawn chart. Lines from before the page was opened count in neither.
window.backstop = { latency_s: [], age_s: [], points: 0, redraws: 0 };

function keepSince(name, utc_s) {
  const kept = window.backstop[name];
  kept.push(Date.now() / 1000 - utc_s);
  if (kept.length > LATENCIES_KEPT) kept.splice(0, kept.length - LATENCIES_KEPT);
}

function filled(text, values) {
  return Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
}

function ago(words, seconds) {
  if (seconds < 90) return filled(words.seconds, { n: Math.round(seconds) });
  if (seconds < 5400) return filled(words.minutes, { n: Math.round(seconds / 60) });
  return filled(words.hours, { n: Math.round(seconds / 3600) });
}

class LiveLine {
  constructor(host) {
    this.host = host;
    this.t = [];
    this.deg = [];
    this.zone = host.dataset.zone;
    this.end = 0;
    this.make();
    onSchemeChange(() => { this.made.destroy(); this.make(); this.draw(); });
  }

  make() {
    this.made = inclinationChart(this.host, { zone: this.zone, range: () => [this.start(), this.end] });
  }

  // The line begins wide and grows to two minutes, so that the first seconds can be read too.
  start() {
    const first = this.t.length ? this.t[0] : this.end;
    return Math.max(this.end - WINDOW_S, Math.min(first, this.end - FIRST_WINDOW_S));
  }

  add(start_utc_s, step_s, values) {
    const last = this.t.length ? this.t[this.t.length - 1] : null;
    if (last !== null && start_utc_s <= last - WINDOW_S) { this.t = []; this.deg = []; }
    else if (last !== null && start_utc_s - last > GAP_STEPS * step_s) { this.t.push(last + step_s); this.deg.push(null); }
    for (let index = 0; index < values.length; index += 1) {
      const t = start_utc_s + index * step_s;
      if (this.t.length && t <= this.t[this.t.length - 1]) continue;
      this.t.push(t);
      this.deg.push(values[index]);
    }
    if (this.t.length) this.end = this.t[this.t.length - 1];
    const first = this.t.findIndex((t) => t >= this.end - WINDOW_S);
    if (first > 0) { this.t.splice(0, first); this.deg.splice(0, first); }
  }

  draw() {
    this.host.querySelector(".chart-empty")?.remove();
    this.made.chart.setData([this.t, this.deg]);
    window.backstop.points = this.t.length;
    window.backstop.redraws += 1;
  }
}

function put(name, text) {
  for (const place of document.querySelectorAll(`[data-live="${name}"]`)) if (place.textContent !== text) place.textContent = text;
}

function showStatus(status) {
  put("state", status.sentence);
  put("battery", status.battery ?? "");
  for (const dot of document.querySelectorAll("[data-live-dot]")) dot.className = `dot ${status.tone}`;
}

function announce(what) {
  document.body.dispatchEvent(new CustomEvent(`backstop:${what}`));
}

class LivePage {
  constructor(host) {
    this.line = new LiveLine(host);
    this.words = JSON.parse(host.dataset.words);
    this.at = clock(host.dataset.zone);
    this.table = document.getElementById(host.dataset.table);
    this.lastRows = -Infinity;
    this.lastSentence = -Infinity;
    this.lastSignal = -Infinity;
    this.stream = new EventStream(host.dataset.stream, {
      take: (news) => this.take(news),
      lost: () => put("link", this.words.lost),
      back: (wasLost) => {
        put("link", "");
        // Whatever changed while nobody listened.
        if (wasLost) for (const what of ["finding", "plan", "session", "assessment"]) announce(what);
      },
      over: (status) => this.sayOver(status),
      elsewhere: () => {
        put("link", this.words.elsewhere);
        put("angle", this.words.stopped);
      },
    });
    setInterval(() => this.saySilence(), 1000);
  }

  // For whoever measures.
  get source() { return this.stream.source; }

  sayOver(status) {
    const place = document.querySelector('[data-live="link"]');
    if (!place) return;
    const link = document.createElement("a");
    link.href = "/";
    link.textContent = status === 401 ? this.words.sign_in : this.words.back;
    place.replaceChildren(`${status === 401 ? this.words.signed_out : this.words.ended} `, link, ".");
    put("angle", this.words.stopped);
  }

  take(news) {
    if (news.signal) this.signal(news);
    if (news.status) showStatus(news.status);
    for (const [name, text] of Object.entries({ ...news.counts, ...news.totals })) put(name, text);
    for (const what of news.changed ?? []) announce(what);
  }

  signal({ signal: runs, notified_utc_s, history }) {
    for (const run of runs) this.line.add(run.start_utc_s, run.step_s, run.deg);
    this.line.draw();
    if (history) {
      const old_s = Date.now() / 1000 - this.line.end;
      if (old_s > LATE_S) put("time", filled(this.words.last, { time: this.at(this.line.end), ago: ago(this.words, old_s) }));
      return;
    }
    this.line.host.closest(".live-still")?.classList.remove("live-still");
    keepSince("latency_s", notified_utc_s);
    keepSince("age_s", Math.min(...runs.map((run) => run.start_utc_s)));
    const now = performance.now();
    this.lastSignal = now;
    // A number that changes five times a second cannot be read; once is enough.
    if (now - this.lastSentence > 900) {
      this.lastSentence = now;
      const newest = this.line.deg[this.line.deg.length - 1];
      put("angle", newest === null || newest === undefined ? this.words.no_signal : filled(this.words.angle, { deg: Math.round(newest) }));
      // Signal that arrives late (a replay, a backlog) says of which time it is.
      const late_s = Date.now() / 1000 - this.line.end;
      const time = this.at(this.line.end);
      put("time", late_s < LATE_S ? time : filled(this.words.late, { time, ago: ago(this.words, late_s) }));
    }
    if (this.table?.closest("details")?.open && now - this.lastRows > 2000) {
      this.lastRows = now;
      fillTable(this.table, stepRows(this.line.t, this.line.deg, 10, this.at, document.getElementById("chart-words").dataset.noSignal));
    }
  }

  saySilence() {
    if (this.lastSignal > 0 && performance.now() - this.lastSignal > SILENCE_MS) {
      this.lastSignal = -Infinity;
      put("angle", this.words.no_signal_now);
    }
  }
}

const host = document.querySelector("[data-stream]");
if (host) window.backstop.page = new LivePage(host);

// The live wall: one event stream for all tiles. Every sample is kept and drawn, at the screen's own pace.
/* global uPlot */
import { clock, colours, fillTable, onSchemeChange } from "./chart.js";
import { EventStream } from "./event_stream.js";

const TILE_S = 15;
// Samples are kept a little longer than they are drawn, so that arrays are cut seldom.
const KEPT_S = 60;
// A tile shows what is this old: blocks come four times a second, events five times, and the line still moves evenly.
const BEHIND_S = 0.5;
// A line that is further off than this (a replay, a pause) jumps there.
const JUMP_S = 2;
const GAP_STEPS = 2.5;
const SILENCE_MS = 3000;
// Making and drawing charts takes this much of a frame; tiles that are left are the first of the next one, so that no
// task grows long: not while the page is built either, nor when the window or the scheme changes.
const DRAW_MS = 14;
const ROWS_MS = 2000;
const THRESHOLDS_DEG = [20, 60];
const LATENCIES_KEPT = 5000;

const still = matchMedia("(prefers-reduced-motion: reduce)");

// For whoever measures. By athlete: samples that came with a value, without one (gaps of the recording), and numbers of
// the grid that no event had; redraws of the tile. latency_s: from the live block to the frame that can show it.
const told = { tiles: {}, latency_s: [], frames: 0, events: 0, began_ms: performance.now() };
window.backstop = { wall: told };

class Line {
  constructor() {
    this.t = [];
    this.deg = [];
    this.next = new Map(); // recording -> number of the sample that comes next
    this.count = { samples: 0, gaps: 0, missing: 0, redraws: 0, first: {}, next: {} };
  }

  get end() { return this.t.length ? this.t[this.t.length - 1] : null; }

  add({ recording, first, start_utc_s, step_s, deg }) {
    if (recording !== undefined) this.counted(recording, first, deg);
    if (this.end !== null && start_utc_s < this.end - KEPT_S) { this.t.length = this.deg.length = 0; }
    if (this.end !== null && start_utc_s - this.end > GAP_STEPS * step_s) { this.t.push(this.end + step_s); this.deg.push(null); }
    for (let index = 0; index < deg.length; index += 1) {
      const t = start_utc_s + index * step_s;
      // What was drawn of the line of before the page is not drawn again.
      if (this.end !== null && t <= this.end) continue;
      this.t.push(t);
      this.deg.push(deg[index]);
    }
    if (this.t.length && this.end - this.t[0] > KEPT_S) {
      const old = this.t.findIndex((t) => t >= this.end - 2 * TILE_S);
      this.t.splice(0, old);
      this.deg.splice(0, old);
    }
  }

  counted(recording, first, deg) {
    const { count, next } = this;
    if (!next.has(recording)) count.first[recording] = first;
    else if (first > next.get(recording)) count.missing += first - next.get(recording);
    for (const value of deg) { if (value === null) count.gaps += 1; else count.samples += 1; }
    next.set(recording, first + deg.length);
    count.next[recording] = first + deg.length;
  }

  newest() {
    const value = this.deg[this.deg.length - 1];
    return value === undefined ? null : value;
  }

  highest() {
    let most = null;
    for (let index = this.t.length - 1; index >= 0 && this.t[index] > this.end - TILE_S; index -= 1) {
      const value = this.deg[index];
      if (value !== null && (most === null || value > most)) most = value;
    }
    return most;
  }
}

function dashes(palette) {
  return (u) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = palette.quiet;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 5 * devicePixelRatio]);
    ctx.beginPath();
    for (const deg of THRESHOLDS_DEG) {
      const y = Math.round(u.valToPos(deg, "y", true)) + 0.5;
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
    }
    ctx.stroke();
    ctx.restore();
  };
}

class Tile {
  constructor(section, words) {
    this.section = section;
    this.words = words;
    this.place = section.querySelector(".wall-line");
    this.parts = Object.fromEntries([...section.querySelectorAll("[data-of]")].map((each) => [each.dataset.of, each]));
    this.at = clock(section.dataset.zone, false);
    this.line = new Line();
    this.range = { from: 0, to: TILE_S };
    this.counts = {};
    this.status = null;
    this.lastSignal_ms = -Infinity;
    this.lastFrame_ms = performance.now();
    this.fresh = this.shown = true;
    this.chart = this.room = null;
    told.tiles[section.dataset.tile] = this.line.count;
    new IntersectionObserver((entries) => { this.shown = entries[entries.length - 1].isIntersecting; this.fresh = true; }).observe(this.place);
    new ResizeObserver((entries) => { this.room = entries[entries.length - 1].contentRect; this.fresh = true; }).observe(this.place);
  }

  // Made when it is drawn first; `forget` lets it be made anew, in other colours.
  make(palette) {
    this.chart = new uPlot({
      width: Math.max(120, Math.floor(this.room.width)),
      height: Math.max(60, Math.floor(this.room.height)),
      pxAlign: false,
      padding: [4, 4, 4, 4],
      legend: { show: false },
      cursor: { show: false },
      hooks: { drawAxes: [dashes(palette)], draw: [() => { this.line.count.redraws += 1; }] },
      scales: {
        x: { time: false, range: () => [this.range.from, this.range.to] },
        // The same range for everybody, so that tiles can be read against each other; only a bend beyond it gets more.
        y: { range: (u, low, high) => [0, (high ?? 0) > 100 ? 180 : 100] },
      },
      axes: [{ show: false }, { show: false }],
      series: [{}, { stroke: palette.calm, width: 2, spanGaps: false, points: { show: false } }],
    }, [this.line.t, this.line.deg], this.place);
    this.fitted = this.room;
  }

  forget() {
    this.chart?.destroy();
    this.chart = null;
    this.fresh = true;
  }

  fit() {
    if (this.fitted === this.room || this.room.width === 0) return;
    this.fitted = this.room;
    this.chart.setSize({ width: Math.floor(this.room.width), height: Math.floor(this.room.height) });
  }

  take({ runs, history, bends, repetitions, since_utc_s, notified_utc_s }, now_ms) {
    for (const run of runs) this.line.add(run);
    this.fresh = true;
    this.counts = { bends, repetitions, since_utc_s };
    if (history) return;
    this.lastSignal_ms = now_ms;
    told.latency_s.push(Date.now() / 1000 - notified_utc_s);
    if (told.latency_s.length > LATENCIES_KEPT) told.latency_s.splice(0, LATENCIES_KEPT / 2);
  }

  // The window moves with the screen and is drawn to the signal's own time, whatever clock that has.
  draw(now_ms, palette) {
    if (this.room === null) return;
    if (this.chart === null) { this.make(palette); return; }
    const { end } = this.line, passed_s = Math.min(0.25, Math.max(0, now_ms - this.lastFrame_ms) / 1000);
    this.lastFrame_ms = now_ms;
    this.fit();
    if (end === null) return;
    const goal = still.matches ? end : end - BEHIND_S;
    const off = goal - this.range.to;
    let to = this.range.to + passed_s + Math.max(-0.9 * passed_s, Math.min(2 * passed_s, off * passed_s));
    if (Math.abs(off) > JUMP_S || still.matches) to = goal;
    // It stands still when nothing comes: time without data is not drawn as if it were over.
    to = Math.min(to, end);
    if (!this.fresh && Math.abs(to - this.range.to) < 1e-4) return;
    this.range = { from: to - TILE_S, to };
    if (!this.shown) return;
    this.fresh = false;
    // At once: what is left for later is not in the time that drawing may take.
    this.chart.batch(() => this.chart.setData([this.line.t, this.line.deg], true));
  }

  put(name, text) {
    const place = this.parts[name];
    if (place.textContent !== text) place.textContent = text;
  }

  silent_s(now_ms) {
    return this.lastSignal_ms > 0 && now_ms - this.lastSignal_ms > SILENCE_MS ? Math.round((now_ms - this.lastSignal_ms) / 1000) : 0;
  }

  // A line begins once it is known what is upright: samples that came before are kept for it.
  waitsFor() {
    if (this.lastSignal_ms > 0) return "";
    return this.status?.tone === "on" ? this.words.upright : this.words.waiting;
  }

  say(now_ms) {
    const silent_s = this.silent_s(now_ms), deg = this.line.newest(), { bends, repetitions, since_utc_s } = this.counts;
    const live = this.lastSignal_ms > 0 && silent_s === 0;
    this.put("angle", live && deg !== null ? `${Math.round(deg)}°` : "–");
    this.put("bends", bends === undefined || bends === null ? "–" : String(bends));
    this.put("repetitions", repetitions === undefined || repetitions === null ? "–" : String(repetitions));
    this.put("since", since_utc_s ? this.words.since.replace("{time}", this.at(since_utc_s)) : "");
    this.put("silence", silent_s ? this.words.silent.replace("{n}", silent_s) : this.waitsFor());
    this.section.classList.toggle("lost", silent_s > 0 || (this.status !== null && this.status.tone !== "on" && this.lastSignal_ms > 0));
  }

  saySlowly(now_ms) {
    const { name } = this.section.dataset, { bends, repetitions } = this.counts, deg = this.line.newest();
    const spoken = this.lastSignal_ms > 0 && !this.silent_s(now_ms) && deg !== null
      ? this.words.line.replace("{name}", name).replace("{deg}", Math.round(deg)).replace("{bends}", bends ?? "–").replace("{repetitions}", repetitions ?? "–")
      : this.words.line_silent.replace("{name}", name).replace("{state}", this.parts.silence.textContent || this.parts.state.textContent);
    this.place.setAttribute("aria-label", spoken);
  }

  row(now_ms) {
    const live = this.lastSignal_ms > 0 && !this.silent_s(now_ms), most = this.line.end === null ? null : this.line.highest();
    const degrees = (value) => (value === null ? this.words.no_signal : `${Math.round(value)}°`);
    return [
      this.section.dataset.name, degrees(live ? this.line.newest() : null), degrees(most),
      this.parts.bends.textContent, this.parts.repetitions.textContent,
      [this.parts.state.textContent, this.parts.silence.textContent].filter(Boolean).join(" · "),
    ];
  }

  link(status) {
    this.status = status;
    this.put("state", status.sentence);
    this.put("battery", status.battery ? `· ${status.battery}` : "");
    this.parts.dot.className = `dot ${status.tone}`;
  }
}

class Wall {
  constructor(host) {
    this.words = JSON.parse(host.dataset.words);
    this.tiles = new Map([...host.querySelectorAll("[data-tile]")].map((each) => [each.dataset.tile, new Tile(each, this.words)]));
    this.numbers = document.querySelector('[data-wall="numbers"]');
    this.rows = document.getElementById("wall-rows");
    this.lastRows_ms = -Infinity;
    this.turn = this.wordsTurn = 0;
    this.palette = colours();
    onSchemeChange(() => { this.palette = colours(); for (const tile of this.tiles.values()) tile.forget(); });
    this.stream = new EventStream(host.dataset.wallStream, {
      take: (news) => this.take(news),
      lost: () => this.note(this.words.lost),
      back: () => this.note(""),
      over: (status) => this.note(status === 401 ? this.words.signed_out : this.words.ended),
      elsewhere: () => this.note(this.words.elsewhere),
    });
    requestAnimationFrame((now) => this.frame(now));
  }

  note(text) {
    document.querySelector('[data-wall="link"]').textContent = text;
  }

  take({ tiles, status, gone }) {
    const now_ms = performance.now();
    told.events += 1;
    for (const [athlete, news] of Object.entries(tiles ?? {})) this.tiles.get(athlete)?.take(news, now_ms);
    for (const [athlete, link] of Object.entries(status ?? {})) this.tiles.get(athlete)?.link(link);
    for (const athlete of gone ?? []) this.leave(athlete);
  }

  // Who does not share any more is not shown any more, not even what was drawn before.
  leave(athlete) {
    const tile = this.tiles.get(athlete);
    if (!tile) return;
    this.tiles.delete(athlete);
    tile.forget();
    const said = document.createElement("p");
    said.className = "quiet";
    said.textContent = this.words.gone;
    tile.section.replaceChildren(tile.section.querySelector(".wall-head h2"), said);
  }

  drawFor(until_ms) {
    const tiles = [...this.tiles.values()];
    for (let drawn = 0; drawn < tiles.length; drawn += 1) {
      const now_ms = performance.now();
      if (now_ms > until_ms) return;
      tiles[this.turn % tiles.length].draw(now_ms, this.palette);
      this.turn = (this.turn + 1) % tiles.length;
    }
  }

  frame(now_ms) {
    told.frames += 1;
    this.drawFor(performance.now() + DRAW_MS);
    // The words of one tile a frame: all of them several times a second.
    const tiles = [...this.tiles.values()];
    tiles[this.wordsTurn++ % tiles.length]?.say(now_ms);
    if (now_ms - this.lastRows_ms > ROWS_MS) {
      this.lastRows_ms = now_ms;
      for (const tile of tiles) tile.saySlowly(now_ms);
      if (this.numbers.open) fillTable(this.rows, tiles.map((tile) => tile.row(now_ms)));
    }
    requestAnimationFrame((next) => this.frame(next));
  }
}

const host = document.querySelector("[data-wall-stream]");
if (host) told.page = new Wall(host);

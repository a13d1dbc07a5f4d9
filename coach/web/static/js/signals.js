// A day's signals: the line, the lanes under it on the same axis, and closer and closer down to the raw samples.
// Drawn over with the pointer, moved by buttons, or by keyboard; what is shown stands in the address, so that going back leads back.
/* global uPlot */
import { clock, colours, fillTable, inclinationChart, onSchemeChange, stepRows } from "./chart.js";

const RAW_MAX_S = 60;
const LEAST_S = 2;
// As in chart.js: room of the axis on the left, and beside the last label on the right.
const LEFT_PX = 44, RIGHT_PX = 30;
// Bars of minutes say nothing of seconds.
const LANES_LEAST_S = 300;
const LANE_PX = 44, LANE_BAR_PX = 24;
const BINS_MIN = [1, 5, 10, 15, 30, 60];
// A bar is at least this wide, so that a finger's width shows five.
const BAR_PX = 5;
const AXES = ["x", "y", "z"];

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

class View {
  constructor(host) {
    this.host = host;
    this.words = JSON.parse(host.dataset.words);
    this.found = JSON.parse(host.dataset.found);
    this.day = [Number(host.dataset.from), Number(host.dataset.to)];
    // What a page opens with: from the first hour with signal to the last, for most of a day is without.
    this.worn = [Math.max(this.day[0], Number(host.dataset.wornFrom)), Math.min(this.day[1], Number(host.dataset.wornTo))];
    this.zone = host.dataset.zone;
    this.line = host.querySelector(".signal-line");
    this.lanes = host.querySelector(".signal-lanes");
    this.raw = host.querySelector(".signal-raw");
    this.charts = [];
    this.asked = 0;
    this.place = null;
    this.listen();
    this.show(...this.fromAddress(), false);
  }

  fromAddress() {
    const asked = new URLSearchParams(location.search);
    const [from, to] = ["from", "to"].map((name) => Number(asked.get(name)));
    return asked.has("from") && from >= this.day[0] && to <= this.day[1] && to - from >= LEAST_S ? [from, to] : this.worn;
  }

  listen() {
    this.host.querySelector(".signal-tools").addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) this.act(button.dataset.do);
    });
    const keys = { "+": "closer", "=": "closer", "-": "wider", ArrowLeft: "earlier", ArrowRight: "later", 0: "whole", Escape: "whole" };
    this.line.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
      event.preventDefault();
      this.act(keys[event.key]);
    });
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-show]");
      if (!button) return;
      const from = Number(button.dataset.show), to = Number(button.dataset.until), around = Math.max(5, (to - from) / 20);
      this.show(from - around, to + around);
      this.line.focus();
      this.line.scrollIntoView({ block: "center" });
    });
    window.addEventListener("popstate", () => this.show(...this.fromAddress(), false));
    this.host.querySelector("#raw-place").addEventListener("change", (event) => {
      this.place = event.target.value;
      this.show(this.from, this.to, false);
    });
    onSchemeChange(() => this.draw());
    let width = this.host.clientWidth;
    new ResizeObserver(() => {
      if (Math.abs(this.host.clientWidth - width) < 2) return;
      width = this.host.clientWidth;
      this.draw();
    }).observe(this.host);
  }

  act(what) {
    const span = this.to - this.from, middle = (this.from + this.to) / 2;
    const about = (at, length) => this.show(at - length / 2, at + length / 2);
    if (what === "closer") about(this.interest(), span / 2);
    else if (what === "wider") about(middle, span * 2);
    else if (what === "earlier") about(middle - span / 2, span);
    else if (what === "later") about(middle + span / 2, span);
    else if (what === "raw") about(this.interest(), Math.min(span, RAW_MAX_S));
    else this.show(...this.day);
  }

  // Where to come closer: the middle, or the nearest time to it that has signal, for a day is mostly without.
  interest() {
    const middle = (this.from + this.to) / 2;
    const { t_utc_s: t, inclination_deg: deg } = this.part?.line ?? { t_utc_s: [], inclination_deg: [] };
    let best = null;
    for (let i = 0; i < t.length; i += 1) {
      if (deg[i] !== null && (best === null || Math.abs(t[i] - middle) < Math.abs(best - middle))) best = t[i];
    }
    return best ?? middle;
  }

  async show(from, to, remember = true) {
    const length = Math.min(Math.max(to - from, LEAST_S), this.day[1] - this.day[0]);
    const begin = Math.min(Math.max((from + to) / 2 - length / 2, this.day[0]), this.day[1] - length);
    [this.from, this.to] = [begin, begin + length];
    if (remember) this.remember();
    const asked = this.asked += 1;
    const query = new URLSearchParams({ from_utc_s: this.from.toFixed(3), to_utc_s: this.to.toFixed(3) });
    if (this.place) query.set("place", this.place);
    try {
      const answer = await fetch(`${this.host.dataset.signals}?${query}`, { headers: { Accept: "application/json" } });
      const part = await answer.json();
      if (!answer.ok) throw new Error(part.error?.what);
      if (asked !== this.asked) return;
      this.part = part;
      this.draw();
    } catch (error) {
      if (asked === this.asked) this.say(error.message && !(error instanceof TypeError) ? error.message : this.words.failed);
    }
  }

  remember() {
    const address = new URL(location.href);
    const whole = this.from === this.worn[0] && this.to === this.worn[1];
    for (const [name, value] of [["from", this.from], ["to", this.to]]) {
      if (whole) address.searchParams.delete(name); else address.searchParams.set(name, value.toFixed(1));
    }
    history.pushState(null, "", address);
  }

  say(sentence) {
    const empty = this.line.querySelector(".chart-empty") ?? this.line.appendChild(document.createElement("div"));
    empty.className = "chart-empty";
    empty.textContent = sentence;
  }

  span() {
    const s = this.to - this.from;
    if (s < 120) return fill(this.words.seconds, { n: Math.round(s) });
    return s < 7200 ? fill(this.words.minutes, { n: Math.round(s / 60) }) : fill(this.words.hours, { n: Math.round(s / 3600) });
  }

  draw() {
    if (!this.part) return;
    for (const each of this.charts) each.destroy();
    this.charts = [];
    const { line } = this.part, close = this.to - this.from < 600;
    this.line.querySelector(".chart-empty")?.remove();
    const made = inclinationChart(this.line, {
      zone: this.zone, seconds: close, range: [this.from, this.to], brackets: this.found, marks: line.marks_utc_s,
      onSelect: (from, to) => this.show(from, to),
    });
    made.chart.setData([line.t_utc_s, line.inclination_deg]);
    this.charts.push(made);
    if (!line.t_utc_s.length) this.say(this.words.none);
    this.drawLanes();
    this.drawRaw();
    const at = clock(this.zone, close), told = this.host.querySelector("[data-told]");
    told.textContent = fill(this.words.showing, { from: at(this.from), to: at(this.to), span: this.span() });
    const step = BINS_MIN.map((min) => min * 60).find((s) => (this.to - this.from) / s <= 60) ?? 3600;
    const rows = stepRows(line.t_utc_s, line.inclination_deg, this.to - this.from <= RAW_MAX_S ? 1 : step, at, this.words.no_signal);
    fillTable(this.host.querySelector("[data-line-numbers]"), rows);
    for (const [name, off] of [["wider", this.whole()], ["whole", this.whole()], ["earlier", this.from <= this.day[0]], ["later", this.to >= this.day[1]], ["closer", this.to - this.from <= LEAST_S]]) {
      this.host.querySelector(`[data-do="${name}"]`).disabled = off;
    }
  }

  whole() { return this.to - this.from >= this.day[1] - this.day[0] - 1; }

  // Minutes put together to bars of some pixels; a bar without data is nothing at all.
  bins(width) {
    const { minutes } = this.part, s = BINS_MIN.map((min) => min * 60).find((each) => (each / (this.to - this.from)) * width >= BAR_PX) ?? 3600;
    const found = new Map();
    minutes.start_utc_s.forEach((at, i) => {
      const begin = Math.floor(at / s) * s;
      const bin = found.get(begin) ?? { begin, covered: 0, lying: 0, bent: 0, far: 0, bends: 0, strokes: 0 };
      bin.covered += minutes.covered_s[i]; bin.lying += minutes.lying_s[i]; bin.bent += minutes.bent_s[i]; bin.far += minutes.far_s[i];
      bin.bends += minutes.bends[i]; bin.strokes += minutes.strokes[i];
      found.set(begin, bin);
    });
    return { s, bins: [...found.values()].filter((bin) => bin.covered > 0) };
  }

  drawLanes() {
    const strokes = this.part.minutes.strokes.some((n) => n > 0);
    this.lanes.classList.toggle("with-strokes", strokes);
    this.lanes.hidden = this.to - this.from < LANES_LEAST_S;
    if (this.lanes.hidden) return;
    const box = this.lanes.getBoundingClientRect(), ratio = devicePixelRatio, palette = colours();
    this.lanes.width = Math.round(box.width * ratio);
    this.lanes.height = Math.round(box.height * ratio);
    const ctx = this.lanes.getContext("2d"), width = box.width - LEFT_PX - RIGHT_PX;
    ctx.scale(ratio, ratio);
    ctx.clearRect(0, 0, box.width, box.height);
    ctx.font = "12px system-ui, sans-serif";
    const { s, bins } = this.bins(width);
    const x = (t) => LEFT_PX + (Math.min(Math.max(t, this.from), this.to) - this.from) / (this.to - this.from) * width;
    const lanes = [
      [this.words.posture, (bin) => [[bin.far / bin.covered, palette.notice], [bin.bent / bin.covered, palette.calm]], ["20–60°", "> 60°"]],
      [`${this.words.rest} · ${fill(this.words.minutes, { n: Math.round(bins.reduce((sum, bin) => sum + bin.lying, 0) / 60) })}`, (bin) => [[bin.lying / bin.covered, palette.quiet]], []],
      ...["bends", ...(strokes ? ["strokes"] : [])].map((name) => {
        const most = Math.max(1, ...bins.map((bin) => bin[name]));
        return [`${this.words[name]} · ${fill(this.words.most, { n: bins.length ? Math.max(...bins.map((bin) => bin[name])) : 0, min: s / 60 })}`, (bin) => [[bin[name] / most, palette.calm]], []];
      }),
    ];
    lanes.forEach(([title, parts, key], number) => {
      const top = number * LANE_PX, base = top + 16 + LANE_BAR_PX;
      ctx.fillStyle = palette.quiet;
      ctx.fillText(title, LEFT_PX, top + 11);
      let at = LEFT_PX + ctx.measureText(title).width + 16;
      key.forEach((text, i) => {
        ctx.fillStyle = [palette.calm, palette.notice][i];
        ctx.fillRect(at, top + 3, 9, 9);
        ctx.fillStyle = palette.quiet;
        ctx.fillText(text, at + 13, top + 11);
        at += 13 + ctx.measureText(text).width + 14;
      });
      for (const bin of bins) {
        const left = x(bin.begin), wide = Math.max(1, x(bin.begin + s) - left - (x(bin.begin + s) - left > 3 ? 1 : 0));
        ctx.fillStyle = palette.line;
        ctx.fillRect(left, base, wide, 2);
        let y = base;
        for (const [share, colour] of parts(bin)) {
          const high = share * LANE_BAR_PX;
          ctx.fillStyle = colour;
          ctx.fillRect(left, y - high, wide, high);
          y -= high;
        }
      }
    });
  }

  drawRaw() {
    const { raw, raw_gone: gone, places } = this.part, close = this.to - this.from <= RAW_MAX_S + 0.5;
    this.raw.hidden = !close;
    if (!close) return;
    const title = this.raw.querySelector("h3"), hosts = [this.raw.querySelector(".signal-acc"), this.raw.querySelector(".signal-gyr")];
    const picks = this.raw.querySelector("[data-places]"), select = picks.querySelector("select");
    picks.hidden = places.length < 2;
    select.replaceChildren(...places.map((place) => new Option(place.replaceAll("_", " "), place, false, place === raw?.placement)));
    for (const host of [...hosts, this.raw.querySelector("details")]) host.hidden = !raw;
    this.raw.querySelector("[data-gyr]").hidden = !raw?.gyr_radps;
    if (!raw) {
      title.textContent = gone ? this.words.gone : this.words.no_raw;
      return;
    }
    title.textContent = fill(this.words.raw, { place: raw.placement.replaceAll("_", " "), rate: Math.round(raw.rate_hz) });
    this.charts.push(axesChart(hosts[0], raw.t_utc_s, raw.acc_mps2, [this.from, this.to], clock(this.zone)));
    if (raw.gyr_radps) this.charts.push(axesChart(hosts[1], raw.t_utc_s, raw.gyr_radps, [this.from, this.to], clock(this.zone)));
    fillTable(this.raw.querySelector("[data-raw-numbers]"), secondRows(raw, clock(this.zone)));
  }
}

// Three lines that differ by dash as well as by colour.
function axesChart(host, t, columns, range, at) {
  const palette = colours(), font = "12px system-ui, sans-serif";
  const axis = { stroke: palette.quiet, font, ticks: { show: false }, grid: { stroke: palette.line, width: 1 } };
  const box = host.getBoundingClientRect();
  const look = [[palette.ink, []], [palette.calm, [8, 3]], [palette.notice, [2, 3]]];
  const chart = new uPlot({
    width: Math.max(200, Math.floor(box.width)), height: Math.max(100, Math.floor(box.height)), padding: [8, RIGHT_PX, 0, 0],
    legend: { show: false }, cursor: { show: false },
    scales: { x: { time: false, range: () => range } },
    axes: [{ ...axis, size: 26, space: 80, grid: { show: false }, values: (u, splits) => splits.map((s) => at(s)) }, { ...axis, size: LEFT_PX }],
    series: [{}, ...look.map(([stroke, dash], i) => ({ label: AXES[i], stroke, dash, width: 1.5, spanGaps: false, points: { show: false } }))],
  }, [t, ...columns], host);
  return { destroy: () => chart.destroy() };
}

// Means of each second, so that a minute is sixty rows; how many samples they stand on.
function secondRows(raw, at) {
  const rows = new Map();
  raw.t_utc_s.forEach((t, i) => {
    if (raw.acc_mps2[0][i] === null) return;
    const second = Math.floor(t), row = rows.get(second) ?? [0, 0, 0, 0];
    AXES.forEach((_, axis) => { row[axis] += raw.acc_mps2[axis][i]; });
    row[3] += 1;
    rows.set(second, row);
  });
  return [...rows].map(([second, [x, y, z, n]]) => [at(second), ...[x, y, z].map((sum) => (sum / n).toFixed(2)), String(n)]);
}

for (const host of document.querySelectorAll("[data-signals]")) new View(host);

// The time line: signal, findings, pain, sessions, tests and treatments over one axis, zoomed together by one brush.
// The numbers behind it stand in the page already; without this script they are all there is.
/* global uPlot, htmx */
import { colour, onSchemeChange } from "./chart.js";
import { axisTicks, eventLane } from "./time_line_lanes.js";

const DAY_S = 86400;
const SCALE_PX = 36;
const DRAG_FROM_PX = 5;
const SHORTEST_S = 120;
const tongue = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const number = new Intl.NumberFormat(tongue, { maximumFractionDigits: 1 });
const LONGEST_S = 400 * DAY_S;
// A day of pixels narrower than this cannot be told from the next; a phone begins with four weeks.
const NARROW_PX = 420;

const host = document.querySelector("[data-time-line]");
const lanes = host.querySelector("[data-lanes]");
const words = JSON.parse(lanes.dataset.words);
const { zone } = host.dataset;
const whole = { from: Number(host.dataset.first), to: Number(host.dataset.last) };
const asked = { from: Number(host.dataset.start), to: Number(host.dataset.end) };
const state = { ...asked, told: null, overview: null, charts: [], request: null };

function el(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function lane(name, unit) {
  const row = el("div", "tl-lane");
  const head = el("div", "tl-name", name);
  if (unit) head.append(" ", el("small", "", unit));
  row.append(head);
  lanes.append(row);
  return row;
}

// One chart of a lane: the same left and right edge for all, so that one time is one line down through the lanes.
function chartLane({ name, unit, data, series, range, className = "chart-lane", bands, axis = {}, says }) {
  const row = lane(name, unit);
  const track = el("div", `tl-track ${className}`);
  track.role = "img";
  track.setAttribute("aria-label", says);
  row.append(track);
  const quiet = colour("--bs-quiet");
  const font = "11px system-ui, sans-serif";
  const chart = new uPlot({
    width: Math.max(80, track.clientWidth), height: track.clientHeight,
    pxAlign: false, padding: [6, 0, 6, 0], legend: { show: false }, cursor: { show: false },
    scales: { x: { time: false, range: () => [state.from, state.to] }, y: { range } },
    axes: [{ show: false }, { stroke: quiet, font, size: SCALE_PX, gap: 3, ticks: { show: false }, space: 28, grid: { stroke: colour("--bs-line"), width: 1 }, ...axis }],
    series: [{}, ...series], bands,
  }, data, track);
  state.charts.push({ chart, track });
}

function line(token, more = {}) {
  return { stroke: colour(token), width: 2, spanGaps: false, points: { show: state.told.signal.t_utc_s.length < 130, size: 4, fill: colour(token) }, ...more };
}

const upTo = (least) => (u, low, high) => [0, Math.max(least, (high ?? 0) * 1.05)];

function drawSignal(signal) {
  const t = signal.t_utc_s;
  const invisible = { stroke: "transparent", width: 0, points: { show: false } };
  const usual = signal.usual_low.length ? [signal.usual_low, signal.usual_high] : [t.map(() => null), t.map(() => null)];
  const worn = signal.bends_per_h.filter((each) => each !== null);
  chartLane({
    name: words.bends, unit: words.bends_unit, data: [t, signal.bends_per_h, ...usual],
    series: [line("--bs-calm"), invisible, invisible], bands: [{ series: [3, 2], fill: colour("--bs-band") }], range: upTo(10),
    says: worn.length ? `${words.bends} ${words.bends_unit}: ${number.format(Math.min(...worn))} – ${number.format(Math.max(...worn))}` : `${words.bends}: ${words.not_worn}`,
  });
  if (signal.step === "line") {
    const angles = signal.inclination_deg.filter((each) => each !== null);
    const quiet = colour("--bs-quiet");
    chartLane({
      name: words.angle, unit: words.angle_unit, data: [signal.line_t_utc_s, signal.inclination_deg],
      series: [{ ...line("--bs-calm"), width: 1.5, points: { show: false } }], range: () => [0, angles.some((each) => each > 100) ? 180 : 100],
      axis: { splits: (u) => [0, 20, 60, u.scales.y.max], grid: { stroke: quiet, width: 1, dash: [6, 5] } },
      says: angles.length ? `${words.angle}: ${Math.round(Math.min(...angles))}° – ${Math.round(Math.max(...angles))}°` : `${words.angle}: ${words.not_worn}`,
    });
  } else {
    const shares = signal.deep_share.map((each) => (each === null ? null : 100 * each));
    const known = shares.filter((each) => each !== null);
    if (known.length) {
      chartLane({
        name: words.deep, unit: words.deep_unit, data: [t, shares], series: [line("--bs-calm")], range: upTo(10),
        says: `${words.deep}: ${number.format(Math.max(...known))} ${words.deep_unit}`,
      });
    }
  }
  if (signal.step === "day") {
    const hours = signal.worn_s.map((each) => (each ? each / 3600 : null));
    chartLane({
      name: words.worn, unit: words.worn_unit, className: "low-lane", data: [t, hours], range: upTo(4),
      series: [{ stroke: colour("--bs-quiet"), fill: colour("--bs-quiet"), width: 0, paths: uPlot.paths.bars({ size: [0.7, 14, 1] }), points: { show: false } }],
      says: `${words.worn}: ${hours.filter((each) => each).length} / ${t.length}`,
    });
  }
  if (signal.strokes_left.some((each) => each) || signal.strokes_right.some((each) => each)) {
    chartLane({
      name: words.strokes, unit: words.strokes_unit, data: [t, signal.strokes_left, signal.strokes_right],
      series: [line("--bs-calm"), line("--bs-quiet", { dash: [5, 4] })], range: upTo(10), says: `${words.strokes}, ${words.strokes_unit}`,
    });
  }
}

function drawPain(pain) {
  const levels = pain.map((each) => each.level);
  chartLane({
    name: words.pain, unit: words.pain_unit, className: "pain-lane", data: [pain.map((each) => each.start_utc_s), levels],
    series: [{ stroke: colour("--bs-ink"), width: 1, fill: colour("--bs-quiet"), paths: uPlot.paths.bars({ size: [0.4, 7, 3] }), points: { show: levels.length > 0, size: 5, fill: colour("--bs-ink") } }],
    range: () => [0, 10], says: levels.length ? `${words.pain} ${words.pain_unit}: ${Math.min(...levels)} – ${Math.max(...levels)}` : `${words.pain}: ${words.none}`,
  });
}

function draw() {
  for (const { chart } of state.charts) chart.destroy();
  state.charts = [];
  const focused = document.activeElement?.dataset?.key;
  lanes.replaceChildren();
  const { told } = state;
  const [from, to] = [state.from, state.to];
  drawSignal(told.signal);
  eventLane(lane(words.findings), { from, to, marks: told.findings, none: words.none, rows: true });
  drawPain(told.pain);
  eventLane(lane(words.sessions), { from, to, marks: [...told.programs, ...told.sessions], none: words.none });
  if (told.tests) eventLane(lane(words.tests), { from, to, marks: told.tests, none: words.none });
  if (told.treatments) eventLane(lane(words.treatments), { from, to, marks: told.treatments, none: words.none, rows: true });
  lanes.append(axis(from, to), overview());
  // Only now is it known how much room each has.
  for (const { chart, track } of state.charts) chart.setSize({ width: Math.max(80, track.clientWidth), height: track.clientHeight });
  if (focused) [...lanes.querySelectorAll("[data-key]")].find((each) => each.dataset.key === focused)?.focus();
}

function share(utc, from, to) {
  return `${(100 * (utc - from)) / (to - from)}%`;
}

function axis(from, to) {
  const made = el("div", "tl-axis");
  made.ariaHidden = "true";
  for (const [at, text] of axisTicks(from, to, zone, document.documentElement.lang, lanes.clientWidth)) {
    const tick = el("span", "", text);
    tick.style.left = share(at, from, to);
    made.append(tick);
  }
  return made;
}

// All twelve weeks in a strip, with where one is; a drag over it chooses anew.
function overview() {
  const made = el("div", "tl-overview");
  made.dataset.whole = "yes";
  made.ariaHidden = "true";
  for (const each of state.overview?.findings ?? []) {
    const mark = el("i");
    mark.style.left = share(each.start_utc_s, whole.from, whole.to);
    mark.style.width = `${Math.max(0, (100 * (each.end_utc_s - each.start_utc_s)) / (whole.to - whole.from))}%`;
    made.append(mark);
  }
  const here = el("div", "tl-window");
  const [from, to] = [Math.max(state.from, whole.from), Math.min(state.to, whole.to)];
  here.style.left = share(from, whole.from, whole.to);
  here.style.width = `${Math.max(0, (100 * (to - from)) / (whole.to - whole.from))}%`;
  made.append(here);
  return made;
}

function address(base, from, to, more = {}) {
  const url = new URL(base, location.href);
  url.searchParams.set("start", new Date(1000 * from).toISOString());
  url.searchParams.set("end", new Date(1000 * to).toISOString());
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
  return url;
}

function readNumbers() {
  const { pathname, search } = address(host.dataset.numbers, state.from, state.to);
  htmx.ajax("GET", pathname + search, { target: "#time-line-numbers", swap: "outerHTML" });
}

async function show(from, to, remember = true) {
  const length = Math.min(LONGEST_S, Math.max(SHORTEST_S, to - from));
  const middle = (from + to) / 2;
  const range = to - from === length ? [from, to] : [middle - length / 2, middle + length / 2];
  const [start, end] = range.map((each) => Math.round(1000 * each) / 1000);
  state.request?.abort();
  state.request = new AbortController();
  lanes.ariaBusy = "true";
  try {
    const points = Math.min(800, Math.max(100, Math.round(lanes.clientWidth || 600)));
    const answer = await fetch(address(host.dataset.timeLine, start, end, { points }), { headers: { Accept: "application/json" }, signal: state.request.signal });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error?.what);
    Object.assign(state, { from: start, to: end, told });
    if (start === whole.from && end === whole.to) state.overview = told;
    host.querySelector("[data-range]").textContent = told.said;
    draw();
    pressed();
    if (remember) history.replaceState(history.state, "", address(location.href, start, end));
    if (remember && host.querySelector("[data-as-numbers]").open) readNumbers();
  } catch (error) {
    if (error.name === "AbortError") return;
    host.querySelector("[data-readout]").textContent = error.message || words.lost;
  }
  lanes.ariaBusy = "false";
}

const zoom = (by, middle = (state.from + state.to) / 2) => show(middle - ((state.to - state.from) * by) / 2, middle + ((state.to - state.from) * by) / 2);
const move = (by) => show(state.from + (state.to - state.from) * by, state.to + (state.to - state.from) * by);

function lastDays(days) {
  // From what one looks at, so that a day is the day that was looked at.
  const end = Math.min(whole.to, state.to);
  if (days * DAY_S >= whole.to - whole.from - DAY_S) return show(whole.from, whole.to);
  return show(end - days * DAY_S, end);
}

function pressed() {
  for (const button of host.querySelectorAll("[data-days]")) {
    button.ariaPressed = String(Math.abs((state.to - state.from) / DAY_S - Number(button.dataset.days)) < 0.1);
  }
}

// The track that a pointer is over, as times: the lanes share one, the strip of all weeks has its own.
function scaleAt(target) {
  const strip = target.closest(".tl-overview");
  const box = (strip ?? lanes.querySelector(".tl-axis")).getBoundingClientRect();
  const [from, to] = strip ? [whole.from, whole.to] : [state.from, state.to];
  return {
    at: (x) => from + (to - from) * Math.min(1, Math.max(0, (x - box.left) / box.width)),
    left: (x) => Math.min(box.right, Math.max(box.left, x)) - lanes.getBoundingClientRect().left,
    inside: (x) => x >= box.left - 4 && x <= box.right + 4,
  };
}

let brush = null;
let dragged = false;

lanes.addEventListener("pointerdown", (event) => {
  const scale = scaleAt(event.target);
  dragged = false;
  if (event.button !== 0 || !scale.inside(event.clientX)) return;
  brush = { x: event.clientX, scale, box: null, id: event.pointerId };
});
lanes.addEventListener("pointermove", (event) => {
  if (!brush) { point(event); return; }
  if (!brush.box) {
    if (Math.abs(event.clientX - brush.x) < DRAG_FROM_PX) return;
    lanes.setPointerCapture(brush.id);
    brush.box = el("div", "tl-brush");
    lanes.append(brush.box);
    dragged = true;
  }
  const [left, right] = [brush.x, event.clientX].map(brush.scale.left).sort((a, b) => a - b);
  brush.box.style.left = `${left}px`;
  brush.box.style.width = `${right - left}px`;
});
lanes.addEventListener("pointerup", (event) => {
  const held = brush;
  brush = null;
  if (!held?.box) return;
  held.box.remove();
  const [from, to] = [held.x, event.clientX].map(held.scale.at).sort((a, b) => a - b);
  show(from, to);
});
lanes.addEventListener("pointercancel", () => { brush?.box?.remove(); brush = null; });
lanes.addEventListener("dragstart", (event) => event.preventDefault());
// The end of a drag over a finding is no wish to open it.
lanes.addEventListener("click", (event) => { if (dragged) event.preventDefault(); }, true);
lanes.addEventListener("dblclick", (event) => { if (!event.target.closest("a")) show(whole.from, whole.to); });
lanes.addEventListener("pointerleave", () => { lanes.querySelector(".tl-cursor")?.remove(); });

// What lies under the pointer, in words: the nearest day or step, and whatever is pointed at.
function point(event) {
  const scale = scaleAt(event.target);
  lanes.querySelector(".tl-cursor")?.remove();
  if (!scale.inside(event.clientX) || event.target.closest(".tl-overview")) return;
  const cursor = el("div", "tl-cursor");
  cursor.style.left = `${scale.left(event.clientX)}px`;
  lanes.append(cursor);
  const mark = event.target.closest("[data-says]");
  host.querySelector("[data-readout]").textContent = mark ? mark.dataset.says : readout(scale.at(event.clientX));
}

function readout(at) {
  const { signal, pain } = state.told;
  const index = Math.floor((at - (signal.t_utc_s[0] - signal.step_s / 2)) / signal.step_s);
  const form = { weekday: "short", day: "numeric", month: "short", timeZone: zone, ...(signal.step === "day" ? {} : { hour: "2-digit", minute: "2-digit", hour12: false }) };
  const said = [new Intl.DateTimeFormat(tongue, form).format(1000 * at)];
  const bends = signal.bends_per_h[index];
  const [low, high] = [signal.usual_low[index], signal.usual_high[index]];
  const usual = low === null || low === undefined ? "" : ` (${words.usual} ${Math.round(low)}–${Math.round(high)})`;
  said.push(bends === null || bends === undefined ? words.not_worn : `${number.format(bends)} ${words.bends_said}${usual}`);
  const near = pain.find((each) => Math.abs(each.start_utc_s - at) < signal.step_s / 2);
  if (near) said.push(near.says);
  return said.join(" · ");
}

lanes.addEventListener("focusin", (event) => {
  const mark = event.target.closest("[data-says]");
  if (mark) host.querySelector("[data-readout]").textContent = mark.dataset.says;
});
lanes.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const does = {
    ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => show(whole.from, whole.to),
  }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});
host.querySelector("[data-tools]").addEventListener("click", (event) => {
  const { days, move: by, zoom: factor } = event.target.dataset;
  if (days) lastDays(Number(days));
  if (by) move(0.5 * Number(by));
  if (factor) zoom(Number(factor));
});
host.querySelector("[data-as-numbers]").addEventListener("toggle", (event) => { if (event.target.open) readNumbers(); });

host.querySelector("[data-readout]").textContent = words.readout;
for (const hidden of host.querySelectorAll("[data-tools], [data-hint], [data-lanes], [data-key]")) hidden.hidden = false;
new ResizeObserver(() => {
  if (!state.told || lanes.clientWidth === state.width) return;
  state.width = lanes.clientWidth;
  draw();
}).observe(lanes);
onSchemeChange(() => state.told && draw());
const narrow = asked.from === whole.from && asked.to === whole.to && lanes.clientWidth < NARROW_PX;
show(narrow ? whole.to - 28 * DAY_S : asked.from, asked.to, false);

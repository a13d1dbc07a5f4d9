// The stored signal around a finding, or of a day: fetched once, drawn with brackets under what was found, with its numbers.
import { clock, fillTable, inclinationChart, onSchemeChange, stepRows } from "./chart.js";

// Its words, in the reader's language: templates/parts/chart_words.html.
const SAYS = document.getElementById("chart-words").dataset;
const drawn = new Map();

function draw(host, signal) {
  drawn.get(host)?.destroy();
  host.querySelector(".chart-empty")?.remove();
  const { zone } = host.dataset;
  const brackets = JSON.parse(host.dataset.brackets ?? "[]");
  // Only where what was found is about them: bends are counted otherwise, and two counts would confuse.
  const marks = host.dataset.marks ? signal.marks_utc_s : [];
  const made = inclinationChart(host, { zone, seconds: false, brackets, marks });
  const told = document.getElementById(host.dataset.marks);
  if (told && marks.length) told.textContent = ` ${SAYS.ticks.replace("{n}", marks.length)}`;
  made.chart.setData([signal.t_utc_s, signal.inclination_deg]);
  drawn.set(host, made);
}

function say(host, sentence) {
  const empty = host.querySelector(".chart-empty") ?? host.appendChild(document.createElement("div"));
  empty.className = "chart-empty";
  empty.textContent = sentence;
}

async function load(host) {
  host.dataset.loaded = "yes";
  try {
    const answer = await fetch(host.dataset.window, { headers: { Accept: "application/json" } });
    const signal = await answer.json();
    if (!answer.ok) throw new Error(signal.error?.what);
    if (!signal.t_utc_s.length) {
      say(host, SAYS.none);
      return;
    }
    draw(host, signal);
    onSchemeChange(() => { if (host.isConnected) draw(host, signal); });
    const table = document.getElementById(host.dataset.table);
    if (table) fillTable(table, stepRows(signal.t_utc_s, signal.inclination_deg, Number(host.dataset.step ?? 60), clock(host.dataset.zone, false), SAYS.noSignal));
  } catch (error) {
    say(host, error.message || SAYS.failed);
  }
}

function loadAll() {
  for (const host of drawn.keys()) if (!host.isConnected) { drawn.get(host).destroy(); drawn.delete(host); }
  for (const host of document.querySelectorAll("[data-window]:not([data-loaded])")) load(host);
}

loadAll();
document.body.addEventListener("htmx:after:swap", loadAll);
